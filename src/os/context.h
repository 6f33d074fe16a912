// context.h: leave one stack and go on on another.
//
// A context is a place where code stopped: a stack pointer, above which lies all that the code will
// need again. The registers that a call must keep are pushed there, so that a scanner that reads
// from `sp` to the top of the stack sees every pointer of parked code. The control words of the
// floating-point units (rounding, exceptions) stay the thread's: saving them costs more than all
// the rest, and nearly no program changes them.
//
// AddressSanitizer, ThreadSanitizer and Valgrind are told.
#pragma once

#include "base/base.h"

struct context {
    void *sp;    // where the code stopped
    void *low;   // its stack: lowest byte, and size
    size_t size; // 0 for a thread's own stack, where nobody asked
    void *fake;  // AddressSanitizer's stack of fakes, while parked
    void *fiber; // ThreadSanitizer's view of who runs
};

// The calling thread's own stack as a context that can be left.
void context_adopt(struct context *c);
// Code that has not begun: the first switch to it calls `entry` at the top of the given stack.
// `entry` begins with context_arrived and never returns.
void context_make(struct context *c, void *low, size_t size, void (*entry)(void));
void context_arrived(void);
// The code of `c` has ended and nobody stands on its stack any more.
void context_unmake(struct context *c);
// Park the caller in `from`, go on where `to` was parked. `last`: nobody comes back to `from`.
void context_switch(struct context *from, struct context *to, bool last);

// Tell Valgrind that [low, low + size) is a stack. Returns an id for context_stack_gone.
unsigned context_stack_known(void *low, size_t size);
void context_stack_gone(unsigned id, void *low, size_t size);
