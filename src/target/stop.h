// stop.h: hold every thread of another process still, and let go again without a trace.
//
//     struct stop s = {.pid = pid};
//     r = stop_all(&s);          // 0 or -errno
//     ... look ...
//     stop_release(&s);
//
// PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, so threads that block all signals stop
// too, nothing is left pending, and a system call that was interrupted goes on.
//
// P1  ptrace belongs to the thread that seized: all calls come from one thread. When that thread
//     ends, the kernel lets everything go, whatever state it is in. target_scan relies on it and
//     runs all of this in a thread of its own.
// P2  No exit status of the process is ever taken. The kernel reports the stops of a traced child
//     to every thread of the tool that waits for that child, asked or not (a parent in the
//     tracer's own process sees ptrace stops even without WUNTRACED). So this file never waits for
//     a stop: it asks each thread whether it has stopped, which nobody can steal. The tool's other
//     threads must expect this while a scan runs:
//       - waitid(P_PID, child, &si, WEXITED) may return with si_code CLD_TRAPPED or CLD_STOPPED
//         (waitpid: WIFSTOPPED): wait again; nothing is lost by it. Polling a pidfd never sees it.
//       - SIGCHLD arrives for each stop.
// P3  What was going to happen to a thread happens later: a signal that was about to be delivered
//     is delivered at release, a group stop (SIGSTOP, ^Z) stays one.
#pragma once

#include "base/base.h"
#include "target/cpu.h"

#include <sys/types.h>

struct thread {
    pid_t tid;
    bool stopped; // its registers are known
    bool stuck;   // it hangs in the kernel, in a vfork or on a disk, and does not stop
    bool grouped; // it was in a group stop before
    bool gone;    // ended while it was looked at
    int signal;   // to be delivered when it goes on
    struct cpu cpu;
};

struct stop {
    pid_t pid;
    struct thread *thread; // in order of tid
    size_t count, room;
};

// Stop all threads, also those that appear meanwhile. 0; -EPERM (the kernel says no, or somebody
// else traces it), -ESRCH, -ENOMEM. Call it again to stop what stop_breathe let run. Whatever
// happened, stop_release undoes it.
int stop_all(struct stop *s);
// Let those threads run for `us` microseconds that may be inside the heap; see G1 in heap.h.
void stop_breathe(struct stop *s, unsigned us);
void stop_release(struct stop *s);
