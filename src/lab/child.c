// child.c: what may crash, hang or eat memory does so in a child.
//
// Every child dies with its parent, writes no core file, is killed at its deadline, and gets a
// limit on its address space only if it asks for one itself: a limit would forbid what experiments
// with address space are about.

#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { SECONDS = 5, ALT_STACK = 65536 };

// In the child.
static void become_child(pid_t parent, u32 seconds, int out)
{
    struct rlimit none = {0, 0}, cpu = {seconds, seconds + 1};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); // it died before we could ask to die with it
    prctl(PR_SET_DUMPABLE, 1);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &cpu);
    alarm(seconds + 5);
    dup2(out, 1);
    dup2(out, 2);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, 0);
    for (int s = 1; s < 32; s++)
        signal(s, SIG_DFL);
    sigset_t all;
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

// Read what it says until it ends or time is up.
static void listen_to(int from, pid_t pid, u32 seconds, struct lab_end *end)
{
    u64 deadline = clock_ns() + seconds * 1000000000ull;
    size_t used = 0;
    char drop[512];
    for (;;) {
        u64 now = clock_ns();
        struct pollfd p = {from, POLLIN, 0};
        int r = now >= deadline ? 0 : poll(&p, 1, (int)((deadline - now) / 1000000) + 1);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            end->timed_out = true;
            kill(pid, SIGKILL);
            return;
        }
        size_t left = sizeof end->said - 1 - used;
        ssize_t n = read(from, left > 0 ? end->said + used : drop, left > 0 ? left : sizeof drop);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        used += n > 0 && left > 0 ? (size_t)n : 0;
    }
}

static void reap(pid_t pid, struct lab_end *end)
{
    struct rusage r = {0};
    while (wait4(pid, &end->status, 0, &r) < 0 && errno == EINTR) {
    }
    end->cpu_seconds = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
                       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
    end->peak_bytes = (u64)r.ru_maxrss * KiB;
}

static int in_child(void (*body)(void *of), void *of, char *const argv[], u32 seconds,
                    struct lab_end *ret_end)
{
    int fd[2];
    struct lab_end end = {0};
    seconds = seconds == 0 ? SECONDS : seconds;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return -errno;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become_child(parent, seconds, fd[1]);
        if (argv != NULL)
            execvp(argv[0], argv);
        else
            body(of);
        _exit(argv != NULL ? 127 : 0);
    }
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return -errno;
    }
    listen_to(fd[0], pid, seconds, &end);
    close(fd[0]);
    reap(pid, &end);
    *ret_end = end;
    return 0;
}

int lab_child(struct lab *l, void (*body)(void *of), void *of, u32 seconds, struct lab_end *ret_end)
{
    (void)l;
    return in_child(body, of, NULL, seconds, ret_end);
}

bool lab_has(const char *program)
{
    const char *path = getenv("PATH");
    char at[512];
    if (strchr(program, '/') != NULL)
        return access(program, X_OK) == 0;
    for (const char *p = path == NULL ? "/usr/bin:/bin" : path; *p != 0;) {
        size_t len = strcspn(p, ":");
        snprintf(at, sizeof at, "%.*s/%s", (int)len, p, program);
        if (access(at, X_OK) == 0)
            return true;
        p += len + (p[len] == ':');
    }
    return false;
}

int lab_program(struct lab *l, char *const argv[], u32 seconds, struct lab_end *ret_end)
{
    (void)l;
    return lab_has(argv[0]) ? in_child(NULL, NULL, argv, seconds, ret_end) : -ENOENT;
}

// ---------------------------------------------------------------- forbidden things

struct probe {
    struct lab_fault fault; // first: what the handler writes, in shared memory
    void (*body)(void *of);
    void *of;
};
static struct probe *probe; // the handler's

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *c = context;
    struct lab_fault *f = &probe->fault;
    f->code = info->si_code;
    f->address = (u64)(uintptr_t)info->si_addr;
#if defined(__x86_64__)
    f->trap = (u64)c->uc_mcontext.gregs[REG_TRAPNO];
    f->error = (u64)c->uc_mcontext.gregs[REG_ERR];
    f->pc = (u64)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    f->pc = c->uc_mcontext.pc;
#else
    (void)c;
#endif
    f->signal = signal;
    _exit(0);
}

// The handler needs a stack of its own: the fault may be that there is no stack left.
static void probe_body(void *of)
{
    static char stack[ALT_STACK];
    probe = of;
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&alt, NULL);
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < countof(signals); i++)
        sigaction(signals[i], &a, NULL);
    probe->body(probe->of);
}

int lab_fault(struct lab *l, void (*body)(void *of), void *of, struct lab_fault *ret_fault)
{
    struct probe *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    *p = (struct probe){.body = body, .of = of};
    struct lab_end end;
    int r = lab_child(l, probe_body, p, 0, &end);
    if (r == 0) {
        *ret_fault = p->fault;
        if (WIFSIGNALED(end.status))
            ret_fault->signal = WTERMSIG(end.status);
    }
    munmap(p, 4096);
    return r;
}
