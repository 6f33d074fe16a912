// collect.c: see collect.h.

#include "cli/collect.h"

#include "cli/session.h"
#include "format/label.h"
#include "os/os.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS    50000000 // to see that the session stops
#define COST_SHARE 50       // a look may take this part of the time between two

static u64 clock_of(const struct collect *c, u64 now)
{
    return (now - c->began_ns) / CLOCK_TICK_NS;
}

void collect_begin(struct collect *c)
{
    *c = (struct collect){.began_ns = os_monotonic_ns()};
    pthread_mutex_init(&c->reading, NULL);
    pthread_mutex_init(&c->ticking, NULL);
}

void collect_done(struct collect *c)
{
    crowd_done(&c->crowd);
    moments_done(&c->moments);
    accounts_done(&c->accounts);
}

void collect_forget_begin(struct collect *c, u32 number)
{
    pthread_mutex_lock(&c->reading);
    crowd_forget(&c->crowd, number);
}

void collect_forget_end(struct collect *c)
{
    pthread_mutex_unlock(&c->reading);
}

// ---------------------------------------------------------------- the clock

static void tell_time(struct session *s)
{
    struct collect *c = &s->collect;
    pthread_mutex_lock(&c->ticking);
    u64 clock = clock_of(c, os_monotonic_ns());
    // `loam sample` finds the newest volume; the others follow.
    u32 sampling = atomic_load(&s->volumes[s->count - 1].rec->sampling);
    for (u32 i = 0; i < s->count; i++) {
        struct recording *r = s->volumes[i].rec;
        atomic_store_explicit(&r->clock, clock, memory_order_relaxed);
        if (i + 1 < s->count)
            atomic_store_explicit(&r->sampling, sampling, memory_order_relaxed);
    }
    pthread_mutex_unlock(&c->ticking);
}

static void *tick(void *arg)
{
    struct session *s = arg;
    while (!atomic_load(&s->stop)) {
        tell_time(s);
        u64 next =
            s->collect.began_ns + (clock_of(&s->collect, os_monotonic_ns()) + 1) * CLOCK_TICK_NS;
        struct timespec until = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    return NULL;
}

// ---------------------------------------------------------------- looking

// Volumes cannot go while `reading` is held, and new ones can wait for the next look.
static u32 copy_volumes(struct session *s, struct volume *ret)
{
    pthread_mutex_lock(&s->lock);
    u32 count = s->count;
    memcpy(ret, s->volumes, count * sizeof *ret);
    pthread_mutex_unlock(&s->lock);
    return count;
}

static void look(struct session *s, struct moments_slot *ret)
{
    struct collect *c = &s->collect;
    struct volume volumes[SESSION_VOLUMES];
    u32 count = copy_volumes(s, volumes);
    for (u32 i = 0; i < count; i++)
        crowd_meet(&c->crowd, &volumes[i], session_index(&volumes[i]));
    crowd_look(&c->crowd, &ret->moment, ret->top);
    u64 now = os_monotonic_ns();
    ret->moment.at_ns = now - c->began_ns;
    crowd_names(&c->crowd, now, clock_of(c, now));
    crowd_touched(&c->crowd, now, clock_of(c, now));
}

// What they cost is not the moments' affair: they have a share of their own.
static void take_accounts(struct session *s, const struct record_moment *m)
{
    struct collect *c = &s->collect;
    pthread_mutex_lock(&c->reading);
    accounts_look(&c->accounts, &c->crowd, m->rss_bytes, os_monotonic_ns(), m->at_ns);
    pthread_mutex_unlock(&c->reading);
    pthread_mutex_lock(&s->lock);
    accounts_write(&c->accounts);
    pthread_mutex_unlock(&s->lock);
}

static void take_moment(struct session *s)
{
    struct collect *c = &s->collect;
    struct moments_slot slot;
    u64 begun = os_monotonic_ns();
    pthread_mutex_lock(&c->reading);
    look(s, &slot);
    pthread_mutex_unlock(&c->reading);
    pthread_mutex_lock(&s->lock);
    moments_add(&c->moments, &slot);
    u64 interval = c->moments.interval_ns, cost = (os_monotonic_ns() - begun) * COST_SHARE;
    pthread_mutex_unlock(&s->lock);
    c->next_ns = begun + (cost > interval ? cost : interval);
    take_accounts(s, &slot.moment);
}

void collect_account(struct session *s, const struct volume *v, const struct record_process *p)
{
    struct collect *c = &s->collect;
    pthread_mutex_lock(&c->reading);
    accounts_end(&c->accounts, p, p->index + session_index(v), os_monotonic_ns() - c->began_ns);
    pthread_mutex_lock(&s->lock);
    accounts_write(&c->accounts);
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_unlock(&c->reading);
}

// ---------------------------------------------------------------- labels

static int put_points(struct session *s, u32 i)
{
    struct collect *c = &s->collect;
    u32 count;
    struct record_point *points = crowd_points(&c->crowd, i, &count);
    pthread_mutex_lock(&s->lock);
    int e = moments_points(&c->moments, c->crowd.processes[i].index, points, count);
    pthread_mutex_unlock(&s->lock);
    free(points);
    return e;
}

static void put_label(struct session *s, const struct record_label *label, const char *text)
{
    struct collect *c = &s->collect;
    pthread_mutex_lock(&s->lock);
    int e = moments_label(&c->moments, label, text);
    pthread_mutex_unlock(&s->lock);
    if (e < 0)
        return;
    for (u32 i = 0; i < c->crowd.processes_count && e == 0; i++)
        if (c->crowd.processes[i].record != NULL)
            e = put_points(s, i);
    if (e == 0)
        return;
    pthread_mutex_lock(&s->lock);
    moments_cut(&c->moments);
    pthread_mutex_unlock(&s->lock);
}

static void take_label(struct session *s, const struct label_slot *slot)
{
    struct moments_slot now;
    char text[LABEL_MAX];
    memcpy(text, slot->text, sizeof text); // it may change under our eyes
    look(s, &now);
    const struct record_moment *m = &now.moment;
    const struct record_label label = {
        .pid = slot->pid,
        .at_ns = m->at_ns,
        .live_bytes = m->live_bytes,
        .live_blocks = m->live_blocks,
        .rss_bytes = m->rss_bytes,
        .allocs = m->allocs,
        .alloc_bytes = m->alloc_bytes,
        .frees = m->frees,
        .free_bytes = m->free_bytes,
        .len = (u32)size_min(slot->len, sizeof text),
    };
    put_label(s, &label, text);
}

static void answer(struct label_slot *slot, u32 ready)
{
    label_done(slot, ready);
    syscall(SYS_futex, &slot->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void take_labels(struct session *s)
{
    struct collect *c = &s->collect;
    struct volume volumes[SESSION_VOLUMES];
    pthread_mutex_lock(&c->reading);
    u32 count = copy_volumes(s, volumes);
    for (u32 i = 0; i < count; i++) {
        for (u32 j = 0; j < LABEL_SLOTS; j++) {
            struct label_slot *slot = &volumes[i].rec->label[j];
            u32 state = atomic_load_explicit(&slot->state, memory_order_acquire);
            if (!label_is(state, LABEL_READY))
                continue;
            take_label(s, slot);
            answer(slot, state);
        }
    }
    pthread_mutex_unlock(&c->reading);
}

// ---------------------------------------------------------------- threads

static _Atomic u32 *bell_of(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    _Atomic u32 *bell = &s->volumes[s->count - 1].rec->bell; // the newest: it goes last
    pthread_mutex_unlock(&s->lock);
    return bell;
}

static void *look_thread(void *arg)
{
    struct session *s = arg;
    while (!atomic_load(&s->stop)) {
        _Atomic u32 *bell = bell_of(s);
        u32 heard = atomic_load(bell); // before looking: a later ring ends the wait
        take_labels(s);
        u64 now = os_monotonic_ns();
        if (now >= s->collect.next_ns) {
            take_moment(s);
            continue;
        }
        u64 wait = s->collect.next_ns - now;
        struct timespec t = {.tv_nsec = (long)(wait < WAIT_NS ? wait : WAIT_NS)};
        syscall(SYS_futex, bell, FUTEX_WAIT, heard, &t, NULL, 0);
    }
    return NULL;
}

int collect_start(struct session *s)
{
    struct collect *c = &s->collect;
    int r = pthread_create(&c->ticker, NULL, tick, s);
    c->telling = r == 0;
    if (r == 0)
        r = pthread_create(&c->looker, NULL, look_thread, s);
    c->looking = r == 0;
    return -r;
}

void collect_stop(struct session *s)
{
    struct collect *c = &s->collect;
    if (c->telling)
        pthread_join(c->ticker, NULL);
    if (c->looking)
        pthread_join(c->looker, NULL);
    c->telling = c->looking = false;
    take_labels(s);
    take_moment(s);
}
