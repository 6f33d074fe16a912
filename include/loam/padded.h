// padded.h: a type on a cache line of its own.
//
// Processors share memory by cache lines. Two counters that two threads write, side by side in one
// line, make the line travel at each write, and both threads many times slower, though they share
// nothing. Padding puts each on a line of its own. It costs memory: use it for what several
// threads write often, not for every object.
//
//     static loam_padded(long) counter[4];          // one for each of four threads
//     counter[2].value++;
//     printf("%zu bytes\n", sizeof counter);        // 4 lines
#ifndef LOAM_PADDED_H
#define LOAM_PADDED_H

// Bytes of a cache line, on x86-64 and most of aarch64.
#define LOAM_CACHE_LINE 64

#ifdef __cplusplus
#define LOAM_ALIGNAS_ alignas
#else
#define LOAM_ALIGNAS_ _Alignas
#endif

// The type: its `value` begins a cache line, and nothing else is on its last one. For memory from
// an allocator, pass the layout of the padded type (layout.h).
#define loam_padded(T)                          \
    struct {                                    \
        LOAM_ALIGNAS_(LOAM_CACHE_LINE) T value; \
    }

#endif
