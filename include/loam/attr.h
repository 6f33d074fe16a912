// attr.h: attributes of loam's public headers, degrading where a compiler lacks one.
#ifndef LOAM_ATTR_H
#define LOAM_ATTR_H

#define LOAM_API __attribute__((visibility("default")))

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
