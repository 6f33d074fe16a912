// cpu.c: what ptrace tells of a stopped thread, on x86-64.
#include "target/cpu.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

// The kernel's own, seen by tracers alone.
#define ERESTARTNOHAND        514 // call again unless a handler runs, then EINTR
#define ERESTART_RESTARTBLOCK 516 // call restart_syscall

int cpu_read(pid_t tid, struct cpu *ret_cpu)
{
    struct iovec io = {&ret_cpu->regs, sizeof ret_cpu->regs};
    if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io) != 0)
        return -errno;
    ret_cpu->sp = ret_cpu->regs.rsp;
    ret_cpu->tp = ret_cpu->regs.fs_base;
    ret_cpu->syscall = (long)ret_cpu->regs.orig_rax;
    ret_cpu->arg0 = ret_cpu->regs.rdi;
    return 0;
}

size_t cpu_words(const struct cpu *c, bool callee_saved, u64 ret_words[32])
{
    const struct user_regs_struct *r = &c->regs;
    const u64 kept[] = {r->rbx, r->rbp, r->r12, r->r13, r->r14, r->r15, r->rsp, r->fs_base};
    const u64 others[] = {r->rax, r->rcx, r->rdx, r->rsi, r->rdi,    r->r8,
                          r->r9,  r->r10, r->r11, r->rip, r->gs_base};
    static_assert(countof(kept) + countof(others) <= 32, "ret_words");
    size_t n = 0;
    for (size_t i = 0; i < countof(kept); i++)
        ret_words[n++] = kept[i];
    for (size_t i = 0; !callee_saved && i < countof(others); i++)
        ret_words[n++] = others[i];
    return n;
}

size_t cpu_vector(pid_t tid, void *buf, size_t size)
{
    struct iovec io = {buf, size};
    if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &io) == 0)
        return io.iov_len;
    io.iov_len = size;
    return ptrace(PTRACE_GETREGSET, tid, NT_PRFPREG, &io) == 0 ? io.iov_len : 0;
}

static bool gives_eintr(long syscall)
{
    switch (syscall) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case 441: // epoll_pwait2, Linux 5.11
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_io_getevents:
    case SYS_read:     // inotify
    case SYS_recvfrom: // sockets with a timeout, from here on
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_accept:
    case SYS_accept4:
        return true;
    default:
        return false;
    }
}

// Whether a seccomp filter judges the thread's system calls.
static bool filtered(pid_t tid)
{
    char path[48], line[128];
    int mode = 0;
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    FILE *f = fopen(path, "re");
    while (f != NULL && mode == 0 && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    }
    if (f != NULL)
        fclose(f);
    return mode != 0;
}

// A call with a time limit, as futex and nanosleep, goes on by restart_syscall(2), which few
// filters allow: the thread would die of our looking at it. It can make the whole call again
// instead; that it then waits a little longer is the smaller evil, so only where there is a filter.
static bool must_not_restart(pid_t tid, const struct cpu *c)
{
    return (long)c->regs.rax == -ERESTART_RESTARTBLOCK && filtered(tid);
}

int cpu_hide_interrupt(pid_t tid, struct cpu *c)
{
    bool eintr = gives_eintr(c->syscall) && (long)c->regs.rax == -EINTR;
    if (!eintr && !must_not_restart(tid, c))
        return 0;
    // Right also when a signal handler is about to run: then the kernel turns it into EINTR.
    c->regs.rax = (unsigned long long)-ERESTARTNOHAND;
    struct iovec io = {&c->regs, sizeof c->regs};
    return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io) == 0 ? 0 : -errno;
}

bool cpu_waits_on(const struct cpu *c, u64 word)
{
    // A wait with a limit that was interrupted before goes on as restart_syscall, its arguments
    // still in their registers.
    return (c->syscall == SYS_futex || c->syscall == SYS_restart_syscall) && c->arg0 == word;
}

bool cpu_in_heap_call(const struct cpu *c)
{
    switch (c->syscall) {
    case -1: // not in a call at all: anywhere in the program
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect:
    case SYS_madvise:
    case SYS_futex:
    case SYS_restart_syscall:
    case SYS_sched_yield:
        return true;
    default:
        return false;
    }
}
