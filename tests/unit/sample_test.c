// sample_test.c: samples are chosen with the chance that the theory says, on every way that leads
// to a block. All seeds are fixed: these tests give the same result each time.
#include "heap/api.h"

#include "base/expo.h"
#include "heap/arena.h"
#include "tests/check.h"

#include <loam/heap.h>
#include <math.h>
#include <pthread.h>

// ---------------------------------------------------------------- mathematics

TEST(functions_agree_with_libm)
{
    for (double x = 1e-18; x < 1e18; x *= 1.0137) {
        double want = log(x);
        CHECK(fabs(expo_ln(x) - want) <= 4e-16 * (1 + fabs(want)));
    }
    for (double x = 1e-12; x < 100; x *= 1.0137) {
        double want = -expm1(-x);
        CHECK(fabs(expo_share(x) - want) <= 1e-15 + 4e-16 * want);
        CHECK(fabs(expo_share(x) / want - 1) <= 1e-12);
    }
    CHECK(expo_share(0) == 0);
}

// ---------------------------------------------------------------- a sampler that counts

#define MEAN 4096

static _Atomic u32 on = 1;
static _Atomic u64 chosen, chosen_bytes, freed, forked;
static thread_local_ double estimate; // of bytes: each sample stands for what it weighs

static void note_chosen(void *p, size_t size, size_t capacity)
{
    struct heap_block b;
    CHECK(heap_find(p, &b) && b.start == p && b.size == capacity && capacity >= size);
    b.desc->tags = 1; // as if it had tags
    atomic_fetch_add(&chosen, 1);
    atomic_fetch_add(&chosen_bytes, capacity);
    estimate += (double)capacity / expo_share((double)capacity / MEAN);
}

static void note_freed(void *p unused_, size_t capacity)
{
    CHECK(capacity != 0);
    atomic_fetch_add(&freed, 1);
}

static void note_gone(struct desc *d)
{
    d->tags = 0;
}

static void note_fork(void)
{
    atomic_fetch_add(&forked, 1);
}

static const struct heap_sampler sampler = {note_chosen, note_freed, note_gone, note_fork};

static void start(u64 seed)
{
    heap_sample(&sampler, MEAN, &on, seed);
}

// Whether k of n is what chance p gives: within 4.5 standard deviations.
static bool plausible(u64 k, u64 n, double p)
{
    double want = (double)n * p, deviation = sqrt((double)n * p * (1 - p));
    return fabs((double)k - want) <= 4.5 * deviation + 1;
}

#define N 200000

// One size after the other, freed at once: windows are opened word by word.
TEST(each_size_has_its_chance)
{
    start(11);
    static const size_t size[] = {1, 16, 100, 1000, 1024, 1500, 5000, 32768, 40000, 100000};
    for (u32 i = 0; i < countof(size); i++) {
        u64 before = chosen, n = size[i] > 1024 ? N / 10 : N;
        size_t capacity = 0;
        for (u64 k = 0; k < n; k++) {
            void *p = loam_malloc(size[i]);
            capacity = loam_usable_size(p);
            loam_free(p);
        }
        double chance = expo_share((double)capacity / MEAN);
        CHECK(plausible(chosen - before, n, chance));
    }
    CHECK(freed == chosen);
}

static u64 random_next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void *one(u64 r, size_t size)
{
    switch (r % 4) {
    case 0:
        return loam_calloc(1, size);
    case 1:
        return loam_aligned_alloc(64, size);
    default:
        return loam_malloc(size);
    }
}

// All classes at once, in random order, kept and freed: no class takes samples from another. (It
// would, if a window that was cut did not keep the sample for itself.)
TEST(classes_do_not_take_samples_from_each_other)
{
    start(12);
    static void *p[1000];
    static const size_t size[] = {16, 48, 3000, 20000};
    u64 seed = 88172645463325252u, count[4] = {0}, hit[4] = {0};
    for (u32 i = 0; i < 4 * N; i++) {
        u64 r = random_next(&seed);
        u32 at = r % countof(p), which = (r >> 20) % 100 < 90 ? (r >> 40) % 2 : 2 + (r >> 40) % 2;
        u64 before = chosen;
        loam_free(p[at]);
        p[at] = loam_malloc(size[which]);
        count[which]++;
        hit[which] += chosen - before;
    }
    for (u32 i = 0; i < 4; i++)
        CHECK(plausible(hit[i], count[i], expo_share((double)size[i] / MEAN)));
}

// What is estimated from samples is what was allocated, by whatever call.
TEST(estimates_are_true_on_average)
{
    start(13);
    static void *p[2000];
    u64 seed = 1234567, bytes = 0, n = 0;
    for (u32 i = 0; i < 3 * N; i++) {
        u64 r = random_next(&seed);
        u32 at = r % countof(p);
        size_t size = (r >> 20) % ((u64)1 << ((r >> 50) % 13)) + 1;
        loam_free(p[at]);
        p[at] = one(r >> 13, size);
        bytes += loam_usable_size(p[at]);
        n++;
    }
    // The sum's variance is less than that of samples of the mean size each.
    double deviation = MEAN * sqrt((double)bytes / MEAN);
    CHECK(fabs(estimate - (double)bytes) <= 4.5 * deviation);
    CHECK(fabs(estimate / (double)bytes - 1) < 0.02);
    for (u32 i = 0; i < countof(p); i++)
        loam_free(p[i]);
    CHECK(freed == chosen);
    CHECK(heap_check() == NULL);
}

// Distances between samples are those of rain: their variance is the square of their mean.
TEST(distances_are_exponential)
{
    start(14);
    double sum = 0, squares = 0;
    u64 samples = 0, distance = 0;
    for (u32 i = 0; i < 4 * N; i++) {
        u64 before = chosen;
        loam_free(loam_malloc(16));
        distance += 16;
        if (chosen == before)
            continue;
        sum += (double)distance;
        squares += (double)distance * (double)distance;
        samples++;
        distance = 0;
    }
    double mean = sum / (double)samples;
    CHECK(fabs(mean / MEAN - 1) < 0.07);
    CHECK(fabs(squares / (double)samples / (mean * mean) - 2) < 0.25);
}

// ---------------------------------------------------------------- life of a sample

TEST(a_sample_looks_like_any_block)
{
    start(15);
    u64 seen = 0;
    for (u32 i = 0; i < 20000; i++) {
        u64 before = chosen;
        unsigned char *p = loam_calloc(3, 7);
        CHECK(loam_usable_size(p) == 32);
        for (u32 k = 0; k < 21; k++)
            CHECK(p[k] == 0);
        memset(p, 'x', 21);
        bool was = chosen != before;
        u64 freed_before = freed;
        p = loam_realloc(p, 30); // fits, in a sample as in others
        CHECK(freed == freed_before);
        p = loam_realloc(p, 500);
        CHECK(p[20] == 'x' && loam_usable_size(p) == 512);
        CHECK(freed - freed_before == was);
        loam_free(p);
        seen += was;
    }
    CHECK(seen > 50);
    CHECK(freed == chosen);
}

// A large block that grows in place or by remapping is a new chance.
TEST(large_blocks_that_grow)
{
    start(16);
    void *p = NULL;
    for (size_t size = 40000; size < 64 * MiB; size += size / 8)
        p = loam_realloc(p, size);
    CHECK(chosen > 30); // each has a chance of nearly 1
    CHECK(freed >= chosen - 1);
    loam_free(p);
    CHECK(freed == chosen);
}

TEST(off_and_on)
{
    start(17);
    void *p[100];
    for (u32 i = 0; i < 100; i++)
        p[i] = loam_malloc(1000);
    CHECK(chosen > 5);
    on = 0;
    u64 before = chosen;
    for (u32 i = 0; i < 10000; i++)
        loam_free(loam_malloc(1000));
    CHECK(chosen - before <= 1); // the window that was open
    for (u32 i = 0; i < 100; i++)
        loam_free(p[i]);
    CHECK(freed == chosen); // those are still told
    on = 1;
    for (u32 i = 0; i < 10000; i++)
        loam_free(loam_malloc(1000));
    CHECK(plausible(chosen - before, 10000, expo_share(1024.0 / MEAN)));
}

static void *churn(void *arg)
{
    void *p[64] = {0};
    u64 seed = (u64)(uintptr_t)arg;
    for (u32 i = 0; i < N; i++) {
        u64 r = random_next(&seed);
        loam_free(p[r % 64]);
        p[r % 64] = loam_malloc(64);
    }
    for (u32 i = 0; i < 64; i++)
        loam_free(p[i]);
    return NULL;
}

TEST(each_thread_has_its_own_line)
{
    start(18);
    pthread_t t[4];
    for (u64 i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, (void *)(i + 1));
    for (u64 i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK(plausible(chosen, 4 * N, expo_share(64.0 / MEAN)));
    CHECK(freed == chosen);
    CHECK(heap_check() == NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
