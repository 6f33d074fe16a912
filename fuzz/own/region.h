// region.h: a region against a list of what was pushed, and what each byte of it must hold.
#pragma once

#include "fuzz/own/input.h"

#define REGION_OBJECTS 2000
#define REGION_MARKS   16

struct region_object {
    unsigned char *at;
    size_t size;
    unsigned char fill;
};
struct region_model {
    struct region_object object[REGION_OBJECTS];
    size_t count;
    struct {
        loam_region_mark mark;
        size_t count, deferred;
    } mark[REGION_MARKS];
    size_t marks;
    size_t deferred, ran; // clean-ups that wait; that ran, ever
    size_t last_ran;      // number of the one that ran last
};

struct region_note {
    struct region_model *model;
    size_t number;
};
// Newest first, each once.
static void region_cleanup(void *arg)
{
    struct region_note *n = arg;
    SAME(n->number == n->model->deferred);
    n->model->deferred--;
    n->model->ran++;
    free(n);
}

static void region_same(const struct region_model *m)
{
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < m->object[i].size; k += 1 + m->object[i].size / 64)
            SAME(m->object[i].at[k] == m->object[i].fill);
}

static void region_push_one(struct input *in, loam_region *r, struct region_model *m)
{
    size_t size = take_below(in, 5000), align = (size_t)1 << take(in) % 8;
    struct region_object o = {NULL, size, (unsigned char)take(in)};
    if (m->count == REGION_OBJECTS)
        return;
    o.at = loam_region_push_raw(r, size, align);
    if (o.at == NULL)
        return;
    SAME((uintptr_t)o.at % align == 0);
    SAME(loam_region_holds(r, o.at));
    memset(o.at, o.fill, size);
    m->object[m->count++] = o;
}

static void region_defer_one(loam_region *r, struct region_model *m)
{
    struct region_note *n = malloc(sizeof *n);
    if (n == NULL)
        return;
    *n = (struct region_note){m, m->deferred + 1};
    if (loam_region_defer(r, region_cleanup, n) < 0)
        free(n);
    else
        m->deferred++;
}

static void region_step(struct input *in, struct purse *purse, loam_region *r,
                        struct region_model *m)
{
    size_t i;
    switch (take(in) % 10) {
    case 0:
    case 1:
    case 2:
    case 3:
        region_push_one(in, r, m);
        break;
    case 4:
        region_defer_one(r, m);
        break;
    case 5:
        if (m->marks < REGION_MARKS) {
            m->mark[m->marks].mark = loam_region_save(r);
            m->mark[m->marks].count = m->count;
            m->mark[m->marks++].deferred = m->deferred;
        }
        break;
    case 6:
        if (m->marks > 0) {
            i = take_below(in, m->marks);
            loam_region_restore(r, m->mark[i].mark);
            SAME(m->deferred == m->mark[i].deferred);
            m->count = m->mark[i].count;
            m->marks = i;
        }
        break;
    case 7:
        if (take(in) % 8 == 0) {
            loam_region_clear(r);
            SAME(m->deferred == 0);
            SAME(loam_region_used(r) == 0);
            m->count = m->marks = 0;
        }
        break;
    case 8:
        purse_empty(purse);
        break;
    case 9:
        purse_fill(purse);
        break;
    }
}

static void region_play(struct input *in)
{
    struct purse purse;
    loam_region r;
    struct region_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return;
    loam_region_init_in(&r, purse_open(&purse), "model");
    if (take(in) % 4 == 0)
        loam_region_set_limit(&r, 20000 + take_below(in, 100000));
    while (in->left > 0) {
        region_step(in, &purse, &r, m);
        region_same(m);
        SAME(loam_region_held(&r) == purse.track.live_bytes);
    }
    loam_region_done(&r);
    SAME(m->deferred == 0);
    purse_close(&purse);
    free(m);
}
