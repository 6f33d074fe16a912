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
// Tell Valgrind that [low, low + size) is a stack. Returns an id for context_stack_gone.
unsigned context_stack_known(void *low, size_t size);
void context_stack_gone(unsigned id, void *low, size_t size);

#if under_asan
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old,
                                     size_t *size_old);
#endif
#if under_tsan
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

// Store what the caller needs on its stack and the stack pointer at *save; take the other one.
#if defined(__x86_64__)
// Inline, and left by a jump: a processor predicts where a `ret` goes by the calls that it saw, and
// after a call that returns on another stack each of them is wrong (11 ns a switch instead of 1).
// The compiler saves what is live, the frame and base registers apart, which it will not be told
// of. The first instruction steps over the red zone, where it may keep variables.
static always_inline_ void context_swap(void **save, void *to)
{
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                     "pushq %%rbp\n\t"
                     "pushq %%rbx\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq %1, %%rsp\n\t"
                     "popq %%rax\n\t"
                     "jmpq *%%rax\n"
                     "1:\n\t"
                     "popq %%rbx\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "+D"(save), "+S"(to)
                     :
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)",
                       "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
#ifdef __AVX512F__
                       "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
                       "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0",
                       "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
                       "memory", "cc");
}
#else
void context_swap(void **save, void *to) hidden_;
#endif

// Park the caller in `from`, go on where `to` was parked. `last`: nobody comes back to `from`.
static always_inline_ void context_switch(struct context *from, struct context *to, bool last)
{
#if under_asan
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->low, to->size);
#endif
#if under_tsan
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    (void)last;
    context_swap(&from->sp, to->sp);
#if under_asan
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}
