// Channels and select, on one worker and on several.
#include "tests/unit/tasks.h"

#include <pthread.h>

// ---------------------------------------------------------------- channels

struct pipe {
    loam_chan *chan;
    int count;
};

static void sends(void *arg)
{
    struct pipe *p = arg;
    for (int i = 0; i < p->count; i++)
        CHECK(loam_chan_send(p->chan, &i) == 0);
    CHECK(loam_chan_close(p->chan) == 0);
    CHECK(loam_chan_close(p->chan) == -EALREADY);
    CHECK(loam_chan_send(p->chan, &p->count) == -EPIPE);
}

static void pipes(void *arg)
{
    struct pipe p = {.count = 1000};
    p.chan = loam_chan_new(sizeof(int), *(size_t *)arg);
    CHECK(p.chan != NULL);
    loam_task sender = go(sends, &p);
    int n = -1, want = 0;
    while (loam_chan_recv(p.chan, &n) == 0)
        CHECK(n == want++);
    CHECK(want == p.count);
    CHECK(loam_chan_recv(p.chan, &n) == -EPIPE);
    CHECK(n == want - 1); // nothing was written
    CHECK(loam_chan_count(p.chan) == 0);
    CHECK(loam_task_join(sender) == 0); // it still uses the channel
    CHECK(loam_chan_free(p.chan) == NULL);
}

TEST(items_come_in_order_whatever_the_capacity)
{
    for (size_t capacity = 0; capacity < 9; capacity++)
        run(pipes, &capacity);
}

static void sends_one(void *arg)
{
    loam_chan *c = arg;
    int n = 5;
    CHECK(loam_chan_send(c, &n) == 0);
    say('s');
}

static void meets(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(sizeof(int), 0);
    go(sends_one, c);
    CHECK(loam_task_sleep(MS) == 0);
    say('w'); // the sender still waits
    int n = 0;
    CHECK(loam_chan_recv(c, &n) == 0);
    CHECK(n == 5);
    CHECK(loam_task_sleep(MS) == 0);
    loam_chan_free(c);
}

TEST(an_unbuffered_sender_waits_for_its_receiver)
{
    run(meets, NULL);
    CHECK(said("ws"));
}

static void is_told(void *arg)
{
    int n = 1;
    CHECK(loam_chan_send(arg, &n) == -EPIPE);
    say('s');
}

static void closes_under(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(sizeof(int), 1);
    int n = 9;
    CHECK(loam_chan_send(c, &n) == 0);
    go(is_told, c);
    go(is_told, c);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_chan_close(c) == 0);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_chan_recv(c, &n) == 0); // what is in it stays
    CHECK(n == 9);
    CHECK(loam_chan_recv(c, &n) == -EPIPE);
    loam_chan_free(c);
}

TEST(close_tells_those_that_wait_to_send)
{
    run(closes_under, NULL);
    CHECK(said("ss"));
}

static void signals(void *arg)
{
    CHECK(loam_chan_send(arg, NULL) == 0);
}

static void odd_sizes(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(0, 0);
    go(signals, c);
    CHECK(loam_chan_recv(c, NULL) == 0);
    loam_chan_free(c);
    errno = 0;
    CHECK(loam_chan_new(SIZE_MAX, 2) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(loam_chan_new(SIZE_MAX - 8, 1) == NULL);
    CHECK(loam_chan_new(2, SIZE_MAX / 4) == NULL);
}

TEST(items_of_no_bytes_and_of_too_many)
{
    run(odd_sizes, NULL);
}

static void selects(void *arg)
{
    (void)arg;
    loam_chan *a = loam_chan_new(sizeof(int), 4), *b = loam_chan_new(sizeof(int), 4);
    int x = 0, y = 0, got[2] = {0, 0};
    loam_case c[] = {{.kind = LOAM_RECV, .chan = a, .item = &x},
                     {.kind = LOAM_RECV, .chan = b, .item = &y}};
    CHECK(loam_select(c, 2, 0) == -ETIMEDOUT);
    uint64_t from = now_ns();
    CHECK(loam_select(c, 2, 10 * MS) == -ETIMEDOUT);
    CHECK(now_ns() - from >= 10 * MS);
    for (int i = 1; i <= 4; i++) {
        CHECK(loam_chan_send(a, &i) == 0);
        CHECK(loam_chan_send(b, &(int){10 * i}) == 0);
    }
    for (int i = 0; i < 4; i++) { // both have items: each has its turn
        int k = loam_select(c, 2, LOAM_FOREVER);
        CHECK(k == 0 || k == 1);
        CHECK(c[k].result == 0);
        got[k]++;
    }
    CHECK(got[0] == 2);
    CHECK(got[1] == 2);
    CHECK(loam_chan_close(a) == 0);
    int k;
    while ((k = loam_select(c, 2, 0)) != 0 || c[0].result == 0)
        CHECK(k >= 0);
    CHECK(c[0].result == -EPIPE);
    CHECK(x == 4); // the last one
    CHECK(loam_select(c, LOAM_CASES_MAX + 1, 0) == -EINVAL);
    c[0].kind = 7;
    CHECK(loam_select(c, 1, 0) == -EINVAL);
    CHECK(loam_select(NULL, 0, 0) == -ETIMEDOUT);
    loam_chan_free(a);
    loam_chan_free(b);
}

TEST(select_does_one_case_and_tells_which)
{
    run(selects, NULL);
}

struct two {
    loam_chan *in, *out;
};

static void select_waits(void *arg)
{
    struct two *t = arg;
    int got = 0, put = 42;
    loam_case c[] = {{.kind = LOAM_RECV, .chan = t->in, .item = &got},
                     {.kind = LOAM_SEND, .chan = t->out, .item = &put},
                     {.kind = LOAM_RECV, .chan = NULL}};
    CHECK(loam_select(c, 3, LOAM_FOREVER) == 1);
    CHECK(c[1].result == 0);
    CHECK(loam_select(c, 1, 1000 * MS) == 0);
    CHECK(c[0].result == 0);
    CHECK(got == 7);
    CHECK(loam_select(c, 3, LOAM_FOREVER) == 0);
    CHECK(c[0].result == -EPIPE);
}

static void select_served(void *arg)
{
    (void)arg;
    struct two t = {loam_chan_new(sizeof(int), 0), loam_chan_new(sizeof(int), 0)};
    loam_task s = go(select_waits, &t);
    CHECK(loam_task_yield() == 0);
    int n = 0;
    CHECK(loam_chan_recv(t.out, &n) == 0);
    CHECK(n == 42);
    n = 7;
    CHECK(loam_chan_send(t.in, &n) == 0);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_chan_close(t.in) == 0);
    CHECK(loam_task_join(s) == 0);
    loam_chan_free(t.in);
    loam_chan_free(t.out);
}

TEST(a_waiting_select_is_served_from_either_side)
{
    run(select_served, NULL);
}

static void uses_anothers(void *arg)
{
    int n = 0;
    loam_case c = {.kind = LOAM_RECV, .chan = arg, .item = &n};
    CHECK(loam_chan_send(arg, &n) == -EPERM);
    CHECK(loam_chan_recv(arg, &n) == -EPERM);
    CHECK(loam_select(&c, 1, LOAM_FOREVER) == -EPERM);
    CHECK(loam_chan_close(arg) == -EPERM);
    CHECK(loam_chan_count(arg) == 0);
}

static void *another_run(void *chan)
{
    run(uses_anothers, chan);
    return NULL;
}

static void two_runs(void *arg)
{
    (void)arg;
    pthread_t t;
    loam_chan *c = loam_chan_new(sizeof(int), 1);
    CHECK(pthread_create(&t, NULL, another_run, c) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(loam_chan_free(c) == NULL);
}

TEST(a_channel_belongs_to_its_run)
{
    run(two_runs, NULL);
}

// ---------------------------------------------------------------- several workers

TEST(what_holds_on_one_worker_holds_on_many)
{
    for (unsigned workers = 2; workers <= 4; workers++) {
        for (size_t capacity = 0; capacity < 4; capacity++)
            on(workers, pipes, &capacity);
        on(workers, odd_sizes, NULL);
        on(workers, selects, NULL);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
