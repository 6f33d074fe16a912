// account_view.c: the account of RSS, the heap's classes and its fragmentation on a terminal.
#include "inspect/account_view.h"

#include "report/words.h"

#include <string.h>

#define LABEL       30 // columns of a name
#define SIZE        9
#define BAR         20
#define CLASSES_MAX 6
#define STACK_LINES 4

static void size_right(struct ink *k, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    ink(k, style, "%*s", SIZE, words_size(size, bytes));
}

static void account_row(struct ink *k, const struct account *a, enum account_part part,
                        const char *note)
{
    char share[WORDS_SIZE];
    u64 bytes = a->part[part];
    ink(k, INK_PLAIN, "  %s", account_names[part]);
    ink_to(k, LABEL);
    size_right(k, INK_BOLD, bytes);
    ink(k, INK_PLAIN, "  ");
    ink_bar(k, bytes, a->rss, k->width >= 100 ? BAR : BAR / 2);
    ink(k, INK_PLAIN, "%6s", words_share(share, bytes, a->rss));
    if (k->column + strlen(note) <= k->width)
        ink(k, INK_DIM, "%s", note);
    ink_line(k);
}

static const struct account_class *next_largest(const struct account *a, u32 *used)
{
    const struct account_class *best = NULL;
    for (u32 i = 0; i < a->cls_count; i++) {
        const struct account_class *c = &a->cls[i];
        bool done = (used[i / 32] >> (i % 32) & 1) != 0;
        if (!done && (best == NULL || c->resident > best->resident))
            best = c;
    }
    if (best != NULL) {
        u32 i = (u32)(best - a->cls);
        used[i / 32] |= 1u << (i % 32);
    }
    return best;
}

static void class_row(struct ink *k, const struct account_class *c)
{
    char size[WORDS_SIZE], count[WORDS_SIZE], share[WORDS_SIZE];
    if (c->size == 0)
        ink(k, INK_PLAIN, "  blocks of more than 32 KiB");
    else
        ink(k, INK_PLAIN, "  blocks of %s bytes", words_count(count, c->size));
    ink_to(k, LABEL);
    size_right(k, INK_PLAIN, c->resident);
    ink(k, INK_PLAIN, "  ");
    ink_bar(k, c->live_bytes, c->resident, k->width >= 100 ? BAR : BAR / 2);
    ink(k, INK_PLAIN, "%6s", words_share(share, c->live_bytes, c->resident));
    ink(k, INK_DIM, "  live: %s", words_size(size, c->live_bytes));
    if (k->width >= 100)
        ink(k, INK_DIM, " in %s", words_of(count, c->live, "block"));
    ink_line(k);
}

void account_text(struct ink *k, const struct account *a)
{
    if (!a->heap)
        return;
    ink(k, INK_HEAD, "WHAT IT IS FOR");
    ink(k, INK_DIM, "  every byte, once");
    ink_line(k);
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        if (i != ACCOUNT_WASTE || a->asked)
            account_row(k, a, (enum account_part)i,
                        i == ACCOUNT_LIVE && !a->asked ? "  rounded up to their size class" : "");
    ink_line(k);
}

void account_classes_text(struct ink *k, const struct account *a)
{
    u32 used[(CLASS_COUNT + 32) / 32] = {0};
    if (!a->heap)
        return;
    ink(k, INK_HEAD, "LOAM'S HEAP");
    ink(k, INK_DIM, "  its largest classes, and how much of their memory is live");
    ink_line(k);
    const struct account_class *c;
    for (u32 n = 0; n < CLASSES_MAX && (c = next_largest(a, used)) != NULL; n++)
        class_row(k, c);
    ink_line(k);
}

// ---------------------------------------------------------------- fragmentation

static void pin(struct ink *k, const struct pin *p, struct blame *b)
{
    char size[WORDS_SIZE], count[WORDS_SIZE], slabs[WORDS_SIZE];
    const struct site *site = blame_site(b, p->site);
    ink(k, INK_BOLD, "%*s", SIZE, words_size(size, p->pinned));
    ink(k, INK_PLAIN, "  kept by %s in %s", words_of(count, p->blocks, "block"),
        words_of(slabs, p->slabs, "slab"));
    if (p->freed != 0)
        ink(k, INK_PLAIN, "; without them %s would be free", words_size(size, p->freed));
    ink_line(k);
    ink_to(k, SIZE + 2);
    if (site != NULL) {
        blame_stack(k, b, site, STACK_LINES);
        return;
    }
    ink(k, INK_DIM, "from before the recording began");
    ink_line(k);
}

void account_pins_text(struct ink *k, const struct pins *p, struct blame *b, u32 sites)
{
    char size[WORDS_SIZE], free[WORDS_SIZE], count[WORDS_SIZE];
    if (p->slabs == 0)
        return;
    ink(k, INK_HEAD, "FRAGMENTATION");
    ink(k, INK_PLAIN, "  %s in %s less than half live; %s of it free",
        words_size(size, p->resident), words_of(count, p->slabs, "slab"),
        words_size(free, p->resident - p->live));
    ink_line(k);
    for (size_t i = 0; b->known && i < p->count && i < sites; i++)
        pin(k, &p->pin[i], b);
    if (!b->known) {
        ink_to(k, SIZE + 2);
        ink(k, INK_DIM, "who keeps them is known of programs under 'loam run -- prog'");
        ink_line(k);
    }
    ink_line(k);
}
