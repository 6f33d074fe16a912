// channel.h: channels and selects on one worker, against queues of who waits and what is in them.
//
// The first task reads operations. Actors, a task each, do one operation at a time when they are
// told to; whoever waits is in lists of the model as in those of the channel, so the model says who
// is served next. Which of several cases a select takes that could take any is its own choice.
#pragma once

#include "fuzz/own/input.h"

#include <errno.h>
#include <loam/task.h>

#define CHANNELS       4
#define CHANNEL_ROOM   5
#define CHANNEL_ACTORS 6
#define CHANNEL_CASES  4

// Items of 0, 4, 16 and 300 bytes: a number, and bytes that follow from it.
static const size_t channel_sizes[CHANNELS] = {0, 4, 16, 300};

struct channel_model;
struct channel_actor {
    struct channel_model *model;
    loam_task task;
    enum { ACTOR_IDLE, ACTOR_TOLD, ACTOR_DONE } state;
    bool quit, waits, cancelled;
    loam_case cases[CHANNEL_CASES];
    int channel[CHANNEL_CASES]; // of each case
    size_t count;
    bool select; // else a plain send or receive
    bool look;   // it does not wait
    int result, status;
    unsigned char item[CHANNEL_CASES][300];
    int expected,
        expected_item; // of who waited and was served: the case, and the number; or -errno
};

struct channel_waiter {
    int actor, number; // of the case
};
struct channel_one {
    loam_chan *chan;
    size_t capacity, count;
    int items[CHANNEL_ROOM]; // first to last
    bool closed;
    struct channel_waiter waiter[2][CHANNEL_ACTORS * CHANNEL_CASES]; // of each kind, in order
    size_t waiters[2];
};
struct channel_model {
    struct input *in;
    struct channel_one one[CHANNELS];
    struct channel_actor actor[CHANNEL_ACTORS];
    int next_item;
};

static void channel_fill(unsigned char *item, size_t size, int number)
{
    for (size_t i = 0; i < size; i++)
        item[i] = (unsigned char)(number * 31 + (int)i);
}

static void channel_check(const unsigned char *item, size_t size, int number)
{
    for (size_t i = 0; i < size; i++)
        SAME(item[i] == (unsigned char)(number * 31 + (int)i));
}

static void channel_act(void *actor)
{
    struct channel_actor *a = actor;
    while (!a->quit && !a->cancelled) {
        if (a->state != ACTOR_TOLD) {
            loam_task_yield();
            continue;
        }
        loam_case *c = a->cases;
        if (a->select)
            a->result = loam_select(c, a->count, a->look ? 0 : LOAM_FOREVER);
        else if (c->kind == LOAM_SEND)
            a->result = loam_chan_send(c->chan, c->item);
        else
            a->result = loam_chan_recv(c->chan, c->item);
        a->status = a->select && a->result >= 0 ? c[a->result].result : a->result;
        a->state = ACTOR_DONE;
    }
}

// ---------------------------------------------------------------- the model

static int channel_shift(struct channel_one *c)
{
    int item = c->items[0];
    memmove(c->items, c->items + 1, sizeof *c->items * --c->count);
    return item;
}

// The wait of actor `a` is over: it is in no list any more.
static void channel_unlist(struct channel_model *m, int a)
{
    for (int i = 0; i < CHANNELS; i++)
        for (int k = 0; k < 2; k++) {
            struct channel_one *c = &m->one[i];
            size_t kept = 0;
            for (size_t w = 0; w < c->waiters[k]; w++)
                if (c->waiter[k][w].actor != a)
                    c->waiter[k][kept++] = c->waiter[k][w];
            c->waiters[k] = kept;
        }
    m->actor[a].waits = false;
}

// The number of the item that an actor sends in a case.
static int channel_number(const struct channel_actor *a, int number)
{
    return a->model->next_item - (int)a->count + number;
}

static void channel_served(struct channel_model *m, struct channel_waiter w, int item)
{
    m->actor[w.actor].expected = w.number;
    m->actor[w.actor].expected_item = item;
    channel_unlist(m, w.actor);
}

// Can this case of an actor that does not wait yet happen now?
static bool channel_ready(const struct channel_one *c, loam_case_kind kind)
{
    if (kind == LOAM_SEND)
        return c->closed || c->waiters[LOAM_RECV] > 0 || c->count < c->capacity;
    return c->closed || c->waiters[LOAM_SEND] > 0 || c->count > 0;
}

static int channel_waiting_item(struct channel_model *m, struct channel_waiter w)
{
    const unsigned char *item = m->actor[w.actor].cases[w.number].item;
    (void)item;
    return m->actor[w.actor].expected_item + w.number; // set when it began to wait
}

// It happens. The number of the item that moved, -EPIPE where none did.
static int channel_happens(struct channel_model *m, struct channel_one *c, loam_case_kind kind,
                           int sent)
{
    if (kind == LOAM_SEND) {
        if (c->closed)
            return -EPIPE;
        if (c->waiters[LOAM_RECV] > 0)
            channel_served(m, c->waiter[LOAM_RECV][0], sent);
        else
            c->items[c->count++] = sent;
        return sent;
    }
    struct channel_waiter w = c->waiter[LOAM_SEND][0];
    bool sender = c->waiters[LOAM_SEND] > 0;
    int item = sender ? channel_waiting_item(m, w) : 0;
    if (c->count > 0) {
        int first = channel_shift(c);
        if (sender)
            c->items[c->count++] = item;
        item = first;
    } else if (!sender) {
        return -EPIPE;
    }
    if (sender)
        channel_served(m, w, channel_waiting_item(m, w));
    return item;
}

static void channel_shut(struct channel_model *m, struct channel_one *c)
{
    for (int k = 0; k < 2; k++)
        while (c->waiters[k] > 0)
            channel_served(m, c->waiter[k][0], -EPIPE);
    c->closed = true;
}

// ---------------------------------------------------------------- both

// Everybody has had turns enough for whatever can happen.
static void channel_settle(void)
{
    for (int i = 0; i < 4; i++)
        SAME(loam_task_yield() == 0);
}

// What an actor reports of a case, against the item that should have moved.
static void channel_result(struct channel_actor *a, int number, int item)
{
    SAME(a->status == (item == -EPIPE ? -EPIPE : 0));
    if (item != -EPIPE && a->cases[number].kind == LOAM_RECV)
        channel_check(a->item[number], channel_sizes[a->channel[number]], item);
}

// Those whose wait is over by the model are done, the others wait.
static void channel_same(struct channel_model *m)
{
    channel_settle();
    for (int i = 0; i < CHANNEL_ACTORS; i++) {
        struct channel_actor *a = &m->actor[i];
        if (a->waits)
            SAME(a->state == ACTOR_TOLD);
        else if (a->state == ACTOR_DONE) {
            if (a->expected >= 0) {
                SAME(!a->select || a->result == a->expected);
                channel_result(a, a->expected, a->expected_item);
            } else {
                SAME(a->result == a->expected);
            }
            a->state = ACTOR_IDLE;
        } else
            SAME(a->state == ACTOR_IDLE);
    }
    for (int i = 0; i < CHANNELS; i++)
        SAME(loam_chan_count(m->one[i].chan) == m->one[i].count);
}

static void channel_choose(struct channel_model *m, struct channel_actor *a)
{
    struct input *in = m->in;
    a->select = take(in) % 2;
    a->look = a->select && take(in) % 4 == 0;
    a->count = a->select ? 1 + take(in) % CHANNEL_CASES : 1;
    for (size_t k = 0; k < a->count; k++) {
        int c = a->channel[k] = (int)(take(in) % CHANNELS);
        a->cases[k] = (loam_case){.kind = take(in) % 2 ? LOAM_SEND : LOAM_RECV,
                                  .chan = m->one[c].chan,
                                  .item = a->item[k]};
        int number = m->next_item++;
        if (a->cases[k].kind == LOAM_SEND)
            channel_fill(a->item[k], channel_sizes[c], number);
    }
}

static void channel_wait(struct channel_model *m, int i)
{
    struct channel_actor *a = &m->actor[i];
    for (size_t k = 0; k < a->count; k++) {
        struct channel_one *c = &m->one[a->channel[k]];
        c->waiter[a->cases[k].kind][c->waiters[a->cases[k].kind]++] =
            (struct channel_waiter){i, (int)k};
    }
    a->expected_item = channel_number(a, 0); // of its first case
    a->waits = true;
}

// An actor that is idle gets something to do.
static void channel_tell(struct channel_model *m, int i)
{
    struct channel_actor *a = &m->actor[i];
    bool ready = false;
    if (a->state != ACTOR_IDLE)
        return;
    channel_choose(m, a);
    for (size_t k = 0; k < a->count; k++)
        ready |= channel_ready(&m->one[a->channel[k]], a->cases[k].kind);
    a->state = ACTOR_TOLD;
    if (!ready && !a->look) {
        channel_wait(m, i);
        return;
    }
    channel_settle();
    SAME(a->state == ACTOR_DONE);
    a->expected = ready ? a->select ? a->result : 0 : -ETIMEDOUT;
    if (!ready)
        return;
    SAME(a->expected >= 0 && a->expected < (int)a->count);
    struct channel_one *c = &m->one[a->channel[a->expected]];
    loam_case_kind kind = a->cases[a->expected].kind;
    SAME(channel_ready(c, kind));
    a->expected_item = channel_happens(m, c, kind, channel_number(a, a->expected));
}

static void channel_start(struct channel_model *m, int i)
{
    m->actor[i] = (struct channel_actor){.model = m};
    SAME(loam_go("actor", channel_act, &m->actor[i], &m->actor[i].task) == 0);
}

// One that waits is told; it ends, and another takes its place.
static void channel_cancel(struct channel_model *m, int i)
{
    struct channel_actor *a = &m->actor[i];
    bool waited = a->waits;
    channel_unlist(m, i);
    a->cancelled = true;
    SAME(loam_task_cancel(a->task) == 0);
    SAME(loam_task_join(a->task) == 0);
    SAME(!waited || (a->state == ACTOR_DONE && a->result == -ECANCELED));
    channel_start(m, i);
}

// In the place of one in which nobody waits, one of another capacity.
static void channel_renew(struct channel_model *m, int i)
{
    struct channel_one *c = &m->one[i];
    if (c->waiters[LOAM_SEND] + c->waiters[LOAM_RECV] > 0)
        return;
    loam_chan_free(c->chan);
    *c = (struct channel_one){.capacity = take(m->in) % (CHANNEL_ROOM + 1)};
    c->chan = loam_chan_new(channel_sizes[i], c->capacity);
    SAME(c->chan != NULL);
}

static void channel_step(struct channel_model *m)
{
    int i = (int)(take(m->in) % CHANNELS), a = (int)(take(m->in) % CHANNEL_ACTORS);
    unsigned op = take(m->in) % 32;
    if (op < 28) {
        channel_tell(m, a);
    } else if (op == 28) {
        SAME(loam_chan_close(m->one[i].chan) == (m->one[i].closed ? -EALREADY : 0));
        channel_shut(m, &m->one[i]);
    } else if (op < 31) {
        channel_renew(m, i);
    } else {
        channel_cancel(m, a);
    }
    channel_same(m);
}

static void channel_first(void *model)
{
    struct channel_model *m = model;
    for (int i = 0; i < CHANNELS; i++)
        channel_renew(m, i);
    for (int i = 0; i < CHANNEL_ACTORS; i++)
        channel_start(m, i);
    while (m->in->left > 0)
        channel_step(m);
    for (int i = 0; i < CHANNEL_ACTORS; i++) {
        m->actor[i].quit = true;
        loam_task_cancel(m->actor[i].task);
        SAME(loam_task_join(m->actor[i].task) == 0);
    }
    for (int i = 0; i < CHANNELS; i++)
        loam_chan_free(m->one[i].chan);
}

static void channel_play(struct input *in)
{
    struct channel_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return;
    m->in = in;
    SAME(loam_task_run(&(loam_task_options){.tasks = CHANNEL_ACTORS + 1}, channel_first, m) == 0);
    free(m);
}
