// A9 simd: wider vectors, in the cache and from memory.

#include "lab/lab.h"

enum { SMALL = 4096 }; // floats: 16 KiB

// Sums go through `count` floats in pieces of SMALL: so that a sample is short, wherever they are.
struct floats {
    const float *at;
    u64 count, now;
};

static const float *next_piece(struct floats *f)
{
    const float *at = f->at + f->now;
    f->now = f->now + 2 * SMALL <= f->count ? f->now + SMALL : 0;
    return at;
}

// Four accumulators, so that no sum waits for itself.
#define SUM(name, type, lanes, attributes)                                  \
    attributes static void name(void *of, u64 rounds)                       \
    {                                                                       \
        for (u64 r = 0; r < rounds; r++) {                                  \
            const type *a = (const type *)next_piece(of);                   \
            type s0 = a[0], s1 = a[1], s2 = a[2], s3 = a[3];                \
            for (u64 i = 4; i + 4 <= SMALL / (lanes); i += 4)               \
                s0 += a[i], s1 += a[i + 1], s2 += a[i + 2], s3 += a[i + 3]; \
            s0 += s1 + s2 + s3;                                             \
            __asm__ volatile("" ::"m"(s0) : "memory");                      \
        }                                                                   \
    }

typedef float v4 __attribute__((vector_size(16), may_alias));
SUM(scalar, float, 1, )
SUM(vector_128, v4, 4, )
#if defined(__x86_64__)
typedef float v8 __attribute__((vector_size(32), may_alias));
typedef float v16 __attribute__((vector_size(64), may_alias));
SUM(vector_256, v8, 8, __attribute__((target("avx2"))))
SUM(vector_512, v16, 16, __attribute__((target("avx512f"))))
#endif

static void run(struct lab *l)
{
    u64 large = (l->full ? 128 : 32) * MiB / sizeof(float);
    float *numbers = lab_memory(l, large * sizeof *numbers, LAB_HUGE);
    if (numbers == NULL)
        return;
    for (u64 i = 0; i < large; i++)
        numbers[i] = 1;
    struct floats near = {numbers, SMALL, 0}, far = {numbers, large, 0};
    struct arm arms[8] = {
        {"l1_scalar", .run = scalar, .of = &near, .ops = SMALL, .in_cycles = true},
        {"l1_128_bit", .run = vector_128, .of = &near, .ops = SMALL, .in_cycles = true}};
    struct arm memory[4] = {{"memory_scalar", .run = scalar, .of = &far, .ops = SMALL},
                            {"memory_128_bit", .run = vector_128, .of = &far, .ops = SMALL}};
    u32 n = 2;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        arms[n] = (struct arm){"l1_256_bit", .run = vector_256, .of = &near, .ops = SMALL,
                               .in_cycles = true};
        memory[n++] = (struct arm){"memory_256_bit", .run = vector_256, .of = &far, .ops = SMALL};
        if (__builtin_cpu_supports("avx512f")) {
            arms[n] = (struct arm){"l1_512_bit", .run = vector_512, .of = &near, .ops = SMALL,
                                   .in_cycles = true};
            memory[n++] =
                (struct arm){"memory_512_bit", .run = vector_512, .of = &far, .ops = SMALL};
        }
    }
#endif
    lab_time(l, arms, n);
    static const char *const keys[] = {"", "x128", "x256", "x512"};
    for (u32 i = 1; i < n; i++)
        lab_ratio(l, keys[i], &arms[0], &arms[i]);
    for (u32 i = n; i < 4; i++)
        lab_cannot(l, keys[i], "this processor has no vectors of %u bits", 64u << i);
    lab_time(l, memory, n);
    lab_ratio(l, "widest_from_memory", &memory[0], &memory[n - 1]);
    lab_note(l,
             "From memory the widest vectors gain little: the bus is the limit, not the adders.");
}

static const struct claim claims[] = {
    {S3, "topic 2", "128 bits, from L1", "4 numbers at once", "x128", 3.5, 4.5, "x"},
    {S3, "topic 2", "256 bits, from L1", "8 numbers at once", "x256", 7, 9, "x"},
    {S3, "topic 2", "512 bits, from L1", "16 numbers at once", "x512", 14, 18, "x"},
    {S3, "topic 2", "widest vectors, from memory", "many numbers at once", "widest_from_memory",
     3.5, INFINITY, "x"},
};

LAB_EXPERIMENT(A9) = {
    .question = "Is a vector of eight numbers eight times as fast?",
    .prediction = "4, 8 and 16 numbers in one instruction: 4, 8 and 16 times the speed.",
    .method =
        "The sum of floats with four accumulators, scalar and with vectors of 128, 256 and 512 "
        "bits, over 16 KiB that stay in the first cache, and over many MiB from memory. "
        "The compiler's own vectors are off: each loop is what it says. Compare 'loam asm' "
        "of -O2 and -O3.",
    .look =
        "Width is not speed: wide vectors run into the number of loads a cycle, 512 bits may be "
        "done in two halves or at a lower clock, and from memory all widths wait alike.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
