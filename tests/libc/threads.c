// Threads that come and go: by thousands, a thousand at once, with destructors that allocate when
// everything else of the thread is already gone.
#include "tests/check.h"

#include <pthread.h>
#include <stdlib.h>

static void *allocate(void *arg)
{
    void *p[50];
    for (int i = 0; i < 50; i++) {
        p[i] = malloc((size_t)(i * 40 + 1));
        memset(p[i], i, (size_t)(i * 40 + 1));
    }
    for (int i = 0; i < 49; i++)
        free(p[i]);
    (void)arg;
    return p[49]; // for the one who joins
}

TEST(thousands_created_and_joined)
{
    for (int i = 0; i < 4000; i++) {
        pthread_t t;
        void *p = NULL;
        CHECK(pthread_create(&t, NULL, allocate, NULL) == 0);
        CHECK(pthread_join(t, &p) == 0 && p != NULL);
        free(p);
    }
}

static pthread_barrier_t all_there;

static void *wait_and_allocate(void *arg)
{
    free(allocate(NULL));
    pthread_barrier_wait(&all_there);
    free(allocate(NULL));
    return arg;
}

TEST(a_thousand_at_once)
{
    enum { COUNT = 1000 };
    static pthread_t t[COUNT];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10);
    pthread_barrier_init(&all_there, NULL, COUNT);
    for (int i = 0; i < COUNT; i++)
        CHECK(pthread_create(&t[i], &small, wait_and_allocate, NULL) == 0);
    for (int i = 0; i < COUNT; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

static pthread_key_t key;

// libc runs destructors up to four rounds while values are not NULL: allocate in each.
static void destructor(void *value)
{
    static __thread int rounds;
    void *p = malloc(300), *q = realloc(malloc(10), 5000);
    free(value);
    free(q);
    if (++rounds < 4)
        pthread_setspecific(key, p);
    else
        free(p);
}

static void *with_destructor(void *arg)
{
    pthread_setspecific(key, malloc(64));
    free(allocate(NULL));
    return arg;
}

TEST(late_destructors_allocate_and_free)
{
    CHECK(pthread_key_create(&key, destructor) == 0);
    for (int i = 0; i < 1000; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, with_destructor, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
}

static void *set_only(void *block)
{
    pthread_setspecific(key, block);
    return NULL;
}

TEST(a_destructor_is_the_first_to_allocate)
{
    // The thread itself never calls malloc.
    CHECK(pthread_key_create(&key, destructor) == 0);
    for (int i = 0; i < 1000; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, set_only, malloc(48)) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
}

enum { BATCH = 2000 };
static void *handed[BATCH];

static void *fill(void *arg)
{
    for (int i = 0; i < BATCH; i++) {
        size_t n = (size_t)i % 700 + 1;
        handed[i] = malloc(n);
        memset(handed[i], i & 0xff, n);
    }
    return arg;
}

static void *drain(void *arg)
{
    for (int i = 0; i < BATCH; i++) {
        const unsigned char *p = handed[i];
        if (p[0] != (i & 0xff))
            _exit(3);
        free(handed[i]);
    }
    return arg;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        return -1;
    fclose(f);
    return pages * 4;
}

TEST(blocks_of_dead_threads_are_freed_by_others)
{
    // Each round's blocks, 700 KB, are freed by a thread that never saw their owner. What comes
    // back must be used again: 300 rounds would take 200 MB otherwise.
    for (int round = 0; round < 300; round++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, fill, NULL) == 0 && pthread_join(t, NULL) == 0);
        CHECK(pthread_create(&t, NULL, drain, NULL) == 0 && pthread_join(t, NULL) == 0);
    }
    long kib = resident_kib();
    CHECK(kib > 0 && kib < 60000);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
