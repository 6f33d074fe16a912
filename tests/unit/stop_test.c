// stop_test.c: a process that is stopped and let go must not notice.
#include "target/stop.h"

#include "tests/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>

#define THREADS 100

struct shared {
    _Atomic int ready, stop, wrong, handled;
    _Atomic unsigned word; // a futex
    _Atomic long turns;
    int pipe[2];
};
static struct shared *sh;

static void share(void)
{
    sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pipe(sh->pipe) == 0);
}

// A child that dies with us, also when a CHECK fails.
static pid_t begin(void)
{
    pid_t pid = fork();
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void expect(bool good, int what)
{
    if (!good)
        atomic_store(&sh->wrong, 1000 * what + errno);
}

// Each of these waits until the pipe's other end is closed or the flag is set, and takes every
// EINTR for an error: no handler ever runs here.
static void in_read(void)
{
    char c;
    expect(read(sh->pipe[0], &c, 1) == 0, 1);
}

static void in_futex(void)
{
    while (!atomic_load(&sh->stop))
        if (syscall(SYS_futex, &sh->word, FUTEX_WAIT, 0, NULL, NULL, 0) != 0)
            expect(errno == EAGAIN, 2);
}

static void in_nanosleep(void)
{
    struct timespec t = {0, 30000000};
    while (!atomic_load(&sh->stop))
        expect(nanosleep(&t, NULL) == 0, 3);
}

static void in_epoll(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int fd = epoll_create1(EPOLL_CLOEXEC);
    expect(epoll_ctl(fd, EPOLL_CTL_ADD, sh->pipe[0], &e) == 0, 4);
    expect(epoll_wait(fd, &e, 1, -1) == 1, 5);
}

static void in_poll(void)
{
    struct pollfd p = {.fd = sh->pipe[0], .events = POLLIN};
    expect(poll(&p, 1, -1) == 1, 6);
}

static void in_sigwait(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    struct timespec t = {0, 50000000};
    while (!atomic_load(&sh->stop))
        if (sigtimedwait(&set, NULL, &t) < 0)
            expect(errno == EAGAIN, 7);
}

static void in_select(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(sh->pipe[0], &set);
    expect(select(sh->pipe[0] + 1, &set, NULL, NULL, NULL) == 1, 8);
}

// Registers must come back as they were.
static void running_some(unsigned pause_us)
{
    double f = 1;
    unsigned long a = 1;
    while (!atomic_load(&sh->stop)) {
        a = a * 6364136223846793005u + 1442695040888963407u;
        a = (a - 1442695040888963407u) * 0xc097ef87329e28a5u;
        f = f * 3 / 3;
        atomic_fetch_add(&sh->turns, 1);
        expect(a == 1, 9);
        expect(f == 1, 10);
        if (pause_us != 0)
            usleep(pause_us);
    }
}

static void running(void)
{
    running_some(1000);
}

static void *work(void *arg)
{
    static void (*const jobs[])(void) = {in_read, in_futex,   in_nanosleep, in_epoll,
                                         in_poll, in_sigwait, in_select,    running};
    atomic_fetch_add(&sh->ready, 1);
    if (arg == NULL)
        running_some(0);
    else
        jobs[(size_t)(uintptr_t)arg % 8]();
    return NULL;
}

static noreturn_ void many_threads(void)
{
    close(sh->pipe[1]);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_t t[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, work, (void *)i) != 0)
            _exit(2);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    _exit(atomic_load(&sh->wrong) == 0 ? 42 : 3);
}

static void wait_for(_Atomic int *n, int value)
{
    while (atomic_load(n) < value)
        usleep(1000);
}

static bool all_stopped(const struct stop *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->thread[i].stopped)
            return false;
    return true;
}

TEST(a_hundred_threads_notice_nothing)
{
    share();
    struct stop s = {.pid = begin()};
    if (s.pid == 0)
        many_threads();
    close(sh->pipe[0]);
    wait_for(&sh->ready, THREADS);
    for (int i = 0; i < 20; i++) {
        CHECK(stop_all(&s) == 0);
        CHECK(s.count == THREADS + 1);
        CHECK(all_stopped(&s));
        long turns = atomic_load(&sh->turns);
        usleep(5000);
        CHECK(atomic_load(&sh->turns) == turns);
        if (i % 4 == 3) { // let some run in between, as for a busy heap
            for (int k = 0; k < 1000 && atomic_load(&sh->turns) == turns; k++) {
                stop_breathe(&s, 5000); // on a busy machine no thread may get its turn at first
                CHECK(stop_all(&s) == 0);
            }
            CHECK(all_stopped(&s));
            CHECK(atomic_load(&sh->turns) > turns);
        }
        stop_release(&s);
        usleep(2000);
    }
    atomic_store(&sh->stop, 1);
    close(sh->pipe[1]);
    for (int i = 0; i < 20; i++, usleep(1000)) {
        atomic_store(&sh->word, 1);
        syscall(SYS_futex, &sh->word, FUTEX_WAKE, 1000, NULL, NULL, 0);
    }
    int status;
    CHECK(waitpid(s.pid, &status, 0) == s.pid);
    if (atomic_load(&sh->wrong) != 0)
        dprintf(2, "wrong: %d\n", atomic_load(&sh->wrong));
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
}

static void on_signal(int sig)
{
    (void)sig;
    atomic_fetch_add(&sh->handled, 1);
}

static noreturn_ void handles_signals(void)
{
    signal(SIGUSR1, on_signal);
    atomic_store(&sh->ready, 1);
    while (!atomic_load(&sh->stop))
        pause();
    _exit(7);
}

TEST(signals_wait_and_arrive)
{
    share();
    struct stop s = {.pid = begin()};
    if (s.pid == 0)
        handles_signals();
    wait_for(&sh->ready, 1);
    for (int i = 0; i < 50; i++) {
        int before = atomic_load(&sh->handled);
        if (i % 2) // on its way while we stop
            kill(s.pid, SIGUSR1);
        CHECK(stop_all(&s) == 0);
        if (i % 2 == 0)
            kill(s.pid, SIGUSR1);
        stop_release(&s);
        for (int n = 0; n < 2000 && atomic_load(&sh->handled) == before; n++)
            usleep(1000);
        CHECK(atomic_load(&sh->handled) == before + 1);
    }
    atomic_store(&sh->stop, 1);
    kill(s.pid, SIGUSR1);
    int status;
    CHECK(waitpid(s.pid, &status, 0) == s.pid);
    CHECK(WEXITSTATUS(status) == 7);
}

TEST(a_stopped_job_stays_stopped)
{
    share();
    struct stop s = {.pid = begin()};
    if (s.pid == 0)
        handles_signals();
    wait_for(&sh->ready, 1);
    int status;
    kill(s.pid, SIGSTOP);
    CHECK(waitpid(s.pid, &status, WUNTRACED) == s.pid);
    CHECK(WIFSTOPPED(status));
    CHECK(stop_all(&s) == 0);
    CHECK(s.thread[0].grouped);
    stop_breathe(&s, 1000); // does not wake it
    CHECK(stop_all(&s) == 0);
    stop_release(&s);
    atomic_store(&sh->stop, 1);
    kill(s.pid, SIGUSR1);
    usleep(50000);
    CHECK(waitpid(s.pid, &status, WNOHANG) == 0);
    kill(s.pid, SIGCONT);
    CHECK(waitpid(s.pid, &status, 0) == s.pid);
    CHECK(WIFEXITED(status));
}

static void *wait_for_exit(void *arg)
{
    siginfo_t si;
    do {
        if (waitid(P_PID, (id_t) * (pid_t *)arg, &si, WEXITED) != 0)
            return NULL;
    } while (si.si_code == CLD_TRAPPED || si.si_code == CLD_STOPPED);
    return (void *)(intptr_t)si.si_status;
}

// Another thread waits for the child all the time, and even takes the stops away.
TEST(the_exit_status_belongs_to_who_waits)
{
    share();
    struct stop s = {.pid = begin()};
    if (s.pid == 0)
        handles_signals();
    wait_for(&sh->ready, 1);
    pthread_t t;
    pthread_create(&t, NULL, wait_for_exit, &s.pid);
    for (int i = 0; i < 50; i++) {
        CHECK(stop_all(&s) == 0);
        stop_release(&s);
    }
    CHECK(stop_all(&s) == 0);
    kill(s.pid, SIGKILL);
    void *status;
    CHECK(pthread_join(t, &status) == 0);
    CHECK((intptr_t)status == SIGKILL);
    stop_release(&s);
    CHECK(stop_all(&s) == -ESRCH);
    stop_release(&s);
}

static void *short_life(void *arg)
{
    usleep(2000);
    return arg;
}

static noreturn_ void makes_threads(void)
{
    atomic_store(&sh->ready, 1);
    while (!atomic_load(&sh->stop)) {
        pthread_t t;
        if (pthread_create(&t, NULL, short_life, NULL) == 0)
            pthread_detach(t);
    }
    _exit(5);
}

TEST(threads_come_and_go_meanwhile)
{
    share();
    struct stop s = {.pid = begin()};
    if (s.pid == 0)
        makes_threads();
    wait_for(&sh->ready, 1);
    for (int i = 0; i < 30; i++) {
        CHECK(stop_all(&s) == 0);
        size_t stopped = 0;
        for (size_t n = 0; n < s.count; n++)
            stopped += s.thread[n].stopped;
        CHECK(stopped > 0);
        stop_release(&s);
    }
    atomic_store(&sh->stop, 1);
    kill(s.pid, SIGKILL); // joins nothing: dead threads that we traced must not hold it back
    int status;
    CHECK(waitpid(s.pid, &status, __WALL) > 0);
}

// A thread that waits for its vfork child cannot be stopped.
static void *in_vfork(void *arg)
{
    atomic_fetch_add(&sh->ready, 1);
    pid_t pid = vfork();
    if (pid == 0) {
        while (!atomic_load(&sh->stop))
            syscall(SYS_sched_yield);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    atomic_fetch_add(&sh->handled, 1);
    return arg;
}

static noreturn_ void has_a_vfork(void)
{
    pthread_t t;
    pthread_create(&t, NULL, in_vfork, NULL);
    pthread_join(t, NULL);
    _exit(9);
}

static void *stop_once(void *arg)
{
    struct stop s = {.pid = *(pid_t *)arg};
    intptr_t stuck = 0;
    if (stop_all(&s) != 0 || stop_all(&s) != 0)
        return (void *)-1;
    for (size_t i = 0; i < s.count; i++)
        stuck += s.thread[i].stuck;
    stop_release(&s);
    return (void *)stuck;
}

// The kernel still remembers that the thread is to stop; that ends with the thread that asked (P1).
TEST(a_thread_that_cannot_be_stopped_goes_on)
{
    share();
    pid_t pid = begin();
    if (pid == 0)
        has_a_vfork();
    wait_for(&sh->ready, 1);
    usleep(20000);
    pthread_t t;
    void *stuck;
    pthread_create(&t, NULL, stop_once, &pid);
    CHECK(pthread_join(t, &stuck) == 0);
    CHECK((intptr_t)stuck == 1);
    atomic_store(&sh->stop, 1);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 9);
    CHECK(atomic_load(&sh->handled) == 1);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
