// base.h: the words every layer speaks: integers, compiler hints, bits, assert, die.
//
// Nothing here allocates, calls the kernel (but for die) or knows another layer.
#pragma once

#include "base/compiler.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus
#define static_assert _Static_assert
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define KiB                        (1024ull)
#define MiB                        (1024ull * KiB)
#define GiB                        (1024ull * MiB)
#define TiB                        (1024ull * GiB)

#define countof(a)                 (sizeof(a) / sizeof((a)[0]))
#define container_of(p, T, member) ((T *)((char *)(p)-offsetof(T, member)))

static inline size_t round_up(size_t n, size_t to) // `to` is a power of two
{
    return (n + to - 1) & ~(to - 1);
}

static inline bool is_pow2(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

// Number of the lowest set bit of x != 0.
static always_inline_ u64 lowest_bit(u64 x)
{
#if defined(__x86_64__)
    u64 i;
    __asm__("rep bsfq %1, %0" : "=r"(i) : "r"(x) : "cc"); // tzcnt, where there is one
    return i;
#else
    return (u64)__builtin_ctzll(x);
#endif
}

// Set bits. Without the popcnt instruction, which not every x86-64 has, the builtin is a call.
static inline u32 bits_in(u64 x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (u32)(x * 0x0101010101010101u >> 56);
}

// Write v in decimal digits, without a terminator; returns how many, at most DECIMAL_MAX.
#define DECIMAL_MAX 20
size_t decimal(char *out, size_t v);

// One line on stderr, then abort(). For a caller that broke the rules: double free, foreign
// pointer. `what` is a static string; `p` is printed behind it in hex. No allocation, no stdio,
// async-signal-safe.
noreturn_ void die(const char *what, const void *p);

// Our own assert: glibc's calls malloc. For our own mistakes only; off under NDEBUG.
#ifdef NDEBUG
#define assert(x) ((void)0)
#else
noreturn_ void assert_failed(const char *expr, const char *file, int line);
#define assert(x) ((x) ? (void)0 : assert_failed(#x, __FILE__, __LINE__))
#endif
