// Signal handlers that allocate and free while the program does the same.
#include "tests/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

enum { SLOTS = 64 };
static void *volatile slot[SLOTS]; // blocks that pass between handler and program
static volatile sig_atomic_t handled;
static volatile int broken;

// A block of our own kind: its size and a pattern that depends on it.
static unsigned char *make(size_t n)
{
    unsigned char *p = malloc(n);
    if (p != NULL)
        memset(p, (int)(n & 0xff), n);
    return p;
}

static void check(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 7)
        if (p[i] != (n & 0xff))
            broken = 1;
}

static void handler(int signal)
{
    (void)signal;
    handled++;
    size_t n = 1 + (size_t)handled * 37 % 3000;
    unsigned char *p = make(n);
    check(p, n);
    p = realloc(p, n * 2);
    check(p, n);
    // Leave this one for the program to free, and free what the program left.
    void *theirs = __atomic_exchange_n(&slot[handled % SLOTS], (void *)p, __ATOMIC_ACQ_REL);
    free(theirs);
}

static void start_timer(void)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &a, NULL);
    struct itimerval often = {{0, 300}, {0, 300}};
    setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_timer(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void allocate_for(double seconds)
{
    enum { LIVE = 500 };
    static __thread unsigned char *live[LIVE];
    static __thread size_t size[LIVE];
    double end = now() + seconds;
    for (unsigned i = 0; now() < end && !broken; i++) {
        for (int k = 0; k < 2000; k++) {
            unsigned at = (i * 2000u + (unsigned)k) * 2654435761u % LIVE;
            if (live[at] != NULL)
                check(live[at], size[at]);
            free(live[at]);
            size[at] = (at * 97 + (unsigned)k) % 2000 + 1;
            if (k % 500 == 0)
                size[at] += 60000;
            live[at] = make(size[at]);
            if (k % 16 == 0)
                free(__atomic_exchange_n(&slot[k % SLOTS], NULL, __ATOMIC_ACQ_REL));
        }
    }
}

TEST(a_handler_allocates_every_300_microseconds)
{
    start_timer();
    allocate_for(4.0);
    stop_timer();
    CHECK(!broken);
    CHECK(handled > 100);
}

static void *thread(void *arg)
{
    allocate_for(3.0);
    return arg;
}

TEST(handlers_interrupt_any_of_four_threads)
{
    pthread_t t[4];
    start_timer();
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, thread, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    stop_timer();
    CHECK(!broken);
    CHECK(handled > 50);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
