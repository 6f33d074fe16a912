// The collected heap against a model, and among threads, tasks and modules that come and go.
//
// The model is a graph whose every edge the test itself made and remembers. After each collection
// exactly the objects that the model reaches are there, whole; with exact roots nothing is left to
// chance. Seeded by $CHECK_SEED, else always the same.
#include "base/compiler.h"
#include "tests/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <loam/gc.h>
#include <loam/task.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static uint64_t seed = 1;
static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static size_t below(size_t n)
{
    return (size_t)(rnd() % n);
}

// A thread that is just being born, or has no processor for a second, may be missed on a busy
// machine; that is told, and asked for again.
static void collect(loam_gc *heap)
{
    int e = -EBUSY;
    for (int tries = 0; e == -EBUSY && tries < 100; tries++)
        e = loam_gc_collect(heap);
    CHECK(e == 0);
}

// ---------------------------------------------------------------- the model

enum { OBJECTS = 3000, EDGES = 4, ROOTS = 40, HEAD = 2 };
enum kind { NONE = 0, SCAN, LEAF, TYPED };

struct object {
    enum kind kind;
    uint64_t *at;
    size_t words;
    int edge[EDGES]; // object + 1; the word HEAD + i holds a pointer into it
    int number;      // written into the object
    bool reached;
    bool weak, final;
    bool reused; // dead, and another object lies there by now
    loam_gc_weak reference;
};
static struct object object[OBJECTS];
static uint64_t *root[ROOTS]; // what the heap sees
static int root_of[ROOTS];    // what the model sees; object + 1
static int numbers, finalized[200000];
static loam_gc *gc;
static loam_gc_type type;

static void note_finalized(void *p, void *arg)
{
    CHECK(*(uint64_t *)p == (uintptr_t)arg);
    finalized[(uintptr_t)arg]++;
}

static int free_entry(void)
{
    for (int tries = 0; tries < 50; tries++) {
        int i = (int)below(OBJECTS);
        if (object[i].kind == NONE)
            return i;
    }
    return -1;
}

static size_t random_words(void)
{
    size_t r = below(100);
    return HEAD + EDGES + 1 + (r < 70 ? below(10) : r < 95 ? below(500) : below(9000));
}

static void make(void)
{
    int i = free_entry();
    if (i < 0)
        return;
    struct object *o = &object[i];
    *o = (struct object){.kind = 1 + (enum kind)below(3), .words = random_words()};
    o->number = ++numbers;
    if (o->kind == TYPED) {
        o->words = HEAD + EDGES + 2;
        o->at = loam_gc_alloc_typed(gc, type, 1);
    } else {
        o->at = o->kind == LEAF ? loam_gc_alloc_leaf(gc, o->words * 8)
                                : loam_gc_alloc(gc, o->words * 8);
    }
    CHECK(o->at != NULL);
    for (size_t w = 0; w < o->words; w++)
        CHECK(o->at[w] == 0);
    for (int k = 0; k < OBJECTS; k++) {
        struct object *old = &object[k];
        if (k != i && old->kind != NONE && old->at < o->at + o->words &&
            o->at < old->at + old->words)
            old->reused = true;
    }
    o->at[0] = (uint64_t)o->number;
    o->at[o->words - 1] = ~(uint64_t)o->number;
    int r = (int)below(ROOTS); // else it would be gone before it is linked
    root[r] = o->at;
    root_of[r] = i + 1;
    if (below(4) == 0)
        o->weak = loam_gc_weak_add(gc, o->at, &o->reference) == 0;
    if (below(8) == 0)
        o->final =
            loam_gc_finalizer_add(gc, o->at, note_finalized, (void *)(intptr_t)o->number) == 0;
}

// A pointer to any byte of an object.
static uint64_t *into(const struct object *o)
{
    size_t offset = below(2) == 0 ? 0 : below(o->words * 8);
    return (uint64_t *)((char *)o->at + offset);
}

static void link_up(void)
{
    int from = root_of[below(ROOTS)] - 1, to = root_of[below(ROOTS)] - 1;
    if (from < 0 || to < 0)
        return;
    struct object *o = &object[from];
    int e = (int)below(EDGES);
    o->edge[e] = to + 1;
    o->at[HEAD + e] = (uint64_t)(uintptr_t)into(&object[to]);
}

static void cut(void)
{
    int from = root_of[below(ROOTS)] - 1;
    if (from < 0)
        return;
    int e = (int)below(EDGES);
    object[from].edge[e] = 0;
    object[from].at[HEAD + e] = below(2) == 0 ? 0 : below(1 << 20); // a number, no address
}

// Walk an edge, so that roots reach inner objects too.
static void walk(void)
{
    int r = (int)below(ROOTS), from = root_of[r] - 1;
    if (from < 0)
        return;
    int to = object[from].kind == LEAF ? 0 : object[from].edge[below(EDGES)];
    root_of[r] = to;
    root[r] = to != 0 ? into(&object[to - 1]) : NULL;
}

static void reach(int i)
{
    static int stack[OBJECTS];
    int depth = 0;
    if (object[i].reached)
        return;
    object[i].reached = true;
    stack[depth++] = i;
    while (depth > 0) {
        const struct object *o = &object[stack[--depth]];
        for (int e = 0; e < EDGES && o->kind != LEAF; e++) {
            int to = o->edge[e] - 1;
            if (to >= 0 && !object[to].reached) {
                object[to].reached = true;
                stack[depth++] = to;
            }
        }
    }
}

static void check_object(struct object *o)
{
    CHECK(loam_gc_start(gc, o->at) == o->at);
    CHECK(o->at[0] == (uint64_t)o->number);
    CHECK(o->at[o->words - 1] == ~(uint64_t)o->number);
    CHECK(finalized[o->number] == 0);
    if (o->weak)
        CHECK(loam_gc_weak_get(gc, o->reference) == o->at);
}

// What a finalizer kept goes with the next collection. The first one may only end a search that was
// on, of a time when a finalizer of what is kept now was not there yet: so three.
static void compare(void)
{
    for (int i = 0; i < 3; i++)
        collect(gc);
    for (int i = 0; i < OBJECTS; i++)
        object[i].reached = false;
    for (int r = 0; r < ROOTS; r++)
        if (root_of[r] != 0)
            reach(root_of[r] - 1);
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = &object[i];
        if (o->kind == NONE)
            continue;
        if (o->reached) {
            CHECK(!o->reused);
            check_object(o);
            continue;
        }
        // Else at most the unused end of another object lies there.
        CHECK(o->reused || loam_gc_start(gc, o->at) != o->at);
        CHECK(!o->weak || loam_gc_weak_get(gc, o->reference) == NULL);
        CHECK(finalized[o->number] == o->final);
        if (o->weak)
            loam_gc_weak_remove(gc, o->reference);
        o->kind = NONE;
    }
}

static void live_by_the_model(size_t snapshot_from, int rounds)
{
    if (getenv("CHECK_SEED") != NULL)
        seed = strtoull(getenv("CHECK_SEED"), NULL, 10) | 1;
    gc = loam_gc_new("model", &(loam_gc_options){.explicit_roots = true,
                                                 .first = 1 << 20,
                                                 .snapshot_from = snapshot_from});
    CHECK(gc != NULL);
    CHECK(loam_gc_root_add(gc, root, sizeof root) == 0);
    // In a typed object the words that hold its number are no pointers, by its type.
    size_t offsets[EDGES];
    for (size_t e = 0; e < EDGES; e++)
        offsets[e] = (HEAD + e) * 8;
    CHECK(loam_gc_type_add(gc, (HEAD + EDGES + 2) * 8, offsets, EDGES, &type) == 0);
    for (int i = 0; i < rounds; i++) {
        for (int k = 0; k < 600; k++) {
            size_t r = below(10);
            r < 4 ? make() : r < 7 ? link_up() : r < 8 ? cut() : walk();
        }
        compare();
    }
    CHECK(loam_gc_usage(gc).freed_objects > (size_t)rounds * 50);
    loam_gc_free(gc);
}

TEST(exactly_what_is_reached_stays)
{
    live_by_the_model(SIZE_MAX, 60);
}

TEST(also_when_copies_are_searched)
{
    live_by_the_model(1, 40);
}

// ---------------------------------------------------------------- threads

struct node {
    struct node *next;
    size_t value[2];
};

static _Atomic bool stop;

static size_t sum(const struct node *n, size_t *ret_count)
{
    size_t s = 0;
    *ret_count = 0;
    for (; n != NULL; n = n->next, ++*ret_count)
        s += n->value[0] ^ n->value[1];
    return s;
}

// Builds lists, drops them, and keeps one: in a variable, for the collector to find.
static void work(size_t steps, size_t key)
{
    struct node *keep = NULL;
    for (size_t i = 0; i < steps && !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
        struct node *list = NULL;
        size_t n = 1 + (key * 31 + i) % 200;
        for (size_t k = 0; k < n; k++) {
            struct node *more = loam_gc_alloc(gc, sizeof *more + (i % 3) * 40);
            CHECK(more != NULL);
            CHECK(more->next == NULL && more->value[0] == 0);
            more->next = list;
            more->value[0] = key;
            more->value[1] = key ^ 1;
            list = more;
        }
        size_t count;
        CHECK(sum(list, &count) == n && count == n);
        if (i % 16 == 0)
            keep = list;
        CHECK(sum(keep, &count) == count);
    }
}

static void *work_thread(void *key)
{
    work(400, (size_t)(uintptr_t)key);
    return NULL;
}

static void *come_and_go(void *rounds)
{
    for (size_t i = 0; i < (size_t)(uintptr_t)rounds; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, work_thread, (void *)(uintptr_t)(i * 7 + 1000)) == 0);
        pthread_join(t, NULL);
    }
    return NULL;
}

// Modules come and go, with writable segments that are roots while they are there.
static void *modules(void *unused)
{
    static const char *const names[] = {"libresolv.so.2", "libthread_db.so.1", "libanl.so.1"};
    while (!atomic_load(&stop))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
            if (library != NULL)
                dlclose(library);
            usleep(200);
        }
    return unused;
}

static void crowd(size_t snapshot_from)
{
    enum { THREADS = 3 };
    pthread_t t[THREADS], visitors, opener;
    gc = loam_gc_new("crowd", &(loam_gc_options){.first = 1 << 18, .snapshot_from = snapshot_from});
    CHECK(gc != NULL);
    CHECK(pthread_create(&opener, NULL, modules, NULL) == 0);
    CHECK(pthread_create(&visitors, NULL, come_and_go, (void *)10) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, work_thread, (void *)(i + 1)) == 0);
    work(400, 99);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    pthread_join(visitors, NULL);
    atomic_store(&stop, true);
    pthread_join(opener, NULL);
    loam_gc_stats s = loam_gc_usage(gc);
    CHECK(s.collections > 5);
    CHECK(s.live_bytes < 64 << 20);
    loam_gc_free(gc);
}

TEST(threads_and_modules_come_and_go)
{
    crowd(SIZE_MAX);
}

TEST(also_beside_copies)
{
    crowd(1);
}

TEST(one_thread_collects_while_others_allocate)
{
    pthread_t t[2];
    gc = loam_gc_new("busy", &(loam_gc_options){.first = 1 << 30});
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_create(&t[i], NULL, work_thread, (void *)(i + 1)) == 0);
    for (int i = 0; i < 100; i++)
        collect(gc);
    for (size_t i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK(loam_gc_usage(gc).collections >= 100);
    loam_gc_free(gc);
}

// ---------------------------------------------------------------- tasks

enum { TASKS = 200 };
static _Atomic unsigned done;

// Parked in the middle of a list, again and again.
static void task(void *arg)
{
    struct node *mine = arg; // nobody else has it
    size_t count;
    CHECK(mine->value[0] == 42);
    for (size_t i = 0; i < 50; i++) {
        struct node *n = loam_gc_alloc(gc, sizeof *n);
        CHECK(n != NULL);
        n->next = mine;
        n->value[0] = 1;
        mine = n;
        loam_task_yield();
    }
    CHECK(sum(mine, &count) == 42 + 50 && count == 51);
    atomic_fetch_add(&done, 1);
}

static void first_task(void *unused)
{
    (void)unused;
    for (int i = 0; i < TASKS; i++) {
        struct node *n = loam_gc_alloc(gc, sizeof *n);
        CHECK(n != NULL);
        n->value[0] = 42;
        CHECK(loam_go("node", task, n, NULL) == 0);
        n = NULL;
    }
    while (atomic_load(&done) < TASKS) {
        collect(gc);
        loam_task_yield();
    }
}

static void run_tasks(unsigned workers)
{
    gc = loam_gc_new("tasks", &(loam_gc_options){.first = 1 << 16});
    CHECK(loam_task_run(&(loam_task_options){.workers = workers}, first_task, NULL) == 0);
    CHECK(done == TASKS);
    CHECK(loam_gc_usage(gc).collections > 2);
    loam_gc_free(gc);
}

TEST(parked_tasks_hold_what_they_have)
{
    run_tasks(1);
}

TEST(tasks_on_several_workers_do)
{
    run_tasks(3);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
