// Vecs against an array that is large enough, with memory that may run out at any request.
#include "tests/check.h"

#include <errno.h>
#include <loam/region.h>
#include <loam/track.h>
#include <loam/vec.h>

struct point {
    int x, y;
};

TEST(all_zero_is_ready)
{
    loam_vec(struct point) v = {0};
    CHECK(loam_vec_push(&v, {1, 2}));
    CHECK(loam_vec_push(&v, {.y = 4}));
    struct point p = {5, 6};
    CHECK(loam_vec_push(&v, p));
    CHECK(v.len == 3);
    CHECK(loam_vec_at(&v, 1).x == 0);
    CHECK(loam_vec_at(&v, 1).y == 4);
    CHECK(loam_vec_pop(&v).x == 5);
    loam_vec_at(&v, 0).x = 10;
    CHECK(v.at[0].x == 10);
    loam_vec_done(&v);
    CHECK(v.at == NULL);
    loam_vec_done(&v);
    CHECK(loam_vec_push(&v, {0}));
    loam_vec_done(&v);
}

TEST(reserve_keeps_elements_where_they_are)
{
    loam_vec(int) v = {0};
    CHECK(loam_vec_push(&v, 1));
    CHECK(loam_vec_reserve(&v, 1000));
    int *first = &loam_vec_at(&v, 0);
    for (int i = 0; i < 1000; i++)
        CHECK(loam_vec_push(&v, i));
    CHECK(first == v.at);
    size_t cap = v.cap;
    while (v.len < cap)
        CHECK(loam_vec_push(&v, 0));
    CHECK(loam_vec_push(&v, 0)); // moves, or grows in place
    CHECK(v.cap >= 2 * cap);
    loam_vec_done(&v);
}

// A region cannot extend a block that something else was pushed behind.
TEST(growth_moves_elements)
{
    loam_region r;
    loam_region_init(&r, "growth");
    loam_vec(int) v = {.alloc = loam_region_alloc(&r)};
    CHECK(loam_vec_push(&v, 42));
    int *first = v.at;
    CHECK(loam_region_push(&r, 8, 8) != NULL);
    for (size_t cap = v.cap; v.cap == cap;)
        CHECK(loam_vec_push(&v, 1));
    CHECK(v.at != first);
    CHECK(v.at[0] == 42);
    loam_vec_done(&v);
    loam_region_done(&r);
}

TEST(a_push_of_an_element_of_itself)
{
    loam_vec(int) v = {0};
    CHECK(loam_vec_push(&v, 7));
    for (int i = 0; i < 1000; i++)
        CHECK(loam_vec_push(&v, v.at[0]));
    CHECK(loam_vec_append(&v, v.at, v.len));
    for (size_t i = 0; i < v.len; i++)
        CHECK(v.at[i] == 7);
    loam_vec_done(&v);
}

static char order[16];
static void note(struct point *p)
{
    order[strlen(order)] = (char)p->x;
}

TEST(elements_are_dropped_first_to_last)
{
    loam_vec(struct point) v = {0};
    for (int i = 'a'; i < 'e'; i++)
        CHECK(loam_vec_push(&v, {.x = i}));
    loam_vec_drop(&v, note);
    CHECK(strcmp(order, "abcd") == 0);
    CHECK(v.len == 0);
}

TEST(each_may_be_left)
{
    loam_vec(int) v = {0};
    int sum = 0, rounds = 0;
    loam_vec_each (&v, p)
        rounds++;
    for (int i = 0; i < 10; i++)
        CHECK(loam_vec_push(&v, i));
    loam_vec_each (&v, p) {
        if (*p == 5)
            break;
        if (*p == 2)
            continue;
        sum += *p;
    }
    CHECK(sum == 0 + 1 + 3 + 4);
    CHECK(rounds == 0);
    loam_vec_done(&v);
}

TEST(arguments_are_evaluated_once)
{
    typedef loam_vec(int) ints;
    ints v[2] = {{0}, {0}};
    int i = 0, x = 5;
    CHECK(loam_vec_push(&v[i++], x++));
    CHECK(i == 1);
    CHECK(x == 6);
    CHECK(loam_vec_at(&v[--i], --x - 5) == 5);
    CHECK(i == 0);
    CHECK(x == 5);
    loam_vec_done(&v[i++]);
    CHECK(i == 1);
}

TEST(sizes_that_overflow)
{
    loam_vec(long) v = {0};
    CHECK(loam_vec_push(&v, 1));
    errno = 0;
    CHECK(!loam_vec_reserve(&v, SIZE_MAX));
    CHECK(errno == ENOMEM);
    CHECK(!loam_vec_reserve(&v, SIZE_MAX / 8));
    CHECK(!loam_vec_resize(&v, SIZE_MAX / 2));
    CHECK(v.len == 1);
    CHECK(v.at[0] == 1);
    loam_vec_done(&v);
}

TEST(in_a_region)
{
    loam_scratch(r);
    loam_vec(int) v = {.alloc = loam_region_alloc(&r)};
    for (int i = 0; i < 10000; i++)
        CHECK(loam_vec_push(&v, i));
    CHECK(loam_region_holds(&r, &loam_vec_at(&v, 9999)));
}

TEST(slices_of_a_vec)
{
    loam_vec(int) v = {0};
    for (int i = 0; i < 10; i++)
        CHECK(loam_vec_push(&v, i));
    loam_slice(int) s;
    loam_slice_cut(&s, v, 3, 7);
    CHECK(s.len == 4);
    CHECK(loam_slice_at(s, 0) == 3);
    loam_vec_done(&v);
}

DIES(pop_of_nothing, "slice: index out of bounds: 0x0")
{
    loam_vec(int) v = {0};
    (void)loam_vec_pop(&v);
}

DIES(element_behind_the_end, "slice: index out of bounds: 0x1")
{
    loam_vec(int) v = {0};
    CHECK(loam_vec_push(&v, 0));
    loam_vec_at(&v, 1) = 0;
}

DIES(insert_behind_the_end, "slice: index out of bounds: 0x1")
{
    loam_vec(int) v = {0};
    CHECK(loam_vec_insert(&v, 1, 0));
}

DIES(remove_behind_the_end, "slice: index out of bounds: 0x0")
{
    loam_vec(int) v = {0};
    loam_vec_remove(&v, 0);
}

// ---------------------------------------------------------------- against a model

#define MODEL_MAX 2000
typedef loam_vec(int) ints;
static int model[MODEL_MAX];
static size_t model_len;

static void model_insert(size_t i, int x)
{
    memmove(model + i + 1, model + i, (model_len - i) * sizeof(int));
    model[i] = x;
    model_len++;
}

static void model_step(ints *v)
{
    int x = rand();
    size_t i = model_len == 0 ? 0 : (size_t)rand() % model_len, n = (size_t)rand() % 30;
    switch (rand() % 10) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (loam_vec_push(v, x))
            model[model_len++] = x;
        break;
    case 4:
        if (loam_vec_insert(v, i, x))
            model_insert(i, x);
        break;
    case 5:
        if (model_len > 0) {
            loam_vec_remove(v, i);
            model_len--;
            memmove(model + i, model + i + 1, (model_len - i) * sizeof(int));
        }
        break;
    case 6:
        if (model_len > 0)
            CHECK(loam_vec_pop(v) == model[--model_len]);
        break;
    case 7:
        n = n < model_len ? n : model_len;
        if (loam_vec_append(v, v->at, n)) {
            memcpy(model + model_len, model, n * sizeof(int));
            model_len += n;
        }
        break;
    case 8:
        if (loam_vec_resize(v, n * 10)) {
            if (n * 10 > model_len)
                memset(model + model_len, 0, (n * 10 - model_len) * sizeof(int));
            model_len = n * 10;
        }
        break;
    case 9:
        if (x % 4 == 0)
            loam_vec_shrink(v);
        break;
    }
}

static void model_run(unsigned seed, size_t fail_at)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_fail_at(&t, fail_at);
    ints v = {.alloc = loam_track_alloc(&t)};
    srand(seed);
    model_len = 0;
    for (int i = 0; i < 1000 && model_len < MODEL_MAX / 2; i++) {
        model_step(&v);
        CHECK(v.len == model_len);
        CHECK(t.live_bytes == v.cap * sizeof(int));
        CHECK(v.len == 0 || memcmp(v.at, model, v.len * sizeof(int)) == 0);
    }
    loam_vec_done(&v);
    loam_track_done(&t);
}

TEST(random_operations_agree_with_the_model)
{
    for (unsigned seed = 0; seed < 50; seed++)
        model_run(seed, 0);
}

TEST(memory_that_runs_out_at_any_request)
{
    for (size_t n = 1; n < 60; n++)
        model_run((unsigned)n, n);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
