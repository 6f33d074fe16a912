// touched.c: see touched.h.
#include "target/touched.h"

#include "format/life.h"
#include "scan/spans.h"
#include "target/memory.h"

#include <string.h>

#define BYTES_MIN ((u64)64 * KiB) // smaller ones are not worth a question
#define AGE_MIN   64              // ticks: who has just got a block may be about to fill it

struct look {
    struct memory memory;
    u64 clock;
    void (*each)(void *ctx, u32 site, u64 bytes, u64 touched);
    void *ctx;
};

static int add(void *ctx, u64 start, u64 end)
{
    *(u64 *)ctx += end - start;
    return 0;
}

static void look_at(void *ctx, const struct large *l)
{
    struct look *look = ctx;
    struct tag tag;
    memcpy(&tag, &l->tag, sizeof tag);
    if (l->bytes < BYTES_MIN || life_ticks((u32)tag.birth) + AGE_MIN > look->clock)
        return;
    u64 page = look->memory.os_page, touched = 0;
    u64 start = round_up(l->start, page), end = (l->start + l->bytes) & ~(page - 1);
    if (memory_present(&look->memory, start, end, add, &touched) == 0)
        look->each(look->ctx, (u32)tag.site, end - start, size_min(touched, end - start));
}

int touched_each(pid_t pid, const struct record_process *p, u64 clock,
                 void (*each)(void *ctx, u32 site, u64 bytes, u64 touched), void *ctx)
{
    struct look look = {.clock = clock, .each = each, .ctx = ctx};
    memory_open(&look.memory, pid);
    int e = spans_large(&look.memory.target, p->root, p->tags, look_at, &look);
    memory_close(&look.memory);
    return e;
}
