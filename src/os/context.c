// context.c: where a context begins, and the tools that must hear of it.
//
// Debuggers and backtraces end at context_begin, whose return address is declared as undefined.
#include "os/context.h"

#include <pthread.h>
#include <string.h>

void context_begin(void) hidden_;

#if defined(__x86_64__)
// Arrives as at the label in context_swap: `entry` and 0 are still on the stack.
__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_begin\n"
        ".hidden context_begin\n"
        ".type context_begin, @function\n"
        "context_begin:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "popq %rbx\n"
        "popq %rbp\n"
        "callq *%rbx\n"
        "ud2\n"
        ".cfi_endproc\n"
        ".size context_begin, .-context_begin\n");

// Where to go on, rbx, rbp.
enum { FRAME_WORDS = 3, FRAME_ENTRY = 1, FRAME_RETURN = 0 };
#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_swap\n"
        ".hidden context_swap\n"
        ".type context_swap, %function\n"
        "context_swap:\n"
        ".cfi_startproc\n"
        "sub sp, sp, #160\n"
        ".cfi_adjust_cfa_offset 160\n"
        "stp x19, x20, [sp, #0]\n.cfi_rel_offset x19, 0\n.cfi_rel_offset x20, 8\n"
        "stp x21, x22, [sp, #16]\n.cfi_rel_offset x21, 16\n.cfi_rel_offset x22, 24\n"
        "stp x23, x24, [sp, #32]\n.cfi_rel_offset x23, 32\n.cfi_rel_offset x24, 40\n"
        "stp x25, x26, [sp, #48]\n.cfi_rel_offset x25, 48\n.cfi_rel_offset x26, 56\n"
        "stp x27, x28, [sp, #64]\n.cfi_rel_offset x27, 64\n.cfi_rel_offset x28, 72\n"
        "stp x29, x30, [sp, #80]\n.cfi_rel_offset x29, 80\n.cfi_rel_offset x30, 88\n"
        "stp d8, d9, [sp, #96]\n"
        "stp d10, d11, [sp, #112]\n"
        "stp d12, d13, [sp, #128]\n"
        "stp d14, d15, [sp, #144]\n"
        "mov x2, sp\n"
        "str x2, [x0]\n"
        "mov sp, x1\n"
        "ldp x19, x20, [sp, #0]\n"
        "ldp x21, x22, [sp, #16]\n"
        "ldp x23, x24, [sp, #32]\n"
        "ldp x25, x26, [sp, #48]\n"
        "ldp x27, x28, [sp, #64]\n"
        "ldp x29, x30, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\n"
        "ldp d10, d11, [sp, #112]\n"
        "ldp d12, d13, [sp, #128]\n"
        "ldp d14, d15, [sp, #144]\n"
        "add sp, sp, #160\n"
        ".cfi_adjust_cfa_offset -160\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size context_swap, .-context_swap\n"
        ".p2align 4\n"
        ".globl context_begin\n"
        ".hidden context_begin\n"
        ".type context_begin, %function\n"
        "context_begin:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "mov x29, xzr\n"
        "mov x30, xzr\n"
        "blr x19\n"
        "brk #1\n"
        ".cfi_endproc\n"
        ".size context_begin, .-context_begin\n");

enum { FRAME_WORDS = 20, FRAME_ENTRY = 0, FRAME_RETURN = 11 };
#else
#error "tasks know the processors x86-64 and aarch64"
#endif

// ---------------------------------------------------------------- the tools

#if under_asan
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
#endif
#if under_tsan
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
#endif

// Valgrind's requests are an ABI: a sequence of instructions that does nothing on a processor, with
// a request and its arguments behind a register. The numbers stand in valgrind.h.
enum { VALGRIND_STACK_REGISTER = 0x1501, VALGRIND_STACK_DEREGISTER = 0x1502 };

static u64 valgrind(u64 request, u64 a, u64 b)
{
    volatile u64 args[6] = {request, a, b, 0, 0, 0};
    u64 result = 0;
#if defined(__x86_64__)
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(&args[0])
                     : "cc", "memory");
#else
    register u64 r3 __asm__("x3") = result;
    register volatile u64 *r4 __asm__("x4") = &args[0];
    __asm__ volatile("ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\t"
                     "ror x12, x12, #61\n\torr x10, x10, x10"
                     : "+r"(r3)
                     : "r"(r4)
                     : "cc", "memory");
    result = r3;
#endif
    return result;
}

unsigned context_stack_known(void *low, size_t size)
{
    return (unsigned)valgrind(VALGRIND_STACK_REGISTER, (uintptr_t)low, (uintptr_t)low + size - 1);
}

void context_stack_gone(unsigned id, void *low, size_t size)
{
#if under_asan
    __asan_unpoison_memory_region(low, size); // the addresses may become anything
#endif
    (void)low;
    (void)size;
    valgrind(VALGRIND_STACK_DEREGISTER, id, 0);
}

// ---------------------------------------------------------------- contexts

void context_adopt(struct context *c)
{
    *c = (struct context){0};
#if under_asan // must be told where it comes back to
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &c->low, &c->size);
        pthread_attr_destroy(&attr);
    }
#endif
#if under_tsan
    c->fiber = __tsan_get_current_fiber();
#endif
}

void context_make(struct context *c, void *low, size_t size, void (*entry)(void))
{
    assert(((uintptr_t)low + size) % 16 == 0);
    uintptr_t *frame = (uintptr_t *)((char *)low + size) - FRAME_WORDS;
#if under_asan
    __asan_unpoison_memory_region(low, size); // what an earlier code that never returned left
#endif
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    frame[FRAME_ENTRY] = (uintptr_t)entry;
    frame[FRAME_RETURN] = (uintptr_t)context_begin;
    *c = (struct context){.sp = frame, .low = low, .size = size};
#if under_tsan
    c->fiber = __tsan_create_fiber(0);
#endif
}

void context_arrived(void)
{
#if under_asan
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

void context_unmake(struct context *c)
{
#if under_tsan
    __tsan_destroy_fiber(c->fiber);
#endif
    c->sp = NULL;
}
