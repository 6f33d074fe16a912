// map_rows.c: the picture of an address space, row by row.
#include "inspect/map_rows.h"

#include "inspect/strip.h"
#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS 14         // columns
#define SIZE    9          // columns
#define GAP_MIN (16 * GiB) // a hole between rows that is worth a line
#define JOIN    (16 * MiB) // parts of one owner so near are one row

struct row {
    size_t first, last; // parts
    u64 start, end;
    u64 rss, swap;
};

static u32 strip_width(const struct ink *k)
{
    return k->width >= 100 ? 40 : 24;
}

static void size_right(struct ink *k, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    ink(k, bytes == 0 ? INK_DIM : style, "%*s", SIZE, bytes == 0 ? "-" : words_size(size, bytes));
}

static void address(struct ink *k, u64 at)
{
    ink(k, INK_DIM, "%012llx", (unsigned long long)at);
    ink_to(k, ADDRESS);
}

static void hole(struct ink *k, u64 from, u64 to)
{
    char size[WORDS_SIZE];
    if (from == 0 || to - from < GAP_MIN)
        return;
    ink(k, INK_DIM, "%12s", k->ascii ? ":" : "⋮");
    ink_to(k, ADDRESS);
    ink(k, INK_DIM, "%s of nothing", words_size(size, to - from));
    ink_line(k);
}

static void sizes(struct ink *k, u64 rss, u64 size)
{
    size_right(k, INK_BOLD, rss);
    ink(k, INK_DIM, " of");
    size_right(k, INK_PLAIN, size);
    ink(k, INK_PLAIN, "  ");
}

// ---------------------------------------------------------------- rows of owners

static bool same_owner(const struct space_part *a, const struct space_part *b)
{
    return a->kind == b->kind && (a->kind == SPACE_KERNEL || strcmp(a->name, b->name) == 0) &&
           a->tid == b->tid && b->start - a->end < JOIN;
}

static struct row row_from(const struct space *s, size_t at)
{
    const struct space_part *p = &s->part[at];
    struct row r = {at, at, p->start, p->end, 0, 0};
    for (; at < s->part_count; at++) {
        const struct space_part *q = &s->part[at];
        if (q->kind == SPACE_RESERVED && p->kind != SPACE_RESERVED) // a guard inside a library
            continue;
        if (at > r.first && !same_owner(&s->part[r.last], q))
            break;
        r.last = at;
        r.end = q->end;
        r.rss += space_resident(q);
        r.swap += q->by[RES_SWAPPED];
    }
    return r;
}

static void print_row(struct ink *k, const struct map_view *m, const struct row *r)
{
    const struct space_part *p = &m->space.part[r->first];
    char label[MAP_LABEL];
    address(k, r->start);
    strip(k, &m->space, r->start, r->end, p->run_first, strip_width(k));
    ink_to(k, ADDRESS + strip_width(k) + 1);
    sizes(k, r->rss, r->end - r->start);
    ink_cut(k, p->kind == SPACE_HEAP ? INK_BOLD : INK_PLAIN, map_label(label, p->kind, p->name),
            k->width - k->column);
    ink_line(k);
}

// Rows that are not worth a line of their own until something bigger comes.
struct small {
    struct row first;
    u32 count;
    u64 rss, size;
};

static void print_small(struct ink *k, const struct map_view *m, struct small *s)
{
    if (s->count == 1)
        print_row(k, m, &s->first);
    if (s->count > 1) {
        address(k, s->first.start);
        ink_to(k, ADDRESS + strip_width(k) + 1);
        sizes(k, s->rss, s->size);
        ink(k, INK_DIM, "%u small ones", s->count);
        ink_line(k);
    }
    *s = (struct small){0};
}

static void add_small(struct small *s, const struct row *r)
{
    if (s->count++ == 0)
        s->first = *r;
    s->rss += r->rss;
    s->size += r->end - r->start;
}

// What everybody looks for stands alone, however little it is.
static bool matters(const struct map_view *m, const struct row *r)
{
    switch (m->space.part[r->first].kind) {
    case SPACE_HEAP:
    case SPACE_BRK:
    case SPACE_STACK:
    case SPACE_TASKS:
    case SPACE_PROGRAM:
        return true;
    case SPACE_RESERVED:
        return false;
    case SPACE_TABLES: // much address space, little memory
        return r->rss >= m->rss / 100;
    case SPACE_RECORDING:
    case SPACE_ARENA:
    case SPACE_LIBRARY:
    case SPACE_FILE:
    case SPACE_SHARED:
    case SPACE_ANONYMOUS:
    case SPACE_KERNEL:
    case SPACE_KINDS:
        break;
    }
    return r->rss + r->swap >= m->rss / 100 || r->end - r->start >= m->size / 20;
}

static void rows_by_owner(struct ink *k, const struct map_view *m)
{
    const struct space *s = &m->space;
    struct small small = {0};
    u64 end = 0;
    // What lies in the kernel's half ([vsyscall]) is no memory: left out.
    for (size_t i = 0; i < s->part_count && s->part[i].start < (u64)1 << 63;) {
        struct row r = row_from(s, i);
        bool shown = matters(m, &r), far = end != 0 && r.start - end >= GAP_MIN;
        if (shown || far)
            print_small(k, m, &small);
        hole(k, end, r.start);
        if (shown)
            print_row(k, m, &r);
        else if (s->part[i].kind != SPACE_RESERVED)
            add_small(&small, &r);
        end = r.end;
        i = r.last + 1;
    }
    print_small(k, m, &small);
}

// ---------------------------------------------------------------- rows of mappings

static void access_of(struct ink *k, const struct map *m)
{
    ink(k, m->writable && m->executable ? INK_BAD : INK_DIM, "%c%c%c%c ", m->readable ? 'r' : '-',
        m->writable ? 'w' : '-', m->executable ? 'x' : '-', m->shared ? 's' : 'p');
}

static int by_size(const void *a, const void *b)
{
    const struct section *x = *(const struct section *const *)a;
    const struct section *y = *(const struct section *const *)b;
    u64 of_x = x->end - x->start, of_y = y->end - y->start;
    return of_x != of_y ? (of_x < of_y ? 1 : -1) : (x->start > y->start) - (x->start < y->start);
}

#define SECTIONS_MAX 64 // of one mapping; a program has half as many in all

// ".text .plt …", the largest first, as many as fit.
static void sections_in(struct ink *k, const struct map_view *m, u64 start, u64 end)
{
    const struct section *list[SECTIONS_MAX];
    const struct section *x = sections_from(&m->sections, start);
    const struct section *stop = m->sections.section + m->sections.count;
    size_t count = 0;
    for (; x != NULL && x < stop && x->start < end && count < SECTIONS_MAX; x++)
        list[count++] = x;
    if (count != 0)
        qsort(list, count, sizeof *list, by_size);
    for (size_t i = 0; i < count; i++) {
        char name[sizeof x->name];
        snprintf(name, sizeof name, "%s", list[i]->name);
        utf8_clean(name);
        if (k->column + 1 + utf8_width(name) + (i + 1 < count ? 2 : 0) > k->width) {
            ink(k, INK_DIM, " …");
            return;
        }
        ink(k, INK_DIM, " %s", name);
    }
}

static void print_part(struct ink *k, const struct map_view *m, const struct space_part *p)
{
    char label[MAP_LABEL];
    u32 width = k->width >= 100 ? 24 : 12;
    address(k, p->start);
    access_of(k, &m->space.smaps.smap[p->mapping].map);
    strip(k, &m->space, p->start, p->end, p->run_first, width);
    ink_to(k, ADDRESS + 5 + width + 1);
    sizes(k, space_resident(p), p->end - p->start);
    ink_cut(k, INK_PLAIN, map_label(label, p->kind, p->name), k->width - k->column);
    sections_in(k, m, p->start, p->end);
    ink_line(k);
}

// ---------------------------------------------------------------- rows of pages

static void print_run(struct ink *k, const struct map_view *m, const struct residence_run *r)
{
    char count[WORDS_SIZE];
    u64 pages = (r->end - r->start) / m->space.residence.os_page;
    ink(k, INK_DIM, "  %012llx ", (unsigned long long)r->start);
    strip_sign(k, r->state, false);
    ink(k, INK_PLAIN, " %-12s %12s", strip_names[r->state], words_of(count, pages, "page"));
    if (r->frame != 0)
        ink(k, INK_DIM, "  frame%s %llx", pages == 1 ? "" : "s from", (unsigned long long)r->frame);
    sections_in(k, m, r->start, r->end);
    ink_line(k);
}

static void print_span(struct ink *k, const struct map_view *m, const struct span *x, size_t run)
{
    const struct blocks *b = &m->space.blocks;
    char size[WORDS_SIZE];
    u64 live = 0;
    for (u32 w = 0; w * 64 < x->blocks; w++)
        live += bits_in(b->live[x->slot / 64 + w]);
    ink(k, INK_DIM, "  %012llx ", (unsigned long long)x->start);
    strip(k, &m->space, x->start, round_up(x->start + x->size * x->blocks, PAGE_SIZE), run, 16);
    ink_to(k, 34);
    if (x->single)
        ink(k, INK_PLAIN, "one block of %s", words_size(size, x->size));
    else
        ink(k, INK_PLAIN, "%llu of %u blocks of %llu bytes are live", (unsigned long long)live,
            x->blocks, (unsigned long long)x->size);
    ink_line(k);
}

// Inside loam's heap the slabs say more than runs of pages do.
static void print_pages(struct ink *k, const struct map_view *m, const struct space_part *p)
{
    const struct space *s = &m->space;
    size_t run = p->run_first;
    if (p->kind != SPACE_HEAP || !s->heap) {
        for (size_t i = 0; i < p->run_count; i++)
            print_run(k, m, &s->run[p->run_first + i]);
        return;
    }
    for (u32 i = 0; i < s->blocks.span_count; i++) {
        const struct span *x = &s->blocks.span[i];
        if (x->start < p->start || x->start >= p->end)
            continue;
        while (run < s->run_count && s->run[run].end <= x->start)
            run++;
        print_span(k, m, x, run);
    }
}

static void rows_by_mapping(struct ink *k, const struct map_view *m, bool pages)
{
    const struct space *s = &m->space;
    u64 end = 0;
    for (size_t i = 0; i < s->part_count; i++) {
        hole(k, end, s->part[i].start);
        print_part(k, m, &s->part[i]);
        if (pages)
            print_pages(k, m, &s->part[i]);
        end = s->part[i].end;
    }
}

void map_rows(struct ink *k, const struct map_view *m, const struct map_options *o)
{
    ink(k, INK_HEAD, "THE MAP");
    ink(k, INK_DIM, "  from low addresses to high; a sign is a page, or several");
    ink_line(k);
    if (o->all)
        rows_by_mapping(k, m, o->pages);
    else
        rows_by_owner(k, m);
}
