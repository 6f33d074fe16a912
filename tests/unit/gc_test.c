// The collected heap: what is pointed at stays, what is not goes; whoever points, from wherever.
#include "tests/unit/gc.h"

TEST(what_is_pointed_at_stays)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    for (size_t i = 0; i < 1000; i++) {
        struct node *n = loam_gc_make(gc, struct node, .left = root, .number = i);
        CHECK(n != NULL);
        root = n;
    }
    size_t all = live(gc);
    CHECK(all >= 1000);
    size_t i = 1000;
    for (struct node *n = root; n != NULL; n = n->left)
        CHECK(n->number == --i);
    CHECK(i == 0);
    root = root->left;
    root->left = NULL; // the first, and 998 behind
    CHECK(all - live(gc) == 999);
    CHECK(root->number == 998);
    loam_gc_free(gc);
}

TEST(rings_go)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    root = loam_gc_make(gc, struct node, .number = 1);
    root->left = loam_gc_make(gc, struct node, .left = root);
    root->left->right = root->left;
    size_t before = live(gc);
    root = NULL;
    CHECK(before - live(gc) == 2);
    CHECK(loam_gc_usage(gc).freed_objects == 2);
    loam_gc_free(gc);
}

TEST(interior_pointers_hold_and_ends_do_not)
{
    static char *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    static const size_t sizes[] = {1, 16, 48, 1000, 5000, 32768, 100000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = loam_gc_alloc(gc, sizes[i]);
        CHECK(p != NULL);
        size_t size = loam_gc_size(gc, p);
        CHECK(size >= sizes[i]);
        root = p + size - 1;
        size_t before = loam_gc_usage(gc).freed_objects;
        CHECK(loam_gc_collect(gc) == 0);
        CHECK(loam_gc_usage(gc).freed_objects == before);
        CHECK(loam_gc_start(gc, root) == p);
        root = p + size;
        CHECK(loam_gc_collect(gc) == 0);
        CHECK(loam_gc_usage(gc).freed_objects == before + 1);
        CHECK(loam_gc_size(gc, p) == 0);
    }
    loam_gc_free(gc);
}

TEST(objects_come_zeroed)
{
    loam_gc *gc = exact_heap(NULL, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 70000; size = size * 3 / 2 + 1) {
            for (int k = 0; k < 40; k++) {
                unsigned char *p = k & 1 ? loam_gc_alloc(gc, size) : loam_gc_alloc_leaf(gc, size);
                CHECK(p != NULL);
                CHECK((uintptr_t)p % 16 == 0);
                for (size_t i = 0; i < size; i++)
                    CHECK(p[i] == 0);
                memset(p, 0xff, size);
            }
        }
        CHECK(loam_gc_collect(gc) == 0);
    }
    loam_gc_free(gc);
}

TEST(leaves_are_not_looked_into)
{
    static void **root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    for (size_t size = 64; size <= 64000; size *= 1000) {
        root = loam_gc_alloc_leaf(gc, size);
        root[1] = loam_gc_alloc(gc, 16);
        size_t freed = loam_gc_usage(gc).freed_objects;
        CHECK(loam_gc_collect(gc) == 0);
        CHECK(loam_gc_usage(gc).freed_objects == freed + 1);
        root = NULL;
        CHECK(loam_gc_collect(gc) == 0);
    }
    loam_gc_free(gc);
}

TEST(typed_objects_hold_by_their_pointers_alone)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    loam_gc_type type, again;
    const size_t pointers[] = {offsetof(struct node, left), offsetof(struct node, right)};
    CHECK(loam_gc_type_add(gc, sizeof(struct node), pointers, 2, &type) == 0);
    CHECK(loam_gc_type_add(gc, sizeof(struct node), pointers, 2, &again) == 0);
    CHECK(again.number == type.number);
    for (size_t count = 3; count <= 3000; count *= 1000) {
        root = loam_gc_alloc_typed(gc, type, count);
        CHECK(root != NULL);
        for (size_t i = 0; i < count; i++) {
            root[i].left = loam_gc_alloc_typed(gc, type, 1);
            root[i].right = loam_gc_alloc(gc, 24);
            root[i].number = (uintptr_t)loam_gc_alloc(gc, 40); // no pointer, by its type
        }
        size_t freed = loam_gc_usage(gc).freed_objects;
        CHECK(loam_gc_collect(gc) == 0);
        CHECK(loam_gc_usage(gc).freed_objects == freed + count);
        for (size_t i = 0; i < count; i++) {
            CHECK(loam_gc_size(gc, root[i].left) != 0);
            CHECK(loam_gc_size(gc, root[i].right) != 0);
            CHECK(loam_gc_size(gc, (void *)root[i].number) == 0);
        }
        root = NULL;
        CHECK(loam_gc_collect(gc) == 0);
    }
    loam_gc_free(gc);
}

// ---------------------------------------------------------------- wherever the pointer stands

static struct node *global;
static _Thread_local struct node *local_to_thread;
static _Thread_local struct node *hidden_list; // complements, which hold nothing

TEST(variables_thread_local_ones_and_the_stack_hold)
{
    loam_gc *gc = loam_gc_new("roots", NULL);
    struct node *volatile stack = NULL;
    make_some(gc, &global, 5000);
    make_some(gc, &local_to_thread, 6000);
    struct node *s = NULL;
    make_some(gc, &s, 7000);
    stack = s;
    CHECK(loam_gc_collect(gc) == 0);
    make_some(gc, &hidden_list, 10000); // would come to lie where something was given back
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(length(global) == 5000);
    CHECK(length(local_to_thread) == 6000);
    CHECK(length(stack) == 7000);
    global = local_to_thread = hidden_list = NULL;
    loam_gc_free(gc);
}

enum { THREADS = 4 };
static loam_gc *shared;
static _Atomic int ready, go;

static void *hold(void *unused)
{
    struct node *mine = NULL;
    (void)unused;
    make_some(shared, &mine, 3000);
    make_some(shared, &local_to_thread, 2000);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go)) // in registers, or on the stack, or both
        __asm__ volatile("" : "+r"(mine));
    CHECK(length(mine) == 3000);
    CHECK(length(local_to_thread) == 2000);
    return NULL;
}

// On a busy machine a thread may not get a processor for a second.
static bool collect_patiently(loam_gc *gc)
{
    int tries = 0;
    while (loam_gc_collect(gc) == -EBUSY && tries < 100)
        tries++;
    return tries < 100;
}

TEST(threads_are_found_by_themselves)
{
    shared = loam_gc_new("threads", NULL);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, hold, NULL) == 0);
    while (atomic_load(&ready) < THREADS)
        usleep(100);
    for (int i = 0; i < 5; i++) {
        CHECK(collect_patiently(shared));
        struct node *other = NULL;
        make_some(shared, &other, 5000);
    }
    CHECK(loam_gc_usage(shared).live_objects >= THREADS * 5000);
    atomic_store(&go, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    loam_gc_free(shared);
}

TEST(a_region_that_asks_for_it_holds)
{
    loam_gc *gc = exact_heap(NULL, 0);
    loam_region r;
    loam_region_init(&r, "roots");
    CHECK(loam_gc_root_region(gc, &r) == 0);
    struct node **slot[2000];
    for (size_t i = 0; i < 2000; i++) {
        slot[i] = loam_new_array(&r, struct node *, 7);
        *slot[i] = loam_gc_make(gc, struct node, .number = i);
    }
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_usage(gc).freed_objects == 0);
    for (size_t i = 0; i < 2000; i++)
        CHECK((*slot[i])->number == i);
    CHECK(loam_gc_root_region_remove(gc, &r) == 0);
    CHECK(loam_gc_root_region_remove(gc, &r) == -ENOENT);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_usage(gc).freed_objects == 2000);
    loam_region_done(&r);
    loam_gc_free(gc);
}

TEST(heaps_do_not_look_into_each_other)
{
    static struct node *root;
    loam_gc *a = exact_heap(&root, sizeof root), *b = exact_heap(NULL, 0);
    root = loam_gc_make(a, struct node, .number = 1);
    root->left = loam_gc_make(b, struct node, .number = 2);
    CHECK(loam_gc_start(a, root->left) == NULL);
    CHECK(loam_gc_start(b, root->left) == root->left);
    CHECK(loam_gc_root_add(b, root, sizeof *root) == 0);
    CHECK(loam_gc_collect(b) == 0);
    CHECK(loam_gc_usage(b).freed_objects == 0);
    CHECK(loam_gc_root_remove(b, root) == 0);
    CHECK(loam_gc_collect(b) == 0);
    CHECK(loam_gc_usage(b).freed_objects == 1);
    CHECK(loam_gc_usage(a).freed_objects == 0);
    loam_gc_free(a);
    loam_gc_free(b);
}

// ---------------------------------------------------------------- weak references, finalizers

TEST(weak_references_let_go)
{
    static struct node *root;
    loam_gc *gc = exact_heap(&root, sizeof root);
    loam_gc_weak w, second;
    root = loam_gc_make(gc, struct node, .number = 3);
    CHECK(loam_gc_weak_add(gc, root, &w) == 0);
    CHECK(loam_gc_weak_add(gc, &root->number, &second) == 0);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_weak_get(gc, w) == root);
    CHECK(loam_gc_weak_get(gc, second) == &root->number);
    root = NULL;
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(loam_gc_weak_get(gc, w) == NULL);
    CHECK(loam_gc_weak_get(gc, second) == NULL);
    loam_gc_weak_remove(gc, w);
    root = loam_gc_make(gc, struct node, .number = 4);
    CHECK(loam_gc_weak_add(gc, root, &second) == 0); // w's entry, another generation
    CHECK(loam_gc_weak_get(gc, w) == NULL);
    CHECK(loam_gc_weak_get(gc, (loam_gc_weak){0, 0}) == NULL);
    CHECK(loam_gc_weak_get(gc, (loam_gc_weak){12345, 1}) == NULL);
    loam_gc_free(gc);
}

static int finalized;
static struct node *rescued;
static void finalizer(void *p, void *arg)
{
    struct node *n = p;
    CHECK(*(loam_gc **)arg != NULL);
    CHECK(n->left != NULL && n->left->number == 77); // what it points at is still there
    CHECK(loam_gc_alloc(*(loam_gc **)arg, 100) != NULL);
    finalized++;
    rescued = n;
}

TEST(finalizers_run_once_after_the_pause)
{
    static struct node *root;
    static loam_gc *gc;
    gc = exact_heap(&root, sizeof root);
    root = loam_gc_make(gc, struct node, .number = 5);
    root->left = loam_gc_make(gc, struct node, .number = 77);
    CHECK(loam_gc_finalizer_add(gc, root, finalizer, &gc) == 0);
    loam_gc_weak w;
    CHECK(loam_gc_weak_add(gc, root, &w) == 0);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(finalized == 0);
    root = NULL;
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(finalized == 1);
    CHECK(loam_gc_weak_get(gc, w) == NULL);
    CHECK(rescued->number == 5); // it was kept, this once
    CHECK(loam_gc_size(gc, rescued) != 0);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(finalized == 1);
    CHECK(loam_gc_size(gc, rescued) == 0);
    loam_gc_free(gc);
}

TEST(a_finalizer_that_is_removed_does_not_run)
{
    static struct node *root;
    static loam_gc *gc;
    gc = exact_heap(&root, sizeof root);
    root = loam_gc_make(gc, struct node, .number = 5);
    CHECK(loam_gc_finalizer_add(gc, root, finalizer, &gc) == 0);
    CHECK(loam_gc_finalizer_add(gc, root, finalizer, &gc) == 0);
    CHECK(loam_gc_finalizer_remove(gc, root) == 2);
    CHECK(loam_gc_finalizer_remove(gc, root) == 0);
    root = NULL;
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(finalized == 0);
    loam_gc_free(gc);
}

static loam_gc *freed_too_early;
static void free_heap(void *p, void *arg)
{
    (void)p;
    (void)arg;
    loam_gc_free(freed_too_early);
}
DIES(heap_freed_by_its_finalizer, "gc: freed by a finalizer of its own")
{
    freed_too_early = exact_heap(NULL, 0);
    CHECK(loam_gc_finalizer_add(freed_too_early, loam_gc_alloc(freed_too_early, 8), free_heap,
                                NULL) == 0);
    loam_gc_collect(freed_too_early);
}

// ---------------------------------------------------------------- copies that are searched

TEST(a_copy_finds_the_same)
{
    static struct node *root;
    loam_gc *gc = loam_gc_new(
        "copy", &(loam_gc_options){.explicit_roots = true, .snapshot_from = 1, .first = 64 * 1024});
    CHECK(loam_gc_root_add(gc, &root, sizeof root) == 0);
    for (int round = 0; round < 20; round++) {
        root = NULL;
        make_some(gc, &root, 5000);
        struct node *lost = NULL;
        make_some(gc, &lost, 5000); // while a copy is searched, too
        CHECK(length(root) == 5000);
    }
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(length(root) == 5000);
    loam_gc_stats s = loam_gc_usage(gc);
    CHECK(under_asan || under_tsan || s.snapshots > 0);
    CHECK(s.live_objects >= 5000 && s.live_objects < 5200);
    int status;
    errno = 0;
    CHECK(wait(&status) < 0 && errno == ECHILD); // the program has no child that it knows of
    loam_gc_free(gc);
}

// Or the heap would grow by garbage that was made during a search.
TEST(what_is_made_while_a_copy_is_searched_counts_once)
{
    loam_gc *gc = loam_gc_new(
        "once", &(loam_gc_options){.explicit_roots = true, .snapshot_from = 1, .first = 64 * 1024});
    static void *root;
    CHECK(loam_gc_root_add(gc, &root, sizeof root) == 0);
    root = loam_gc_alloc(gc, 48);
    for (int i = 0; i < 100000; i++) {
        CHECK(loam_gc_alloc(gc, 48) != NULL);
        CHECK(loam_gc_usage(gc).live_bytes <= 65 * 48); // it, and a window not handed out
    }
    loam_gc_stats s = loam_gc_usage(gc);
    CHECK(under_asan || under_tsan || s.snapshots > 0);
    loam_gc_free(gc);
}

// How many collections 2 MiB of garbage bring on beside 1 MiB that lives.
static size_t collections_of_2_mib(unsigned growth)
{
    static void *root;
    loam_gc *gc = loam_gc_new(
        "growth", &(loam_gc_options){.explicit_roots = true, .first = 4096, .growth = growth});
    CHECK(loam_gc_root_add(gc, &root, sizeof root) == 0);
    root = loam_gc_alloc(gc, 1 << 20);
    CHECK(loam_gc_collect(gc) == 0);
    size_t before = loam_gc_usage(gc).collections;
    for (int i = 0; i < 1 << 15; i++)
        CHECK(loam_gc_alloc(gc, 64) != NULL);
    size_t after = loam_gc_usage(gc).collections;
    loam_gc_free(gc);
    return after - before;
}

TEST(a_small_heap_may_grow_to_four_times_what_lives)
{
    CHECK(collections_of_2_mib(0) == 0);
    CHECK(collections_of_2_mib(100) == 1);
    CHECK(collections_of_2_mib(10) > 5);
}

TEST(a_weak_reference_rescues_from_a_copy)
{
    static struct node *root;
    loam_gc *gc = loam_gc_new(
        "copy",
        &(loam_gc_options){.explicit_roots = true, .snapshot_from = 1, .first = 256 * 1024});
    CHECK(loam_gc_root_add(gc, &root, sizeof root) == 0);
    for (int round = 0; round < 200; round++) {
        loam_gc_weak w;
        root = loam_gc_make(gc, struct node, .number = 1234);
        CHECK(loam_gc_weak_add(gc, root, &w) == 0);
        root = NULL;
        struct node *got = NULL;
        for (int i = 0; i < 700; i++) {
            CHECK(loam_gc_alloc(gc, 48) != NULL);
            if (i == round * 3)
                root = got = loam_gc_weak_get(gc, w);
        }
        CHECK(got == NULL || (got->number == 1234 && loam_gc_start(gc, got) == got));
        loam_gc_weak_remove(gc, w);
    }
    loam_gc_free(gc);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
