// Regions: what is pushed stays, what is cut goes, clean-ups run once and in order, and every way
// in which memory can run out leaves the region whole.
#include "base/base.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/region.h>
#include <loam/track.h>
#include <pthread.h>

struct node {
    int x;
    long y;
    struct node *next;
};

TEST(typed_aligned_and_the_rest_zero)
{
    loam_scratch(r);
    struct node *n = loam_new(&r, struct node, .x = 7);
    CHECK(n != NULL);
    CHECK(n->x == 7);
    CHECK(n->y == 0);
    CHECK(n->next == NULL);
    struct node *empty = loam_new(&r, struct node);
    CHECK(empty->x == 0);
    CHECK(*loam_new(&r, int, 5) == 5);
    double *d = loam_new_array(&r, double, 100);
    CHECK((uintptr_t)d % _Alignof(double) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(d[i] == 0);
}

TEST(arguments_are_evaluated_once)
{
    loam_scratch(r);
    int n = 0;
    loam_region *which[2] = {&r, NULL};
    CHECK(*loam_new(which[n++], int, 3) == 3);
    CHECK(n == 1);
    CHECK(loam_new_array(&r, char, n++) != NULL);
    CHECK(n == 2);
}

TEST(no_memory_before_the_first_push)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_region r;
    loam_region_init_in(&r, loam_track_alloc(&t), "idle");
    CHECK(loam_region_held(&r) == 0);
    loam_region_clear(&r);
    loam_region_restore(&r, loam_region_save(&r));
    loam_region_done(&r);
    CHECK(t.requests == 0);
}

TEST(pushed_zeroed_also_where_something_was)
{
    loam_scratch(r);
    memset(loam_region_push_raw(&r, 500, 1), 0xee, 500);
    loam_region_clear(&r);
    unsigned char *p = loam_region_push(&r, 500, 1);
    for (int i = 0; i < 500; i++)
        CHECK(p[i] == 0);
}

TEST(odd_requests)
{
    loam_scratch(r);
    char *a = loam_region_push(&r, 0, 1), *b = loam_region_push(&r, 0, 1);
    CHECK(a != NULL);
    CHECK(b != NULL);
    CHECK(a != b);
    errno = 0;
    CHECK(loam_region_push(&r, 8, 3) == NULL);
    CHECK(errno == EINVAL);
    errno = 0;
    CHECK(loam_region_push(&r, 8, 0) == NULL);
    CHECK(errno == EINVAL);
    errno = 0;
    volatile size_t most = SIZE_MAX; // volatile: else the compiler warns
    CHECK(loam_region_push_raw(&r, most, 1) == NULL);
    CHECK(errno == ENOMEM);
    errno = 0;
    CHECK(loam_region_push_raw(&r, most / 2, 4096) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(loam_new_array(&r, int, SIZE_MAX / 2) == NULL);
    CHECK(loam_region_text_n(&r, "", SIZE_MAX) == NULL);
    CHECK((uintptr_t)loam_region_push(&r, 1, 65536) % 65536 == 0);
}

TEST(texts)
{
    loam_scratch(r);
    CHECK(strcmp(loam_printf(&r, "%s %d", "conn", 42), "conn 42") == 0);
    CHECK(strcmp(loam_region_text(&r, "abc"), "abc") == 0);
    CHECK(strcmp(loam_region_text_n(&r, "abcdef", 2), "ab") == 0);
    char *longer = loam_printf(&r, "%5000d", 1);
    CHECK(strlen(longer) == 5000);
    loam_region_set_limit(&r, 1);
    CHECK(loam_printf(&r, "%50000d", 1) == NULL);
}

static char order[64];
static void note(void *arg)
{
    strcat(order, arg);
}

TEST(cleanups_run_newest_first_and_once)
{
    loam_region r;
    loam_region_init(&r, "r");
    CHECK(loam_region_defer(&r, note, "a") == 0);
    CHECK(loam_region_defer(&r, note, "b") == 0);
    loam_region_mark mark = loam_region_save(&r);
    CHECK(loam_region_defer(&r, note, "c") == 0);
    CHECK(loam_region_defer(&r, note, "d") == 0);
    loam_region_restore(&r, mark);
    CHECK(strcmp(order, "dc") == 0);
    loam_region_restore(&r, mark);
    CHECK(strcmp(order, "dc") == 0);
    loam_region_done(&r);
    CHECK(strcmp(order, "dcba") == 0);
}

static void pushes(void *arg)
{
    loam_region *r = arg;
    char *p = loam_region_push(r, 3000, 8);
    CHECK(p != NULL);
    memset(p, 1, 3000);
    strcat(order, "p");
    if (strlen(order) < 3)
        CHECK(loam_region_defer(r, pushes, r) == 0);
}

TEST(a_cleanup_may_push_and_defer)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_region r;
    loam_region_init_in(&r, loam_track_alloc(&t), "r");
    CHECK(loam_region_defer(&r, pushes, &r) == 0);
    loam_region_done(&r);
    CHECK(strcmp(order, "ppp") == 0);
    loam_track_done(&t);
}

TEST(children_are_closed_in_turn_with_cleanups)
{
    loam_region parent, a;
    loam_region_init(&parent, "parent");
    CHECK(loam_region_defer(&parent, note, "1") == 0);
    loam_region_init_child(&a, &parent, "a");
    CHECK(loam_region_defer(&a, note, "a") == 0);
    CHECK(loam_region_defer(&parent, note, "2") == 0);
    loam_region *b = loam_new(&parent, loam_region);
    loam_region_init_child(b, &parent, "b");
    CHECK(loam_region_defer(b, note, "b") == 0);
    loam_region_done(&parent);
    CHECK(strcmp(order, "b2a1") == 0);
    loam_region_done(&a); // closed by its parent: allowed
    CHECK(strcmp(order, "b2a1") == 0);
}

TEST(a_child_that_is_done_is_forgotten)
{
    loam_region parent, a, b, c;
    loam_region_init(&parent, "parent");
    loam_region_init_child(&a, &parent, "a");
    loam_region_init_child(&b, &parent, "b");
    loam_region_init_child(&c, &parent, "c");
    CHECK(loam_region_push(&b, 10, 1) != NULL);
    loam_region_done(&b);
    loam_region_done(&c);
    loam_region_done(&a);
    memset(&a, 0xee, sizeof a);
    memset(&b, 0xee, sizeof b);
    memset(&c, 0xee, sizeof c);
    loam_region_done(&parent);
}

TEST(a_restore_closes_children_made_since)
{
    loam_region parent, early, late;
    loam_region_init(&parent, "parent");
    loam_region_init_child(&early, &parent, "early");
    loam_region_mark mark = loam_region_save(&parent);
    loam_region_init_child(&late, &parent, "late");
    CHECK(loam_region_push(&late, 100, 1) != NULL);
    loam_region_restore(&parent, mark);
    CHECK(loam_region_held(&late) == 0);
    CHECK(loam_region_push(&early, 100, 1) != NULL);
    loam_region_done(&parent);
}

TEST(the_limit_holds)
{
    loam_scratch(r);
    loam_region_set_limit(&r, 10000);
    size_t n = 0;
    errno = 0;
    while (loam_region_push(&r, 100, 1) != NULL)
        n++;
    CHECK(errno == ENOMEM);
    CHECK(loam_region_held(&r) <= 10000);
    CHECK(n >= 90); // nearly all of it is usable
    loam_region_clear(&r);
    CHECK(loam_region_push(&r, 9000, 1) != NULL);
    loam_region_clear(&r);
    loam_region_set_limit(&r, 0);
    CHECK(loam_region_push(&r, 100000, 1) != NULL);
}

TEST(a_loop_with_clear_asks_for_memory_once)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_region r;
    loam_region_init_in(&r, loam_track_alloc(&t), "loop");
    size_t after_two = 0;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 100; i++)
            CHECK(loam_region_push(&r, 100, 8) != NULL);
        loam_region_clear(&r);
        if (round == 1)
            after_two = t.requests;
    }
    CHECK(t.requests - after_two <= 1);
    loam_region_done(&r);
    loam_track_done(&t);
}

TEST(as_an_allocator_for_others)
{
    loam_scratch(r);
    loam_alloc a = loam_region_alloc(&r);
    loam_layout l = loam_layout_make(100, 8);
    char *p = loam_alloc_new(a, l);
    memset(p, 3, 100);
    CHECK(loam_alloc_resize(a, p, l, 200) == p); // the newest grows in place
    l.size = 200;
    char *q = loam_alloc_new_zeroed(a, l);
    char *moved = loam_alloc_resize(a, p, l, 300);
    CHECK(moved != p);
    CHECK(moved[99] == 3);
    size_t used = loam_region_used(&r);
    loam_alloc_free(a, moved, loam_layout_make(300, 8));
    CHECK(loam_region_used(&r) < used);
    loam_alloc_free(a, p, l); // not the newest: stays until the region goes
    (void)q;
}

DIES(used_after_done, "region: used after it was closed")
{
    loam_region r;
    loam_region_init(&r, "r");
    loam_region_done(&r);
    loam_region_push(&r, 1, 1);
}

DIES(used_after_its_parent_was_closed, "region: used after it was closed")
{
    loam_region parent, r;
    loam_region_init(&parent, "parent");
    loam_region_init_child(&r, &parent, "r");
    loam_region_done(&parent);
    loam_region_push(&r, 1, 1);
}

DIES(closed_twice, "region: closed twice")
{
    loam_region r;
    loam_region_init(&r, "r");
    loam_region_done(&r);
    loam_region_done(&r);
}

DIES(a_mark_that_was_cut_off, "region: restored to a mark that is gone")
{
    loam_scratch(r);
    CHECK(loam_region_push(&r, 10, 1) != NULL);
    loam_region_mark early = loam_region_save(&r);
    CHECK(loam_region_push(&r, 10, 1) != NULL);
    loam_region_mark late = loam_region_save(&r);
    loam_region_restore(&r, early);
    loam_region_restore(&r, late);
}

DIES(a_mark_whose_block_was_used_again, "region: restored to a mark that is gone")
{
    loam_scratch(r);
    CHECK(loam_region_push(&r, 10, 1) != NULL);
    loam_region_mark mark = loam_region_save(&r);
    loam_region_clear(&r);
    CHECK(loam_region_push(&r, 100, 1) != NULL); // in the same block
    loam_region_restore(&r, mark);
}

TEST(nothing_is_allowed)
{
    loam_region zero = {0};
    loam_region_done(NULL);
    loam_region_done(&zero);
    loam_region named = {0};
    CHECK(loam_region_push(&named, 1, 1) != NULL);
    loam_region_done(&named);
}

// ---------------------------------------------------------------- as an owner

TEST(an_address_resolves_to_its_region)
{
    loam_region r;
    loam_region_init(&r, "http.request");
    char *p = loam_region_push(&r, 100, 1);
    char *q = loam_region_push(&r, 100000, 1);
    loam_owner_info o;
    CHECK(loam_owner_find(p + 50, &o));
    CHECK(strcmp(o.kind, "region") == 0);
    CHECK(strcmp(o.name, "http.request") == 0);
    CHECK(strstr(o.place, "region_test.c:") != NULL);
    CHECK(o.held == loam_region_held(&r));
    CHECK(o.used == 100100);
    size_t at_p = o.offset;
    CHECK(loam_owner_find(p, &o));
    CHECK(at_p == o.offset + 50);
    CHECK(loam_owner_find(q + 99999, &o));
    CHECK(!loam_owner_find(q + 110000, &o));
    CHECK(!loam_owner_find(&o, &o));
    loam_region_clear(&r);
    CHECK(loam_owner_at(0, &o));
    CHECK(o.used == 0);
    CHECK(o.used_max == 100100);
    CHECK(o.resets == 1);
    CHECK(!loam_owner_at(1, &o));
    loam_region_done(&r);
    CHECK(!loam_owner_find(p, &o));
    CHECK(!loam_owner_at(0, &o));
}

static void *make_regions(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        loam_scratch(r);
        char *p = loam_region_push(&r, 5000, 8);
        loam_owner_info o;
        CHECK(loam_owner_find(p, &o));
        CHECK(strcmp(o.name, "r") == 0);
    }
    return arg;
}

TEST(owners_of_several_threads)
{
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, make_regions, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    loam_owner_info o;
    CHECK(!loam_owner_at(0, &o));
}

TEST(a_child_of_fork_finds_no_lock_taken)
{
    if (under_tsan)
        return; // it takes the parent's thread for one that the child did not join
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make_regions, NULL) == 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20);
            loam_scratch(r);
            loam_owner_info o;
            CHECK(loam_owner_find(loam_region_push(&r, 1, 1), &o));
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    pthread_join(thread, NULL);
}

// ---------------------------------------------------------------- against a model

// The model: every push with the byte it was filled with, and a stack of marks. At each step all
// that was pushed is still there and nothing overlaps.
#define PUSHES 400
struct model {
    struct {
        unsigned char *p;
        size_t size;
        unsigned char fill;
    } push[PUSHES];
    struct {
        loam_region_mark mark;
        int count, deferred;
    } saved[50];
    int count, saves, deferred;
};
static int ran; // clean-ups so far

static void count_one(void *expected)
{
    CHECK((intptr_t)expected == ran); // newest first: numbers count down
    ran--;
}

static void model_check(const struct model *m, const loam_region *r)
{
    size_t sum = 0;
    for (int i = 0; i < m->count; i++) {
        sum += m->push[i].size;
        for (size_t k = 0; k < m->push[i].size; k += m->push[i].size / 7 + 1)
            CHECK(m->push[i].p[k] == m->push[i].fill);
        CHECK(m->push[i].p[m->push[i].size - 1] == m->push[i].fill);
        CHECK(loam_region_holds(r, m->push[i].p));
    }
    CHECK(loam_region_used(r) >= sum);
    CHECK(loam_region_held(r) >= loam_region_used(r));
    CHECK(ran == m->deferred);
}

static void model_push(struct model *m, loam_region *r)
{
    static const size_t sizes[] = {1, 8, 24, 100, 1000, 5000, 40000};
    size_t size = sizes[rand() % 7] + (size_t)rand() % 8, align = (size_t)1 << rand() % 8;
    unsigned char *p = loam_region_push(r, size, align);
    if (m->count == PUSHES || p == NULL)
        return;
    CHECK((uintptr_t)p % align == 0);
    for (size_t k = 0; k < size; k++)
        CHECK(p[k] == 0);
    m->push[m->count].fill = (unsigned char)(1 + rand() % 255);
    memset(p, m->push[m->count].fill, size);
    m->push[m->count].p = p;
    m->push[m->count++].size = size;
}

static void model_step(struct model *m, loam_region *r)
{
    int what = rand() % 20;
    if (what < 13) {
        model_push(m, r);
    } else if (what < 15 && loam_region_defer(r, count_one, (void *)(intptr_t)(ran + 1)) == 0) {
        ran++;
        m->deferred++;
    } else if (what < 17 && m->saves < 50) {
        m->saved[m->saves].mark = loam_region_save(r);
        m->saved[m->saves].deferred = m->deferred;
        m->saved[m->saves++].count = m->count;
    } else if (what < 19 && m->saves > 0) {
        m->saves = rand() % m->saves;
        m->count = m->saved[m->saves].count;
        m->deferred = m->saved[m->saves].deferred;
        loam_region_restore(r, m->saved[m->saves].mark);
    } else if (what == 19 && rand() % 10 == 0) {
        m->count = m->saves = m->deferred = 0;
        loam_region_clear(r);
    }
}

static void model_run(unsigned seed, size_t fail_at, size_t limit)
{
    static struct model m;
    m.count = m.saves = m.deferred = ran = 0;
    srand(seed);
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_fail_at(&t, fail_at);
    loam_region r;
    loam_region_init_in(&r, loam_track_alloc(&t), "model");
    loam_region_set_limit(&r, limit);
    for (int i = 0; i < 300; i++) {
        model_step(&m, &r);
        model_check(&m, &r);
        CHECK(loam_region_held(&r) == t.live_bytes);
        CHECK(limit == 0 || t.live_bytes <= limit);
    }
    loam_region_done(&r);
    CHECK(ran == 0);
    loam_track_done(&t);
}

TEST(random_operations_agree_with_the_model)
{
    for (unsigned seed = 0; seed < 60; seed++)
        model_run(seed, 0, 0);
}

TEST(random_operations_under_a_limit)
{
    for (unsigned seed = 0; seed < 60; seed++)
        model_run(seed, 0, 2000 << seed % 8);
}

TEST(memory_that_runs_out_at_any_request)
{
    for (size_t n = 1; n < 40; n++)
        model_run((unsigned)n, n, 0);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
