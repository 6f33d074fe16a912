// unwind.h: the calling thread's backtrace, from .eh_frame, without frame pointers.
//
//     struct unwind_start here;
//     unwind_capture(&here);
//     struct unwind_trace t = unwind_hash(&here);   // identity of the stack, no memory needed
//     unwind_frames(&here, frames, t.count);        // only for a stack that is new
//
// A backtrace is wanted at every malloc, but its frames are needed once per distinct stack. So the
// first walk keeps nothing but a 64-bit hash over (module, pc) of all frames, and needs no buffer:
// it may run on a signal stack of 2 KiB. Among a million distinct stacks the chance that any two
// share a hash is 3 in 100 million.
//
// The walk allocates nothing, takes no lock but for code seen the first time, makes no system call
// but for stack pages seen the first time (stack.h), and reads nothing that is not proven readable.
// It may be called from signal handlers and from any stack.
#pragma once

#include "record/cfi.h"

// Registers of the innermost frame; only those that a callee must keep, and rsp and pc.
struct unwind_start {
    u64 pc, rsp, rbp, rbx, r12, r13, r14, r15;
};

// The caller of a function, as far as trace.h needs to know it: where the call returns to, and rsp
// and rbp there. UNWIND_CALLER tells it of the function that it stands in, which keeps rbp as a
// frame pointer for it.
struct unwind_caller {
    u64 pc, rsp, rbp;
};
#define UNWIND_CALLER()                                                             \
    ({                                                                              \
        const u64 *frame_ = __builtin_frame_address(0);                             \
        (struct unwind_caller){frame_[1], (u64)(uintptr_t)(frame_ + 2), frame_[0]}; \
    })

struct unwind_trace {
    u64 hash;
    u32 count;     // frames, at most RECORDING_FRAMES
    u32 truncated; // outer frames are missing: too deep, or no way on was known
};

// A frame: the module's index in the upper 16 bits, and below them a pc such that pc - 1 lies in
// the instruction that the frame stands at: a return address, or for a frame that was interrupted
// by a signal the interrupted pc + 1.
#define UNWIND_MODULE_SHIFT 48

// Once, from the main thread. Frames within [skip_start, skip_end) are left out as long as no
// other frame has been met: the recorder's own.
void unwind_init(u64 skip_start, u64 skip_end);

// Functions of libc that unwind_leave leaves too, once, before threads: those that end a program.
void unwind_init_exit(u64 exit_start, u64 exit_end, u64 quick_start, u64 quick_end);
// Go from `at` out to the frame that called into the library, or that called exit or quick_exit on
// the way there. False when the way is not known; *at is then undefined.
bool unwind_leave(struct unwind_start *at);

// Go from `at` out to the frame whose stack pointer is rsp. False when the way is not known; *at is
// then undefined.
bool unwind_out(struct unwind_start *at, u64 rsp);

struct unwind_trace unwind_hash(const struct unwind_start *start);
// Write the innermost `max` frames; returns how many there were.
u32 unwind_frames(const struct unwind_start *start, u64 *ret_frames, u32 max);
// Both of these, slowly: every register that a callee keeps is followed. `frames` may be NULL.
struct unwind_trace unwind_full(const struct unwind_start *start, u64 *frames, u32 max);

// One asm statement, so that all registers belong to the same pc.
static always_inline_ void unwind_capture(struct unwind_start *ret)
{
    __asm__ volatile("leaq 0(%%rip), %%rax\n\t"
                     "movq %%rax, 0(%0)\n\t"
                     "movq %%rsp, 8(%0)\n\t"
                     "movq %%rbp, 16(%0)\n\t"
                     "movq %%rbx, 24(%0)\n\t"
                     "movq %%r12, 32(%0)\n\t"
                     "movq %%r13, 40(%0)\n\t"
                     "movq %%r14, 48(%0)\n\t"
                     "movq %%r15, 56(%0)"
                     :
                     : "r"(ret)
                     : "rax", "memory");
}
