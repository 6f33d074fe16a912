// timeline.c: what came when, from a file that may be hostile.

#include "report/timeline.h"

#include "report/count.h"
#include "report/utf8.h"

#include <stdlib.h>
#include <string.h>

// A point as it came: its label and its site are numbers still.
struct timeline_point {
    u32 label, process, site;
    struct point point;
};

static void *grown(void *array, u32 count, u32 *room, size_t each)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 64 : 2 * *room;
    void *p = realloc(array, *room * each);
    if (p == NULL)
        die("loam: no memory for the report", NULL);
    return p;
}

static const char *text_of(struct model *m, const char *text, size_t size)
{
    char *copy = store_text(&m->store, text, size);
    utf8_clean(copy);
    return copy;
}

// ---------------------------------------------------------------- taking in

static bool add_thread(struct timeline *t, struct process *process, const struct record *r,
                       size_t bytes)
{
    const struct record_thread *rt = (const void *)r;
    struct model *m = t->m;
    if (bytes < sizeof *rt || process == NULL)
        return false;
    m->threads = grown(m->threads, m->threads_count, &t->threads_room, sizeof *m->threads);
    m->threads[m->threads_count++] = (struct thread){
        .process = process,
        .tid = rt->tid,
        .ended = rt->ended != 0,
        .started_ns = rt->started * CLOCK_TICK_NS,
        .stopped_ns = rt->stopped * CLOCK_TICK_NS,
        .allocs = rt->own.allocs,
        .alloc_bytes = rt->own.alloc_bytes,
        .frees = rt->own.frees,
        .free_bytes = rt->own.free_bytes,
        .temporaries = rt->own.temporaries,
        .name = text_of(m, rt->name, sizeof rt->name),
    };
    count_totals(process, &rt->own);
    return true;
}

// The numbers of its sites wait in the place of pointers to them until timeline_settle.
struct waiting {
    u32 process, site;
};
static_assert(sizeof(struct waiting) == sizeof(struct site *), "one stands for the other");

static void keep_tops(struct model *m, struct moment *to, const struct record_moment *rm)
{
    to->tops = store_push(&m->store, rm->tops_count * sizeof *to->tops);
    to->tops_count = rm->tops_count;
    for (u32 i = 0; i < rm->tops_count; i++) {
        const struct waiting w = {rm->top[i].process, rm->top[i].site};
        memcpy(&to->tops[i].site, &w, sizeof w);
        to->tops[i].live_bytes = rm->top[i].live_bytes;
    }
}

static bool add_moment(struct timeline *t, const struct record *r, size_t bytes)
{
    const struct record_moment *rm = (const void *)r;
    struct model *m = t->m;
    if (bytes < sizeof *rm || rm->tops_count > (bytes - sizeof *rm) / sizeof rm->top[0])
        return false;
    m->moments = grown(m->moments, m->moments_count, &t->moments_room, sizeof *m->moments);
    struct moment *to = &m->moments[m->moments_count++];
    *to = (struct moment){
        .at_ns = rm->at_ns,
        .processes = rm->processes,
        .live = {rm->live_bytes, rm->live_blocks},
        .rss_bytes = rm->rss_bytes,
        .allocs = rm->allocs,
        .alloc_bytes = rm->alloc_bytes,
        .frees = rm->frees,
        .free_bytes = rm->free_bytes,
    };
    keep_tops(m, to, rm);
    return true;
}

static bool add_label(struct timeline *t, const struct record *r, size_t bytes)
{
    const struct record_label *rl = (const void *)r;
    struct model *m = t->m;
    if (bytes < sizeof *rl || rl->len > bytes - sizeof *rl)
        return false;
    m->labels = grown(m->labels, m->labels_count, &t->labels_room, sizeof *m->labels);
    m->labels[m->labels_count++] = (struct label){
        .number = rl->number,
        .pid = rl->pid,
        .name = text_of(m, rl->text, rl->len),
        .moment = {.at_ns = rl->at_ns,
                   .live = {rl->live_bytes, rl->live_blocks},
                   .rss_bytes = rl->rss_bytes,
                   .allocs = rl->allocs,
                   .alloc_bytes = rl->alloc_bytes,
                   .frees = rl->frees,
                   .free_bytes = rl->free_bytes},
        .cut = rl->cut != 0,
    };
    return true;
}

static bool add_points(struct timeline *t, const struct record *r, size_t bytes)
{
    const struct record_points *rp = (const void *)r;
    if (bytes < sizeof *rp || rp->count > (bytes - sizeof *rp) / sizeof rp->point[0])
        return false;
    for (u32 i = 0; i < rp->count; i++) {
        const struct record_point *p = &rp->point[i];
        t->points = grown(t->points, t->points_count, &t->points_room, sizeof *t->points);
        t->points[t->points_count++] = (struct timeline_point){
            .label = rp->label,
            .process = rp->process,
            .site = p->site,
            .point = {.live = {p->live_bytes, p->live_blocks},
                      .allocs = p->allocs,
                      .alloc_bytes = p->alloc_bytes},
        };
    }
    return true;
}

bool timeline_add(struct timeline *t, struct process *process, const struct record *r, size_t bytes)
{
    switch (r->kind) {
    case RECORD_THREAD:
        return add_thread(t, process, r, bytes);
    case RECORD_MOMENT:
        return add_moment(t, r, bytes);
    case RECORD_LABEL:
        return add_label(t, r, bytes);
    case RECORD_POINTS:
        return add_points(t, r, bytes);
    }
    return true; // of a later loam
}

// ---------------------------------------------------------------- settling

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

// L3: one of each time.
static void settle_moments(struct model *m, struct site *(*site)(void *ctx, u32 process, u32 id),
                           void *ctx)
{
    u32 kept = 0;
    qsort(m->moments, m->moments_count, sizeof *m->moments, by_time);
    for (u32 i = 0; i < m->moments_count; i++)
        if (kept == 0 || m->moments[kept - 1].at_ns != m->moments[i].at_ns)
            m->moments[kept++] = m->moments[i];
    m->moments_count = kept;
    for (u32 i = 0; i < kept; i++) {
        for (u32 j = 0; j < m->moments[i].tops_count; j++) {
            struct top *top = &m->moments[i].tops[j];
            struct waiting w;
            memcpy(&w, &top->site, sizeof w);
            top->site = site(ctx, w.process, w.site);
        }
    }
}

static int by_label_number(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int by_point_label(const void *a, const void *b)
{
    const struct timeline_point *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    return (x->site > y->site) - (x->site < y->site);
}

static void settle_labels(struct timeline *t, struct site *(*site)(void *ctx, u32 process, u32 id),
                          void *ctx)
{
    struct model *m = t->m;
    qsort(m->labels, m->labels_count, sizeof *m->labels, by_label_number);
    if (t->points_count > 0)
        qsort(t->points, t->points_count, sizeof *t->points, by_point_label);
    struct point *all = store_push(&m->store, t->points_count * sizeof *all);
    for (u32 i = 0, at = 0; i < m->labels_count; i++) {
        struct label *l = &m->labels[i];
        while (at < t->points_count && t->points[at].label < l->number)
            at++;
        l->points = all + at;
        for (; at < t->points_count && t->points[at].label == l->number; at++) {
            const struct timeline_point *p = &t->points[at];
            all[at] = p->point;
            all[at].site = site(ctx, p->process, p->site);
            l->points_count++;
        }
    }
    free(t->points);
    t->points = NULL;
}

// Threads of one process side by side, those that did most first.
static int by_process(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->alloc_bytes != y->alloc_bytes)
        return x->alloc_bytes > y->alloc_bytes ? -1 : 1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static void settle_threads(struct model *m)
{
    qsort(m->threads, m->threads_count, sizeof *m->threads, by_process);
    for (u32 i = 0; i < m->threads_count; i++) {
        struct process *p = m->threads[i].process;
        if (p->threads_count++ == 0)
            p->threads = &m->threads[i];
    }
}

void timeline_settle(struct timeline *t, struct site *(*site)(void *ctx, u32 process, u32 id),
                     void *ctx)
{
    struct model *m = t->m;
    if (m->moments_count > 0)
        settle_moments(m, site, ctx);
    if (m->labels_count > 0)
        settle_labels(t, site, ctx);
    if (m->threads_count > 0)
        settle_threads(m);
    free(t->points);
    t->points = NULL;
}
