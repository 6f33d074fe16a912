// attr.h: attributes of loam's public headers, degrading where a compiler lacks one.
#ifndef LOAM_ATTR_H
#define LOAM_ATTR_H

#define LOAM_API __attribute__((visibility("default")))

// What follows lets compilers look for mistakes in the code that uses loam, without running it:
// leaks, double frees, memory given back to the wrong place, NULL where none may be, the data of a
// mutex without its lock.
//
//     gcc -fanalyzer -O0
//     clang -Wthread-safety
//     clang --analyze, and each behind -Xclang:
//         -analyzer-config unix.DynamicMemoryModeling:Optimistic=true

// A constructor: gcc warns when its result is given to another function than `release`.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define LOAM_MALLOC(release, position) __attribute__((malloc, malloc(release, position)))
#else
#define LOAM_MALLOC(release, position) __attribute__((malloc))
#endif

// The same for what comes with contents: plain `malloc` would promise that it holds no pointers.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define LOAM_OWNED(release, position) __attribute__((malloc(release, position)))
#else
#define LOAM_OWNED(release, position)
#endif

// clang's words for the same: who gives memory away, and who takes argument `n` back. Not for what
// comes with contents: clang takes such memory for unwritten, and would warn about reading it.
#if defined(__clang__)
#define LOAM_GIVES    __attribute__((ownership_returns(malloc)))
#define LOAM_TAKES(n) __attribute__((ownership_takes(malloc, n)))
#else
#define LOAM_GIVES
#define LOAM_TAKES(n)
#endif

// Arguments, by number, that must not be NULL; a result that never is.
#define LOAM_NONNULL(...)    __attribute__((nonnull(__VA_ARGS__)))
#define LOAM_RETURNS_NONNULL __attribute__((returns_nonnull))

// clang's analysis of locks (-Wthread-safety); see mutex.h.
#if defined(__clang__)
#define LOAM_THREAD_(x) __attribute__((x))
#else
#define LOAM_THREAD_(x)
#endif

// "file.c:88" of the place where this stands; and with the name of a type, "struct hdr, file.c:88".
#define LOAM_TEXT_(x)  #x
#define LOAM_TEXT(x)   LOAM_TEXT_(x)
#define LOAM_HERE      __FILE__ ":" LOAM_TEXT(__LINE__)
#define LOAM_MADE_(T)  LOAM_TEXT(T) ", " LOAM_HERE

#define LOAM_SIZE(...) __attribute__((alloc_size(__VA_ARGS__)))
#define LOAM_ALIGN(n)  __attribute__((alloc_align(n)))
#define LOAM_NODISCARD __attribute__((warn_unused_result))

#ifdef __cplusplus
#define LOAM_BEGIN_C extern "C" {
#define LOAM_END_C   }
#define LOAM_NOTHROW noexcept
#else
#define LOAM_BEGIN_C
#define LOAM_END_C
#define LOAM_NOTHROW __attribute__((nothrow))
#endif

#endif
