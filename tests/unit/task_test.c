// Tasks: turns, waiting, joining, cancelling, calls that block; and too little memory.
#include "tests/unit/tasks.h"

#include <loam/owner.h>
#include <pthread.h>
#include <sys/resource.h>

extern _Atomic long os_fail_after;

// ---------------------------------------------------------------- turns

static void letter(void *arg)
{
    for (int i = 0; i < 3; i++) {
        say(*(char *)arg);
        CHECK(loam_task_yield() == 0);
    }
}

static void three_letters(void *arg)
{
    (void)arg;
    loam_task a = go(letter, "a"), b = go(letter, "b"), c = go(letter, "c");
    CHECK(loam_task_join(a) == 0);
    CHECK(loam_task_join(b) == 0);
    CHECK(loam_task_join(c) == 0);
    say('.');
}

TEST(tasks_take_turns_in_order)
{
    run(three_letters, NULL);
    CHECK(said("abcabcabc."));
}

static void leaves_some(void *arg)
{
    (void)arg;
    CHECK(loam_go("detached", letter, "x", NULL) == 0);
    go(letter, "y"); // nobody will join it
}

TEST(a_run_ends_when_all_tasks_have)
{
    run(leaves_some, NULL);
    CHECK(said("xyxyxy"));
    run(leaves_some, NULL); // and another run can follow
    CHECK(log_length == 12);
}

static void alone(void *arg)
{
    for (int i = 0; i < 1000; i++)
        CHECK(loam_task_yield() == 0);
    *(bool *)arg = true;
}

TEST(a_lone_task_may_yield)
{
    bool done = false;
    run(alone, &done);
    CHECK(done);
}

static void names(void *arg)
{
    (void)arg;
    CHECK(strcmp(loam_task_name(), "test") == 0);
    CHECK(loam_task_self().generation != 0);
    size_t used = loam_task_stack_used();
    CHECK(used > 0);
    CHECK(used < 64 * 1024);
    volatile char big[32 * 1024];
    big[0] = 1;
    CHECK(loam_task_stack_used() >= sizeof big);
    CHECK(big[0] == 1);
}

static void go_names(void *arg)
{
    (void)arg;
    CHECK(loam_task_join(go(names, NULL)) == 0);
}

TEST(a_task_knows_its_name_and_stack)
{
    run(go_names, NULL);
    CHECK(loam_task_name() == NULL);
    CHECK(loam_task_self().generation == 0);
    CHECK(loam_task_stack_used() == 0);
}

static void finds_itself(void *arg)
{
    uintptr_t *at = arg;
    *at = (uintptr_t)__builtin_frame_address(0);
    loam_owner_info o = {0};
    CHECK(loam_owner_find((const void *)*at, &o));
    CHECK(strcmp(o.kind, "task") == 0);
    CHECK(strcmp(o.name, "test") == 0);
    CHECK(o.used_max > 0);
    CHECK(o.used_max <= o.held);
    CHECK(o.offset < o.held);
}

static void is_found(void *arg)
{
    (void)arg;
    uintptr_t at = 0;
    CHECK(loam_task_join(go(finds_itself, &at)) == 0);
    loam_owner_info o = {0};
    CHECK(!loam_owner_find((const void *)at, &o)); // nobody's stack now
    CHECK(loam_owner_find(__builtin_frame_address(0), &o));
    CHECK(strcmp(o.name, "first") == 0);
    bool listed = false;
    for (size_t i = 0; loam_owner_at(i, &o); i++)
        listed = listed || (strcmp(o.kind, "tasks") == 0 && o.held > 0);
    CHECK(listed);
}

TEST(an_address_on_a_stack_resolves_to_its_task)
{
    loam_owner_info o;
    run(is_found, NULL);
    CHECK(!loam_owner_at(0, &o));
}

// Registers that a call keeps, and the floating-point ones that it does not, are each task's own.
static void computes(void *arg)
{
    double x = *(int *)arg, y = x;
    long a = *(int *)arg, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13;
    for (int i = 0; i < 100; i++) {
        x += 0.5, a++, b++, c++, d++, e++, f++;
        CHECK(loam_task_yield() == 0);
    }
    CHECK(x == y + 50);
    long n = *(int *)arg;
    CHECK(a == n + 100);
    CHECK(b + c + d + e + f == n * (3 + 5 + 7 + 11 + 13) + 500);
}

static void go_compute(void *arg)
{
    (void)arg;
    static int number[50];
    for (int i = 0; i < 50; i++) {
        number[i] = i;
        go(computes, &number[i]);
    }
}

TEST(each_task_has_its_own_registers)
{
    run(go_compute, NULL);
}

static void aligned(void *arg)
{
    _Alignas(16) char here[16];
    // The compiler counts on the stack being aligned, and would not look.
    uintptr_t at;
    __asm__("" : "=r"(at) : "0"(here));
    *(bool *)arg = at % 16 == 0;
}

TEST(stacks_are_aligned)
{
    bool good = false;
    run(aligned, &good);
    CHECK(good);
}

// ---------------------------------------------------------------- sleeping and waiting

static void sleeper(void *arg)
{
    uint64_t ms = *(char *)arg - '0', from = now_ns();
    CHECK(loam_task_sleep(ms * 20 * MS) == 0);
    CHECK(now_ns() - from >= ms * 20 * MS);
    say(*(char *)arg);
}

static void go_sleepers(void *arg)
{
    for (const char *c = arg; *c != 0; c++)
        go(sleeper, (void *)c);
}

TEST(sleepers_wake_in_the_order_of_their_times)
{
    run(go_sleepers, "5172936");
    CHECK(said("1235679"));
}

static void busy_until(void *arg)
{
    while (!*(volatile bool *)arg)
        CHECK(loam_task_yield() == 0);
}

static void wakes_busy(void *arg)
{
    go(busy_until, arg);
    CHECK(loam_task_sleep(5 * MS) == 0);
    *(volatile bool *)arg = true;
}

TEST(sleepers_wake_beside_tasks_that_only_yield)
{
    bool flag = false;
    run(wakes_busy, &flag);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void joins(void *arg)
{
    (void)arg;
    loam_task t = go(nothing, NULL);
    CHECK(loam_task_yield() == 0); // it has ended
    CHECK(loam_task_join(t) == 0);
    CHECK(loam_task_join(t) == -ESRCH);
    loam_task again = go(nothing, NULL); // on the same stack, by another name
    CHECK(again.index == t.index);
    CHECK(loam_task_join(t) == -ESRCH);
    CHECK(loam_task_cancel(t) == -ESRCH);
    CHECK(loam_task_join(again) == 0);
    CHECK(loam_task_join((loam_task){0, 0}) == -ESRCH);
    CHECK(loam_task_join((loam_task){1000000, 1}) == -ESRCH);
    CHECK(loam_task_join(loam_task_self()) == -EDEADLK);
}

TEST(a_task_is_joined_once)
{
    run(joins, NULL);
}

static loam_task waited_for;
static void joins_too(void *arg)
{
    CHECK(loam_task_join(waited_for) == -EINVAL);
    (void)arg;
}

static void naps(void *arg)
{
    (void)arg;
    CHECK(loam_task_sleep(10 * MS) == 0);
}

static void two_join(void *arg)
{
    (void)arg;
    waited_for = go(naps, NULL);
    go(joins_too, NULL);
    CHECK(loam_task_join(waited_for) == 0);
}

TEST(only_one_may_wait_for_a_task)
{
    run(two_join, NULL);
}

TEST(outside_of_tasks_there_is_nothing_to_wait_for)
{
    loam_task t = {7, 7};
    int n = 0;
    CHECK(loam_go("x", nothing, NULL, &t) == -EPERM);
    CHECK(t.index == 7);
    CHECK(loam_task_yield() == -EPERM);
    CHECK(loam_task_sleep(1) == -EPERM);
    CHECK(loam_task_join(t) == -EPERM);
    CHECK(loam_task_cancel(t) == -EPERM);
    CHECK(loam_task_block(nothing, NULL) == -EPERM);
    errno = 0;
    CHECK(loam_chan_new(1, 1) == NULL);
    CHECK(errno == EPERM);
    CHECK(loam_select(NULL, 0, 0) == -EPERM);
    CHECK(loam_chan_free(NULL) == NULL);
    (void)n;
}

static void runs_again(void *arg)
{
    CHECK(loam_task_run(NULL, nothing, NULL) == -EBUSY);
    (void)arg;
}

TEST(a_task_starts_no_run)
{
    run(runs_again, NULL);
    CHECK(loam_task_run(&(loam_task_options){.workers = 65}, nothing, NULL) == -EINVAL);
    CHECK(loam_task_run(&(loam_task_options){.stack_size = SIZE_MAX}, nothing, NULL) == -ENOMEM);
}

// ---------------------------------------------------------------- cancelling

static void waits_for_ever(void *arg)
{
    loam_chan *c = arg;
    int n;
    CHECK(loam_chan_recv(c, &n) == -ECANCELED);
    CHECK(loam_task_sleep(1000 * MS) == -ECANCELED); // at once, and from now on
    CHECK(loam_task_yield() == -ECANCELED);
    CHECK(loam_chan_send(c, &n) == -ECANCELED);
    CHECK(loam_task_join((loam_task){0, 1}) < 0);
    say('c');
}

static void sleeps_long(void *arg)
{
    (void)arg;
    CHECK(loam_task_sleep(3600 * 1000 * MS) == -ECANCELED);
    say('s');
}

static void joins_long(void *arg)
{
    CHECK(loam_task_join(*(loam_task *)arg) == -ECANCELED);
    say('j');
}

static void cancels(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(sizeof(int), 0);
    CHECK(c != NULL);
    loam_task a = go(waits_for_ever, c), b = go(sleeps_long, NULL), d = go(joins_long, &b);
    CHECK(loam_task_yield() == 0); // let them wait
    CHECK(loam_task_cancel(d) == 0);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_task_cancel(b) == 0);
    CHECK(loam_task_cancel(a) == 0);
    CHECK(loam_task_join(a) == 0);
    CHECK(loam_task_join(b) == 0); // d gave up; it can be joined by another
    CHECK(loam_task_join(d) == 0);
    CHECK(loam_task_cancel(a) == -ESRCH);
    CHECK(loam_chan_free(c) == NULL);
    loam_task early = go(sleeps_long, NULL);
    CHECK(loam_task_cancel(early) == 0); // before it began
    CHECK(loam_task_join(early) == 0);
}

TEST(a_cancelled_task_is_told_wherever_it_waits)
{
    run(cancels, NULL);
    CHECK(said("jscs") || said("jcss"));
}

static void waits_on(void *arg)
{
    int n;
    CHECK(loam_chan_recv(arg, &n) == -EDEADLK);
    say('r');
}

static void joins_stuck(void *arg)
{
    CHECK(loam_task_join(*(loam_task *)arg) == -EDEADLK);
    say('j');
}

static void gets_stuck(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(sizeof(int), 1);
    loam_task a = go(waits_on, c);
    go(joins_stuck, &a);
    CHECK(loam_task_sleep(MS) == 0); // no deadlock yet
    loam_case both[] = {{.kind = LOAM_RECV, .chan = c, .item = &(int){0}}, {.kind = LOAM_RECV}};
    CHECK(loam_select(both, 2, LOAM_FOREVER) == -EDEADLK);
    say('s');
    CHECK(loam_task_yield() == 0);
    loam_chan_free(c);
}

TEST(when_all_wait_for_each_other_all_are_told)
{
    run(gets_stuck, NULL);
    CHECK(log_length == 3);
}

// ---------------------------------------------------------------- helper threads

static void blocks(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    struct timespec ms = {0, 20 * 1000000};
    nanosleep(&ms, NULL);
}

static void calls_out(void *arg)
{
    (void)arg;
    pthread_t who = pthread_self();
    CHECK(loam_task_block(blocks, &who) == 0);
    CHECK(!pthread_equal(who, pthread_self()));
    say('b');
}

static void others_go_on(void *arg)
{
    (void)arg;
    uint64_t from = now_ns();
    loam_task t[8];
    for (int i = 0; i < 8; i++)
        t[i] = go(calls_out, NULL);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_task_cancel(t[0]) == 0); // waits all the same
    say('o');
    for (int i = 0; i < 8; i++)
        CHECK(loam_task_join(t[i]) == 0);
    CHECK(now_ns() - from >= 20 * MS);
}

TEST(blocking_calls_leave_the_others_alone)
{
    run(others_go_on, NULL);
    CHECK(said("obbbbbbbb"));
}

// ---------------------------------------------------------------- memory

static void is_refused(void *arg)
{
    CHECK(loam_chan_send(arg, "") == -EPIPE);
}

static void fills_up(void *arg)
{
    loam_chan *c = loam_chan_new(1, 0);
    int n = 0, e;
    while ((e = loam_go("waiter", is_refused, c, NULL)) == 0)
        n++;
    CHECK(e == -ENOMEM);
    *(int *)arg = n;
    CHECK(loam_task_yield() == 0);
    CHECK(loam_chan_close(c) == 0);
    CHECK(loam_task_yield() == 0);
    CHECK(loam_go("again", nothing, NULL, NULL) == 0);
    loam_chan_free(c);
}

TEST(more_tasks_than_were_asked_for_is_enomem)
{
    int n = 0;
    CHECK(loam_task_run(&(loam_task_options){.tasks = 100}, fills_up, &n) == 0);
    CHECK(n == 99);
}

static void makes_all(void *arg)
{
    (void)arg;
    loam_task t;
    int e = loam_go("one", nothing, NULL, &t);
    CHECK(e == 0 || e == -ENOMEM);
    loam_chan *c = loam_chan_new(1000, 1000);
    CHECK(c != NULL || errno == ENOMEM);
    loam_chan_free(c);
    for (int i = 0; i < 200; i++)
        CHECK((e = loam_go("many", nothing, NULL, NULL)) == 0 || e == -ENOMEM);
}

TEST(memory_that_is_refused_is_enomem_at_every_call)
{
    int ran = 0, refused = 0;
    for (long n = 1; n < 40 && ran < 3; n++) {
        os_fail_after = n;
        int e = loam_task_run(&(loam_task_options){.tasks = 300}, makes_all, NULL);
        CHECK(e == 0 || e == -ENOMEM);
        ran += os_fail_after != 1;
        refused += e == -ENOMEM;
        os_fail_after = 0;
    }
    CHECK(ran == 3);
    CHECK(refused >= 2);
    run(three_letters, NULL);
}

TEST(tasks_fit_into_little_address_space)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    if (under_asan || under_tsan) // they have reserved more than that
        return;
    setrlimit(RLIMIT_AS, &limit);
    int n = 0;
    int e = loam_task_run(&(loam_task_options){.tasks = 100000}, fills_up, &n);
    CHECK(e == 0 || e == -ENOMEM);
    if (e == 0)
        CHECK(n > 100);
}

// ---------------------------------------------------------------- several workers

TEST(registers_and_deadlock_on_many)
{
    for (unsigned workers = 2; workers <= 4; workers++)
        on(workers, go_compute, NULL);
    for (int i = 0; i < 50; i++) {
        log_length = 0;
        on(3, gets_stuck, NULL);
        CHECK(log_length == 3);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
