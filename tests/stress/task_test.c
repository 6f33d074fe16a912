// Many tasks on several workers, seeded: what is sent arrives once, sums agree, everything that was
// started ends, whoever is cancelled, however the workers steal.
#include "tests/check.h"

#include <errno.h>
#include <loam/heap.h>
#include <loam/task.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CHANNELS 6
#define SENDERS  24
#define TAKERS   16
#define EACH     300

static struct {
    loam_chan *chan[CHANNELS];
    _Atomic uint64_t sent, taken, sent_count, taken_count, ended, senders;
} the;

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void note_sent(uint64_t v)
{
    atomic_fetch_add(&the.sent, v);
    atomic_fetch_add(&the.sent_count, 1);
}

static void note_taken(uint64_t v)
{
    atomic_fetch_add(&the.taken, v);
    atomic_fetch_add(&the.taken_count, 1);
}

static void nap(void *arg)
{
    struct timespec t = {0, (long)(uintptr_t)arg};
    nanosleep(&t, NULL);
}

// Now and then something else happens between two calls.
static void stray(uint64_t *x)
{
    switch (next_random(x) % 24) {
    case 0:
        loam_task_yield();
        break;
    case 1:
        loam_task_sleep(next_random(x) % 200000);
        break;
    case 2:
        if (next_random(x) % 8 == 0)
            loam_task_block(nap, (void *)(uintptr_t)(next_random(x) % 100000));
        break;
    }
}

static void sender(void *arg)
{
    uint64_t x = (uintptr_t)arg * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < EACH; i++) {
        uint64_t a = next_random(&x) % 1000, b = a + 1;
        loam_case c[2] = {
            {.kind = LOAM_SEND, .chan = the.chan[next_random(&x) % CHANNELS], .item = &a},
            {.kind = LOAM_SEND, .chan = the.chan[next_random(&x) % CHANNELS], .item = &b}};
        if (x % 3 == 0) {
            if (loam_chan_send(c[0].chan, &a) != 0)
                break;
            note_sent(a);
        } else {
            int k = loam_select(c, 2, x % 5 == 0 ? 1000000 : LOAM_FOREVER);
            if (k == -ECANCELED)
                break;
            CHECK(k == 0 || k == 1 || k == -ETIMEDOUT);
            if (k >= 0) {
                CHECK(c[k].result == 0);
                note_sent(k == 0 ? a : b);
            }
        }
        stray(&x);
    }
    if (atomic_fetch_sub(&the.senders, 1) == 1)
        for (int i = 0; i < CHANNELS; i++)
            CHECK(loam_chan_close(the.chan[i]) == 0);
    atomic_fetch_add(&the.ended, 1);
}

// Takes from two channels until both are closed and empty.
static void taker(void *arg)
{
    uint64_t x = (uintptr_t)arg * 0x2545f4914f6cdd1du + 7, a, b;
    unsigned first = (unsigned)((uintptr_t)arg % CHANNELS);
    loam_case c[2] = {{.kind = LOAM_RECV, .chan = the.chan[first], .item = &a},
                      {.kind = LOAM_RECV, .chan = the.chan[(first + 1) % CHANNELS], .item = &b}};
    while (c[0].chan != NULL || c[1].chan != NULL) {
        int k = loam_select(c, 2, LOAM_FOREVER);
        CHECK(k == 0 || k == 1);
        if (c[k].result == 0)
            note_taken(k == 0 ? a : b);
        else
            c[k].chan = NULL;
        stray(&x);
    }
    atomic_fetch_add(&the.ended, 1);
}

static void all(void *arg)
{
    uint64_t x = (uintptr_t)arg * 77 + 5;
    loam_task s[SENDERS], t[TAKERS];
    atomic_store(&the.senders, SENDERS);
    for (int i = 0; i < CHANNELS; i++)
        CHECK((the.chan[i] = loam_chan_new(sizeof(uint64_t), (size_t)i % 4)) != NULL);
    for (uintptr_t i = 0; i < TAKERS; i++)
        CHECK(loam_go("taker", taker, (void *)i, &t[i]) == 0);
    for (uintptr_t i = 0; i < SENDERS; i++)
        CHECK(loam_go("sender", sender, (void *)((uintptr_t)arg * 100 + i), &s[i]) == 0);
    for (int i = 0; i < 5; i++) {
        loam_task_sleep(next_random(&x) % 300000);
        loam_task_cancel(s[next_random(&x) % SENDERS]);
    }
    for (int i = 0; i < SENDERS; i++)
        CHECK(loam_task_join(s[i]) == 0);
    for (int i = 0; i < TAKERS; i++)
        CHECK(loam_task_join(t[i]) == 0);
    for (int i = 0; i < CHANNELS; i++)
        CHECK(loam_chan_free(the.chan[i]) == NULL);
}

static void round_of(unsigned workers, uintptr_t seed)
{
    memset(&the, 0, sizeof the);
    loam_task_options o = {.workers = workers, .tasks = 256};
    CHECK(loam_task_run(&o, all, (void *)seed) == 0);
    CHECK(the.sent_count > 100);
    CHECK(the.sent_count == the.taken_count);
    CHECK(the.sent == the.taken);
    CHECK(the.ended == SENDERS + TAKERS);
}

TEST(what_is_sent_arrives_once)
{
    for (uintptr_t seed = 1; seed <= 12; seed++)
        round_of((unsigned)seed % 4 + 1, seed);
}

// Trees of tasks that are born, die and are joined all over the workers.
static void tree(void *arg)
{
    uintptr_t depth = (uintptr_t)arg;
    loam_task left, right;
    atomic_fetch_add(&the.ended, 1);
    if (depth == 0)
        return;
    CHECK(loam_go("left", tree, (void *)(depth - 1), &left) == 0);
    CHECK(loam_go("right", tree, (void *)(depth - 1), &right) == 0);
    if (depth % 2 == 0)
        CHECK(loam_task_yield() == 0);
    CHECK(loam_task_join(right) == 0);
    CHECK(loam_task_join(left) == 0);
}

TEST(trees_of_tasks_are_joined)
{
    for (unsigned workers = 1; workers <= 4; workers++)
        for (int round = 0; round < 5; round++) {
            atomic_store(&the.ended, 0);
            loam_task_options o = {.workers = workers, .tasks = 3000};
            CHECK(loam_task_run(&o, tree, (void *)10) == 0);
            CHECK(the.ended == 2047);
        }
}

// A ring of one token: every hop waits for another task, on whichever worker that one is.
struct link {
    loam_chan *in, *out;
};

static void pass(void *arg)
{
    struct link *l = arg;
    int n;
    while (loam_chan_recv(l->in, &n) == 0) {
        n--;
        if (n < 0 || loam_chan_send(l->out, &n) != 0)
            break;
    }
    loam_chan_close(l->out);
    atomic_fetch_add(&the.ended, 1);
}

static void ring(void *arg)
{
    enum { LINKS = 50 };
    struct link l[LINKS];
    loam_task t[LINKS];
    for (int i = 0; i < LINKS; i++)
        CHECK((l[i].in = loam_chan_new(sizeof(int), 1)) != NULL);
    for (int i = 0; i < LINKS; i++) {
        l[i].out = l[(i + 1) % LINKS].in;
        CHECK(loam_go("link", pass, &l[i], &t[i]) == 0);
    }
    CHECK(loam_chan_send(l[0].in, &(int){*(int *)arg}) == 0);
    for (int i = 0; i < LINKS; i++)
        CHECK(loam_task_join(t[i]) == 0);
    for (int i = 0; i < LINKS; i++)
        loam_chan_free(l[i].in);
}

TEST(a_token_goes_round)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        atomic_store(&the.ended, 0);
        loam_task_options o = {.workers = workers, .tasks = 64};
        int hops = 5000;
        CHECK(loam_task_run(&o, ring, &hops) == 0);
        CHECK(the.ended == 50);
    }
}

// Nobody ever waits for a run that is over: start and end are where workers can miss each other.
static int zero;
static void brief(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        CHECK(loam_go("brief", brief, &zero, NULL) == 0);
}

TEST(short_runs_end)
{
    for (int i = 0; i < 200; i++) {
        int n = i % 7;
        loam_task_options o = {.workers = (unsigned)i % 4 + 1, .tasks = 16};
        CHECK(loam_task_run(&o, brief, &n) == 0);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
