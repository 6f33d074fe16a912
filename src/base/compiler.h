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
