// 20_tasks.c: a pipeline of tasks.
//
// A thread that waits costs a thread: a stack of megabytes, and the kernel at each change of turns.
// A task that waits costs a few KiB and a few nanoseconds, so each stage of a program can be a
// straight line that reads, works and writes. Here numbers flow through three tasks and two
// channels; a fourth gives up waiting after a while; and at the end ten thousand tasks exist at
// once. Build it with `cc 20_tasks.c /usr/local/lib/libloam.a -pthread`.
#include <errno.h>
#include <loam/task.h>
#include <stdio.h>

#define MS      ((uint64_t)1000000)
#define NUMBERS 1000
#define CROWD   10000

static int failed;
static void check(bool good, const char *what)
{
    printf("%s %s\n", good ? "yes:" : "NO: ", what);
    failed |= !good;
}

// ---- a pipeline: count -> square -> sum

struct stage {
    loam_chan *in, *out;
};

static void count(void *arg)
{
    struct stage *s = arg;
    for (long n = 1; n <= NUMBERS; n++)
        loam_chan_send(s->out, &n); // waits while the channel is full
    loam_chan_close(s->out);
}

static void square(void *arg)
{
    struct stage *s = arg;
    long n;
    while (loam_chan_recv(s->in, &n) == 0) { // -EPIPE: closed, and nothing left in it
        n *= n;
        loam_chan_send(s->out, &n);
    }
    loam_chan_close(s->out);
}

static void pipeline(void)
{
    loam_chan *numbers = loam_chan_new(sizeof(long), 8);
    loam_chan *squares = loam_chan_new(sizeof(long), 0); // no buffer: a meeting
    struct stage a = {.out = numbers}, b = {.in = numbers, .out = squares};
    if (numbers == NULL || squares == NULL || loam_go("count", count, &a, NULL) < 0 ||
        loam_go("square", square, &b, NULL) < 0) {
        check(false, "there is memory for a pipeline");
        return;
    }
    long n, sum = 0;
    while (loam_chan_recv(squares, &n) == 0)
        sum += n;
    check(sum == (long)NUMBERS * (NUMBERS + 1) * (2 * NUMBERS + 1) / 6,
          "the squares of 1 to 1000 went through two channels and add up");
    loam_chan_free(numbers);
    loam_chan_free(squares);
}

// ---- waiting, but not for ever

static void silent(void *arg)
{
    int never;
    int r = loam_chan_recv(arg, &never);
    check(r == -ECANCELED, "a cancelled task hears of it where it waits");
}

static void patience(void)
{
    loam_chan *quiet = loam_chan_new(sizeof(int), 0);
    int n;
    loam_case c = {.kind = LOAM_RECV, .chan = quiet, .item = &n};
    check(loam_select(&c, 1, 5 * MS) == -ETIMEDOUT, "select gave up after 5 ms");

    loam_task t;
    if (loam_go("silent", silent, quiet, &t) == 0) {
        loam_task_yield(); // it runs until it waits
        loam_task_cancel(t);
        check(loam_task_join(t) == 0, "and was joined");
        check(loam_task_join(t) == -ESRCH, "once");
    }
    loam_chan_free(quiet);
}

// ---- many

static void one_of_many(void *arg)
{
    int one = 1;
    loam_chan_send(arg, &one);
}

static void crowd(void)
{
    loam_chan *c = loam_chan_new(sizeof(int), 0);
    int started = 0, sum = 0, one;
    while (started < CROWD && loam_go("one of many", one_of_many, c, NULL) == 0)
        started++;
    loam_task_yield(); // all of them run, and wait for us
    for (int i = 0; i < started && loam_chan_recv(c, &one) == 0; i++)
        sum += one;
    loam_task_yield();
    check(sum == CROWD, "ten thousand tasks waited at once");
    loam_chan_free(c);
}

static void all(void *arg)
{
    (void)arg;
    pipeline();
    patience();
    crowd();
}

int main(void)
{
    // One worker: this thread. With {.workers = 4} the same program runs on four.
    int r = loam_task_run(NULL, all, NULL);
    return r < 0 || failed;
}
