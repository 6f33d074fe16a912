// sample.c: choose one block in so many bytes, without a word of code on the fast path.
//
// Think of all bytes that a heap hands out as one line, on which samples stand at random: each
// distance to the next one is drawn from an exponential distribution, as between the drops of rain.
// A block that a sample falls into is chosen: with chance 1 - e^(-size/mean), whatever happened
// before. Blocks are laid on the line when a window is opened. If no sample falls into them, the
// window is whole. Else it is cut before the block that is chosen; malloc finds it empty when that
// block's turn comes, and lands in the slow path, where the sample is taken.
//
// A chosen block gets a span of its own, as if it were large: its free is slow by nature, and
// everybody who walks the heap knows such blocks. That costs an OS page for each sample that lives:
// 0.8 % of a heap at one sample in 512 KiB.
//
// Z1  whether a block is chosen depends on the line alone, and never on who asks for it or when: a
//     window that is closed early forgets a sample that it did not reach, and what it gives back is
//     laid on the line anew. So every block has its chance, and sums over samples, each weighted
//     with 1 / chance, are true on average (tests/unit/sample_test.c).
#include "heap/arena.h"

#include "base/expo.h"

static u64 random_next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * 0x2545f4914f6cdd1du;
}

// Bytes to the next sample.
static u64 draw(struct heap *h)
{
    // 52 bits, and never 0: the largest result is 36 times the mean.
    double u = (double)((random_next(&h->sample_seed) >> 12) + 1) * 0x1p-52;
    return (u64)(-expo_ln(u) * (double)arena.wish.mean);
}

// Sampling was switched on or off since this heap looked last.
static cold_ void change(struct heap *h, bool on)
{
    if (h->sample_seed == 0)
        h->sample_seed = arena.sample_seed != 0 ? (arena.sample_seed + h->id) * 0x9e3779b97f4a7c15u
                                                : os_random() | 1;
    h->sampled = on;
    h->sample_left = draw(h);
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        h->cls[c].due = 0;
}

static bool is_on(struct heap *h)
{
    const _Atomic u32 *word = __atomic_load_n(&arena.sample_on, __ATOMIC_RELAXED);
    bool on = atomic_load_explicit(word, memory_order_relaxed) != 0;
    if (unlikely(on != (h->sampled != 0)))
        change(h, on);
    return on;
}

// Lay so many bytes on the line. True if a sample falls into them.
static bool lay(struct heap *h, u64 bytes)
{
    if (likely(h->sample_left >= bytes)) {
        h->sample_left -= bytes;
        return false;
    }
    h->sample_left = draw(h);
    return true;
}

bool sample_now(struct heap *h, unsigned cls)
{
    if (!is_on(h))
        return false;
    if (h->cls[cls].due) {
        h->cls[cls].due = 0;
        return true;
    }
    return lay(h, class_info[cls].size);
}

u64 sample_cut(struct heap *h, unsigned cls, u64 x)
{
    u64 size = class_info[cls].size, blocks = h->sample_left / size;
    if (h->sampled == 0 || x == 0)
        return x;
    if (likely(blocks >= bits_in(x))) {
        h->sample_left -= bits_in(x) * size;
        return x;
    }
    u64 kept = x;
    for (u64 i = 0; i < blocks; i++)
        x &= x - 1;
    h->cls[cls].due = 1;
    h->sample_left = draw(h);
    return kept & ~x;
}

// ---------------------------------------------------------------- samples

void *sample_alloc(unsigned cls, size_t size, size_t align, bool zero)
{
    void *p = large_alloc(size_max(size, 1), align, zero);
    if (p == NULL)
        return NULL;
    arena.desc[page_of(p)].cls = (u8)(cls + 1);
    arena.sampler->chosen(p, size, class_info[cls].size);
    return p;
}

void sample_large(void *p, size_t size)
{
    struct heap *h = heap_enter();
    if (h == NULL)
        return;
    size_t bytes = arena.desc[page_of(p)].bytes;
    bool chosen = is_on(h) && lay(h, bytes);
    heap_leave(h);
    if (chosen)
        arena.sampler->chosen(p, size, bytes);
}

void sample_freed(u32 span, void *p, size_t capacity)
{
    if (arena.desc[span].tags != 0 && p == page_addr(span))
        arena.sampler->freed(p, capacity);
}

void heap_sample(const struct heap_sampler *s, u64 mean, const _Atomic u32 *on, u64 seed)
{
    arena.wish.mean = mean;
    arena.sample_on = on;
    arena.sample_seed = seed;
    arena.sampler = s;
    atomic_store_explicit(&arena.sampled, 1, memory_order_relaxed);
}

// ---------------------------------------------------------------- asked by a tool

static const _Atomic u32 always = 1;

void heap_sample_ready(const struct heap_sampler *s)
{
    arena.wish.mean = SAMPLE_MEAN;
    arena.sample_on = &always;
    arena.sampler = s;
    loam_heap_root.wish = (u64)(uintptr_t)&arena.wish;
    loam_heap_root.sampled = (u64)(uintptr_t)&arena.sampled;
}

const struct heap_wish *heap_sample_wish(void)
{
    return &arena.wish;
}

void heap_sample_go(const _Atomic u32 *on)
{
    __atomic_store_n(&arena.sample_on, on, __ATOMIC_RELEASE);
    atomic_store_explicit(&arena.wish.why, 1, memory_order_release);
}

void heap_sample_refuse(int why)
{
    atomic_store_explicit(&arena.sampled, 0, memory_order_relaxed);
    atomic_store_explicit(&arena.wish.why, why, memory_order_release);
}

void span_tags_gone(struct desc *d)
{
    if (arena.sampler != NULL)
        arena.sampler->tags_gone(d);
    else
        the.ops->tags_gone(d);
}
