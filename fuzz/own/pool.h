// pool.h: a pool against a table of who lives, and all handles that ever were.
#pragma once

#include "fuzz/own/input.h"

#define POOL_HANDLES 2000

struct pool_object {
    unsigned number;
    char more[20];
};
LOAM_POOL(pool_objects, struct pool_object)

struct pool_model {
    struct {
        pool_objects_handle handle;
        struct pool_object *at;
        bool live;
    } object[POOL_HANDLES];
    size_t count, live;
};

static void pool_make(struct input *in, pool_objects *p, struct pool_model *m)
{
    pool_objects_handle h;
    if (m->count == POOL_HANDLES)
        return;
    struct pool_object *o = pool_objects_new(p, &h);
    if (o == NULL)
        return;
    static const struct pool_object zero;
    SAME(memcmp(o, &zero, sizeof zero) == 0);
    o->number = (unsigned)m->count;
    memset(o->more, (int)take(in), sizeof o->more);
    m->object[m->count].handle = h;
    m->object[m->count].at = o;
    m->object[m->count++].live = true;
    m->live++;
}

// Any handle that ever was: it finds its own object, or nothing.
static void pool_ask(struct input *in, pool_objects *p, struct pool_model *m, bool end)
{
    if (m->count == 0)
        return;
    size_t i = take_below(in, m->count);
    struct pool_object *o = pool_objects_get(p, m->object[i].handle);
    SAME((o != NULL) == m->object[i].live);
    SAME(o == NULL || (o == m->object[i].at && o->number == i));
    if (!end)
        return;
    SAME(pool_objects_free(p, m->object[i].handle) == m->object[i].live);
    m->live -= m->object[i].live;
    m->object[i].live = false;
}

// Each that lives, once.
static void pool_walk(pool_objects *p, const struct pool_model *m)
{
    pool_objects_handle h = {{0, 0}};
    size_t seen = 0;
    while (pool_objects_next(p, &h)) {
        struct pool_object *o = pool_objects_get(p, h);
        SAME(o != NULL && o->number < m->count && m->object[o->number].live);
        seen++;
    }
    SAME(seen == m->live);
    SAME(pool_objects_count(p) == m->live);
}

static void pool_play(struct input *in)
{
    struct purse purse;
    struct pool_model *m = calloc(1, sizeof *m);
    pool_objects p = pool_objects_make_in(purse_open(&purse), LOAM_HERE);
    if (m == NULL)
        return;
    while (in->left > 0) {
        unsigned op = take(in) % 12;
        if (op < 5)
            pool_make(in, &p, m);
        else if (op < 10)
            pool_ask(in, &p, m, op < 8);
        else if (op == 10)
            take(in) % 2 ? purse_empty(&purse) : purse_fill(&purse);
        else
            pool_walk(&p, m);
    }
    pool_walk(&p, m);
    pool_objects_done(&p);
    for (size_t i = 0; i < m->count; i++)
        SAME(pool_objects_get(&p, m->object[i].handle) == NULL);
    purse_close(&purse);
    free(m);
}
