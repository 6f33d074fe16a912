// vec.h: a vec against an array that never moves.
#pragma once

#include "fuzz/own/input.h"

#define VEC_MAX 3000

struct pair {
    int a;
    char b;
};
struct vec_model {
    struct pair at[VEC_MAX];
    size_t len;
};
typedef loam_vec(struct pair) pairs;

static void vec_same(const pairs *v, const struct vec_model *m)
{
    SAME(v->len == m->len);
    SAME(v->len <= v->cap);
    for (size_t i = 0; i < m->len; i++)
        SAME(v->at[i].a == m->at[i].a && v->at[i].b == m->at[i].b);
}

static void vec_put(struct vec_model *m, size_t i, struct pair p)
{
    memmove(&m->at[i + 1], &m->at[i], (m->len - i) * sizeof p);
    m->at[i] = p;
    m->len++;
}

// From the vec itself, where it may have to grow under its own elements.
static void vec_append_own(struct input *in, pairs *v, struct vec_model *m)
{
    size_t from = take_below(in, v->len + 1), n = take_below(in, v->len - from + 1);
    if (m->len + n >= VEC_MAX || !loam_vec_append(v, v->at == NULL ? NULL : v->at + from, n))
        return;
    memcpy(&m->at[m->len], &m->at[from], n * sizeof *m->at);
    m->len += n;
}

static void vec_resize(struct input *in, pairs *v, struct vec_model *m)
{
    size_t n = take_below(in, VEC_MAX);
    if (!loam_vec_resize(v, n))
        return;
    if (n > m->len)
        memset(&m->at[m->len], 0, (n - m->len) * sizeof *m->at);
    m->len = n;
}

// Within what was reserved nothing moves.
static void vec_reserve(struct input *in, pairs *v, struct vec_model *m)
{
    size_t n = take_below(in, 50);
    if (m->len + n >= VEC_MAX || !loam_vec_reserve(v, n))
        return;
    const struct pair *at = v->at;
    for (size_t i = 0; i < n; i++) {
        struct pair p = {(int)i, 'r'};
        SAME(loam_vec_push(v, p));
        vec_put(m, m->len, p);
    }
    SAME(v->at == at);
}

static void vec_step(struct input *in, struct purse *purse, pairs *v, struct vec_model *m)
{
    struct pair p = {(int)take(in), (char)take(in)};
    size_t i;
    switch (take(in) % 12) {
    case 0:
    case 1:
        if (m->len + 1 < VEC_MAX && loam_vec_push(v, p))
            vec_put(m, m->len, p);
        break;
    case 2:
        if (m->len > 0) {
            SAME(loam_vec_pop(v).a == m->at[m->len - 1].a);
            m->len--;
        }
        break;
    case 3:
        i = take_below(in, m->len + 1);
        if (m->len + 1 < VEC_MAX && loam_vec_insert(v, i, p))
            vec_put(m, i, p);
        break;
    case 4:
        if (m->len > 0) {
            i = take_below(in, m->len);
            loam_vec_remove(v, i);
            m->len--;
            memmove(&m->at[i], &m->at[i + 1], (m->len - i) * sizeof p);
        }
        break;
    case 5:
        vec_append_own(in, v, m);
        break;
    case 6:
        vec_resize(in, v, m);
        break;
    case 7:
        vec_reserve(in, v, m);
        break;
    case 8:
        loam_vec_shrink(v);
        break;
    case 9:
        purse_empty(purse);
        break;
    case 10:
        purse_fill(purse);
        break;
    case 11:
        if (m->len > 0) {
            i = take_below(in, m->len);
            loam_vec_at(v, i) = m->at[i] = p;
        }
        break;
    }
}

static void vec_play(struct input *in)
{
    struct purse purse;
    struct vec_model *m = calloc(1, sizeof *m);
    pairs v = {.alloc = purse_open(&purse)};
    if (m == NULL)
        return;
    while (in->left > 0) {
        vec_step(in, &purse, &v, m);
        vec_same(&v, m);
    }
    loam_vec_done(&v);
    purse_close(&purse);
    free(m);
}
