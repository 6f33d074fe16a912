#!/bin/sh
# The collected heap among what whole programs have: modules that come and go, stacks that loam did not
# make, a leak scan beside it.
. "$(dirname "$0")/../lib/tap.sh"
cc=${CC:-gcc}

# ---- the only pointers stand in a module that was opened late: in a variable, in a thread-local one
# of this thread, and of another
cat >"$tmp/plugin.c" <<'C'
void *slot;
__thread void *local[100];
C
cat >"$tmp/host.c" <<'C'
#include <dlfcn.h>
#include <loam/gc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static loam_gc *gc;
static void *library;
static pthread_barrier_t met;

// The objects' addresses in disguise, for asking about them afterwards.
static size_t hidden[3];

__attribute__((noinline)) static void put(const char *name, int i)
{
    void **at = dlsym(library, name);
    *at = loam_gc_alloc(gc, 1000);
    hidden[i] = ~(size_t)*at;
}

static int alive(int i)
{
    return loam_gc_size(gc, (void *)~hidden[i]) != 0;
}

static void *other(void *unused)
{
    put("local", 2);
    pthread_barrier_wait(&met);
    pthread_barrier_wait(&met);
    return unused;
}

// Overwrite what is left on the stack of the functions before.
__attribute__((noinline)) static void scrub(void)
{
    volatile char dead[50000];
    memset((char *)dead, 0, sizeof dead);
}

int main(int argc, char **argv)
{
    gc = loam_gc_new("host", NULL);
    library = dlopen(argv[argc - 1], RTLD_NOW);
    if (library == NULL)
        return 1;
    pthread_barrier_init(&met, NULL, 2);
    pthread_t t;
    pthread_create(&t, NULL, other, NULL);
    pthread_barrier_wait(&met);
    put("slot", 0);
    put("local", 1);
    scrub();
    loam_gc_collect(gc);
    printf("open: %d %d %d\n", alive(0), alive(1), alive(2));
    pthread_barrier_wait(&met);
    pthread_join(t, NULL);
    dlclose(library);
    scrub();
    loam_gc_collect(gc);
    loam_gc_collect(gc);
    printf("closed: %d\n", alive(0));
    return 0;
}
C
$cc -shared -fPIC -o "$tmp/plugin.so" "$tmp/plugin.c"
$cc -O1 -I"$top/include" -o "$tmp/host" "$tmp/host.c" "$build/libloam.a" -pthread -ldl
is "variables of a module hold, thread-local ones too; until it is closed" \
    "$("$tmp/host" "$tmp/plugin.so")" "open: 1 1 1
closed: 0"

# ---- a stack that loam did not make: what stands on it, and on the one that was left for it
cat >"$tmp/coroutine.c" <<'C'
#include <loam/gc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static loam_gc *gc;
struct node { struct node *next; long number; };

static struct node *list(long n)
{
    struct node *l = NULL;
    for (long i = 0; i < n; i++)
        l = loam_gc_make(gc, struct node, .next = l, .number = i);
    return l;
}
static long length(struct node *l)
{
    long n = 0;
    for (; l != NULL; l = l->next)
        n++;
    return n;
}
static __thread ucontext_t back, there;
static __thread long found;
static void run(void)
{
    struct node *mine = list(1000);
    for (int i = 0; i < 3; i++) {
        loam_gc_collect(gc);
        length(list(5000)); // where something might have been given back
    }
    found = length(mine);
    swapcontext(&there, &back);
}
static void *both(void *name)
{
    struct node *mine = list(2000);
    size_t size = 256 << 10;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = size;
    makecontext(&there, run, 0);
    swapcontext(&back, &there);
    printf("%s %ld %ld\n", (char *)name, found, length(mine));
    munmap(stack, size);
    return NULL;
}
int main(void)
{
    gc = loam_gc_new("coroutines", NULL);
    both("main");
    pthread_t t;
    pthread_create(&t, NULL, both, "thread");
    pthread_join(t, NULL);
    return loam_gc_usage(gc).collections < 6;
}
C
$cc -O1 -I"$top/include" -o "$tmp/coroutine" "$tmp/coroutine.c" "$build/libloam.a" -pthread
is "both stacks of a coroutine hold" "$("$tmp/coroutine")" "main 1000 2000
thread 1000 2000"

# ---- the leak scan: what collected objects point at is reached, and they themselves are no leak
cat >"$tmp/leaks.c" <<'C'
#include <loam/gc.h>
#include <stdlib.h>
static loam_gc *gc;
static void **root;
__attribute__((noinline)) static void make(void)
{
    for (int i = 0; i < 100; i++) {
        void **next = loam_gc_alloc(gc, 100);
        next[0] = root;
        next[1] = malloc(1000);
        root = next;
    }
    if (loam_gc_alloc(gc, 1 << 20) == NULL) // pointed at by nobody
        abort();
}
int main(void)
{
    gc = loam_gc_new("beside", NULL);
    make();
    return gc == NULL;
}
C
$cc -g -I"$top/include" -o "$tmp/leaks" "$tmp/leaks.c" "$build/libloam_malloc.a" -pthread
"$loam" run --leaks --report "$tmp/report" -- "$tmp/leaks" </dev/null >"$tmp/out" 2>&1
like "the leak scan looks into collected objects, and blames nobody for them" \
    "$(cat "$tmp/report")" '^NO LEAKS'
like "a collected heap is a named owner in the report" "$(cat "$tmp/report")" 'gc beside, '

# ---- collections and pauses in the report agree with what the heap itself counted
cat >"$tmp/pauses.c" <<'C'
#include <loam/gc.h>
#include <stdio.h>
int main(void)
{
    loam_gc *gc = loam_gc_new("paused", NULL);
    for (int i = 0; i < 7; i++)
        if (loam_gc_alloc(gc, 100) == NULL || loam_gc_collect(gc) != 0)
            return 1;
    loam_gc_stats s = loam_gc_usage(gc);
    printf("%zu %llu %llu\n", s.collections, (unsigned long long)s.pause_ns_max,
           (unsigned long long)s.pause_ns_total);
    return 0;
}
C
$cc -g -I"$top/include" -o "$tmp/pauses" "$tmp/pauses.c" -L"$build" -lloam -Wl,-rpath,"$build"
"$loam" run --report "$tmp/report" --json "$tmp/json" -- "$tmp/pauses" </dev/null >"$tmp/out" 2>&1
like "the report says how often a heap was collected" "$(cat "$tmp/report")" 'collected 7 times'
like "and how long all threads stood still" "$(cat "$tmp/report")" \
    'collections stopped all threads 7 times: .* at most, .* in all'
is "the heap's own clock starts before and ends after" "$(python3 - "$tmp/json" "$tmp/out" <<'P'
import json, sys
p = json.load(open(sys.argv[1]))["pauses"]
count, most, total = map(int, open(sys.argv[2]).read().split())
print(p["count"] == count, 0 < p["max_ns"] <= most, p["max_ns"] < p["total_ns"] <= total)
P
)" "True True True"

done_testing
