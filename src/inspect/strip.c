// strip.c: a range of addresses as a row of signs.
#include "inspect/strip.h"

#include <string.h>

static const struct {
    const char *sign;
    char ascii;
    enum style style;
} signs[RES_COUNT] = {
    [RES_ABSENT] = {"·", '.', INK_DIM},   [RES_GUARD] = {"×", 'x', INK_DIM},
    [RES_ZERO] = {"○", '0', INK_DIM},     [RES_SMALL] = {"■", '#', INK_CYAN},
    [RES_HUGE] = {"█", 'H', INK_MAGENTA}, [RES_SWAPPED] = {"▼", 'v', INK_RED},
    [RES_CLEAN] = {"░", 'c', INK_BLUE},   [RES_DIRTY] = {"▓", 'd', INK_YELLOW},
    [RES_SHARED] = {"▒", 's', INK_GREEN}, [RES_KERNEL] = {"□", 'k', INK_DIM},
};

const char *const strip_names[RES_COUNT] = {
    [RES_ABSENT] = "absent",     [RES_GUARD] = "guard",       [RES_ZERO] = "zero page",
    [RES_SMALL] = "small",       [RES_HUGE] = "huge",         [RES_SWAPPED] = "swapped",
    [RES_CLEAN] = "file, clean", [RES_DIRTY] = "file, dirty", [RES_SHARED] = "shared",
    [RES_KERNEL] = "kernel's",
};

void strip_sign(struct ink *k, enum residence_state state, bool dim)
{
    enum style style = dim ? INK_DIM : signs[state].style;
    if (k->ascii)
        ink(k, style, "%c", signs[state].ascii);
    else
        ink(k, style, "%s", signs[state].sign);
}

struct cell {
    u64 bytes[RES_COUNT];
};

u64 strip_pages(const struct space *s, u64 bytes, u32 width)
{
    u64 pages = bytes / s->residence.os_page;
    return pages <= width ? 1 : (pages + width - 1) / width;
}

static void fill(struct cell *cell, const struct residence_run *r, u64 start, u64 end, u64 step)
{
    u64 from = r->start > start ? r->start : start, to = r->end < end ? r->end : end;
    while (from < to) {
        u64 i = (from - start) / step;
        u64 stop = start + (i + 1) * step;
        stop = stop < to ? stop : to;
        cell[i].bytes[r->state] += stop - from;
        from = stop;
    }
}

static void print(struct ink *k, const struct cell *c, u64 step)
{
    enum residence_state most = RES_ABSENT;
    u64 there = 0;
    for (int i = RES_ABSENT + 1; i < RES_COUNT; i++) {
        there += c->bytes[i];
        if (c->bytes[i] > c->bytes[most])
            most = (enum residence_state)i;
    }
    strip_sign(k, most, most != RES_ABSENT && 2 * there < step);
}

u32 strip(struct ink *k, const struct space *s, u64 start, u64 end, size_t run, u32 width)
{
    struct cell cell[STRIP_MAX];
    memset(cell, 0, sizeof cell);
    u64 step = strip_pages(s, end - start, width) * s->residence.os_page;
    u32 count = (u32)((end - start + step - 1) / step);
    for (size_t i = run; i < s->run_count && s->run[i].start < end; i++)
        if (s->run[i].end > start)
            fill(cell, &s->run[i], start, end, step);
    for (u32 i = 0; i < count; i++) {
        u64 left = end - start - i * step;
        print(k, &cell[i], left < step ? left : step);
    }
    return count;
}
