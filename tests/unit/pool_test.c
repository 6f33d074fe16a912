// Pools: objects stay where they are, handles go stale and never come alive again.
#include "tests/check.h"

#include <errno.h>
#include <loam/pool.h>
#include <loam/track.h>

struct conn {
    int fd;
    char name[20];
};
LOAM_POOL(conns, struct conn)
LOAM_POOL(bytes, char)
struct wide {
    _Alignas(64) char at;
};
LOAM_POOL(wides, struct wide)

// A new object in the slot `at`, which is free.
static struct conn *use_again(conns *all, const struct conn *at, conns_handle *ret)
{
    struct conn *c;
    do
        c = conns_new(all, ret);
    while (c != NULL && c != at);
    return c;
}

TEST(handles_go_stale)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle a, b;
    struct conn *c = conns_new(&all, &a);
    CHECK(c != NULL);
    CHECK(c->fd == 0);
    c->fd = 7;
    CHECK(conns_get(&all, a) == c);
    CHECK(conns_free(&all, a));
    CHECK(conns_get(&all, a) == NULL);
    CHECK(!conns_free(&all, a));
    CHECK(use_again(&all, c, &b) == c); // the same slot, another object
    CHECK(c->fd == 0);
    CHECK(conns_get(&all, a) == NULL);
    CHECK(conns_get(&all, b) == c);
    conns_done(&all);
    CHECK(conns_get(&all, b) == NULL);
    CHECK(conns_new(&all, &a) != NULL);
    CHECK(conns_get(&all, b) == NULL);
    conns_done(&all);
}

TEST(handles_from_nowhere_are_stale)
{
    conns all = conns_make(LOAM_HERE), other = conns_make(LOAM_HERE);
    conns_handle h, zero = {{0, 0}};
    CHECK(conns_get(&all, zero) == NULL);
    CHECK(conns_new(&all, &h) != NULL);
    CHECK(conns_get(&all, zero) == NULL);
    conns_handle far = h, even = h;
    far.handle.index = UINT32_MAX;
    even.handle.generation++;
    CHECK(conns_get(&all, far) == NULL);
    CHECK(conns_get(&all, even) == NULL);
    CHECK(conns_get(&other, h) == NULL);
    conns_handle theirs;
    CHECK(conns_new(&other, &theirs) != NULL);
    CHECK(conns_get(&other, h) == NULL); // same slot, another pool
    conns_done(&all);
    conns_done(&other);
}

TEST(small_and_wide_types)
{
    bytes b = bytes_make(LOAM_HERE);
    wides w = wides_make(LOAM_HERE);
    for (int i = 0; i < 1000; i++) {
        bytes_handle bh;
        wides_handle wh;
        char *c = bytes_new(&b, &bh);
        struct wide *x = wides_new(&w, &wh);
        CHECK(c != NULL);
        *c = 'c';
        CHECK((uintptr_t)x % 64 == 0);
        if (i % 3 == 0)
            CHECK(bytes_free(&b, bh));
    }
    CHECK(wides_count(&w) == 1000);
    bytes_done(&b);
    wides_done(&w);
}

TEST(every_live_object_is_visited_once)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h[100], at = {{0, 0}};
    CHECK(!conns_next(&all, &at));
    for (int i = 0; i < 100; i++)
        conns_new(&all, &h[i])->fd = i;
    for (int i = 0; i < 100; i += 2)
        CHECK(conns_free(&all, h[i]));
    int sum = 0, count = 0;
    while (conns_next(&all, &at)) {
        sum += conns_get(&all, at)->fd;
        count++;
        CHECK(conns_free(&all, at)); // allowed
    }
    CHECK(count == 50);
    CHECK(sum == 2500);
    CHECK(conns_count(&all) == 0);
    conns_done(&all);
}

TEST(a_slot_whose_generations_are_used_up_retires)
{
    bytes b = bytes_make(LOAM_HERE);
    bytes_handle first, last, next;
    CHECK(bytes_new(&b, &first) != NULL);
    CHECK(bytes_free(&b, first));
    // Two billion lives later: set the generation as the pool's own memory has it.
    uint32_t *generation = (uint32_t *)(void *)b.pool.chunk[0] - 1;
    CHECK(*generation == b.pool.seed + 2);
    *generation = b.pool.seed - 2;
    char *at = NULL;
    while (*generation == b.pool.seed - 2)
        at = bytes_new(&b, &last);
    CHECK(bytes_free(&b, last));
    CHECK(b.pool.retired == 1);
    for (int i = 0; i < 200; i++)
        CHECK(bytes_new(&b, &next) != at);
    CHECK(bytes_get(&b, first) == NULL);
    bytes_done(&b);
}

TEST(an_address_resolves_to_its_pool)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h;
    struct conn *c = conns_new(&all, &h);
    loam_owner_info o;
    CHECK(loam_owner_find(&c->name[3], &o));
    CHECK(strcmp(o.kind, "pool") == 0);
    CHECK(strcmp(o.name, "conns") == 0);
    CHECK(strstr(o.place, "pool_test.c:") != NULL);
    CHECK(o.offset == offsetof(struct conn, name) + 3);
    CHECK(o.used == sizeof(struct conn));
    conns_done(&all);
    CHECK(!loam_owner_find(c, &o));
}

TEST(what_is_written_to_a_freed_object_harms_no_other)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h[100];
    for (int i = 0; i < 100; i++)
        CHECK(conns_new(&all, &h[i]) != NULL);
    for (int i = 0; i < 100; i += 2) {
        struct conn *c = conns_get(&all, h[i]);
        conns_free(&all, h[i]);
        memset(c, 0xff, sizeof *c);
    }
    for (int i = 0; i < 200; i++) {
        struct conn *c = conns_new(&all, &h[0]);
        CHECK(c != NULL && c->fd == 0);
        c->fd = 1;
    }
    CHECK(conns_count(&all) == 250);
    conns_done(&all);
}

TEST(objects_of_any_small_size_lie_side_by_side)
{
    bytes b = bytes_make(LOAM_HERE);
    bytes_handle h;
    char *first = bytes_new(&b, &h);
    CHECK(bytes_new(&b, &h) == first + 1);
    bytes_done(&b);
}

// ---------------------------------------------------------------- against a model

#define MODEL_MAX 3000
static struct {
    conns_handle h;
    struct conn *at;
    int fd; // 0 = freed
} model[MODEL_MAX];

static void model_check(const conns *all, int count)
{
    size_t live = 0;
    for (int i = 0; i < count; i++) {
        struct conn *c = conns_get(all, model[i].h);
        CHECK(c == (model[i].fd == 0 ? NULL : model[i].at)); // never moves
        CHECK(c == NULL || c->fd == model[i].fd);
        live += c != NULL;
    }
    CHECK(live == conns_count(all));
}

static void model_run(unsigned seed, size_t fail_at)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_fail_at(&t, fail_at);
    conns all = conns_make_in(loam_track_alloc(&t), LOAM_HERE);
    srand(seed);
    int count = 0;
    for (int i = 1; i < 4000; i++) {
        if (rand() % 5 < 3 && count < MODEL_MAX) {
            errno = 0;
            model[count].at = conns_new(&all, &model[count].h);
            CHECK(model[count].at != NULL || (errno == ENOMEM && fail_at != 0));
            if (model[count].at != NULL)
                model[count].at->fd = model[count].fd = i, count++;
        } else if (count > 0) {
            int k = rand() % count;
            CHECK(conns_free(&all, model[k].h) == (model[k].fd != 0));
            model[k].fd = 0;
        }
        if (i % 100 == 0)
            model_check(&all, count);
    }
    conns_done(&all);
    loam_track_done(&t);
}

TEST(random_operations_agree_with_the_model)
{
    for (unsigned seed = 0; seed < 20; seed++)
        model_run(seed, 0);
}

TEST(memory_that_runs_out_at_any_request)
{
    for (size_t n = 1; n < 8; n++)
        model_run((unsigned)n, n);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
