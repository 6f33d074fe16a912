// translate_text.c: `loam translate` on a terminal.
#include "inspect/map.h"
#include "inspect/strip.h"
#include "inspect/translate.h"

#include "report/utf8.h"
#include "report/words.h"

#include <string.h>

#define LEFT       10
#define STACK      6 // lines of a site's stack
#define SHARED_MAX 8

static void heading(struct ink *k, const char *text)
{
    ink(k, INK_HEAD, "%s", text);
    ink_to(k, LEFT);
}

static const char *label_of(char out[MAP_LABEL], const struct space_part *p)
{
    return map_label(out, p->kind, p->name);
}

// ---------------------------------------------------------------- bits

// `count` bits of the address from bit `shift` on.
static void bits(struct ink *k, enum style style, u64 addr, u32 shift, u32 count)
{
    char text[65];
    for (u32 i = 0; i < count; i++)
        text[i] = addr >> (shift + count - 1 - i) & 1 ? '1' : '0';
    text[count] = 0;
    ink(k, style, "%s", text);
}

static const enum style level_style[TRANSLATE_LEVELS] = {INK_CYAN, INK_GREEN, INK_YELLOW,
                                                         INK_MAGENTA, INK_BLUE};

static void bit_rows(struct ink *k, const struct translate *t)
{
    u32 low_bits = 12 + 9 * (t->levels - t->used_levels), offset = low_bits;
    heading(k, "BITS");
    ink(k, INK_DIM, "%.*s ", (int)(64 - 12 - 9 * t->levels), "0000000000000000");
    for (u32 i = 0; i < t->used_levels; i++) {
        bits(k, level_style[i], t->addr, t->level[i].shift, 9);
        ink(k, INK_PLAIN, " ");
    }
    bits(k, INK_BOLD, t->addr, 0, offset);
    ink_line(k);
    ink_to(k, LEFT + 64 - 12 - 9 * t->levels + 1);
    for (u32 i = 0; i < t->used_levels; i++)
        ink(k, level_style[i], "%s %-5u ", t->level[i].name, t->level[i].index);
    ink(k, INK_BOLD, "offset %llu", (unsigned long long)(t->addr & (((u64)1 << low_bits) - 1)));
    ink_line(k);
    ink_line(k);
}

// ---------------------------------------------------------------- the walk

static const char *span_of(u32 shift)
{
    switch (shift) {
    case 12:
        return "4 KiB";
    case 21:
        return "2 MiB";
    case 30:
        return "1 GiB";
    case 39:
        return "512 GiB";
    }
    return "256 TiB";
}

static void walk_level(struct ink *k, const struct translate *t, u32 i)
{
    const struct translate_level *l = &t->level[i];
    char size[WORDS_SIZE];
    bool last = i + 1 == t->used_levels;
    ink_to(k, LEFT);
    ink(k, level_style[i], "%s", l->name);
    ink(k, INK_PLAIN, "[%u]", l->index);
    ink_to(k, LEFT + 10);
    ink(k, INK_PLAIN, "%7s", span_of(l->shift));
    ink(k, INK_DIM, " from %012llx  ", (unsigned long long)l->start);
    if (!last) {
        ink(k, l->resident == 0 ? INK_DIM : INK_PLAIN, "%s in RAM below it",
            l->resident == 0 ? "nothing" : words_size(size, l->resident));
    } else if (t->state == RES_ABSENT || t->state == RES_GUARD || t->state == RES_SWAPPED) {
        ink(k, INK_WARN, "no frame: %s", strip_names[t->state]);
    } else if (t->frame != 0) {
        ink(k, INK_PLAIN, "frame ");
        ink(k, INK_BOLD, "%llx", (unsigned long long)t->frame);
        ink(k, INK_PLAIN, "%s", t->huge ? ", by a huge entry: the walk ends here" : "");
    } else {
        ink(k, INK_DIM, "a frame, whose number is told to root only");
    }
    ink_line(k);
}

static void walk(struct ink *k, const struct translate *t)
{
    ink(k, INK_HEAD, "WALK");
    for (u32 i = 0; i < t->used_levels; i++)
        walk_level(k, t, i);
    ink_line(k);
}

// ---------------------------------------------------------------- page and frame

static const char *const state_sentences[RES_COUNT] = {
    [RES_ABSENT] = "absent: never touched, or given back; the next touch is a page fault",
    [RES_GUARD] = "a guard: the next touch ends in SIGSEGV",
    [RES_ZERO] = "the zero page: read but never written; the first write takes a page",
    [RES_SMALL] = "anonymous, this process's alone, in a small page",
    [RES_HUGE] = "anonymous, this process's alone, in a huge page",
    [RES_SWAPPED] = "in swap: the next touch waits for the disk",
    [RES_CLEAN] = "a file's, as on disk: the kernel can drop it at no cost",
    [RES_DIRTY] = "of a file or shared memory, written, mapped here alone",
    [RES_SHARED] = "mapped more than once",
    [RES_KERNEL] = "the kernel's own page",
};

static void page(struct ink *k, const struct translate *t)
{
    heading(k, "PAGE");
    if (t->space.no_pages != 0) {
        ink(k, INK_WARN, "not known: /proc/%d/pagemap may not be read", t->status.pid);
    } else {
        strip_sign(k, t->state, false);
        ink(k, INK_PLAIN, " %s", state_sentences[t->state]);
        if (t->huge && t->state != RES_HUGE)
            ink(k, INK_PLAIN, ", in a huge page");
    }
    ink_line(k);
}

static void frame_flags(struct ink *k, const struct translate *t)
{
    const char *sep = " · ";
    for (u32 bit = 0; bit < 64; bit++) {
        const char *name = t->frame_flags >> bit & 1 ? translate_flag(bit) : NULL;
        if (name == NULL)
            continue;
        ink(k, INK_DIM, "%s", sep);
        if (k->column + 1 + strlen(name) > k->width) {
            ink_line(k);
            ink_to(k, LEFT);
        }
        ink(k, INK_DIM, "%s", name);
        sep = ", ";
    }
}

static void frame(struct ink *k, const struct translate *t)
{
    u64 in_page = t->addr & (t->space.residence.os_page - 1);
    char count[WORDS_SIZE];
    if (t->frame == 0)
        return;
    heading(k, "FRAME");
    ink(k, INK_PLAIN, "physical address ");
    ink(k, INK_BOLD, "%llx", (unsigned long long)(t->frame * t->space.residence.os_page + in_page));
    if (t->flags_known) {
        ink(k, INK_PLAIN, ", mapped %s", words_of(count, t->frame_count, "time"));
        frame_flags(k, t);
    }
    ink_line(k);
}

static void sharers(struct ink *k, const struct translate *t)
{
    if (!t->sharers_known || t->frame_count <= 1)
        return;
    heading(k, "SHARED");
    const struct sharers *s = &t->sharers;
    size_t shown = s->count <= SHARED_MAX + 1 ? s->count : SHARED_MAX;
    for (size_t i = 0; i < shown; i++) {
        ink_to(k, LEFT);
        ink(k, INK_PLAIN, "%d %s", s->sharer[i].pid, s->sharer[i].name);
        ink_to(k, LEFT + 28);
        ink(k, INK_DIM, "at %012llx", (unsigned long long)s->sharer[i].addr);
        ink_line(k);
    }
    u64 others = t->frame_count > 1 + shown ? t->frame_count - 1 - shown : 0;
    if (others != 0) {
        ink_to(k, LEFT);
        ink(k, INK_DIM, "%llu more%s", (unsigned long long)others,
            s->count > shown ? "" : ", not found: at other addresses, or in huge pages");
        ink_line(k);
    }
}

// ---------------------------------------------------------------- mapping and owner

static void mapping(struct ink *k, const struct translate *t)
{
    const struct map *m = t->map;
    char path[512], size[WORDS_SIZE];
    snprintf(path, sizeof path, "%s", *m->path != 0 ? m->path : "anonymous");
    utf8_clean(path);
    heading(k, "MAPPING");
    ink(k, INK_PLAIN, "%012llx-%012llx %c%c%c%c %s  ", (unsigned long long)m->start,
        (unsigned long long)m->end, m->readable ? 'r' : '-', m->writable ? 'w' : '-',
        m->executable ? 'x' : '-', m->shared ? 's' : 'p', words_size(size, m->end - m->start));
    if (k->column + utf8_width(path) > k->width) {
        ink_line(k);
        ink_to(k, LEFT);
    }
    ink_cut(k, INK_BOLD, path, k->width - k->column);
    ink_line(k);
    if (m->inode == 0)
        return;
    heading(k, "FILE");
    ink(k, INK_PLAIN, "byte %llu of it", (unsigned long long)(m->offset + (t->addr - m->start)));
    if (t->section != NULL) {
        char name[sizeof t->section->name];
        snprintf(name, sizeof name, "%s", t->section->name);
        utf8_clean(name);
        ink(k, INK_PLAIN, ", section ");
        ink(k, INK_BOLD, "%s", name);
        ink(k, INK_PLAIN, " + %llu", (unsigned long long)(t->addr - t->section->start));
    }
    ink_line(k);
}

static void block_place(struct ink *k, const struct translate *t)
{
    const struct translate_block *b = &t->block;
    char count[WORDS_SIZE];
    ink(k, b->live ? INK_GOOD : INK_DIM, b->live ? "live" : "free");
    ink(k, INK_PLAIN, " block at %012llx, ", (unsigned long long)b->start);
    ink(k, INK_BOLD, "%s", words_of(count, b->size, "byte"));
    if (b->asked != 0 && b->asked != b->size)
        ink(k, INK_PLAIN, " (%s asked for)", words_count(count, b->asked));
    if (b->offset != 0)
        ink(k, INK_PLAIN, "; the address is %llu inside", (unsigned long long)b->offset);
    ink_line(k);
    ink_to(k, LEFT);
    if (b->single)
        ink(k, INK_DIM, "a large block, with pages of its own");
    else
        ink(k, INK_DIM, "number %u of the %u in its slab", b->index + 1, b->blocks);
    ink_line(k);
}

static void block(struct ink *k, struct translate *t)
{
    const struct translate_block *b = &t->block;
    heading(k, "BLOCK");
    if (!b->known) {
        ink(k, INK_DIM, "none: pages of the heap that hold no block now");
        ink_line(k);
        return;
    }
    block_place(k, t);
    if (!b->live)
        return;
    const struct site *site = blame_site(&t->blame, b->site);
    heading(k, "SITE");
    if (site != NULL) {
        blame_stack(k, &t->blame, site, STACK);
        return;
    }
    ink(k, INK_DIM, "%s",
        t->blame.known ? "not recorded: allocated before the recording began, or by a parent"
                       : "not recorded: 'loam run -- prog' records who allocates");
    ink_line(k);
}

// The region, pool or task that cuts the memory into objects of its own.
static void named(struct ink *k, const struct translate *t)
{
    u64 offset;
    const struct owned *x = owners_find(&t->space.owners, t->addr, &offset);
    char text[2 * OWNED_TEXT];
    if (x == NULL)
        return;
    heading(k, "NAMED");
    snprintf(text, sizeof text, "%s %s", x->kind, x->name);
    utf8_clean(text);
    ink(k, INK_BOLD, "%s", text);
    snprintf(text, sizeof text, "%s", x->place);
    utf8_clean(text);
    ink(k, INK_PLAIN, *text != 0 ? ", made at %s" : "%s", text);
    ink(k, INK_PLAIN, ", +%llu%s", (unsigned long long)offset,
        x->object != 0 ? " in its object" : "");
    ink_line(k);
}

static void owner(struct ink *k, struct translate *t)
{
    char label[MAP_LABEL];
    const struct space_part *p = t->part;
    if (*t->map->path != '/' || p->kind == SPACE_RECORDING) {
        heading(k, "OWNER");
        ink(k, INK_BOLD, "%s", label_of(label, p));
        if (p->tid != 0)
            ink(k, INK_DIM, " (thread %d), %llu bytes below its top", p->tid,
                (unsigned long long)(p->end - t->addr));
        ink_line(k);
    }
    named(k, t);
    if (p->kind == SPACE_HEAP && t->space.heap)
        block(k, t);
}

// ---------------------------------------------------------------- nothing there

static void neighbour(struct ink *k, const struct space_part *p, u64 distance, const char *where)
{
    char label[MAP_LABEL], size[WORDS_SIZE];
    if (p == NULL)
        return;
    ink_to(k, LEFT);
    ink(k, INK_PLAIN, "%s %s: ", words_size(size, distance), where);
    ink(k, INK_BOLD, "%s", label_of(label, p));
    ink(k, INK_DIM, " %012llx-%012llx", (unsigned long long)p->start, (unsigned long long)p->end);
    ink_line(k);
}

static void nothing(struct ink *k, const struct translate *t)
{
    heading(k, "MAPPING");
    if (!translate_is_user(t->addr, t->levels)) {
        ink(k, INK_WARN, "no address of a program: the kernel's half, or no address at all");
        ink_line(k);
        return;
    }
    ink(k, INK_WARN, "nothing is mapped there: a touch ends in SIGSEGV");
    ink_line(k);
    if (t->below != NULL)
        neighbour(k, t->below, t->addr - t->below->end, "above the end of");
    if (t->above != NULL)
        neighbour(k, t->above, t->above->start - t->addr, "below the start of");
}

static void lacks(struct ink *k, const struct translate *t)
{
    if (t->space.no_pages == 0 && !t->space.residence.frames)
        ink_wrap(k, INK_DIM,
                 "Not shown: frames, their flags and who else maps them. The kernel "
                 "tells those to root only.");
    if (t->space.no_memory != 0)
        ink_wrap(k, INK_DIM,
                 "Not shown: blocks of loam's heap. The process's memory may not be "
                 "read (ptrace is not allowed).");
}

void translate_text(struct ink *k, struct translate *t)
{
    ink(k, INK_BOLD, "%llx", (unsigned long long)t->addr);
    ink(k, INK_DIM, " in %s · pid %d", t->status.name, t->status.pid);
    ink_line(k);
    ink_line(k);
    bit_rows(k, t);
    if (t->part == NULL) {
        nothing(k, t);
        return;
    }
    walk(k, t);
    page(k, t);
    frame(k, t);
    sharers(k, t);
    mapping(k, t);
    owner(k, t);
    lacks(k, t);
}
