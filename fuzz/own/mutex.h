// mutex.h: locks left in every way, by threads that end inside too, against sums and a flag.
#pragma once

#include "fuzz/own/input.h"

#include <loam/mutex.h>
#include <pthread.h>

#define MUTEXES       4
#define MUTEX_THREADS 3

typedef loam_mutex(long) mutex_long;
struct mutex_model {
    mutex_long mutex[MUTEXES];
    long sum[MUTEXES];
    bool poisoned[MUTEXES];
};

// Each way in which the block can be left, and what was done by then.
static long mutex_leave(mutex_long *m, unsigned how)
{
    for (int i = 0; i < 1; i++)
        loam_with (m, p) {
            *p += 1;
            if (how == 0)
                return 1;
            if (how == 1)
                break;
            if (how == 2)
                continue;
            if (how == 3)
                goto out;
            *p += 1;
            return 2;
        }
out:
    return 1;
}

struct mutex_job {
    mutex_long *mutex;
    unsigned times;
};
static void *mutex_add(void *arg)
{
    const struct mutex_job *j = arg;
    for (unsigned i = 0; i < j->times; i++)
        loam_with (j->mutex, p)
            *p += 1;
    return NULL;
}

// The thread's last act: it takes the lock by hand, so that whatever flags this is compiled with,
// nothing lets go of it.
static void *mutex_end_inside(void *arg)
{
    mutex_long *m = arg;
    loam_guard held = loam_guard_begin_(&m->lock, false);
    m->loam_guarded_ += held.lock != NULL;
    return NULL;
}

static void mutex_crowd(struct input *in, struct mutex_model *m, size_t i)
{
    pthread_t t[MUTEX_THREADS];
    struct mutex_job job = {&m->mutex[i], take(in) % 64};
    size_t started = 0;
    while (started < MUTEX_THREADS && pthread_create(&t[started], NULL, mutex_add, &job) == 0)
        started++;
    for (size_t k = 0; k < started; k++)
        pthread_join(t[k], NULL);
    m->sum[i] += (long)(started * job.times);
}

static void mutex_poison(struct mutex_model *m, size_t i)
{
    pthread_t t;
    if (pthread_create(&t, NULL, mutex_end_inside, &m->mutex[i]) != 0)
        return;
    pthread_join(t, NULL);
    m->sum[i]++;
    m->poisoned[i] = true;
}

// Each but the poisoned ones is entered, one in the other.
static void mutex_nest(struct mutex_model *m, size_t i)
{
    if (i == MUTEXES)
        return;
    if (m->poisoned[i]) {
        SAME(loam_mutex_poisoned(&m->mutex[i]));
        mutex_nest(m, i + 1);
        return;
    }
    loam_with (&m->mutex[i], p) {
        SAME(*p == m->sum[i]);
        mutex_nest(m, i + 1);
        SAME(*p == m->sum[i]);
    }
    SAME(!loam_mutex_poisoned(&m->mutex[i]));
}

static void mutex_step(struct input *in, struct mutex_model *m, unsigned *threads)
{
    size_t i = take(in) % MUTEXES;
    unsigned op = take(in) % 8;
    if (m->poisoned[i] && op != 6) { // nothing but to heal it, or to end it
        SAME(loam_mutex_poisoned(&m->mutex[i]));
        if (op < 3)
            loam_heal (&m->mutex[i], p)
                SAME(*p == m->sum[i]);
        m->poisoned[i] = op >= 3;
        return;
    }
    switch (op) {
    case 0:
    case 1:
    case 2:
        m->sum[i] += mutex_leave(&m->mutex[i], take(in) % 5);
        break;
    case 3:
        loam_heal (&m->mutex[i], p)
            *p = m->sum[i] = (long)take(in); // a healthy one
        break;
    case 4:
        if ((*threads)++ < 12)
            mutex_crowd(in, m, i);
        break;
    case 5:
        if ((*threads)++ < 12)
            mutex_poison(m, i);
        break;
    case 6: // done and begun again: its data stays, a poisoning does not
        loam_mutex_done(&m->mutex[i]);
        loam_mutex_init(&m->mutex[i]);
        m->poisoned[i] = false;
        break;
    case 7:
        mutex_nest(m, 0);
        break;
    }
}

static void mutex_play(struct input *in)
{
    struct mutex_model m = {0};
    unsigned threads = 0;
    for (size_t i = 0; i < MUTEXES; i++)
        loam_mutex_init(&m.mutex[i]);
    while (in->left > 0)
        mutex_step(in, &m, &threads);
    mutex_nest(&m, 0);
    for (size_t i = 0; i < MUTEXES; i++)
        loam_mutex_done(&m.mutex[i]);
}
