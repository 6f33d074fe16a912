// All other threads are stopped and let go again: what they did stands still, what they held lies
// where their records say; and what is asked about memory is answered.
#include "os/twin.h"
#include "os/world.h"
#include "tests/check.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

static _Atomic unsigned long counter[4];
static _Atomic int running, quit;

static void *count(void *i)
{
    unsigned long here = 0x1234567890abcdef; // for the stopper to find on this stack
    unsigned long *volatile at = &here;
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&quit)) {
        atomic_fetch_add(&counter[(size_t)i], 1);
        CHECK(*at == 0x1234567890abcdef);
    }
    return NULL;
}

static int stop_patiently(void)
{
    int e = -EBUSY;
    for (int tries = 0; e == -EBUSY && tries < 100; tries++)
        e = world_stop();
    return e;
}

static unsanitized_ bool holds(const struct world_thread *t, unsigned long word)
{
    for (const unsigned long *at = (const void *)t->sp; (const char *)at < t->tp; at++)
        if (*at == word)
            return true;
    return false;
}

TEST(stopped_threads_stand_still)
{
    pthread_t t[4];
    CHECK(world_open() == 0);
    CHECK(world_signal() > 0);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, count, (void *)i) == 0);
    while (atomic_load(&running) < 4)
        usleep(100);
    for (int round = 0; round < 20; round++) {
        const struct world_thread *stopped;
        CHECK(stop_patiently() == 0);
        CHECK(world_threads(&stopped) == 4);
        unsigned long before[4];
        for (size_t i = 0; i < 4; i++)
            before[i] = atomic_load(&counter[i]);
        for (size_t i = 0; i < 4; i++)
            CHECK(holds(&stopped[i], 0x1234567890abcdef));
        for (size_t i = 0; i < 4; i++)
            CHECK(atomic_load(&counter[i]) == before[i]);
        world_go();
    }
    unsigned long last = atomic_load(&counter[0]);
    while (atomic_load(&counter[0]) == last) // they do go on
        usleep(100);
    atomic_store(&quit, 1);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

static void *be_born(void *unused)
{
    return unused;
}
static void *bear(void *unused)
{
    while (!atomic_load(&quit)) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, be_born, NULL) == 0);
        pthread_join(t, NULL);
    }
    return unused;
}

TEST(while_threads_are_born_and_die)
{
    pthread_t t[2];
    CHECK(world_open() == 0);
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_create(&t[i], NULL, bear, NULL) == 0);
    for (int round = 0; round < 100; round++) {
        CHECK(stop_patiently() == 0);
        world_go();
    }
    atomic_store(&quit, 1);
    for (size_t i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

static void handler(int number)
{
    (void)number;
}
TEST(a_signal_that_is_taken_is_left_alone)
{
    signal(58, handler);
    CHECK(world_open() == 0);
    CHECK(world_signal() == 57);
    signal(57, handler); // the program takes that one too
    CHECK(stop_patiently() == 0);
    CHECK(world_signal() == 56);
    world_go();
}

TEST(mappings_and_memory_that_is_not_there)
{
    size_t page = 4096;
    char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    mprotect(p + page, page, PROT_NONE);
    munmap(p + 3 * page, page);
    struct extent e[] = {{.addr = (uintptr_t)p + 100},
                         {.addr = (uintptr_t)p + page},
                         {.addr = (uintptr_t)p + 2 * page},
                         {.addr = 1}};
    CHECK(world_extents(e, 4) == 0);
    CHECK(e[0].end == (uintptr_t)p + page && e[0].start <= (uintptr_t)p);
    CHECK(e[1].end == 0);
    CHECK(e[2].start == (uintptr_t)p + 2 * page && e[2].end >= (uintptr_t)p + 3 * page);
    CHECK(e[3].end == 0);
    char to[64] = "";
    strcpy(p, "there");
    CHECK(world_peek(p, to, 6) == 6 && strcmp(to, "there") == 0);
    CHECK(world_peek(p + page, to, 8) == 0);
    CHECK(world_peek(NULL, to, 8) == 0);
}

// ---------------------------------------------------------------- copies

static int *shared;
static void compute(void *arg)
{
    shared[1] = *(int *)arg + 1;
}
static void be_killed(void *arg)
{
    (void)arg;
    raise(SIGKILL);
}
static void sleep_for_ever(void *arg)
{
    for (;;)
        usleep(1000000 + (useconds_t)(arg != NULL));
}

TEST(a_copy_computes_and_is_gone)
{
    struct twin t;
    int n = 41, status;
    shared = twin_memory(4096);
    CHECK(shared != NULL);
    CHECK(twin_start(&t, (_Atomic unsigned *)shared, compute, &n) == 0);
    n = 0; // the copy has its own
    CHECK(twin_poll(&t, true) == 1);
    CHECK(shared[1] == 42);
    CHECK(t.pid == 0);
    CHECK(waitpid(-1, &status, __WALL) < 0 && errno == ECHILD);
    twin_memory_free(shared, 4096);
}

TEST(a_copy_that_dies_is_noticed)
{
    struct twin t;
    shared = twin_memory(4096);
    CHECK(twin_start(&t, (_Atomic unsigned *)shared, be_killed, NULL) == 0);
    CHECK(twin_poll(&t, true) == -ECHILD);
    CHECK(twin_start(&t, (_Atomic unsigned *)shared, sleep_for_ever, NULL) == 0);
    CHECK(twin_poll(&t, false) == 0);
    twin_kill(&t);
    CHECK(t.pid == 0);
    twin_kill(&t);
}

TEST(a_copy_holds_no_pipe_open)
{
    struct twin t;
    int fd[2];
    char c;
    shared = twin_memory(4096);
    CHECK(pipe(fd) == 0);
    CHECK(twin_start(&t, (_Atomic unsigned *)shared, sleep_for_ever, NULL) == 0);
    close(fd[1]);
    CHECK(read(fd[0], &c, 1) == 0); // the end
    twin_kill(&t);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
