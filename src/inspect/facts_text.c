// facts_text.c: an ELF file on a page: a picture of file against memory, then what it asks for.

#include "inspect/facts_view.h"

#include "report/words.h"

#include <string.h>

#define COLUMN 12 // where what is said begins, right of the headings
#define CELL   20 // columns inside a box of the picture
#define GAP    11 // columns of the arrow between the boxes

struct page {
    struct ink k;
    const struct facts_view *v;
    const struct facts *f;
    char buf[WORDS_SIZE];
};

static void heading(struct page *p, const char *text)
{
    ink(&p->k, INK_HEAD, "%s", text);
    ink_to(&p->k, COLUMN);
}

static void sentence(struct page *p, const char *head, const char *text)
{
    heading(p, head);
    ink_wrap(&p->k, INK_PLAIN, text);
}

// ---------------------------------------------------------------- what it is

static void print_kind(struct page *p)
{
    const struct facts *f = p->f;
    ink(&p->k, INK_BOLD, "%s", f->path);
    ink(&p->k, INK_PLAIN, " · %s", words_size(p->buf, f->file_size));
    ink_line(&p->k);
    ink_line(&p->k);
    heading(p, "KIND");
    ink(&p->k, INK_PLAIN, "%s · %s, %u bits%s", facts_kind(f), facts_machine(f->machine),
        f->class_bits, f->big_endian ? ", big endian" : "");
    ink_line(&p->k);
    if (f->soname != NULL)
        sentence(p, "NAME", f->soname);
    if (f->entry != 0) {
        heading(p, "ENTRY");
        ink(&p->k, INK_PLAIN, "0x%llx%s%s", (unsigned long long)f->entry,
            f->entry_name == NULL ? "" : "  ", f->entry_name == NULL ? "" : f->entry_name);
        ink_line(&p->k);
    }
    if (f->interpreter != NULL)
        sentence(p, "LOADER", f->interpreter);
    if (f->id_len > 0) {
        heading(p, "BUILD-ID");
        for (u32 i = 0; i < f->id_len; i++)
            ink(&p->k, INK_PLAIN, "%02x", f->id[i]);
        ink_line(&p->k);
    }
    if (f->compiler != NULL)
        sentence(p, "BUILT BY", f->compiler);
}

static void print_debug(struct page *p)
{
    const struct facts *f = p->f;
    char text[1024];
    int n = 0;
    words_size(p->buf, f->debug_size);
    if (f->dwarf > 0)
        n = snprintf(text, sizeof text, "DWARF %u, %s in the file%s", f->dwarf, p->buf,
                     f->split ? ", the rest in .dwo files or a .dwp" : "");
    else if (f->debug_size > 0)
        n = snprintf(text, sizeof text, "%s in the file that cannot be read", p->buf);
    else if (f->debug_file != NULL)
        n = snprintf(text, sizeof text, "in %.200s", f->debug_file);
    else
        n = snprintf(text, sizeof text, "none%s",
                     f->symbols ? ", but function names (.symtab)" : ": stripped");
    if (f->debug_link != NULL && f->debug_file == NULL)
        n += snprintf(text + n, sizeof text - (size_t)n, "; %.200s, which it names, is not here",
                      f->debug_link);
    if (f->debug_alt != NULL)
        snprintf(text + n, sizeof text - (size_t)n, "; shares %.200s (dwz)", f->debug_alt);
    sentence(p, "DEBUG", text);
}

// ---------------------------------------------------------------- the picture

// A stretch of the file, of memory, or of both.
struct stretch {
    const struct segment *segment; // NULL: in the file only
    u64 offset, file_size, address, mem_size;
    const char *note; // instead of sections
};

// The line above or below a box, or between two boxes.
static void edge(struct page *p, u32 at, bool above, bool below)
{
    const char *left = above && below ? "├" : above ? "└" : "┌";
    const char *right = above && below ? "┤" : above ? "┘" : "┐";
    ink_to(&p->k, at);
    for (u32 i = 0; (above || below) && i < CELL + 2; i++)
        ink(&p->k, INK_DIM, "%s", i == 0 ? left : i == CELL + 1 ? right : "─");
}

static void cell(struct page *p, u32 at, u64 place, u64 size, enum style style)
{
    char text[WORDS_SIZE];
    ink_to(&p->k, at);
    ink(&p->k, INK_DIM, "│");
    if (size > 0) {
        ink(&p->k, style, " 0x%-9llx", (unsigned long long)place);
        words_size(text, size);
        ink_to(&p->k, at + 1 + CELL - 1 - (u32)strlen(text));
        ink(&p->k, INK_PLAIN, "%s", text);
    }
    ink_to(&p->k, at + 1 + CELL);
    ink(&p->k, INK_DIM, "│");
}

static void bar(struct page *p, u32 at, u64 size, u64 whole, bool there)
{
    ink_to(&p->k, at);
    ink(&p->k, INK_DIM, "│");
    if (there && size > 0)
        ink_bar(&p->k, size, whole, CELL);
    ink_to(&p->k, at + 1 + CELL);
    ink(&p->k, INK_DIM, "│");
}

static enum style rights_style(u32 flags)
{
    if ((flags & PF_W) != 0 && (flags & PF_X) != 0)
        return INK_BAD;
    return (flags & PF_X) != 0 ? INK_GREEN : (flags & PF_W) != 0 ? INK_YELLOW : INK_CYAN;
}

// Whether a section belongs to a stretch.
static bool inside(const struct page *p, const struct stretch *t, const struct section *s)
{
    if (t->segment == NULL)
        return s->segment == FACTS_NONE && s->file_size > 0 && s->offset >= t->offset &&
               s->offset - t->offset < t->file_size;
    if (s->segment == FACTS_NONE || &p->f->segments[s->segment] != t->segment)
        return false;
    return (s->file_size == 0 && s->size > 0) == (t->file_size == 0);
}

// Names of sections, cut into at most two lines right of the boxes: the largest matter most, but
// the order of the file is what a picture shows.
static void names(struct page *p, const struct stretch *t, u32 line, u32 left)
{
    u32 at = 0, room = p->k.width - left;
    if (t->note != NULL) {
        if (line == 0)
            ink(&p->k, INK_DIM, "%s", t->note);
        return;
    }
    for (u32 i = 0, now = 0; i < p->f->sections_count; i++) {
        const struct section *s = &p->f->sections[i];
        if (!inside(p, t, s))
            continue;
        u32 len = (u32)strlen(s->name);
        if (at + len + 2 > room) {
            if (now == line && line == 1) {
                ink(&p->k, INK_DIM, "…");
                return;
            }
            now++;
            at = 0;
        }
        if (now > line)
            return;
        if (now == line)
            ink(&p->k, s->size * 4 > t->mem_size + t->file_size ? INK_BOLD : INK_PLAIN, "%s ",
                s->name);
        at += len + 1;
    }
}

static void stretch(struct page *p, const struct stretch *t, u64 whole)
{
    struct ink *k = &p->k;
    u32 right = 1 + CELL + 2 + GAP, left = right + CELL + 4;
    bool file = t->file_size > 0, memory = t->mem_size > 0;
    if (file)
        cell(p, 1, t->offset, t->file_size, INK_PLAIN);
    ink_to(k, 1 + CELL + 2);
    if (t->segment != NULL)
        ink(k, rights_style(t->segment->flags), file ? " ── %s ─▶ " : "    %s    ",
            facts_rights(t->segment->flags));
    if (memory)
        cell(p, right, t->address, t->mem_size, INK_PLAIN);
    ink_to(k, left);
    names(p, t, 0, left);
    ink_line(k);
    if (file)
        bar(p, 1, t->file_size, whole, true);
    if (memory)
        bar(p, right, t->mem_size, whole, true);
    ink_to(k, left);
    names(p, t, 1, left);
    ink_line(k);
}

// The parts that are loaded, each split into what the file has of it and what is only zeroes, and
// what nobody loads.
static u32 stretches(const struct facts *f, struct stretch *out, u32 room)
{
    u32 n = 0;
    u64 end = 0; // of what is loaded
    for (u32 i = 0; i < f->segments_count && n + 3 < room; i++) {
        const struct segment *s = &f->segments[i];
        if (s->type != PT_LOAD)
            continue;
        u64 both = s->file_size < s->mem_size ? s->file_size : s->mem_size;
        if (both > 0)
            out[n++] = (struct stretch){s, s->offset, both, s->address, both, NULL};
        if (s->mem_size > both)
            out[n++] = (struct stretch){s, 0, 0, s->address + both, s->mem_size - both, NULL};
        if (s->offset + s->file_size > end)
            end = s->offset + s->file_size;
    }
    if (f->file_size > end)
        out[n++] = (struct stretch){NULL, end, f->file_size - end, 0, 0, NULL};
    return n;
}

static void print_picture(struct page *p)
{
    struct stretch t[24] = {0};
    u32 n = stretches(p->f, t, countof(t)), right = 1 + CELL + 2 + GAP;
    u64 whole = 1;
    char disk[WORDS_SIZE];
    for (u32 i = 0; i < n; i++) {
        whole = t[i].mem_size > whole ? t[i].mem_size : whole;
        whole = t[i].file_size > whole ? t[i].file_size : whole;
    }
    ink_line(&p->k);
    ink_to(&p->k, 1);
    ink(&p->k, INK_HEAD, "FILE");
    ink_to(&p->k, right);
    ink(&p->k, INK_HEAD, "MEMORY");
    ink_line(&p->k);
    for (u32 i = 0; i <= n; i++) {
        edge(p, 1, i > 0 && t[i - 1].file_size > 0, i < n && t[i].file_size > 0);
        edge(p, right, i > 0 && t[i - 1].mem_size > 0, i < n && t[i].mem_size > 0);
        ink_line(&p->k);
        if (i < n)
            stretch(p, &t[i], whole);
    }
    if (n + 3 >= countof(t)) {
        ink_to(&p->k, 1);
        ink(&p->k, INK_WARN, "not all of its segments have room here; --json has them");
        ink_line(&p->k);
    }
    ink_to(&p->k, 1);
    ink(&p->k, INK_DIM, "%s only on disk", words_size(disk, facts_disk_only(p->f)));
    ink_to(&p->k, right);
    ink(&p->k, INK_DIM, "%s only in memory (zeroes)", words_size(p->buf, facts_memory_only(p->f)));
    ink_line(&p->k);
    ink_line(&p->k);
}

// ---------------------------------------------------------------- what it asks for

static void print_hardening(struct page *p)
{
    static const char *const signs[] = {"✓", "•", "✗", " "};
    static const enum style styles[] = {INK_GOOD, INK_WARN, INK_BAD, INK_DIM};
    for (u32 i = 0; i < p->v->hardening_count; i++) {
        const struct hardening *h = &p->v->hardening[i];
        heading(p, i == 0 ? "HARDENING" : "");
        ink(&p->k, styles[h->verdict], "%s %-9s ", signs[h->verdict], h->name);
        ink_wrap(&p->k, h->verdict == HARDEN_YES ? INK_DIM : INK_PLAIN, h->says);
    }
}

static void print_needs(struct page *p)
{
    const struct needs *n = &p->v->needs;
    u32 left = COLUMN + 22;
    for (u32 i = 0; i < n->count; i++) {
        const struct library *l = &n->items[i];
        if (i >= n->direct && l->path != NULL)
            continue;
        heading(p, i == 0 ? "NEEDS" : "");
        ink(&p->k, INK_PLAIN, "%s", l->name);
        ink_to(&p->k, left);
        if (l->path != NULL)
            ink(&p->k, INK_DIM, "%s", l->path);
        else if (!n->foreign)
            ink(&p->k, INK_BAD, "missing");
        if (l->wanted != NULL)
            ink(&p->k, INK_PLAIN, ", needed by %s", l->wanted);
        ink_line(&p->k);
    }
    if (n->count > n->direct) {
        heading(p, "");
        ink(&p->k, INK_DIM, "and %s that these need",
            words_of(p->buf, n->count - n->direct, "more"));
        ink_line(&p->k);
    }
}

static void print_relocs(struct page *p)
{
    const struct facts *f = p->f;
    if (f->relocs_count == 0)
        return;
    char text[1024];
    size_t n = 0;
    for (u32 i = 0; i < f->relocs_count && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %s", i == 0 ? "" : " · ",
                              words_count(p->buf, f->relocs[i].count), f->relocs[i].name);
    sentence(p, "RELOCATES", text);
}

// ---------------------------------------------------------------- sections, and a process

static void print_sections(struct page *p)
{
    struct ink *k = &p->k;
    ink_line(k);
    ink(k, INK_HEAD, "%-22s %10s %12s %12s  %s", "SECTION", "OFFSET", "ON DISK", "ADDRESS",
        "IN MEMORY");
    ink_line(k);
    for (u32 i = 0; i < p->f->sections_count; i++) {
        const struct section *s = &p->f->sections[i];
        bool loaded = (s->flags & SHF_ALLOC) != 0;
        ink_cut(k, INK_PLAIN, s->name, 22);
        ink_to(k, 23);
        ink(k, INK_PLAIN, "%#10llx %12s", (unsigned long long)s->offset,
            s->file_size == 0 ? "-" : words_size(p->buf, s->file_size));
        if (loaded)
            ink(k, INK_PLAIN, " %#12llx  %-9s", (unsigned long long)s->address,
                words_size(p->buf, s->size));
        if (loaded && s->segment != FACTS_NONE)
            ink(k, rights_style(p->f->segments[s->segment].flags), " %s",
                facts_rights(p->f->segments[s->segment].flags));
        ink_line(k);
    }
}

static void print_resident(struct page *p)
{
    const struct resident *r = p->v->resident;
    struct ink *k = &p->k;
    char all[WORDS_SIZE], own[WORDS_SIZE];
    ink_line(k);
    heading(p, "RESIDENT");
    ink(k, INK_BOLD, "%s of %s", words_size(p->buf, r->present), words_size(all, r->size));
    ink(k, INK_PLAIN, " in process %d (%s) · %s of it copied", r->pid, r->command,
        words_size(own, r->copied));
    ink_line(k);
    for (u32 i = 0; i < p->f->segments_count; i++) {
        const struct segment *s = &p->f->segments[i];
        if (s->type != PT_LOAD || !s->mapped)
            continue;
        heading(p, "");
        ink(k, INK_PLAIN, "%#-14llx ", (unsigned long long)(s->address + r->base));
        ink(k, rights_style(s->flags), "%s  ", facts_rights(s->flags));
        ink_bar(k, s->resident, round_up(s->mem_size, 4096), 24);
        ink(k, INK_PLAIN, "  %s", words_size(p->buf, s->resident));
        if (s->copied > 0)
            ink(k, INK_DIM, ", %s copied", words_size(own, s->copied));
        if (s->swapped > 0)
            ink(k, INK_DIM, ", %s swapped out", words_size(own, s->swapped));
        ink_line(k);
    }
}

// A core has hundreds of segments: its picture is that of the process.
static void print_core(struct page *p)
{
    const struct facts *f = p->f;
    char text[512], n[WORDS_SIZE], stored[WORDS_SIZE], all[WORDS_SIZE];
    u64 in_file = 0, in_memory = 0, count = 0;
    for (u32 i = 0; i < f->segments_count; i++) {
        bool load = f->segments[i].type == PT_LOAD;
        count += load;
        in_file += load ? f->segments[i].file_size : 0;
        in_memory += load ? f->segments[i].mem_size : 0;
    }
    snprintf(text, sizeof text, "%s of %s that the process had mapped, in %s",
             words_size(stored, in_file), words_size(all, in_memory),
             words_of(n, count, "segment"));
    sentence(p, "HOLDS", text);
    heading(p, "NEXT");
    ink(&p->k, INK_PLAIN, "loam map %s", f->path);
    ink(&p->k, INK_DIM, "   the address space in it");
    ink_line(&p->k);
    heading(p, "");
    ink(&p->k, INK_PLAIN, "loam hex %s:ADDR", f->path);
    ink(&p->k, INK_DIM, "   bytes, and what they mean");
    ink_line(&p->k);
}

void facts_print(FILE *out, const struct facts_view *v)
{
    struct page p = {.k = ink_on(out), .v = v, .f = v->facts};
    print_kind(&p);
    bool core = v->facts->linking == LINKING_CORE;
    if (core)
        print_core(&p);
    else
        print_debug(&p);
    if (v->facts->segments_count > 0 && !core)
        print_picture(&p);
    print_hardening(&p);
    print_needs(&p);
    print_relocs(&p);
    for (u32 i = 0; i < v->facts->trouble_count; i++)
        sentence(&p, i == 0 ? "TROUBLE" : "", v->facts->trouble[i]);
    if (v->sections || (v->facts->segments_count == 0 && !core))
        print_sections(&p);
    if (v->resident != NULL)
        print_resident(&p);
}
