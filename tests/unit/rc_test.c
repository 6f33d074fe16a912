// Counted references: the last one drops, once; weak ones keep nothing alive.
#include "tests/check.h"

#include <errno.h>
#include <loam/heap.h>
#include <loam/rc.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

struct thing {
    const char *name;
    struct thing *next;
};
static int drops;
static char order[32];

static void thing_drop(struct thing *t)
{
    drops++;
    strcat(order, t->name);
    loam_rc_drop(t->next);
}

TEST(the_last_one_drops)
{
    struct thing *a = loam_rc_new(struct thing, thing_drop, .name = "a");
    struct thing *b = loam_rc_ref(a);
    CHECK(b == a);
    CHECK(loam_rc_count(a) == 2);
    loam_rc_drop(a);
    CHECK(a == NULL);
    CHECK(drops == 0);
    CHECK(strcmp(b->name, "a") == 0);
    loam_rc_drop(b);
    CHECK(drops == 1);
    loam_rc_drop(b);
    CHECK(loam_rc_unref(NULL) == NULL);
    CHECK(loam_rc_ref((struct thing *)NULL) == NULL);
}

TEST(let_go_at_the_end_of_the_scope)
{
    errno = 77;
    {
        loam_auto_rc struct thing *a = loam_rc_new(struct thing, thing_drop, .name = "a");
        loam_auto_rc struct thing *b = loam_rc_new(struct thing, thing_drop, .name = "b");
        loam_auto_rc struct thing *c = loam_rc_ref(a);
        struct thing *moved = loam_move(b);
        CHECK(loam_rc_count(c) == 2);
        loam_rc_drop(moved);
    }
    CHECK(strcmp(order, "ba") == 0);
    CHECK(errno == 77);
}

TEST(owners_of_owners)
{
    struct thing *c = loam_rc_new(struct thing, thing_drop, .name = "c");
    struct thing *b = loam_rc_new(struct thing, thing_drop, .name = "b", .next = loam_rc_ref(c));
    struct thing *a = loam_rc_new(struct thing, thing_drop, .name = "a", .next = loam_move(b));
    loam_rc_drop(a);
    CHECK(strcmp(order, "ab") == 0);
    CHECK(loam_rc_count(c) == 1);
    loam_rc_drop(c);
    CHECK(drops == 3);
}

static void weak_outlives(struct thing *a)
{
    loam_weak(struct thing) w = {NULL}, v = {NULL};
    CHECK(loam_weak_get(&w) == NULL);
    loam_weak_set(&w, a);
    loam_weak_set(&w, a); // the same again
    loam_weak_set(&v, a);
    CHECK(loam_rc_count(a) == 1);
    struct thing *again = loam_weak_get(&w);
    CHECK(again == a);
    CHECK(loam_rc_count(a) == 2);
    loam_rc_drop(a);
    CHECK(drops == 0);
    loam_rc_drop(again);
    CHECK(drops == 1);
    CHECK(loam_weak_get(&w) == NULL);
    CHECK(loam_weak_get(&v) == NULL);
    loam_weak_clear(&w);
    CHECK(loam_weak_get(&w) == NULL);
    loam_weak_clear(&w);
    loam_weak_clear(&v);
    CHECK(drops == 1);
}

TEST(upgrade_fails_after_death)
{
    weak_outlives(loam_rc_new(struct thing, thing_drop, .name = "a"));
}

TEST(upgrade_of_an_arc_fails_after_death)
{
    weak_outlives(loam_arc_new(struct thing, thing_drop, .name = "a"));
}

TEST(memory_comes_back)
{
    size_t before = loam_heap_usage().live_bytes;
    for (int i = 0; i < 100000; i++) {
        loam_weak(struct thing) w = {NULL};
        loam_auto_rc struct thing *a = loam_rc_new(struct thing, NULL, .name = "a");
        loam_weak_set(&w, a);
        loam_weak_clear(&w);
    }
    CHECK(loam_heap_usage().live_bytes < before + 1000000);
}

struct parent {
    struct child *child;
};
struct child {
    loam_weak(struct parent) parent;
};
static void parent_drop(struct parent *p)
{
    drops++;
    loam_rc_drop(p->child);
}
static void child_drop(struct child *c)
{
    drops++;
    CHECK(loam_weak_get(&c->parent) == NULL); // its count is 0 while it is dropped
    loam_weak_clear(&c->parent);
}

TEST(a_weak_edge_breaks_the_circle)
{
    struct parent *p = loam_rc_new(struct parent, parent_drop);
    p->child = loam_rc_new(struct child, child_drop);
    loam_weak_set(&p->child->parent, p);
    loam_rc_drop(p);
    CHECK(drops == 2);
}

TEST(a_circle_leaks)
{
    struct thing *a = loam_rc_new(struct thing, thing_drop, .name = "a");
    struct thing *b = loam_rc_new(struct thing, thing_drop, .name = "b", .next = loam_rc_ref(a));
    a->next = loam_rc_ref(b);
    struct thing *left = a; // so that this test can end it
    loam_rc_drop(a);
    loam_rc_drop(b);
    CHECK(drops == 0);
    loam_rc_drop(left->next);
    CHECK(drops == 2);
}

TEST(an_alignment_too_large_is_refused)
{
    struct wide {
        _Alignas(64) char at;
    };
    errno = 0;
    CHECK(loam_rc_new(struct wide, NULL) == NULL);
    CHECK(errno == EINVAL);
}

DIES(let_go_too_often, "rc: used after the last reference was let go")
{
    struct thing *a = loam_rc_new(struct thing, NULL, .name = "a");
    struct thing *volatile same = a; // volatile: else the compiler warns
    loam_rc_drop(a);
    loam_rc_unref(same);
}

DIES(an_arc_let_go_too_often, "rc: used after the last reference was let go")
{
    struct thing *a = loam_arc_new(struct thing, NULL, .name = "a");
    struct thing *volatile same = a;
    loam_rc_drop(a);
    (void)!loam_rc_ref(same);
}

DIES(more_references_than_can_be_counted, "rc: too many references")
{
    struct thing *a = loam_rc_new(struct thing, NULL, .name = "a");
    ((uint32_t *)(void *)a)[-2] = 1u << 30; // as after so many calls of loam_rc_ref
    (void)!loam_rc_ref(a);
}

static void revives(struct thing *t)
{
    t->next = loam_rc_ref(t);
}

DIES(revived_by_its_destructor, "rc: used after the last reference was let go")
{
    struct thing *a = loam_rc_new(struct thing, revives, .name = "a");
    loam_rc_drop(a);
}

// ---------------------------------------------------------------- threads

struct shared {
    int value;
};
static _Atomic int shared_drops;
static void shared_drop(struct shared *s)
{
    CHECK(s->value == 42);
    shared_drops++;
}
typedef loam_weak(struct shared) shared_weak;
struct job {
    struct shared *mine;
    shared_weak weak;
};

static void *take_and_let_go(void *arg)
{
    struct job *j = arg;
    for (int i = 0; i < 20000; i++) {
        loam_auto_rc struct shared *s = loam_rc_ref(j->mine);
        CHECK(s->value == 42);
        loam_auto_rc struct shared *w = loam_weak_get(&j->weak);
        CHECK(w == s);
    }
    loam_rc_drop(j->mine);
    while (true) { // others may still hold it; then nobody does
        loam_auto_rc struct shared *w = loam_weak_get(&j->weak);
        if (w == NULL)
            break;
        CHECK(w->value == 42);
    }
    loam_weak_clear(&j->weak);
    return NULL;
}

TEST(an_arc_among_threads)
{
    enum { THREADS = 3 };
    pthread_t thread[THREADS];
    struct job job[THREADS] = {{0}};
    struct shared *s = loam_arc_new(struct shared, shared_drop, .value = 42);
    for (int i = 0; i < THREADS; i++) {
        job[i].mine = loam_rc_ref(s);
        loam_weak_set(&job[i].weak, s);
    }
    loam_rc_drop(s);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, take_and_let_go, &job[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    CHECK(shared_drops == 1);
}

// ---------------------------------------------------------------- against a model

// A graph of rcs in which references and weak ones come and go at random; an array counts along.
#define NODES 16
struct node {
    int number;
    struct node *out; // counted
};
static bool alive[NODES];
static struct node *held[NODES];
static loam_weak(struct node) watch[NODES];

static void node_drop(struct node *n)
{
    CHECK(alive[n->number]);
    alive[n->number] = false;
    loam_rc_drop(n->out);
}

static void model_step(void)
{
    int i = rand() % NODES, k = rand() % NODES;
    switch (rand() % 4) {
    case 0:
        if (held[i] == NULL && !alive[i]) {
            held[i] = rand() % 2 ? loam_rc_new(struct node, node_drop, .number = i)
                                 : loam_arc_new(struct node, node_drop, .number = i);
            alive[i] = true;
            loam_weak_set(&watch[i], held[i]);
        }
        break;
    case 1:
        loam_rc_drop(held[i]);
        break;
    case 2: // only from small to large numbers, so that there are no circles
        if (held[i] != NULL && held[k] != NULL && i < k) {
            struct node *old = held[i]->out;
            held[i]->out = loam_rc_ref(held[k]);
            loam_rc_drop(old);
        }
        break;
    case 3:
        if (held[i] == NULL)
            held[i] = loam_weak_get(&watch[i]);
        break;
    }
}

static size_t references(int k)
{
    size_t n = held[k] != NULL;
    for (int i = 0; i < NODES; i++) {
        loam_auto_rc struct node *from = loam_weak_get(&watch[i]);
        n += from != NULL && from->out != NULL && from->out->number == k;
    }
    return n;
}

// One thread lets go of the last reference, while another makes one out of a weak one and clears
// that. Whoever is last drops; nobody does twice.
#define MEETINGS 20000
struct meeting {
    int x;
};
static struct {
    loam_weak(struct meeting) weak;
    _Atomic bool ready;
} meeting[MEETINGS];
static _Atomic int meetings_over;

static void meeting_drop(struct meeting *m)
{
    CHECK(m->x == 7);
    m->x = 0;
    meetings_over++;
}

static void *upgrades(void *arg)
{
    for (int i = 0; i < MEETINGS; i++) {
        while (!meeting[i].ready)
            sched_yield();
        struct meeting *m = loam_weak_get(&meeting[i].weak);
        loam_weak_clear(&meeting[i].weak);
        CHECK(m == NULL || m->x == 7);
        loam_rc_drop(m);
    }
    return arg;
}

TEST(the_last_owner_meets_a_weak_one)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, upgrades, NULL) == 0);
    for (int i = 0; i < MEETINGS; i++) {
        struct meeting *m = loam_arc_new(struct meeting, i % 2 ? meeting_drop : NULL, .x = 7);
        loam_weak_set(&meeting[i].weak, m);
        meeting[i].ready = true;
        loam_rc_drop(m);
    }
    pthread_join(t, NULL);
    CHECK(meetings_over == MEETINGS / 2);
}

TEST(random_operations_agree_with_the_model)
{
    srand(7);
    for (int step = 0; step < 20000; step++) {
        model_step();
        for (int k = 0; k < NODES; k++) {
            size_t n = references(k);
            struct node *w = loam_weak_get(&watch[k]);
            CHECK((w != NULL) == alive[k]);
            CHECK(w == NULL ? n == 0 : loam_rc_count(w) == n + 1);
            loam_rc_drop(w);
        }
    }
    for (int k = 0; k < NODES; k++)
        loam_rc_drop(held[k]);
    for (int k = 0; k < NODES; k++) {
        CHECK(!alive[k]);
        loam_weak_clear(&watch[k]);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
