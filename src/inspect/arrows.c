// arrows.c: see arrows.h.

#include "inspect/arrows.h"

#include <stdlib.h>

static u32 top(const struct arrow *a)
{
    return a->from < a->to ? a->from : a->to;
}

static u32 bottom(const struct arrow *a)
{
    return a->from < a->to ? a->to : a->from;
}

static int by_length(const void *a, const void *b)
{
    const struct arrow *x = a, *y = b;
    u32 length_x = bottom(x) - top(x), length_y = bottom(y) - top(y);
    if (length_x != length_y)
        return length_x < length_y ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

// Arrows to one place may share a lane; others must not touch.
static bool clash(const struct arrow *a, const struct arrow *b)
{
    return a->to != b->to && top(a) <= bottom(b) && top(b) <= bottom(a);
}

static u32 free_lane(const struct arrows *all, u32 n)
{
    bool taken[ARROWS_LANES] = {false};
    // Long functions have thousands of jumps; the last ones decide almost always, but not quite.
    for (u32 i = 0; i < n; i++) {
        const struct arrow *other = &all->items[i];
        if (other->lane < ARROWS_LANES && clash(other, &all->items[n]))
            taken[other->lane] = true;
    }
    for (u32 lane = 0; lane < ARROWS_LANES; lane++) {
        if (!taken[lane])
            return lane;
    }
    return ARROWS_LANES;
}

struct arrows arrows_of(struct store *store, const struct code *c)
{
    struct arrows a = {.items = store_push(store, (c->count + 1) * sizeof *a.items)};
    for (u32 i = 0; i < c->count && a.count < 4096; i++) {
        if (c->insns[i].goes_to != CODE_OUTSIDE)
            a.items[a.count++] = (struct arrow){i, c->insns[i].goes_to, ARROWS_LANES};
    }
    if (a.count > 0)
        qsort(a.items, a.count, sizeof *a.items, by_length);
    for (u32 i = 0; i < a.count; i++) {
        a.items[i].lane = free_lane(&a, i);
        if (a.items[i].lane < ARROWS_LANES && a.items[i].lane + 1 > a.lanes)
            a.lanes = a.items[i].lane + 1;
    }
    return a;
}

enum piece { NOTHING, DOWN, UPPER, LOWER, MIDDLE, ACROSS };

// The lanes of a row, the outermost first; whether an arrow's head or tail is in it.
static void row_of(const struct arrows *a, u32 at, enum piece row[ARROWS_LANES], bool *head,
                   bool *tail)
{
    u32 outermost = 0;
    for (u32 i = 0; i < ARROWS_LANES; i++)
        row[i] = NOTHING;
    for (u32 i = 0; i < a->count; i++) {
        const struct arrow *w = &a->items[i];
        if (w->lane == ARROWS_LANES || at < top(w) || at > bottom(w))
            continue;
        enum piece *p = &row[w->lane], was = *p;
        bool end = at == w->from || at == w->to;
        *p = !end             ? (was == NOTHING ? DOWN
                                 : was == DOWN  ? DOWN
                                                : MIDDLE)
             : was != NOTHING ? MIDDLE
             : at == top(w)   ? UPPER
                              : LOWER;
        *head |= at == w->to;
        *tail |= at == w->from;
        if (end && w->lane + 1 > outermost)
            outermost = w->lane + 1;
        if (at == w->from && at == w->to) // a jump to itself
            *p = LOWER;
    }
    for (u32 lane = 0; lane + 1 < outermost; lane++)
        row[lane] = row[lane] == NOTHING ? ACROSS : row[lane];
}

static void put(struct ink *k, enum piece p)
{
    static const char *const signs[] = {" ", "│", "┌", "└", "├", "─"};
    ink(k, INK_BLUE, "%s", signs[p]);
}

void arrows_draw(struct ink *k, const struct arrows *a, u32 at)
{
    enum piece row[ARROWS_LANES];
    bool head = false, tail = false;
    row_of(a, at, row, &head, &tail);
    for (u32 lane = a->lanes; lane > 0; lane--)
        put(k, row[lane - 1]);
    ink(k, INK_BLUE, "%s ", head ? "▶" : tail ? "─" : " ");
}

void arrows_pass(struct ink *k, const struct arrows *a, u32 at)
{
    for (u32 lane = a->lanes; lane > 0; lane--) {
        bool passes = false;
        for (u32 i = 0; i < a->count; i++)
            passes |= a->items[i].lane == lane - 1 && top(&a->items[i]) < at &&
                      at <= bottom(&a->items[i]);
        put(k, passes ? DOWN : NOTHING);
    }
    ink(k, INK_PLAIN, "  ");
}
