// compiler.h: what we ask of gcc and clang, under one name each.
#pragma once

#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)

#define always_inline_ inline __attribute__((always_inline))
#define noinline_      __attribute__((noinline))
#define cold_          __attribute__((cold, noinline))
#define noreturn_      __attribute__((noreturn))
#define hidden_        __attribute__((visibility("hidden")))
#define export_        __attribute__((visibility("default")))
#define aligned_(n)    __attribute__((aligned(n)))
#define unused_        __attribute__((unused))
#define unsanitized_   __attribute__((no_sanitize("address"))) // reads what may be anybody's

// Thread-local storage that costs one instruction, also in a library that is preloaded. Only
// small variables: static TLS is scarce when a library is opened late (jemalloc#937).
#define thread_local_ __thread __attribute__((tls_model("initial-exec")))

// Keep the compiler from moving memory accesses across this point. For a thread and the signal
// handlers that interrupt it; says nothing to other threads.
#define compiler_barrier() __asm__ volatile("" ::: "memory")

// Tell the processor that this is a waiting loop.
#if defined(__x86_64__)
#define cpu_relax() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define cpu_relax() __asm__ volatile("yield")
#else
#define cpu_relax() compiler_barrier()
#endif

// 1 when the program is built for ThreadSanitizer or AddressSanitizer, which restrict where memory
// can be mapped.
#ifndef __has_feature // clang's way to say it
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define under_tsan 1
#else
#define under_tsan 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define under_asan 1
#else
#define under_asan 0
#endif

// x if a == b, else 0; without a branch, for conditions that cannot be predicted. Compilers turn
// the C expression back into a branch.
static always_inline_ unsigned long pick_if_equal(const void *a, const void *b, unsigned long x)
{
#if defined(__x86_64__)
    unsigned long r = 0;
    __asm__("cmpq %1, %2\n\tcmoveq %3, %0" : "+&r"(r) : "r"(a), "rm"(b), "rm"(x) : "cc");
    return r;
#else
    return x & (0ul - (a == b));
#endif
}

// Set bit i of *x, counted modulo 64; true when it was set before. Compilers shift a mask there,
// which costs three instructions more.
static always_inline_ int bit_set(unsigned long *x, unsigned long i)
{
#if defined(__x86_64__)
    int was;
    __asm__("btsq %2, %0" : "+r"(*x), "=@ccc"(was) : "r"(i));
    return was;
#else
    unsigned long m = 1ul << (i & 63);
    int was = (*x & m) != 0;
    *x |= m;
    return was;
#endif
}
static always_inline_ int bit_is_set(unsigned long x, unsigned long i)
{
#if defined(__x86_64__)
    int is;
    __asm__("btq %2, %1" : "=@ccc"(is) : "r"(x), "r"(i));
    return is;
#else
    return x >> (i & 63) & 1;
#endif
}

// Is a < *b, read once by whole (as a relaxed load)? The builtin makes gcc load it on its own.
static always_inline_ int is_below(unsigned long a, const unsigned long *b)
{
#if defined(__x86_64__) && !under_tsan
    int below;
    __asm__("cmpq %2, %1" : "=@ccb"(below) : "r"(a), "m"(*b));
    return below;
#else
    return a < __atomic_load_n(b, __ATOMIC_RELAXED);
#endif
}

// Count down; true when the counter was 1 or less. One instruction on memory where there is one.
static always_inline_ int count_down(short *counter)
{
#if defined(__x86_64__)
    int done;
    __asm__("subw $1, %1" : "=@ccle"(done), "+m"(*counter));
    return done;
#else
    return --*counter <= 0;
#endif
}
