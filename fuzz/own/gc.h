// gc.h: a collected heap against a graph that the model keeps itself.
//
// Only named roots count, so nothing stays by accident: after a collection that was asked for,
// exactly what the model reaches is there (and what finalizers kept for themselves). In between the
// heap collects when it likes: what is reached stays, what is not may have gone.
#pragma once

#include "fuzz/own/input.h"

#include <errno.h>
#include <loam/gc.h>

#define GC_OBJECTS 800
#define GC_ROOTS   12
#define GC_EDGES   4
#define GC_WEAKS   12

enum gc_shape { SHAPE_WORDS, SHAPE_LEAF, SHAPE_TYPED, SHAPE_LARGE, SHAPES };

struct gc_node {
    size_t number;
    struct gc_node *edge[GC_EDGES]; // typed: only the first two are pointers
};
struct gc_model;
struct gc_object {
    struct gc_model *model;
    struct gc_node *at; // the model is no root; NULL: known to be gone
    enum gc_shape shape;
    int edge[GC_EDGES]; // numbers; -1: none
    bool reached, kept; // by roots; by a finalizer that has not run
    int finalizers, ran;
};
struct gc_model {
    loam_gc *gc;
    loam_gc_type type;
    struct gc_object object[GC_OBJECTS];
    int count;
    struct gc_node *root[GC_ROOTS]; // what the heap sees
    int root_is[GC_ROOTS];
    struct {
        loam_gc_weak weak;
        int to;
    } weak[GC_WEAKS];
};

// How many of its edges the heap follows.
static int gc_edges(const struct gc_object *o)
{
    return o->shape == SHAPE_LEAF ? 0 : o->shape == SHAPE_TYPED ? 2 : GC_EDGES;
}

// From `first` on, into `reached` or `kept`.
static void gc_reach(struct gc_model *m, int first, bool kept)
{
    int todo[GC_OBJECTS * GC_EDGES + 1], n = 0;
    if (first < 0)
        return;
    todo[n++] = first;
    while (n > 0) {
        struct gc_object *o = &m->object[todo[--n]];
        bool *seen = kept ? &o->kept : &o->reached;
        if (*seen)
            continue;
        *seen = true;
        for (int i = 0; i < gc_edges(o); i++)
            if (o->edge[i] >= 0)
                todo[n++] = o->edge[i];
    }
}

static void gc_reach_all(struct gc_model *m)
{
    for (int i = 0; i < m->count; i++)
        m->object[i].reached = m->object[i].kept = false;
    for (int i = 0; i < GC_ROOTS; i++)
        gc_reach(m, m->root_is[i], false);
    for (int i = 0; i < m->count; i++)
        if (m->object[i].finalizers > m->object[i].ran)
            gc_reach(m, i, true);
}

// Whatever is reached is there, and as it was written.
static void gc_same(struct gc_model *m)
{
    gc_reach_all(m);
    for (int i = 0; i < m->count; i++) {
        struct gc_object *o = &m->object[i];
        if (!o->reached)
            continue;
        SAME(o->at != NULL && o->ran == 0);
        SAME(loam_gc_start(m->gc, (char *)o->at + 20) == o->at);
        SAME(loam_gc_size(m->gc, o->at) >= sizeof(struct gc_node));
        SAME(o->at->number == (size_t)i);
        for (int k = 0; k < GC_EDGES; k++)
            SAME(o->at->edge[k] == (o->edge[k] < 0 ? NULL : m->object[o->edge[k]].at) ||
                 k >= gc_edges(o));
    }
}

static void gc_finalizer(void *p, void *arg)
{
    const struct gc_node *n = p; // it is whole, with all that it points at
    struct gc_object *o = arg;
    SAME(o->at == n);
    for (int k = 0; k < gc_edges(o); k++)
        SAME(o->edge[k] < 0 ? n->edge[k] == NULL
                            : loam_gc_start(o->model->gc, n->edge[k]) == n->edge[k]);
    o->ran++;
    SAME(o->ran == o->finalizers);
}

// ---------------------------------------------------------------- what is done

static void gc_set_root(struct gc_model *m, int root, int number)
{
    m->root_is[root] = number;
    m->root[root] = number < 0 ? NULL : m->object[number].at;
}

static struct gc_node *gc_allocate(struct gc_model *m, enum gc_shape shape)
{
    struct gc_node node = {0};
    switch (shape) {
    case SHAPE_WORDS:
        return loam_gc_copy(m->gc, &node, sizeof node);
    case SHAPE_LEAF:
        return loam_gc_alloc_leaf(m->gc, sizeof node);
    case SHAPE_TYPED:
        return loam_gc_alloc_typed(m->gc, m->type, 3);
    case SHAPE_LARGE:
        return loam_gc_alloc(m->gc, 100000);
    case SHAPES:
        break;
    }
    abort();
}

// Whoever had this address before is gone, and was not reached.
static void gc_took_over(struct gc_model *m, const struct gc_node *at)
{
    for (int i = 0; i < m->count; i++)
        if (m->object[i].at == at) {
            SAME(!m->object[i].reached);
            m->object[i].at = NULL;
        }
}

static void gc_make(struct input *in, struct gc_model *m)
{
    static const struct gc_node zero;
    enum gc_shape shape = take(in) % 16 == 0 ? SHAPE_LARGE : (enum gc_shape)(take(in) % 3);
    int root = (int)(take(in) % GC_ROOTS);
    if (m->count == GC_OBJECTS)
        return;
    struct gc_node *at = gc_allocate(m, shape);
    if (at == NULL) {
        SAME(errno == ENOMEM);
        return;
    }
    SAME(memcmp(at, &zero, sizeof zero) == 0);
    gc_reach_all(m);
    gc_took_over(m, at);
    struct gc_object *o = &m->object[m->count];
    *o = (struct gc_object){.model = m, .at = at, .shape = shape, .edge = {-1, -1, -1, -1}};
    at->number = (size_t)m->count;
    gc_set_root(m, root, m->count++);
}

// An object that roots reach, by some steps from one of them; -1: none.
static int gc_pick(struct input *in, const struct gc_model *m)
{
    int at = m->root_is[take(in) % GC_ROOTS];
    for (unsigned steps = take(in) % 8; steps > 0 && at >= 0; steps--) {
        const struct gc_object *o = &m->object[at];
        int edges = gc_edges(o);
        int next = edges == 0 ? -1 : o->edge[take(in) % (unsigned)edges];
        if (next < 0)
            break;
        at = next;
    }
    return at;
}

static void gc_link(struct input *in, struct gc_model *m)
{
    int from = gc_pick(in, m), to = take(in) % 4 == 0 ? -1 : gc_pick(in, m);
    unsigned k = take(in) % GC_EDGES;
    if (from < 0)
        return;
    m->object[from].edge[k] = to;
    m->object[from].at->edge[k] = to < 0 ? NULL : m->object[to].at;
}

static void gc_weak_make(struct input *in, struct gc_model *m)
{
    size_t i = take(in) % GC_WEAKS;
    int to = gc_pick(in, m);
    if (to < 0)
        return;
    loam_gc_weak_remove(m->gc, m->weak[i].weak);
    SAME(loam_gc_weak_get(m->gc, m->weak[i].weak) == NULL);
    SAME(loam_gc_weak_add(m->gc, m->object[to].at, &m->weak[i].weak) == 0);
    m->weak[i].to = to;
}

// What a weak reference still finds becomes a root.
static void gc_weak_ask(struct input *in, struct gc_model *m)
{
    size_t i = take(in) % GC_WEAKS;
    int root = (int)(take(in) % GC_ROOTS), to = m->weak[i].to;
    struct gc_node *n = loam_gc_weak_get(m->gc, m->weak[i].weak);
    gc_reach_all(m);
    SAME(n != NULL || to < 0 || !m->object[to].reached);
    if (n == NULL)
        return;
    SAME(to >= 0 && n == m->object[to].at && n->number == (size_t)to);
    gc_set_root(m, root, to);
}

static void gc_finalizer_make(struct input *in, struct gc_model *m)
{
    int i = gc_pick(in, m);
    if (i < 0)
        return;
    struct gc_object *o = &m->object[i];
    if (o->finalizers != 0) {
        SAME(loam_gc_finalizer_remove(m->gc, o->at) == 1);
        o->finalizers = 0;
        return;
    }
    SAME(loam_gc_finalizer_add(m->gc, (char *)o->at + 8, gc_finalizer, o) == -EINVAL);
    SAME(loam_gc_finalizer_add(m->gc, o->at, gc_finalizer, o) == 0);
    o->finalizers = 1;
}

// ---------------------------------------------------------------- a collection

// Does it lie in an object that may still be there?
static bool gc_covered(const struct gc_model *m, const struct gc_node *at)
{
    for (int i = 0; i < m->count; i++) {
        const struct gc_object *o = &m->object[i];
        if (o->at != NULL && (o->reached || o->kept) &&
            (uintptr_t)at - (uintptr_t)o->at < loam_gc_size(m->gc, o->at))
            return true;
    }
    return false;
}

static void gc_collect_all(struct gc_model *m)
{
    gc_reach_all(m);
    loam_gc_hold(m->gc);
    SAME(loam_gc_collect(m->gc) == -EBUSY);
    loam_gc_let(m->gc);
    int e = loam_gc_collect(m->gc);
    if (e == -EBUSY) { // ThreadSanitizer has a thread that cannot be stopped
        SAME(loam_gc_usage(m->gc).refused > 0);
        return;
    }
    SAME(e == 0);
    for (int i = 0; i < GC_WEAKS; i++)
        if (m->weak[i].to >= 0 && !m->object[m->weak[i].to].reached)
            SAME(loam_gc_weak_get(m->gc, m->weak[i].weak) == NULL);
    for (int i = 0; i < m->count; i++) {
        struct gc_object *o = &m->object[i];
        SAME(o->ran == (o->reached ? 0 : o->finalizers));
        if (o->reached || o->kept || o->at == NULL)
            continue;
        SAME(loam_gc_size(m->gc, o->at) == 0 || gc_covered(m, o->at));
        o->at = NULL;
    }
    gc_same(m);
}

static void gc_step(struct input *in, struct gc_model *m, unsigned *collections)
{
    switch (take(in) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        gc_make(in, m);
        break;
    case 4:
    case 5:
    case 6:
        gc_link(in, m);
        break;
    case 7:
        gc_set_root(m, (int)(take(in) % GC_ROOTS), -1);
        break;
    case 8:
        gc_set_root(m, (int)(take(in) % GC_ROOTS), gc_pick(in, m));
        break;
    case 9:
    case 10:
        gc_weak_make(in, m);
        break;
    case 11:
        gc_weak_ask(in, m);
        break;
    case 12:
        gc_finalizer_make(in, m);
        break;
    case 13:
        if (take(in) % 4 == 0)
            loam_gc_finalize(m->gc);
        break;
    case 14:
        if (take(in) % 4 == 0)
            gc_same(m);
        break;
    case 15:
        if (take(in) % 4 == 0 && (*collections)++ < 30)
            gc_collect_all(m);
        break;
    }
}

static void gc_play(struct input *in)
{
    static const size_t offsets[] = {8, 16};
    struct gc_model *m = calloc(1, sizeof *m);
    unsigned how = take(in), collections = 0;
    loam_gc_options o = {.explicit_roots = true,
                         .first = how % 2 ? 64 << 10 : 0,
                         .limit = how / 2 % 4 == 0 ? 4 << 20 : 0,
                         .snapshot_from = how / 8 % 4 == 0 ? 1 : SIZE_MAX};
    if (m == NULL || (m->gc = loam_gc_new("model", &o)) == NULL)
        abort();
    for (int i = 0; i < GC_ROOTS; i++)
        m->root_is[i] = -1;
    for (int i = 0; i < GC_WEAKS; i++)
        m->weak[i].to = -1;
    SAME(loam_gc_root_add(m->gc, m->root, sizeof m->root) == 0);
    SAME(loam_gc_type_add(m->gc, sizeof(struct gc_node), offsets, 2, &m->type) == 0);
    while (in->left > 0)
        gc_step(in, m, &collections);
    gc_collect_all(m);
    m->gc = loam_gc_free(m->gc);
    free(m);
}
