// translate.c: one address, looked up in everything that knows about it.
#include "inspect/translate.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- levels

// The processor has five levels and the kernel uses them: else the flag is not shown.
static bool five_levels(void)
{
    char line[8192];
    FILE *in = fopen("/proc/cpuinfo", "re");
    bool found = false;
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "flags", 5) != 0)
            continue;
        found = strstr(line, " la57 ") != NULL || strstr(line, " la57\n") != NULL;
        break;
    }
    if (in != NULL)
        fclose(in);
    return found;
}

bool translate_is_user(u64 addr, u32 levels)
{
    return addr >> (levels * 9 + 12 - 1) == 0;
}

static u64 resident_in(const struct space *s, u64 start, u64 end)
{
    u64 sum = 0;
    for (size_t i = 0; i < s->run_count; i++) {
        const struct residence_run *r = &s->run[i];
        u64 from = r->start > start ? r->start : start, to = r->end < end ? r->end : end;
        if (from < to && residence_takes_ram(r->state))
            sum += to - from;
    }
    return sum;
}

void translate_levels(struct translate *t, bool five)
{
    static const char *const names[TRANSLATE_LEVELS] = {"PGD", "P4D", "PUD", "PMD", "PTE"};
    t->levels = five ? 5 : 4;
    for (u32 i = 0; i < t->levels; i++) {
        struct translate_level *l = &t->level[i];
        l->name = names[five || i == 0 ? i : i + 1];
        l->shift = 12 + 9 * (t->levels - 1 - i);
        l->index = t->addr >> l->shift & 511;
        l->covers = (u64)1 << l->shift;
        l->start = t->addr & ~(l->covers - 1);
        l->resident = resident_in(&t->space, l->start, l->start + l->covers);
    }
    t->used_levels = t->levels - (t->huge ? 1 : 0);
}

// ---------------------------------------------------------------- the page

static void find_part(struct translate *t)
{
    const struct space *s = &t->space;
    t->part = space_find(s, t->addr);
    if (t->part != NULL) {
        t->map = &s->smaps.smap[t->part->mapping].map;
        t->section = sections_at(&t->sections, t->addr);
        return;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        if (s->part[i].end <= t->addr)
            t->below = &s->part[i];
        if (s->part[i].start > t->addr && t->above == NULL)
            t->above = &s->part[i];
    }
}

static void find_page(struct translate *t)
{
    const struct space *s = &t->space;
    for (size_t i = 0; i < s->run_count; i++) {
        const struct residence_run *r = &s->run[i];
        if (t->addr < r->start || t->addr >= r->end)
            continue;
        t->state = r->state;
        t->frame = r->frame == 0 ? 0 : r->frame + (t->addr - r->start) / s->residence.os_page;
    }
    if (t->addr >> 63 != 0 && t->part != NULL)
        t->state = RES_KERNEL;
    t->entry = residence_entry(&s->residence, t->addr);
    t->huge = residence_is_huge(&s->residence, t->addr) || t->state == RES_HUGE;
    t->flags_known = residence_frame(&s->residence, t->frame, &t->frame_flags, &t->frame_count);
}

static int find_sharers(struct translate *t)
{
    if (t->frame == 0 || !t->flags_known || t->state == RES_ZERO || t->map == NULL)
        return 0;
    u64 page = t->addr & ~(u64)(t->space.residence.os_page - 1);
    t->sharers_known = true;
    if (t->frame_count <= 1)
        return 0;
    return sharers_find(&t->sharers, t->status.pid, t->map, page, t->frame);
}

// ---------------------------------------------------------------- the block

static void find_block(struct translate *t)
{
    const struct blocks *b = &t->space.blocks;
    struct translate_block *k = &t->block;
    u32 slot;
    const struct page *p = t->space.heap ? blocks_slot(b, t->addr, &slot) : NULL;
    if (p == NULL)
        return;
    const struct span *s = &b->span[p->span];
    u64 tag = b->tag[slot];
    *k = (struct translate_block){
        .known = true,
        .live = b->live[slot / 64] >> (slot & 63) & 1,
        .single = s->single,
        .index = slot - s->slot,
        .blocks = s->blocks,
        .size = s->size,
    };
    struct tag is;
    memcpy(&is, &tag, sizeof is);
    k->site = is.site;
    k->start = s->start + k->index * s->size;
    k->offset = t->addr - k->start;
    k->asked = tag != 0 && k->live ? blocks_asked(b, s, slot) : 0;
}

// ---------------------------------------------------------------- all

// In place: the symbols keep the address of the store that they live in.
int translate_load(struct translate *t, pid_t pid, u64 addr)
{
    *t = (struct translate){.addr = addr};
    int e = status_load(&t->status, pid);
    if (e == 0 && !t->status.has_memory)
        e = -ENODATA;
    if (e == 0)
        e = space_load(&t->space, pid, SPACE_BLOCKS | SPACE_FRAMES);
    if (e < 0)
        return e;
    e = sections_load(&t->sections, &t->space);
    if (e == 0)
        e = blame_load(&t->blame, &t->space.recorded);
    if (e == 0) {
        find_part(t);
        find_page(t);
        find_block(t);
        translate_levels(t, five_levels());
        e = find_sharers(t);
    }
    if (e < 0)
        translate_done(t);
    return e;
}

void translate_done(struct translate *t)
{
    blame_done(&t->blame);
    sections_done(&t->sections);
    sharers_done(&t->sharers);
    space_done(&t->space);
    *t = (struct translate){0};
}

// ---------------------------------------------------------------- flags of a frame

static const char *const flag_names[] = {
    [KPF_LOCKED] = "locked",
    [KPF_ERROR] = "error",
    [KPF_REFERENCED] = "referenced",
    [KPF_UPTODATE] = "uptodate",
    [KPF_DIRTY] = "dirty",
    [KPF_LRU] = "lru",
    [KPF_ACTIVE] = "active",
    [KPF_SLAB] = "slab",
    [KPF_WRITEBACK] = "writeback",
    [KPF_RECLAIM] = "reclaim",
    [KPF_BUDDY] = "buddy",
    [KPF_MMAP] = "mmap",
    [KPF_ANON] = "anon",
    [KPF_SWAPCACHE] = "swapcache",
    [KPF_SWAPBACKED] = "swapbacked",
    [KPF_COMPOUND_HEAD] = "compound head",
    [KPF_COMPOUND_TAIL] = "compound tail",
    [KPF_HUGE] = "hugetlb",
    [KPF_UNEVICTABLE] = "unevictable",
    [KPF_HWPOISON] = "hardware error",
    [KPF_NOPAGE] = "no page",
    [KPF_KSM] = "merged by ksm",
    [KPF_THP] = "huge",
    [KPF_OFFLINE] = "offline",
    [KPF_ZERO_PAGE] = "zero page",
    [KPF_IDLE] = "idle",
    [KPF_PGTABLE] = "page table",
};

const char *translate_flag(u32 bit)
{
    return bit < countof(flag_names) ? flag_names[bit] : NULL;
}
