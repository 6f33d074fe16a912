// harmless.c: programs that are easily disturbed. Each leaks 1,000 bytes, prints what it sees, and
// must print and return the same with and without loam.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static __attribute__((noinline)) void leak(void)
{
    char *volatile p = malloc(1000);
    memset(p, 1, 1000);
    p = NULL;
}

// Overwrite what leak() left on the stack.
static __attribute__((noinline)) void scrub(void)
{
    volatile char stack[4096];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}

static void *asleep(void *arg)
{
    pthread_barrier_wait(arg);
    pause();
    return NULL;
}

static int threads(void)
{
    static pthread_barrier_t all;
    pthread_attr_t small;
    pthread_t id;
    int made = 0;
    pthread_barrier_init(&all, NULL, 1001);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    for (int i = 0; i < 1000; i++)
        made += pthread_create(&id, &small, asleep, &all) == 0;
    if (made < 1000)
        return 77; // the machine does not let us
    pthread_barrier_wait(&all);
    printf("%d threads\n", made);
    return 3;
}

static int blocked(void)
{
    sigset_t all, now;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigpending(&now);
    int pending = 0;
    for (int i = 1; i < 65; i++)
        pending += sigismember(&now, i) == 1;
    printf("%d pending\n", pending);
    return 4;
}

static int closed(void)
{
    int out = dup(1), open_ones = 0;
    printf("closing\n");
    fflush(stdout);
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != out)
            open_ones += close(fd) == 0;
    }
    dprintf(out, "%d others were open\n", open_ones);
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    return 5;
}

// No child that it does not know of, and no end of its own that comes late.
static int children(void)
{
    for (int i = 0; i < 3; i++) {
        if (fork() == 0)
            _exit(i);
    }
    int status, sum = 0;
    while (waitpid(-1, &status, 0) > 0)
        sum += WEXITSTATUS(status);
    printf("%d, then %s\n", sum, strerror(errno));
    return 6;
}

static void allow_few_calls(void)
{
    static const int calls[] = {SYS_read,       SYS_write,  SYS_mmap,       SYS_munmap,
                                SYS_madvise,    SYS_mremap, SYS_mprotect,   SYS_futex,
                                SYS_brk,        SYS_exit,   SYS_exit_group, SYS_rt_sigreturn,
                                SYS_newfstatat, SYS_fstat,  SYS_lseek};
    struct sock_filter code[64];
    unsigned n = 0;
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog program = {(unsigned short)n, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        exit(77);
}

static int sandbox(void)
{
    allow_few_calls();
    for (int i = 0; i < 1000; i++)
        free(malloc((size_t)i * 100));
    printf("in the sandbox\n");
    return 7;
}

static void *napping(void *result)
{
    struct epoll_event event;
    int fd = epoll_create1(0);
    int *interrupted = result;
    *interrupted = epoll_wait(fd, &event, 1, 1500) < 0;
    return NULL;
}

// exit() in one thread while another sleeps in a call that knows EINTR; and a SIGCHLD handler
// that counts.
static volatile sig_atomic_t seen;
static void count(int signal)
{
    (void)signal;
    seen++;
}

static int interrupted;
static void tell(void)
{
    printf("%d interrupted, %d signals\n", interrupted, (int)seen);
}

static int naps(void)
{
    pthread_t id;
    signal(SIGCHLD, count);
    signal(SIGCONT, count);
    signal(SIGURG, count);
    atexit(tell);
    pthread_create(&id, NULL, napping, &interrupted);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return 8;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {{"threads", threads},   {"blocked", blocked}, {"closed", closed},
               {"children", children}, {"sandbox", sandbox}, {"naps", naps}};
    leak();
    scrub();
    for (size_t i = 0; i < sizeof all / sizeof *all && argc > 1; i++) {
        if (strcmp(all[i].name, argv[1]) == 0)
            return all[i].run();
    }
    return 2;
}
