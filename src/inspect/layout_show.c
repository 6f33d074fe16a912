// layout_show.c: one struct: every member, every hole, every cache line.

#include "inspect/layout_view.h"

#include "report/ink.h"
#include "report/name.h"
#include "report/words.h"

#include <string.h>

#define LINES_MAX 16 // of a map; what repeats is folded before that

static const enum style colours[] = {INK_CYAN, INK_GREEN, INK_YELLOW, INK_MAGENTA, INK_BLUE};

// A member's letter: a to z, then A to Z, then again.
static char letter_of(u32 number)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return letters[number % (sizeof letters - 1)];
}

static u32 number_of(const struct shape *r, u32 index)
{
    u32 n = 0;
    for (u32 i = 0; i < index; i++)
        n += r->members[i].depth == 0 && !r->members[i].closes;
    return n;
}

static enum style colour_of(u32 number)
{
    return colours[number % countof(colours)];
}

// Bits as bytes if they are whole: "4", "5 bits".
static const char *bits_text(char buf[WORDS_SIZE], u64 bits)
{
    snprintf(buf, WORDS_SIZE, bits % 8 == 0 ? "%llu" : "%llu bit%s",
             (unsigned long long)(bits % 8 == 0 ? bits / 8 : bits), bits == 1 ? "" : "s");
    return buf;
}

// ---------------------------------------------------------------- head

static void print_head(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    char text[1100], n[WORDS_SIZE], path[1024];
    ink(k, INK_BOLD, "%s %s", r->word, r->name);
    ink(k, INK_PLAIN, " · %s in %s · aligned to %u", words_of(n, r->size, "byte"),
        words_of(text, l->lines, "cache line"), r->align);
    if (r->file != NULL) {
        snprintf(path, sizeof path, "%s", r->file);
        ink(k, INK_DIM, " · %s:%u", name_near_path(path), r->line);
    }
    ink_line(k);
    ink_line(k);
}

static void print_verdict(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    char share[WORDS_SIZE], wasted[WORDS_SIZE];
    u32 holes = 0;
    for (u32 i = 0; i < l->holes_count; i++)
        holes += l->holes[i].before != r->count;
    ink(k, INK_HEAD, "WASTE");
    ink_to(k, 10);
    if (l->wasted == 0) {
        ink(k, INK_GOOD, "none");
        ink_line(k);
        return;
    }
    bits_text(wasted, l->wasted);
    ink(k, INK_BOLD, "%s%s", wasted, l->wasted % 8 == 0 ? " bytes" : "");
    ink(k, INK_PLAIN, ", %s of it: ", words_share(share, l->wasted, r->size * 8));
    ink(k, INK_PLAIN, "%s%s", words_of(wasted, holes, "hole"),
        holes < l->holes_count ? " and padding at the end" : "");
    ink_line(k);
    if (l->order == NULL)
        return;
    ink_to(k, 10);
    ink(k, INK_GOOD, "%llu bytes are enough", (unsigned long long)l->best);
    ink(k, INK_PLAIN, " with the members in another order: %llu saved",
        (unsigned long long)(r->size - l->best));
    ink_line(k);
}

// ---------------------------------------------------------------- members

static void print_line_mark(struct ink *k, u64 line)
{
    ink(k, INK_DIM, "  ── cache line %llu ", (unsigned long long)line);
    while (k->column < 64)
        ink(k, INK_DIM, "─");
    ink_line(k);
}

static void print_hole(struct ink *k, const struct hole *h, bool end)
{
    char n[WORDS_SIZE];
    ink(k, INK_BAD, "  %c %6llu %7s  %s", '.', (unsigned long long)(h->at / 8),
        bits_text(n, h->size), end ? "padding" : "hole");
    ink_line(k);
}

static void print_remarks(struct ink *k, const struct layout *l, const struct member *m)
{
    if (layout_crowded(l, m))
        ink(k, INK_WARN, "  shares its line with another atomic");
    else if (m->shared)
        ink(k, INK_DIM, "  atomic");
    if (m->depth == 0 && m->size > 0 && m->size <= LAYOUT_LINE * 8 &&
        m->at / (LAYOUT_LINE * 8) != (m->at + m->size - 1) / (LAYOUT_LINE * 8))
        ink(k, INK_WARN, "  on two lines");
}

static void print_member(struct ink *k, const struct layout *l, u32 index)
{
    const struct member *m = &l->record->members[index];
    char n[WORDS_SIZE];
    u32 number = number_of(l->record, index);
    bool own = m->depth == 0;
    if (m->closes) {
        ink_to(k, 20 + 4 * m->depth);
        ink(k, INK_DIM, "}");
        ink_line(k);
        return;
    }
    ink(k, own ? colour_of(number) : INK_PLAIN, "  %c", own ? letter_of(number) : ' ');
    ink(k, own ? INK_PLAIN : INK_DIM, " %6llu %7s  ", (unsigned long long)(m->at / 8),
        m->unknown ? "?" : bits_text(n, m->size));
    ink_to(k, 20 + 4 * m->depth);
    ink_cut(k, own ? INK_PLAIN : INK_DIM, m->declaration, k->width - 20 - 4 * m->depth);
    print_remarks(k, l, m);
    ink_line(k);
}

static void print_members(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    u64 line = UINT64_MAX;
    ink_line(k);
    ink(k, INK_HEAD, "  %8s %7s  %s", "OFFSET", "SIZE", "MEMBER");
    ink_line(k);
    for (u32 i = 0, hole = 0; i <= r->count; i++) {
        const struct member *m = i < r->count ? &r->members[i] : NULL;
        if (hole < l->holes_count && l->holes[hole].before == i) {
            print_hole(k, &l->holes[hole], i == r->count);
            hole++;
        }
        if (m == NULL)
            break;
        if (m->depth == 0 && !m->closes && l->lines > 1 && m->at / (LAYOUT_LINE * 8) != line) {
            line = m->at / (LAYOUT_LINE * 8);
            print_line_mark(k, line);
        }
        print_member(k, l, i);
    }
    if (r->virtual_bases) {
        ink(k, INK_DIM, "  virtual bases lie where the whole object's class puts them");
        ink_line(k);
    }
}

// ---------------------------------------------------------------- map

// The member that has a byte; r->count: none.
static u32 member_at(const struct shape *r, u64 byte)
{
    for (u32 i = 0; i < r->count; i++) {
        const struct member *m = &r->members[i];
        if (m->depth == 0 && !m->closes && m->at / 8 <= byte && byte < (m->at + m->size + 7) / 8)
            return i;
    }
    return r->count;
}

static void print_map_line(struct ink *k, const struct shape *r, u64 line)
{
    ink(k, INK_DIM, "%6llu  ", (unsigned long long)line);
    for (u64 byte = line * LAYOUT_LINE; byte < (line + 1) * LAYOUT_LINE && byte < r->size; byte++) {
        if (byte % 8 == 0 && byte % LAYOUT_LINE != 0)
            ink(k, INK_PLAIN, " ");
        u32 i = member_at(r, byte), n = number_of(r, i);
        if (i == r->count)
            ink(k, INK_BAD, ".");
        else
            ink(k, colour_of(n), "%c", letter_of(n));
    }
    ink_line(k);
}

// Whether a line and the one before it lie in one member.
static bool repeats(const struct shape *r, u64 line)
{
    u32 first = line == 0 ? r->count : member_at(r, (line - 1) * LAYOUT_LINE);
    if (first == r->count || (line + 1) * LAYOUT_LINE > r->size)
        return false;
    const struct member *m = &r->members[first];
    return m->at / 8 <= (line - 1) * LAYOUT_LINE &&
           (m->at + m->size) / 8 >= (line + 1) * LAYOUT_LINE;
}

static void print_map(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    u32 printed = 0;
    bool folded = false;
    ink_line(k);
    ink(k, INK_HEAD, "MAP");
    ink_to(k, 12);
    ink(k, INK_DIM, "a letter a byte, 8 bytes a word, 64 a cache line; dots are wasted");
    ink_line(k);
    for (u64 line = 0; line < l->lines && printed < LINES_MAX;) {
        if (!repeats(r, line)) {
            print_map_line(k, r, line++);
            printed++;
            folded = false;
            continue;
        }
        // Go on behind the member: its lines are all alike.
        const struct member *m = &r->members[member_at(r, line * LAYOUT_LINE)];
        line = (m->at + m->size) / 8 / LAYOUT_LINE;
        if (!folded) {
            ink_to(k, 2);
            ink(k, INK_DIM, "…");
            ink_line(k);
        }
        folded = true;
    }
}

// ---------------------------------------------------------------- a better order

// Whether a member passes one that stood before it.
static bool moved(const struct layout *l, u32 place)
{
    for (u32 i = place + 1; i < l->order_count; i++) {
        if (l->order[i] < l->order[place])
            return true;
    }
    return false;
}

static void print_order(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    char n[WORDS_SIZE];
    if (l->order == NULL)
        return;
    ink_line(k);
    ink(k, INK_HEAD, "ORDER");
    ink_to(k, 10);
    ink(k, INK_PLAIN, "%llu bytes instead of %llu", (unsigned long long)l->best,
        (unsigned long long)r->size);
    ink_line(k);
    for (u32 i = 0; i < l->order_count; i++) {
        const struct member *m = &r->members[l->order[i]];
        u32 number = number_of(r, l->order[i]);
        ink(k, colour_of(number), "  %c", letter_of(number));
        ink(k, INK_PLAIN, " %6llu %7s  ", (unsigned long long)(l->order_at[i] / 8),
            bits_text(n, m->size));
        ink_cut(k, INK_PLAIN, m->declaration, k->width - 40);
        if (moved(l, i))
            ink(k, INK_GOOD, "  moved up from %llu", (unsigned long long)(m->at / 8));
        ink_line(k);
    }
    ink_to(k, 2);
    ink_wrap(k, INK_DIM,
             "Check before: code that casts, writes it to files, or initialises it without names "
             "depends on the order, and members that are used together belong together.");
}

void layout_show(FILE *out, const struct layout_view *v)
{
    struct ink k = ink_on(out);
    for (u32 i = 0; i < v->structs->count; i++) {
        const struct layout *l = v->structs->items[i];
        if (i > 0)
            ink_line(&k);
        print_head(&k, l);
        print_verdict(&k, l);
        print_members(&k, l);
        if (l->record->size > 0 && l->record->word[0] != 'u')
            print_map(&k, l);
        print_order(&k, l);
    }
}
