// The collected heap on bad days: input that makes no sense, no memory, a thread that does not
// listen, a fork, a free of what is not malloc's.
#include "tests/unit/gc.h"

#include <sys/syscall.h>

static struct node *global;
static loam_gc *shared;
static _Atomic int ready, go;

static void finalizer(void *p, void *arg)
{
    (void)p;
    (void)arg;
}

// ---------------------------------------------------------------- bad input, and the end of memory

TEST(bad_input_is_refused)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    static const volatile size_t too_much[] = {SIZE_MAX, SIZE_MAX - 63, (size_t)PTRDIFF_MAX + 1,
                                               PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof too_much / sizeof *too_much; i++) {
        errno = 0;
        CHECK(loam_gc_alloc(gc, too_much[i]) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(loam_gc_alloc_leaf(gc, too_much[i]) == NULL && errno == ENOMEM);
    }
    errno = 0;
    CHECK(loam_gc_alloc_layout(gc, loam_layout_make(100, 3)) == NULL && errno == EINVAL);
    errno = 0;
    CHECK(loam_gc_alloc_layout(gc, loam_layout_make(100, 1 << 20)) == NULL && errno == EINVAL);
    for (size_t align = 1; align <= 16384; align *= 2)
        for (size_t size = 1; size < 100000; size = size * 7 + 1)
            CHECK((uintptr_t)loam_gc_alloc_layout(gc, loam_layout_make(size, align)) % align == 0);
    void *a = loam_gc_alloc(gc, 0), *b = loam_gc_alloc(gc, 0);
    CHECK(a != NULL && b != NULL && a != b);
    loam_gc_type t = {0};
    errno = 0;
    CHECK(loam_gc_alloc_typed(gc, t, 1) == NULL && errno == EINVAL);
    CHECK(loam_gc_alloc_typed(gc, (loam_gc_type){1000}, 1) == NULL);
    CHECK(loam_gc_type_add(gc, 12, NULL, 0, &t) == -EINVAL);
    CHECK(loam_gc_type_add(gc, 0, NULL, 0, &t) == -EINVAL);
    CHECK(loam_gc_type_add(gc, 520, NULL, 0, &t) == -EINVAL);
    CHECK(loam_gc_type_add(gc, 16, (size_t[]){16}, 1, &t) == -EINVAL);
    CHECK(loam_gc_type_add(gc, 16, (size_t[]){4}, 1, &t) == -EINVAL);
    CHECK(loam_gc_type_add(gc, 16, NULL, 1, &t) == -EINVAL);
    CHECK(t.number == 0);
    CHECK(loam_gc_type_add(gc, 16, (size_t[]){8}, 1, &t) == 0);
    CHECK(loam_gc_alloc_typed(gc, t, SIZE_MAX / 8) == NULL && errno == ENOMEM);
    CHECK(loam_gc_root_add(gc, NULL, 8) == -EINVAL);
    CHECK(loam_gc_root_add(gc, &root, SIZE_MAX) == -EINVAL);
    CHECK(loam_gc_root_remove(gc, &gc) == -ENOENT);
    loam_gc_weak w;
    CHECK(loam_gc_weak_add(gc, NULL, &w) == -EINVAL);
    CHECK(loam_gc_weak_add(gc, &root, &w) == -EINVAL);
    CHECK(loam_gc_finalizer_add(gc, &root, finalizer, NULL) == -EINVAL);
    CHECK(loam_gc_finalizer_add(gc, a, NULL, NULL) == -EINVAL);
    CHECK(loam_gc_finalizer_add(gc, (char *)a + 1, finalizer, NULL) == -EINVAL);
    CHECK(loam_gc_start(gc, NULL) == NULL);
    CHECK(loam_gc_start(gc, &root) == NULL);
    CHECK(loam_gc_size(gc, (void *)(uintptr_t)-1) == 0);
    errno = 0;
    CHECK(loam_gc_new("x", &(loam_gc_options){.growth = 10001}) == NULL && errno == EINVAL);
    CHECK(loam_gc_free(NULL) == NULL);
    loam_gc_free(gc);
}

static void someone_elses(int number)
{
    (void)number;
}

TEST(without_a_free_signal_there_is_no_heap)
{
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        signal(number, someone_elses);
    errno = 0;
    CHECK(loam_gc_new("none", NULL) == NULL && errno == EBUSY);
    signal(50, SIG_DFL);
    loam_gc *gc = loam_gc_new("one", NULL);
    CHECK(gc != NULL && loam_gc_signal() == 50);
    loam_gc_free(gc);
}

TEST(types_run_out)
{
    loam_gc *gc = exact_heap(NULL, 0);
    loam_gc_type t;
    for (size_t i = 0; i < 62; i++)
        CHECK(loam_gc_type_add(gc, 512, &(size_t){8 * i}, 1, &t) == 0);
    CHECK(loam_gc_type_add(gc, 512, &(size_t){8 * 62}, 1, &t) == -ENOSPC);
    CHECK(loam_gc_type_add(gc, 512, &(size_t){8}, 1, &t) == 0);
    loam_gc_free(gc);
}

DIES(free_of_an_object, "free: not the start of a block")
{
    loam_gc *gc = exact_heap(NULL, 0);
    loam_free(loam_gc_alloc(gc, 16)); // the very first one, too
}
DIES(free_of_a_large_object, "free: not the start of a block")
{
    loam_gc *gc = exact_heap(NULL, 0);
    loam_free(loam_gc_alloc(gc, 1 << 20));
}
DIES(let_without_hold, "gc: let go more often than held")
{
    loam_gc_let(exact_heap(NULL, 0));
}

TEST(a_heap_keeps_to_its_limit)
{
    static struct node *root;
    loam_gc *gc =
        loam_gc_new("limit", &(loam_gc_options){.explicit_roots = true, .limit = 2 << 20});
    CHECK(loam_gc_root_add(gc, &root, sizeof root) == 0);
    for (int i = 0; i < 1000000; i++) // a hundred times the limit, all garbage
        CHECK(loam_gc_alloc(gc, 200) != NULL);
    CHECK(loam_gc_alloc(gc, 4 << 20) == NULL && errno == ENOMEM);
    size_t n = 0;
    for (struct node *p; (p = loam_gc_make(gc, struct node, .left = root)) != NULL; n++)
        root = p;
    CHECK(errno == ENOMEM);
    CHECK(n > 40000);
    CHECK(length(root) == n);
    root = NULL;
    CHECK(loam_gc_alloc(gc, 24) != NULL);
    loam_gc_free(gc);
}

TEST(held_is_not_collected)
{
    loam_gc *gc = loam_gc_new("held", &(loam_gc_options){.explicit_roots = true, .first = 4096});
    loam_gc_hold(gc);
    loam_gc_hold(gc);
    loam_gc_let(gc);
    for (int i = 0; i < 10000; i++)
        CHECK(loam_gc_alloc(gc, 64) != NULL);
    CHECK(loam_gc_collect(gc) == -EBUSY);
    CHECK(loam_gc_usage(gc).collections == 0);
    loam_gc_let(gc);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_usage(gc).freed_objects >= 9900);
    loam_gc_free(gc);
}

TEST(memory_goes_back)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    make_some(gc, &root, 500000);
    CHECK(loam_gc_collect(gc) == 0);
    size_t full = loam_gc_usage(gc).held_bytes;
    root = NULL;
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_collect(gc) == 0);
    loam_gc_stats s = loam_gc_usage(gc);
    CHECK(s.live_objects <= 64);
    CHECK(s.held_bytes < full / 2);
    loam_gc_free(gc);
}

// ---------------------------------------------------------------- others

// Block all signals that a program can, or, asking the kernel, all that there are.
static void block_all(bool truly)
{
    static const unsigned long every = ~0ul;
    sigset_t all;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    CHECK(!truly || syscall(SYS_rt_sigprocmask, SIG_SETMASK, &every, NULL, 8) == 0);
}

static void *be_stone_deaf(void *unused)
{
    block_all(true);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go))
        usleep(100);
    return unused;
}

TEST(a_thread_that_cannot_be_reached_is_left_alone)
{
    shared = loam_gc_new("deaf", NULL);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, be_stone_deaf, NULL) == 0);
    while (atomic_load(&ready) < 1)
        usleep(100);
    CHECK(loam_gc_collect(shared) == -EBUSY);
    CHECK(loam_gc_usage(shared).refused == 1);
    CHECK(loam_gc_alloc(shared, 100) != NULL);
    atomic_store(&go, 1);
    pthread_join(t, NULL);
    CHECK(loam_gc_collect(shared) == 0);
    loam_gc_free(shared);
}

#ifndef __SANITIZE_THREAD__ // it holds signals back: see world.c

// Holds a list by its own stack and registers alone; between two looks it computes, or sleeps in a
// call that ends by EINTR.
static void *be_deaf(void *sleeps)
{
    struct node *n = NULL;
    block_all(false);
    make_some(shared, &n, 5000);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go)) {
        if (sleeps != NULL)
            usleep(1000);
        CHECK(length(n) == 5000);
    }
    return NULL;
}

TEST(threads_that_block_all_signals_are_stopped_too)
{
    shared = loam_gc_new("deaf", NULL);
    pthread_t t[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&t[i], NULL, be_deaf, i == 0 ? NULL : shared) == 0);
    while (atomic_load(&ready) < 3)
        usleep(100);
    size_t done = 0;
    for (int i = 0; i < 50; i++) {
        struct node *garbage = NULL;
        make_some(shared, &garbage, 3000);
        done += loam_gc_collect(shared) == 0;
    }
    CHECK(done > 0);
    CHECK(loam_gc_usage(shared).freed_objects > 3000);
    atomic_store(&go, 1);
    for (size_t i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    loam_gc_free(shared);
}

// libc makes every thread change with it by the same signal. That must go on, beside and after.
static void *be_someone(void *unused)
{
    uid_t me = getuid();
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go))
        CHECK(setresuid(me, me, me) == 0 && setresgid(-1u, -1u, -1u) == 0);
    return unused;
}

TEST(what_libc_sends_by_that_signal_arrives)
{
    shared = loam_gc_new("deaf", NULL);
    pthread_t t[2];
    CHECK(pthread_create(&t[0], NULL, be_deaf, NULL) == 0);
    CHECK(pthread_create(&t[1], NULL, be_someone, NULL) == 0);
    while (atomic_load(&ready) < 2)
        usleep(100);
    size_t done = 0;
    for (int i = 0; i < 200; i++)
        done += loam_gc_collect(shared) == 0;
    CHECK(done > 0);
    uid_t me = getuid();
    CHECK(setresuid(me, me, me) == 0); // waits until each thread has said so
    atomic_store(&go, 1);
    for (size_t i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    loam_gc_free(shared);
}
#endif

TEST(the_child_of_a_fork_goes_on)
{
    loam_gc *gc = loam_gc_new("fork", &(loam_gc_options){.snapshot_from = 1, .first = 1 << 16});
    make_some(gc, &global, 5000);
    for (int i = 0; i < 10; i++) {
        struct node *n = NULL;
        make_some(gc, &n, 5000);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            make_some(gc, &n, 20000);
            CHECK(loam_gc_collect(gc) == 0);
            CHECK(length(n) == 25000);
            CHECK(length(global) == 5000);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    CHECK(length(global) == 5000);
    loam_gc_free(gc);
}

TEST(an_address_resolves_to_its_heap)
{
    loam_gc *gc = loam_gc_new_at("named", NULL, "here.c:1");
    char *p = loam_gc_alloc(gc, 100), *large = loam_gc_alloc(gc, 1 << 20);
    loam_owner_info o;
    CHECK(loam_owner_find(p + 5, &o));
    CHECK(strcmp(o.kind, "gc") == 0 && strcmp(o.name, "named") == 0);
    CHECK(strcmp(o.place, "here.c:1") == 0 && o.held > 1 << 20);
    CHECK(loam_owner_find(large + 1000000, &o));
    loam_gc_free(gc);
    CHECK(!loam_owner_find(p + 5, &o));
}

TEST(pauses_are_counted)
{
    loam_gc *gc = exact_heap(NULL, 0);
    for (int i = 0; i < 10; i++)
        CHECK(loam_gc_collect(gc) == 0);
    loam_gc_stats s = loam_gc_usage(gc);
    size_t n = 0;
    for (size_t i = 0; i < LOAM_GC_PAUSES; i++)
        n += s.pause_counts[i];
    CHECK(n == 10 && s.collections == 10);
    CHECK(s.pause_ns_max >= s.pause_ns_last && s.pause_ns_total >= s.pause_ns_max);
    loam_gc_free(gc);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
