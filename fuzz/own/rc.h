// rc.h: counted and weak references against counts that are kept beside them.
#pragma once

#include "fuzz/own/input.h"

#define RC_OBJECTS 64
#define RC_REFS    32
#define RC_WEAKS   16

struct rc_object {
    int *deaths; // where to note that the destructor ran
    int number;
};
struct rc_model {
    struct {
        struct rc_object *ref[RC_REFS]; // all the same
        size_t refs;
        int deaths;
    } object[RC_OBJECTS];
    struct {
        loam_weak(struct rc_object) weak;
        int to; // -1: to nothing
    } weak[RC_WEAKS];
};

static void rc_object_drop(struct rc_object *o)
{
    ++*o->deaths;
}

static void rc_make(struct rc_model *m, size_t i, bool atomic)
{
    if (m->object[i].refs != 0)
        return;
    m->object[i].deaths = 0;
    int *deaths = &m->object[i].deaths;
    struct rc_object *o =
        atomic ? loam_arc_new(struct rc_object, rc_object_drop, .deaths = deaths, .number = (int)i)
               : loam_rc_new(struct rc_object, rc_object_drop, .deaths = deaths, .number = (int)i);
    for (size_t k = 0; k < RC_WEAKS; k++)
        if (m->weak[k].to == (int)i) { // what it referred to is dead: this is another object
            SAME(loam_weak_get(&m->weak[k].weak) == NULL);
            loam_weak_clear(&m->weak[k].weak);
            m->weak[k].to = -1;
        }
    m->object[i].ref[0] = o;
    m->object[i].refs = o != NULL;
}

static void rc_let_go(struct rc_model *m, size_t i)
{
    if (m->object[i].refs == 0)
        return;
    SAME(loam_rc_count(m->object[i].ref[0]) == m->object[i].refs);
    SAME(m->object[i].deaths == 0);
    struct rc_object *o = m->object[i].ref[--m->object[i].refs];
    loam_rc_drop(o);
    SAME(o == NULL);
    SAME(m->object[i].deaths == (m->object[i].refs == 0));
}

static void rc_weak_ask(struct rc_model *m, size_t k)
{
    struct rc_object *o = loam_weak_get(&m->weak[k].weak);
    int to = m->weak[k].to;
    bool live = to >= 0 && m->object[to].refs > 0;
    SAME((o != NULL) == live);
    SAME(o == NULL || o->number == to);
    loam_rc_drop(o);
}

static void rc_step(struct input *in, struct rc_model *m)
{
    size_t i = take(in) % RC_OBJECTS, k = take(in) % RC_WEAKS;
    switch (take(in) % 8) {
    case 0:
    case 1:
        rc_make(m, i, take(in) % 2);
        break;
    case 2:
    case 3:
        if (m->object[i].refs > 0 && m->object[i].refs < RC_REFS) {
            m->object[i].ref[m->object[i].refs] = loam_rc_ref(m->object[i].ref[0]);
            m->object[i].refs++;
        }
        break;
    case 4:
    case 5:
        rc_let_go(m, i);
        break;
    case 6:
        if (m->object[i].refs > 0) {
            loam_weak_set(&m->weak[k].weak, m->object[i].ref[0]);
            m->weak[k].to = (int)i;
        }
        break;
    case 7:
        rc_weak_ask(m, k);
        break;
    }
}

static void rc_play(struct input *in)
{
    struct rc_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return;
    for (size_t k = 0; k < RC_WEAKS; k++)
        m->weak[k].to = -1;
    while (in->left > 0)
        rc_step(in, m);
    for (size_t i = 0; i < RC_OBJECTS; i++)
        while (m->object[i].refs > 0)
            rc_let_go(m, i);
    for (size_t k = 0; k < RC_WEAKS; k++) {
        rc_weak_ask(m, k);
        loam_weak_clear(&m->weak[k].weak);
    }
    free(m);
}
