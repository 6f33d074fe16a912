// A mutex that owns its data: held for a block, let go on every way out, poisoned by a thread that
// ends inside.
#include "tests/check.h"

#include <loam/mutex.h>
#include <loam/padded.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct account {
    long cents;
};
static loam_mutex(struct account) shared;

static bool is_free(void)
{
    return shared.lock.word == 0 && shared.lock.owner == 0;
}

static long leaves_early(long limit)
{
    loam_with (&shared, a) {
        if (a->cents > limit)
            return a->cents;
        CHECK(!is_free());
    }
    return -1;
}

TEST(let_go_whatever_way_the_block_is_left)
{
    loam_mutex_init(&shared);
    int rounds = 0;
    loam_with (&shared, a)
        a->cents = 5;
    CHECK(is_free());
    CHECK(leaves_early(4) == 5);
    CHECK(is_free());
    CHECK(leaves_early(5) == -1);
    loam_with (&shared, a) {
        rounds++;
        if (a->cents == 5)
            break;
        rounds = 100;
    }
    CHECK(is_free());
    loam_with (&shared, a) {
        rounds++;
        if (a->cents == 5)
            continue;
        rounds = 100;
    }
    CHECK(is_free());
    CHECK(rounds == 2);
    CHECK(!loam_mutex_poisoned(&shared));
    loam_mutex_done(&shared);
    loam_mutex_done(&shared);
}

static void *pay(void *arg)
{
    for (int i = 0; i < 20000; i++)
        loam_with (&shared, a)
            a->cents++;
    return arg;
}

TEST(threads_take_turns)
{
    pthread_t thread[3];
    loam_mutex_init(&shared);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, pay, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    loam_with (&shared, a)
        CHECK(a->cents == 60000);
    loam_mutex_done(&shared);
}

static void *ends_inside(void *arg)
{
    loam_with (&shared, a) {
        a->cents = -1;
        pthread_exit(arg); // this file is compiled without -fexceptions: no clean-up runs
    }
    return arg;
}

static void poison(void)
{
    pthread_t thread;
    loam_mutex_init(&shared);
    CHECK(pthread_create(&thread, NULL, ends_inside, NULL) == 0);
    pthread_join(thread, NULL);
}

TEST(poisoned_by_a_thread_that_ends_inside_and_healed)
{
    poison();
    CHECK(loam_mutex_poisoned(&shared));
    CHECK(loam_mutex_poisoned(&shared));
    loam_heal (&shared, a)
        a->cents = 0;
    CHECK(!loam_mutex_poisoned(&shared));
    loam_with (&shared, a)
        CHECK(a->cents == 0);
    loam_mutex_done(&shared);
}

static void *ends_without_a_word(void *tid)
{
    loam_with (&shared, a) {
        a->cents = -1;
        atomic_store((_Atomic pid_t *)tid, gettid());
        syscall(SYS_exit, 0);
    }
    return tid;
}

// No destructor of a key runs in a thread that leaves by the bare system call.
TEST(poisoned_by_a_thread_that_the_library_never_saw_end)
{
    static _Atomic pid_t tid;
    pthread_t thread;
    loam_mutex_init(&shared);
    CHECK(pthread_create(&thread, NULL, ends_without_a_word, &tid) == 0);
    while (atomic_load(&tid) == 0 || syscall(SYS_tgkill, getpid(), atomic_load(&tid), 0) == 0)
        sched_yield();
    CHECK(loam_mutex_poisoned(&shared));
}

static loam_mutex(int) outer, inner;
static void *ends_inside_of_both(void *arg)
{
    loam_with (&outer, a) {
        loam_with (&inner, b) {
            *a = *b = 1;
            pthread_exit(arg);
        }
    }
    return arg;
}

TEST(all_that_a_thread_held_is_poisoned)
{
    pthread_t thread;
    loam_mutex_init(&outer);
    loam_mutex_init(&inner);
    CHECK(pthread_create(&thread, NULL, ends_inside_of_both, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(loam_mutex_poisoned(&outer));
    CHECK(loam_mutex_poisoned(&inner));
}

// Guards end in any order where a program keeps them by itself.
TEST(let_go_in_another_order)
{
    loam_mutex_init(&outer);
    loam_mutex_init(&inner);
    loam_guard a = loam_guard_begin_(&outer.lock, false);
    loam_guard b = loam_guard_begin_(&inner.lock, false);
    loam_guard_end_(&a);
    loam_guard_end_(&b);
    CHECK(outer.lock.word == 0 && inner.lock.word == 0);
    loam_with (&inner, n)
        loam_with (&outer, m)
            CHECK(*n == *m);
}

TEST(a_child_holds_what_its_parent_held)
{
    loam_mutex_init(&outer);
    loam_with (&outer, n) {
        pid_t child = fork();
        if (child == 0) {
            *n = 1;
            break;
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    loam_with (&outer, n)
        if (*n == 1)
            _exit(0);
}

DIES(a_poisoned_one, "mutex: poisoned: a thread ended while it held it")
{
    poison();
    loam_with (&shared, a)
        a->cents++;
}

DIES(locked_twice, "mutex: locked twice by one thread")
{
    loam_mutex_init(&shared);
    loam_with (&shared, a) {
        loam_with (&shared, b)
            b->cents = a->cents;
    }
}

DIES(not_initialised, "mutex: not initialised, or done")
{
    loam_with (&shared, a)
        a->cents++;
}

DIES(done_while_locked, "mutex: done while it is locked")
{
    loam_mutex_init(&shared);
    loam_with (&shared, a) {
        a->cents++;
        loam_mutex_done(&shared);
    }
}

TEST(padded_types_share_no_line)
{
    loam_padded(char) c[2];
    struct nine {
        long of[9];
    };
    loam_padded(struct nine) wide;
    CHECK((char *)&c[1].value - (char *)&c[0].value == LOAM_CACHE_LINE);
    CHECK((size_t)&c[0].value % LOAM_CACHE_LINE == 0);
    CHECK(sizeof wide == 2 * LOAM_CACHE_LINE);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
