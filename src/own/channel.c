// channel.c: items from task to task; and waiting for the first of several.
//
// A sender that finds a receiver waiting copies its item straight to where that one wants it, and
// wakes it; likewise the other way round. So receivers wait only while the buffer is empty and
// senders only while it is full, and nobody waits on both ends at once.
#include "own/tasks.h"

#include <errno.h>
#include <loam/heap.h>
#include <string.h>

// C1  somebody in `receivers` => count == 0 and nobody in `senders`, but for a task that waits for
//     either end of the same channel; somebody in `senders` => count == capacity.
// C2  the buffer holds `count` items from slot `head` on, circularly.
// C3  closed => nobody waits.
struct loam_chan {
    struct run *run; // the channel belongs to
    size_t item_size;
    size_t capacity;
    size_t count, head;
    struct waiter receivers, senders; // heads of circular lists
    bool closed;
    char items[];
};

static void list_init(struct waiter *head)
{
    head->next = head->prev = head;
}

static void list_append(struct waiter *head, struct waiter *w)
{
    w->next = head;
    w->prev = head->prev;
    head->prev->next = w;
    head->prev = w;
}

static struct waiter *list_first(struct waiter *head)
{
    return head->next != head ? head->next : NULL;
}

loam_chan *loam_chan_new(size_t item_size, size_t capacity)
{
    struct worker *w = worker_self();
    size_t bytes;
    if (w == NULL) {
        errno = EPERM;
        return NULL;
    }
    if (__builtin_mul_overflow(item_size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct loam_chan), &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    struct loam_chan *c = loam_malloc(bytes);
    if (c == NULL)
        return NULL;
    *c = (struct loam_chan){.run = w->run, .item_size = item_size, .capacity = capacity};
    list_init(&c->receivers);
    list_init(&c->senders);
    return c;
}

loam_chan *loam_chan_free(loam_chan *c)
{
    if (c == NULL)
        return NULL;
    if (list_first(&c->receivers) != NULL || list_first(&c->senders) != NULL)
        die("loam_chan_free: a task still waits in the channel", c);
    loam_free(c);
    return NULL;
}

// ---------------------------------------------------------------- one end, without waiting

static void copy(void *to, const void *from, size_t size)
{
    if (size != 0) // NULL is allowed then
        memcpy(to, from, size);
}

static char *slot(struct loam_chan *c, size_t i)
{
    size_t at = c->head + i;
    return c->items + (at < c->capacity ? at : at - c->capacity) * c->item_size;
}

static void put(struct loam_chan *c, const void *item)
{
    assert(c->count < c->capacity);
    copy(slot(c, c->count++), item, c->item_size);
}

static void served(struct worker *w, struct waiter *i, int status)
{
    i->task->status = status;
    task_wake(w, i->task, i->number);
}

// 0, -EPIPE, or -EAGAIN: it would have to wait.
static int try_send(struct worker *w, struct loam_chan *c, const void *item)
{
    struct waiter *receiver = list_first(&c->receivers);
    assert(run_locked(c->run));
    assert(c->count <= c->capacity);
    if (c->closed)
        return -EPIPE;
    if (receiver != NULL) {
        assert(c->count == 0); // C1
        copy(receiver->item, item, c->item_size);
        served(w, receiver, 0);
    } else if (c->count < c->capacity) {
        put(c, item);
    } else {
        return -EAGAIN;
    }
    return 0;
}

static int try_recv(struct worker *w, struct loam_chan *c, void *ret_item)
{
    struct waiter *sender = list_first(&c->senders);
    assert(run_locked(c->run));
    assert(sender == NULL || !c->closed);              // C3
    assert(sender == NULL || c->count == c->capacity); // C1
    if (c->count != 0) {
        copy(ret_item, slot(c, 0), c->item_size);
        c->head = c->head + 1 < c->capacity ? c->head + 1 : 0;
        c->count--;
        if (sender != NULL)
            put(c, sender->item);
    } else if (sender != NULL) {
        assert(c->capacity == 0); // C1
        copy(ret_item, sender->item, c->item_size);
    } else {
        return c->closed ? -EPIPE : -EAGAIN;
    }
    if (sender != NULL)
        served(w, sender, 0);
    return 0;
}

static int try_case(struct worker *w, const loam_case *c)
{
    if (c->chan == NULL)
        return -EAGAIN;
    return c->kind == LOAM_SEND ? try_send(w, c->chan, c->item) : try_recv(w, c->chan, c->item);
}

// ---------------------------------------------------------------- waiting

static void enlist(struct task *t, struct waiter *w, const loam_case *c, int number)
{
    *w = (struct waiter){.task = t, .item = c->item, .number = number};
    list_append(c->kind == LOAM_SEND ? &c->chan->senders : &c->chan->receivers, w);
}

// The channels must be this run's: another's are under another lock.
static int begin(struct worker *w, const loam_case *cases, size_t n)
{
    if (w == NULL)
        return -EPERM;
    for (size_t i = 0; i < n; i++) {
        if (cases[i].kind != LOAM_SEND && cases[i].kind != LOAM_RECV)
            return -EINVAL;
        if (cases[i].chan != NULL && cases[i].chan->run != w->run)
            return -EPERM;
    }
    task_tick(w);
    run_lock(w->run);
    if (is_cancelled(w->current)) {
        run_unlock(w->run);
        return -ECANCELED;
    }
    return 0;
}

static int one(loam_chan *c, loam_case_kind kind, void *item)
{
    struct worker *w = worker_self();
    loam_case it = {.kind = kind, .chan = c, .item = item};
    int e = begin(w, &it, 1);
    if (e < 0)
        return e;
    e = try_case(w, &it);
    if (e != -EAGAIN) {
        run_unlock(w->run);
        return e;
    }
    struct task *t = w->current;
    struct waiter wait;
    enlist(t, &wait, &it, 0);
    t->waiters = &wait;
    t->waiters_count = 1;
    e = task_wait(w, PARK_FOREVER);
    return e < 0 ? e : t->status;
}

int loam_chan_send(loam_chan *c, const void *item)
{
    return one(c, LOAM_SEND, (void *)item);
}

int loam_chan_recv(loam_chan *c, void *ret_item)
{
    return one(c, LOAM_RECV, ret_item);
}

// The number of a case that could happen at once and did, or -EAGAIN. Begins at another one each
// time, so that a channel that is always ready does not starve the others.
static int try_all(struct worker *w, loam_case *cases, size_t n)
{
    size_t first = n != 0 ? w->run->turn++ % n : 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = (first + i) % n;
        cases[k].result = try_case(w, &cases[k]);
        if (cases[k].result != -EAGAIN)
            return (int)k;
    }
    return -EAGAIN;
}

static int wait_all(struct worker *w, loam_case *cases, size_t n, u64 deadline)
{
    struct task *t = w->current;
    struct waiter waits[LOAM_CASES_MAX];
    u32 count = 0;
    for (size_t i = 0; i < n; i++)
        if (cases[i].chan != NULL)
            enlist(t, &waits[count++], &cases[i], (int)i);
    t->waiters = waits;
    t->waiters_count = count;
    int k = task_wait(w, deadline);
    if (k >= 0)
        cases[k].result = t->status;
    return k;
}

int loam_select(loam_case *cases, size_t n, uint64_t timeout_ns)
{
    struct worker *w = worker_self();
    if (n > LOAM_CASES_MAX)
        return -EINVAL;
    int e = begin(w, cases, n);
    if (e < 0)
        return e;
    int k = try_all(w, cases, n);
    if (k == -EAGAIN && timeout_ns != 0)
        return wait_all(w, cases, n,
                        timeout_ns == LOAM_FOREVER ? PARK_FOREVER : deadline_after(timeout_ns));
    run_unlock(w->run);
    return k == -EAGAIN ? -ETIMEDOUT : k;
}

// ---------------------------------------------------------------- the rest

static void tell_closed(struct worker *w, struct waiter *head)
{
    struct waiter *i;
    while ((i = list_first(head)) != NULL)
        served(w, i, -EPIPE);
}

int loam_chan_close(loam_chan *c)
{
    struct worker *w = worker_self();
    if (w == NULL || c->run != w->run)
        return -EPERM;
    run_lock(w->run);
    int e = c->closed ? -EALREADY : 0;
    c->closed = true;
    tell_closed(w, &c->receivers);
    tell_closed(w, &c->senders);
    run_unlock(w->run);
    return e;
}

size_t loam_chan_count(loam_chan *c)
{
    struct worker *w = worker_self();
    if (w == NULL || c->run != w->run)
        return 0;
    run_lock(w->run);
    size_t n = c->count;
    run_unlock(w->run);
    return n;
}
