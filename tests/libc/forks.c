// fork from a program whose other threads are in the middle of allocating: the child must be able
// to allocate, free what it inherited, and start threads of its own.
#include "tests/check.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static volatile int stop;
enum { SHARED = 256 };
static void *volatile shared[SHARED];

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    while (!stop) {
        seed = seed * 1664525u + 1013904223u;
        size_t n = (seed >> 8) % 3000 + 1;
        if (seed % 64 == 0)
            n *= 30;
        unsigned char *p = malloc(n);
        memset(p, 1, n);
        free(__atomic_exchange_n(&shared[(seed >> 20) % SHARED], (void *)p, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void *allocate(void *arg)
{
    for (int i = 0; i < 200; i++)
        free(malloc((size_t)i * 50));
    return arg;
}

static void in_child(void)
{
    alarm(60);
    for (int i = 0; i < 500; i++) {
        unsigned char *p = calloc(1, (size_t)i * 31 + 1);
        for (int k = 0; k < i * 31; k++)
            if (p[k] != 0)
                _exit(2);
        memset(p, 0xff, (size_t)i * 31);
        free(realloc(p, (size_t)i * 62 + 1));
    }
    for (int i = 0; i < SHARED; i++)
        free(__atomic_exchange_n(&shared[i], NULL, __ATOMIC_ACQ_REL));
}

static int forks(int count, int with_threads)
{
    pthread_t t[4];
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, (void *)i);
    int bad = 0;
    for (int i = 0; i < count && !bad; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            in_child();
            pthread_t mine;
            if (with_threads)
                if (pthread_create(&mine, NULL, allocate, NULL) || pthread_join(mine, NULL))
                    _exit(4);
            _exit(0);
        }
        int status = 1;
        waitpid(pid, &status, 0);
        bad = status;
    }
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return bad;
}

TEST(three_hundred_forks_while_four_threads_allocate)
{
    CHECK(forks(300, 0) == 0);
}

TEST(children_start_threads)
{
    CHECK(forks(50, 1) == 0);
}

TEST(children_of_children)
{
    // A chain: each generation allocates, forks, and frees what all generations before it took.
    static void *taken[30];
    int depth = 0;
    for (; depth < 30; depth++) {
        taken[depth] = malloc((size_t)depth * 1000 + 1);
        pid_t pid = fork();
        if (pid != 0) {
            int status = 1;
            waitpid(pid, &status, 0);
            _exit(status != 0);
        }
    }
    while (depth > 0)
        free(taken[--depth]);
}

static void *fork_here(void *arg)
{
    pid_t pid = fork();
    if (pid == 0) {
        in_child();
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    return (void *)(intptr_t)(status != 0 ? 1 : arg != NULL);
}

TEST(fork_from_a_thread_that_never_allocated)
{
    for (int i = 0; i < 50; i++) {
        pthread_t t;
        void *bad = NULL;
        CHECK(pthread_create(&t, NULL, fork_here, NULL) == 0 && pthread_join(t, &bad) == 0);
        CHECK(bad == NULL);
    }
}

TEST(vfork_children_leave_the_parent_alone)
{
    for (int i = 0; i < 100; i++) {
        void *p = malloc(100);
        pid_t pid = vfork();
        if (pid == 0)
            _exit(0);
        int status = 1;
        waitpid(pid, &status, 0);
        CHECK(status == 0);
        free(p);
    }
}

int main(int argc, char **argv)
{
    check_seconds = 200; // tracked, each of hundreds of children is looked at when it ends
    return check_main(argc, argv);
}
