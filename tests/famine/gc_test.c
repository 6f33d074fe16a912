// The kernel refuses memory to a collected heap: at the first mapping, the second, and so on, once
// and then always. Calls fail with ENOMEM and nothing else; what is pointed at is whole; when there
// is memory again, the heap goes on.
#include "base/base.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/gc.h>
#include <stdatomic.h>

extern _Atomic long os_fail_after;

enum { REFUSED = 3, ENOUGH = 4, SLOTS = 64 };

struct node {
    struct node *next;
    size_t number;
};

static struct node *root[SLOTS];
static size_t length[SLOTS];
static loam_gc_weak weak[SLOTS];
static struct node *weak_to[SLOTS];
static size_t run, watched;

static void note(void *p, void *arg)
{
    CHECK(((struct node *)p)->number != 0);
    CHECK(arg == &run);
    run++;
}

static void whole(void)
{
    for (size_t i = 0; i < SLOTS; i++) {
        size_t n = 0;
        for (const struct node *p = root[i]; p != NULL; p = p->next, n++)
            CHECK(p->number == length[i] - n);
        CHECK(n == length[i]);
    }
}

// Results of calls that may fail for want of memory, and for nothing else.
static bool fine(const void *p)
{
    CHECK(p != NULL || errno == ENOMEM);
    return p != NULL;
}
static bool done(int e)
{
    CHECK(e == 0 || e == -ENOMEM || e == -EBUSY);
    return e == 0;
}

static void step(loam_gc *gc, size_t i, loam_gc_type type)
{
    size_t k = i % SLOTS;
    if (i % 997 == 0) { // drop all of one list
        root[k] = NULL;
        length[k] = 0;
    }
    errno = 0;
    struct node *n =
        i % 3 == 0 ? loam_gc_alloc_typed(gc, type, 1) : loam_gc_alloc(gc, sizeof *n + i % 7 * 100);
    if (fine(n)) {
        n->next = root[k];
        n->number = ++length[k];
        root[k] = n;
    }
    errno = 0;
    if (i % 50 == 0)
        fine(loam_gc_alloc_leaf(gc, 40000 + i * 50));
    if (n != NULL && i % 5 == 0 && done(loam_gc_weak_add(gc, n, &weak[k])))
        weak_to[k] = n;
    if (n != NULL && i % 11 == 0)
        watched += done(loam_gc_finalizer_add(gc, n, note, &run));
    if (i % 400 == 0)
        done(loam_gc_collect(gc));
}

static void live(bool copies)
{
    const loam_gc_options o = {
        .first = 1 << 17, .snapshot_from = copies ? 1 : SIZE_MAX, .explicit_roots = !copies};
    errno = 0;
    loam_gc *gc = loam_gc_new("hungry", &o);
    if (!fine(gc))
        return;
    loam_gc_type type;
    CHECK(loam_gc_type_add(gc, sizeof(struct node), (size_t[]){0}, 1, &type) == 0);
    bool rooted = copies || done(loam_gc_root_add(gc, root, sizeof root));
    for (size_t i = 1; rooted && i < 2500; i++)
        step(gc, i, type);
    whole();
    atomic_store(&os_fail_after, atomic_load(&os_fail_after) == 1 ? 0 : 1000000);
    CHECK(loam_gc_alloc(gc, 100000) != NULL); // there is memory again
    CHECK(loam_gc_collect(gc) == 0);
    whole();
    for (size_t k = 0; rooted && k < SLOTS; k++) {
        struct node *n = loam_gc_weak_get(gc, weak[k]);
        CHECK(n == NULL || n == weak_to[k]);
    }
    memset(root, 0, sizeof root);
    CHECK(loam_gc_collect(gc) == 0);
    CHECK(run <= watched && (run > 0 || watched == 0));
    loam_gc_free(gc);
}

static void famine(bool copies)
{
    long n = 0;
    int status;
    do {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            atomic_store(&os_fail_after, n + 1);
            live(copies);
            _exit(atomic_load(&os_fail_after) > 1 ? ENOUGH : REFUSED);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        if (!WIFEXITED(status) || (WEXITSTATUS(status) != REFUSED && WEXITSTATUS(status) != ENOUGH))
            dprintf(2, "mapping %ld was refused\n", n + 1);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == REFUSED || WEXITSTATUS(status) == ENOUGH);
    } while (WEXITSTATUS(status) == REFUSED && ++n < 300);
    CHECK(n >= 10);
    CHECK(n < 300);
}

TEST(in_place)
{
    famine(false);
}

TEST(with_copies)
{
    famine(true);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
