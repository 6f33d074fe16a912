// account.c: the closed account of a process's RSS.
//
// Two sorted lists, walked side by side: runs of resident pages, and spans of the heap. A slab that
// is resident from end to end, as nearly all are, costs a population count a word; only in the
// others the blocks are looked at one by one.
#include "target/account.h"

#include "heap/class.h"

#include <stdlib.h>
#include <string.h>

const char *const account_names[ACCOUNT_PARTS] = {
    [ACCOUNT_LIVE] = "live blocks",     [ACCOUNT_WASTE] = "size-class waste",
    [ACCOUNT_FREE] = "free but dirty",  [ACCOUNT_TABLES] = "metadata",
    [ACCOUNT_STACKS] = "thread stacks", [ACCOUNT_FILES] = "file pages",
    [ACCOUNT_OTHER] = "other mappings",
};

const char *const account_keys[ACCOUNT_PARTS] = {
    [ACCOUNT_LIVE] = "live",     [ACCOUNT_WASTE] = "waste",   [ACCOUNT_FREE] = "free",
    [ACCOUNT_TABLES] = "tables", [ACCOUNT_STACKS] = "stacks", [ACCOUNT_FILES] = "files",
    [ACCOUNT_OTHER] = "other",
};

const char *const account_owner_names[OWNER_KINDS] = {
    [OWNER_REGION] = "region", [OWNER_POOL] = "pool", [OWNER_GC] = "gc", [OWNER_TASK] = "task"};

static void add_owners(struct account *a, const struct owners *o)
{
    for (size_t i = 0; i < o->count; i++)
        for (u32 k = 0; k < OWNER_KINDS; k++)
            if (strcmp(o->owned[i].kind, account_owner_names[k]) == 0) {
                struct account_owned *sum = &a->owned[k];
                sum->count++;
                sum->held += o->owned[i].held;
                sum->resets += o->owned[i].resets;
                if (sum->pause_max_ns < o->owned[i].pause_max_ns)
                    sum->pause_max_ns = o->owned[i].pause_max_ns;
            }
}

// ---------------------------------------------------------------- how much of a range is in RAM

struct cursor {
    const struct space *s;
    size_t at; // first run that may end behind the last range's start
};

// Bytes in RAM of [start, end). Ranges are asked for in order of their starts.
static u64 resident(struct cursor *c, u64 start, u64 end)
{
    const struct space *s = c->s;
    while (c->at < s->run_count && s->run[c->at].end <= start)
        c->at++;
    u64 sum = 0;
    for (size_t i = c->at; i < s->run_count && s->run[i].start < end; i++) {
        const struct residence_run *r = &s->run[i];
        if (!residence_takes_ram(r->state))
            continue;
        u64 from = r->start > start ? r->start : start, to = r->end < end ? r->end : end;
        sum += to - from;
    }
    return sum;
}

// ---------------------------------------------------------------- the heap

struct tally {
    u64 live, waste; // bytes in RAM
};

static u64 count_live(const struct blocks *b, const struct span *s)
{
    u64 sum = 0;
    for (u32 w = 0; w * 64 < s->blocks; w++)
        sum += bits_in(b->live[s->slot / 64 + w]);
    return sum;
}

static void add_block(struct tally *t, struct cursor *c, u64 start, u64 asked, u64 size)
{
    u64 live = resident(c, start, start + asked);
    t->live += live;
    t->waste += resident(c, start, start + size) - live;
}

// Blocks one by one: where not all of the span is in RAM, or sizes are known.
static void add_blocks(struct tally *t, const struct blocks *b, const struct span *s,
                       struct cursor *c)
{
    for (u32 w = 0; w * 64 < s->blocks; w++) {
        for (u64 word = b->live[s->slot / 64 + w]; word != 0; word &= word - 1) {
            u32 i = w * 64 + (u32)__builtin_ctzll(word);
            add_block(t, c, s->start + i * s->size, blocks_asked(b, s, s->slot + i), s->size);
        }
    }
}

// The same when all of the span is in RAM: only the sizes are to be added up.
static void add_sizes(struct tally *t, const struct blocks *b, const struct span *s, u64 live)
{
    u64 asked = 0;
    for (u32 w = 0; w * 64 < s->blocks; w++)
        for (u64 word = b->live[s->slot / 64 + w]; word != 0; word &= word - 1)
            asked += blocks_asked(b, s, s->slot + w * 64 + (u32)__builtin_ctzll(word));
    t->live += asked;
    t->waste += live * s->size - asked;
}

static struct account_class *class_for(struct account *a, const struct span *s)
{
    unsigned cls = s->single || s->size > CLASS_SIZE_MAX ? CLASS_COUNT : class_of(s->size);
    return &a->cls[cls];
}

static void add_span(struct account *a, const struct space *space, const struct span *s,
                     struct cursor *c)
{
    const struct blocks *b = &space->blocks;
    u64 bytes = s->size * s->blocks, live = count_live(b, s);
    u64 in_ram = resident(c, s->start, s->start + bytes);
    struct tally t = {0};
    if (in_ram == bytes && s->tags == 0)
        t.live = live * s->size;
    else if (in_ram == bytes && !s->single)
        add_sizes(&t, b, s, live);
    else
        add_blocks(&t, b, s, c);
    struct account_class *k = class_for(a, s);
    k->size = s->single ? 0 : s->size;
    k->slabs++;
    k->room += s->blocks;
    k->live += live;
    k->resident += in_ram;
    k->live_bytes += t.live + t.waste;
    a->live_blocks += live;
    a->live_bytes += live * s->size;
    a->part[ACCOUNT_LIVE] += t.live;
    a->part[ACCOUNT_WASTE] += t.waste;
    a->slack += live != 0 ? in_ram - t.live - t.waste : 0;
}

static void add_heap(struct account *a, const struct space *s)
{
    const struct blocks *b = &s->blocks;
    struct cursor c = {s, 0}, far = {s, 0};
    for (u32 i = 0; i < b->span_count; i++)
        add_span(a, s, &b->span[i], i < b->far_first ? &c : &far);
    for (u32 i = 0; i <= CLASS_COUNT; i++)
        if (a->cls[i].slabs != 0)
            a->cls[a->cls_count++] = a->cls[i];
}

// ---------------------------------------------------------------- the rest

static enum account_part part_of(enum space_kind kind)
{
    switch (kind) {
    case SPACE_HEAP:
        return ACCOUNT_FREE; // less what is live, see account_make
    case SPACE_TABLES:
    case SPACE_RECORDING:
        return ACCOUNT_TABLES;
    case SPACE_STACK:
    case SPACE_TASKS:
        return ACCOUNT_STACKS;
    case SPACE_PROGRAM:
    case SPACE_LIBRARY:
    case SPACE_FILE:
        return ACCOUNT_FILES;
    case SPACE_BRK:
    case SPACE_ARENA:
    case SPACE_SHARED:
    case SPACE_ANONYMOUS:
    case SPACE_RESERVED:
    case SPACE_KERNEL:
    case SPACE_KINDS:
        break;
    }
    return ACCOUNT_OTHER;
}

void account_make(struct account *a, const struct space *s)
{
    *a = (struct account){.heap = s->heap, .asked = s->heap && s->asked};
    for (size_t i = 0; i < s->part_count; i++) {
        const struct space_part *p = &s->part[i];
        enum account_part part = part_of(p->kind);
        u64 bytes = space_resident(p), file = part == ACCOUNT_FILES ? p->file : bytes;
        a->rss += bytes;
        a->part[part] += file;
        a->part[ACCOUNT_OTHER] += bytes - file; // a file's pages that were written are its no more
    }
    if (!s->heap) { // it changed while it was read: what of it is free, nobody knows
        a->part[ACCOUNT_OTHER] += a->part[ACCOUNT_FREE];
        a->part[ACCOUNT_FREE] = 0;
        return;
    }
    add_heap(a, s);
    add_owners(a, &s->owners);
    // What died or moved between the reading of the tables and of the pages must not wrap.
    u64 used = a->part[ACCOUNT_LIVE] + a->part[ACCOUNT_WASTE];
    u64 heap = a->part[ACCOUNT_FREE];
    if (used > heap) {
        a->part[ACCOUNT_WASTE] = a->part[ACCOUNT_WASTE] > heap ? heap : a->part[ACCOUNT_WASTE];
        a->part[ACCOUNT_LIVE] = heap - a->part[ACCOUNT_WASTE];
        used = heap;
    }
    a->part[ACCOUNT_FREE] = heap - used;
}

int account_load(struct account *a, pid_t pid)
{
    struct space s;
    int e = space_load(&s, pid, SPACE_BLOCKS);
    if (e < 0)
        return e;
    account_make(a, &s);
    space_done(&s);
    return 0;
}
