// recording_fake.h: the tool's half of a recording, for tests: make one, read it.
#pragma once

#include "format/recording.h"
#include "tests/check.h"

#include <stdlib.h>
#include <sys/mman.h>

static int fake_fd;
static struct recording *fake_map;
static char fake_path[64];

// A recording with room for `blocks` blocks. Maps it whole; behind its end is no file.
static inline void fake_make(u32 blocks)
{
    u64 size = RECORDING_HEADER + (u64)blocks * RECORDING_BLOCK;
    fake_fd = memfd_create("recording", 0);
    CHECK(fake_fd >= 0);
    CHECK(ftruncate(fake_fd, (off_t)size) == 0);
    fake_map = mmap(NULL, RECORDING_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fake_fd, 0);
    CHECK(fake_map != MAP_FAILED);
    memcpy(fake_map->magic, RECORDING_MAGIC, sizeof fake_map->magic);
    fake_map->version = RECORDING_VERSION;
    fake_map->block_size = RECORDING_BLOCK;
    fake_map->size_max = RECORDING_SIZE_MAX;
    atomic_store(&fake_map->size, size);
    snprintf(fake_path, sizeof fake_path, "/proc/self/fd/%d", fake_fd);
}

// As the tool does when the bell rings.
static inline void fake_grow(u32 blocks)
{
    u64 size = RECORDING_HEADER + (u64)blocks * RECORDING_BLOCK;
    CHECK(ftruncate(fake_fd, (off_t)size) == 0);
    atomic_store(&fake_map->size, size);
}

// The records in order. `r` NULL starts; `ret_process` is the block's owner.
struct fake_walk {
    u32 block, at, process;
};
static inline struct record *fake_next(struct fake_walk *w)
{
    while (w->block < atomic_load(&fake_map->blocks) &&
           RECORDING_HEADER + (w->block + 1) * RECORDING_BLOCK <= atomic_load(&fake_map->size)) {
        struct record_block *b = (struct record_block *)((char *)fake_map + RECORDING_HEADER +
                                                         w->block * RECORDING_BLOCK);
        w->process = b->process;
        if (w->at < atomic_load(&b->used)) {
            CHECK(memcmp(b->magic, "blk\n", 4) == 0);
            struct record *r = (struct record *)((char *)(b + 1) + w->at);
            CHECK(r->bytes >= sizeof *r && r->bytes % 8 == 0); // F1
            CHECK(w->at + r->bytes <= RECORDING_BLOCK - sizeof *b);
            w->at += r->bytes;
            return r;
        }
        w->at = 0;
        w->block++;
    }
    return NULL;
}

static inline struct record_process *fake_process(u32 index)
{
    struct fake_walk w = {0};
    for (struct record *r; (r = fake_next(&w)) != NULL;)
        if (r->kind == RECORD_PROCESS &&
            (index == 0 || ((struct record_process *)r)->index == index))
            return (struct record_process *)r;
    return NULL;
}

// The n-th site of a process, from 0: its "other".
static inline struct record_site *fake_site(u32 process, u32 n)
{
    struct fake_walk w = {0};
    for (struct record *r; (r = fake_next(&w)) != NULL;)
        if (r->kind == RECORD_SITE && w.process == process && n-- == 0)
            return (struct record_site *)r;
    return NULL;
}

// The sum of a site's pens (F10), with F5 resolved.
static inline struct record_pen fake_pens(u32 process, u32 site)
{
    struct fake_walk w = {0};
    struct record_pen sum = {0};
    const struct record_process *p = fake_process(process);
    for (struct record *r; (r = fake_next(&w)) != NULL;) {
        for (u32 i = 0; r->kind == RECORD_PENS && w.process == process && i < PENS_COUNT; i++) {
            const struct record_pen *pen = &((struct record_pens *)r)->pen[i];
            if (pen->site != site)
                continue;
            sum.allocs += pen->allocs;
            sum.alloc_bytes += pen->alloc_bytes;
            sum.alloc_capacity += pen->alloc_capacity;
            sum.frees += pen->frees;
            sum.free_bytes += pen->free_bytes;
            sum.free_capacity += pen->free_capacity;
            sum.at_peak += pen->serial == (u32)p->peak_serial ? pen->at_peak
                                                              : pen->alloc_bytes - pen->free_bytes;
        }
    }
    return sum;
}

// What a site counted, its pens included: a test under ThreadSanitizer has a thread beside it.
static inline struct record_pen fake_whole(u32 process, const struct record_site *s)
{
    struct record_pen sum = fake_pens(process, s->id);
    sum.allocs += s->allocs;
    sum.alloc_bytes += s->alloc_bytes;
    sum.alloc_capacity += s->alloc_capacity;
    sum.frees += s->frees;
    sum.free_bytes += s->free_bytes;
    sum.free_capacity += s->free_capacity;
    return sum;
}

static inline u32 fake_count(u32 process, u32 kind)
{
    struct fake_walk w = {0};
    u32 n = 0;
    for (struct record *r; (r = fake_next(&w)) != NULL;)
        n += r->kind == kind && w.process == process;
    return n;
}

// The whole stack of a site, F6. Returns the number of frames.
static inline u32 fake_stack(u32 process, const struct record_site *s, u64 *ret)
{
    u32 n = 0, skip = 0;
    for (;;) {
        if (skip <= s->frames_count) {
            memcpy(ret + n, s->frames + skip, (s->frames_count - skip) * sizeof *ret);
            n += s->frames_count - skip;
            skip = s->tail_skip;
        } else {
            skip = skip - s->frames_count + s->tail_skip;
        }
        CHECK(n <= RECORDING_FRAMES && s->tail < s->id);
        if (s->tail == 0)
            return n;
        s = fake_site(process, s->tail - fake_process(process)->first_site);
        CHECK(s != NULL);
    }
}

// A total of a process, F9: fake_total(p, allocs).
#define fake_total(p, field) fake_sum(p, offsetof(struct record_totals, field))
static inline u64 fake_sum(const struct record_process *p, size_t field)
{
    struct fake_walk w = {0};
    u64 sum = *(const u64 *)((const char *)&p->rest + field);
    for (struct record *r; (r = fake_next(&w)) != NULL;)
        if (r->kind == RECORD_THREAD && w.process == p->index)
            sum += *(u64 *)((char *)&((struct record_thread *)r)->own + field);
    return sum;
}

static inline u64 fake_live_blocks(const struct record_process *p)
{
    return fake_total(p, allocs) - fake_total(p, frees);
}
