// stack.h: which words of a stack may be read.
//
// An unwinder follows words that it found on the stack. When a table is wrong, or a thread's first
// frame has no end mark, it follows garbage, and reading there would kill the program. So each
// read lies between the stack pointer and a bound up to which every OS page is proven readable.
//
// A thread's own stack is proven page by page, once, down from an anchor above all frames: for the
// main thread where the kernel put the arguments, for others the thread control block, which glibc
// puts at the top of the stack. It stays mapped as long as the thread lives, so the proof is kept.
// Any other stack (sigaltstack, coroutines) may be unmapped at any time. There the page of the
// stack pointer is readable, because the thread runs on it; later pages are asked of the kernel
// each time they are needed, and nothing is remembered. Deep coroutines pay 0.2 us an OS page.
#pragma once

#include "base/base.h"

struct stack_view {
    u64 hi;   // words from the stack pointer up to here can be read
    bool own; // the thread's own stack: no frame lies above hi
};

// Call once from the main thread, before any other call.
void stack_init(void);
// Begin at stack pointer sp. `current`: the calling thread runs on it now; else sp was found in
// memory. False when the memory at sp cannot be read.
bool stack_enter(struct stack_view *v, u64 sp, bool current);
// The same for a stack that the calling thread runs on, inline where it is its own.
static always_inline_ bool stack_enter_quickly(struct stack_view *v, u64 sp);
// Raise v->hi to `to` or above, if it is a foreign stack's, not far, and the memory in between can
// be read.
bool stack_stretch(struct stack_view *v, u64 to);
// Whether sp is where the kernel started the program: who stands there was called by nobody.
bool stack_ends(u64 sp);

// What is proven of the calling thread's own stack: [lo, hi).
struct stack_own {
    u64 lo, hi;
    u64 floor; // nothing below can be read; 0: not met yet
};
extern hidden_ thread_local_ struct stack_own stack_own;

static always_inline_ bool stack_enter_quickly(struct stack_view *v, u64 sp)
{
    if (unlikely(sp < stack_own.lo || sp >= stack_own.hi))
        return stack_enter(v, sp, true);
    *v = (struct stack_view){stack_own.hi, true};
    return true;
}
