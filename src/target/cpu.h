// cpu.h: what ptrace tells of a stopped thread. The one file of the tool that knows a CPU; today
// it knows x86-64.
#pragma once

#include "base/base.h"

#include <sys/types.h>
#include <sys/user.h>

struct cpu {
    struct user_regs_struct regs;
    u64 sp;       // stack pointer
    u64 tp;       // thread pointer: the thread's TLS and its thread descriptor
    long syscall; // the call the thread waits in, or -1 if it was running
    u64 arg0;     // that call's first argument
};

#define CPU_RED_ZONE   128        // bytes below sp that belong to the running function
#define CPU_VECTOR_MAX (64 * KiB) // room for every vector register there is

// 0 or -errno (-ESRCH: not stopped, or gone).
int cpu_read(pid_t tid, struct cpu *ret_cpu);
// General registers as words, for the mark: all, or only those that a called function must keep,
// for a thread that stopped itself inside a call. Returns their number, at most 32.
size_t cpu_words(const struct cpu *c, bool callee_saved, u64 ret_words[32]);
// Vector registers into buf; returns bytes, 0 when there are none or they cannot be read.
size_t cpu_vector(pid_t tid, void *buf, size_t size);

// A few system calls answer an interruption by EINTR even when no signal handler ran (signal(7),
// last section). A thread that we stopped inside one of them would see an error that it has no
// reason to expect: make it call again. 0, or -errno.
int cpu_hide_interrupt(pid_t tid, struct cpu *c);
// True for a thread that waits on a futex.
bool cpu_waits_on(const struct cpu *c, u64 word);
// True for a system call that the heap itself may make while it is busy.
bool cpu_in_heap_call(const struct cpu *c);
