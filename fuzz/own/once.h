// once.h: initialisers that fail now and then, from one thread and from several, against how often
// each ran and whether one succeeded.
#pragma once

#include "fuzz/own/input.h"

#include <errno.h>
#include <loam/once.h>
#include <pthread.h>
#include <sched.h>

#define ONCE_COUNT   8
#define ONCE_THREADS 3

struct once_plan {
    int runs;     // only ever inside the initialiser: what says that there is one at a time
    int failures; // still to come
    int error;
    bool crowded; // the others get time to come upon it
    long value;
};
struct once_value {
    struct once_plan *plan;
    long value;
};
struct once_model {
    loam_once once[ONCE_COUNT];
    struct once_plan plan[ONCE_COUNT];
    bool done[ONCE_COUNT];
};

static int once_init(void *arg)
{
    struct once_plan *p = arg;
    p->runs++;
    for (int i = 0; p->crowded && i < 50; i++)
        sched_yield();
    if (p->failures > 0) {
        p->failures--;
        return p->error;
    }
    p->value = 1000 + p->runs;
    return 0;
}

static int once_value_init(struct once_value *v)
{
    v->value = 7;
    return once_init(v->plan);
}

static void once_ask(struct once_model *m, size_t i)
{
    struct once_plan *p = &m->plan[i];
    int runs = p->runs, expected = m->done[i] || p->failures == 0 ? 0 : p->error;
    SAME(loam_once_run(&m->once[i], once_init, p) == expected);
    SAME(p->runs == runs + !m->done[i]);
    m->done[i] |= expected == 0;
    SAME(!m->done[i] || p->value >= 1000);
}

struct once_call {
    loam_once *once;
    struct once_plan *plan;
    int failed;
};
static void *once_insist(void *arg)
{
    struct once_call *c = arg;
    while (loam_once_run(c->once, once_init, c->plan) != 0)
        c->failed++;
    SAME(c->plan->value >= 1000); // what the initialiser wrote is seen
    return NULL;
}

// Several at once, until each has been told that it is done: each failure was told to one.
static void once_crowd(struct once_model *m, size_t i)
{
    pthread_t t[ONCE_THREADS];
    struct once_call call[ONCE_THREADS];
    int runs = m->plan[i].runs, failures = m->done[i] ? 0 : m->plan[i].failures, failed = 0;
    size_t started = 0;
    m->plan[i].crowded = true;
    for (; started < ONCE_THREADS; started++) {
        call[started] = (struct once_call){&m->once[i], &m->plan[i], 0};
        if (pthread_create(&t[started], NULL, once_insist, &call[started]) != 0)
            break;
    }
    for (size_t k = 0; k < started; k++) {
        pthread_join(t[k], NULL);
        failed += call[k].failed;
    }
    m->plan[i].crowded = false;
    if (started == 0)
        return;
    SAME(failed == failures);
    SAME(m->plan[i].runs == runs + failures + !m->done[i]);
    m->done[i] = true;
}

// A value that is made at its first use: its address, or what the initialiser said.
static void once_lazy(struct input *in)
{
    struct once_plan plan = {.failures = (int)(take(in) % 3), .error = -1 - (int)(take(in) % 100)};
    loam_lazy(struct once_value) lazy = {.value = {.plan = &plan}};
    for (int failures = plan.failures; failures > 0; failures--) {
        errno = 0;
        SAME(loam_lazy_get(&lazy, once_value_init) == NULL);
        SAME(errno == -plan.error);
    }
    for (int i = 0; i < 2; i++) {
        struct once_value *v = loam_lazy_get(&lazy, once_value_init);
        SAME(v == &lazy.value && v->value == 7);
    }
    SAME(plan.failures == 0);
}

static void once_play(struct input *in)
{
    struct once_model m = {0};
    unsigned crowds = 0;
    while (in->left > 0) {
        size_t i = take(in) % ONCE_COUNT;
        unsigned op = take(in) % 16;
        if (op < 8)
            once_ask(&m, i);
        else if (op < 12 && m.done[i]) { // a fresh one in its place
            m.once[i] = (loam_once){0};
            m.done[i] = false;
            m.plan[i] = (struct once_plan){.failures = (int)(take(in) % 4),
                                           .error = -1 - (int)(take(in) % 100)};
        } else if (op < 15)
            once_lazy(in);
        else if (crowds++ < 8) // threads are slow
            once_crowd(&m, i);
    }
}
