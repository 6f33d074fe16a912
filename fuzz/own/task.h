// task.h: tasks on one worker against a queue: who has a turn, and when, is told beforehand.
//
// The first task reads operations; the others do nothing but yield a number of times and note each
// turn. Queues are first in, first out, so the model knows the whole order.
#pragma once

#include "fuzz/own/input.h"

#include <errno.h>
#include <loam/task.h>

#define TASK_SLOTS 10 // at once, the first among them
#define TASK_EVER  2000

struct task_one {
    loam_task handle;
    int turns;     // it has still to yield
    int wait;      // turns left in the model
    bool detached; // nobody may join it
    bool cancelled, queued, over, joined;
    int result; // of its last yield
};
struct task_model {
    struct input *in;
    struct task_one one[TASK_EVER]; // 0 is the first task
    int count;
    int queue[TASK_SLOTS + 1], queued; // numbers, first to last
    int note[TASK_EVER], noted;        // turns, as they were and as they should be
    int expected[TASK_EVER], expecting;
    int slots; // tasks that hold one: that live, or were not joined
    int blocked;
};
static __thread struct task_model *task_now; // of the run on this thread: one worker

static void task_body(void *number)
{
    int i = (int)(intptr_t)number;
    struct task_one *t = &task_now->one[i];
    for (;;) {
        if (task_now->noted < TASK_EVER)
            task_now->note[task_now->noted++] = i;
        if (t->turns-- == 0)
            return;
        t->result = loam_task_yield();
        if (t->result != 0)
            t->turns = 0;
    }
}

// ---- the model

static void task_push(struct task_model *m, int i)
{
    m->queue[m->queued++] = i;
}

// A turn of the task at the front; whether it ended in it.
static int task_turn(struct task_model *m, bool *ret_over)
{
    int i = m->queue[0];
    struct task_one *t = &m->one[i];
    memmove(m->queue, m->queue + 1, sizeof *m->queue * (size_t)--m->queued);
    *ret_over = false;
    if (i == 0)
        return i;
    if (m->expecting < TASK_EVER)
        m->expected[m->expecting++] = i;
    if (t->cancelled && t->queued) // it was told in its yield; one that has not begun yields once
        t->wait = 0;
    t->queued = true;
    if (t->wait-- == 0) {
        t->over = *ret_over = true;
        m->slots -= t->detached;
    } else {
        task_push(m, i);
    }
    return i;
}

// The first task has gone to the back of the queue: all turns until it is at the front again.
static void task_round(struct task_model *m)
{
    bool over;
    task_push(m, 0);
    while (task_turn(m, &over) != 0) {
    }
}

// The first task waits for `i` and is put back into the queue when that one ends.
static void task_until(struct task_model *m, int i)
{
    bool over = false;
    while (!over)
        over = task_turn(m, &over) == i && over;
    task_round(m);
}

// ---- what is done to both

static void task_start(struct task_model *m)
{
    if (m->count == TASK_EVER)
        return;
    int i = m->count, turns = (int)(take(m->in) % 5);
    bool detached = take(m->in) % 3 == 0;
    struct task_one *t = &m->one[i];
    *t = (struct task_one){.turns = turns, .wait = turns, .detached = detached};
    int e = loam_go("model", task_body, (void *)(intptr_t)i, detached ? NULL : &t->handle);
    SAME(e == (m->slots == TASK_SLOTS ? -ENOMEM : 0));
    if (e < 0)
        return;
    m->count++;
    m->slots++;
    task_push(m, i);
}

// Any that ever was.
static void task_join_one(struct task_model *m, int i)
{
    struct task_one *t = &m->one[i];
    if (t->detached)
        return; // it has no handle
    bool joined = t->joined;
    if (!joined && !t->over)
        task_until(m, i);
    SAME(loam_task_join(t->handle) == (joined ? -ESRCH : 0));
    m->slots -= !joined;
    t->joined = true;
}

static void task_cancel_one(struct task_model *m, int i)
{
    struct task_one *t = &m->one[i];
    if (t->detached)
        return;
    SAME(loam_task_cancel(t->handle) == (t->joined ? -ESRCH : 0));
    t->cancelled |= !t->over;
}

static void task_blocking(void *arg)
{
    ++*(int *)arg;
}

static void task_same(const struct task_model *m)
{
    SAME(m->noted == m->expecting);
    SAME(memcmp(m->note, m->expected, sizeof *m->note * (size_t)m->noted) == 0);
    for (int i = 1; i < m->count; i++)
        SAME(m->one[i].result == 0 || m->one[i].cancelled);
}

static void task_step(struct task_model *m)
{
    int i = m->count > 1 ? 1 + (int)take_below(m->in, (size_t)m->count - 1) : 0;
    switch (take(m->in) % 9) {
    case 0:
    case 1:
    case 2:
        task_start(m);
        break;
    case 3:
    case 4:
        task_round(m);
        SAME(loam_task_yield() == 0);
        break;
    case 5:
    case 6:
        if (i != 0)
            task_join_one(m, i);
        break;
    case 7:
        if (i != 0)
            task_cancel_one(m, i);
        break;
    case 8: // when there is nobody whose turns a wait of unknown length would count
        if (m->queued == 0) {
            SAME(loam_task_sleep(take(m->in)) == 0);
            if (m->blocked++ < 4) {
                int runs = 0;
                SAME(loam_task_block(task_blocking, &runs) == 0 && runs == 1);
            }
        }
        break;
    }
}

static void task_first(void *model)
{
    struct task_model *m = model;
    SAME(loam_task_join(loam_task_self()) == -EDEADLK);
    SAME(loam_task_run(NULL, task_first, m) == -EBUSY);
    while (m->in->left > 0) {
        task_step(m);
        task_same(m);
    }
    // The run ends when all have: those that nobody joins too.
    bool over;
    while (m->queued > 0)
        task_turn(m, &over);
}

static void task_play(struct input *in)
{
    struct task_model *m = calloc(1, sizeof *m), *outer = task_now;
    if (m == NULL)
        return;
    m->in = in;
    m->count = m->slots = 1;
    task_now = m;
    SAME(loam_task_run(&(loam_task_options){.tasks = TASK_SLOTS}, task_first, m) == 0);
    task_same(m);
    task_now = outer;
    SAME(loam_task_yield() == -EPERM);
    free(m);
}
