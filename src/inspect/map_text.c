// map_text.c: `loam map` on a terminal: who has the memory, then the picture.
#include "inspect/account_view.h"
#include "inspect/map.h"
#include "inspect/map_rows.h"
#include "inspect/strip.h"

#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define OWNERS_MAX 10
#define LABEL      30 // columns of an owner's name
#define SIZE       9
#define BAR        20

static void size_right(struct ink *k, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    ink(k, style, "%*s", SIZE, words_size(size, bytes));
}

// ---------------------------------------------------------------- the head

static void head(struct ink *k, const struct map_view *m)
{
    const struct status *s = &m->status;
    ink(k, INK_BOLD, "%s", s->name);
    ink(k, INK_DIM, " · %spid %d · %u thread%s%s", space_is_core(&m->space) ? "core of " : "",
        s->pid, s->threads, s->threads == 1 ? "" : "s",
        m->space.root != 0 ? " · on loam's heap" : "");
    ink_line(k);
    ink_line(k);
}

static void totals(struct ink *k, const struct map_view *m)
{
    char rss[WORDS_SIZE], size[WORDS_SIZE], swap[WORDS_SIZE];
    ink(k, INK_BOLD, "%s in %s", words_size(rss, m->rss),
        space_is_core(&m->space) ? "the core" : "RAM");
    ink(k, INK_PLAIN, " of %s mapped", words_size(size, m->size));
    if (m->swap != 0)
        ink(k, INK_WARN, ", %s in swap", words_size(swap, m->swap));
    if (m->status.page_tables != 0)
        ink(k, INK_DIM, "; page tables %s", words_size(size, m->status.page_tables));
    if (m->reserved != 0)
        ink(k, INK_DIM, "; %s more without access", words_size(size, m->reserved));
    ink_line(k);
}

// Amounts by state, which is the picture's legend too.
static void states(struct ink *k, const struct map_view *m)
{
    char size[WORDS_SIZE];
    bool first = true;
    for (int i = RES_COUNT - 1; i >= 0; i--) {
        u64 bytes = i == RES_ABSENT ? m->by[i] - m->reserved : m->by[i];
        if (bytes == 0 || i == RES_KERNEL)
            continue;
        words_size(size, bytes);
        if (k->column + strlen(strip_names[i]) + strlen(size) + 6 > k->width) {
            ink_line(k);
            first = true;
        }
        ink(k, INK_PLAIN, first ? "" : "   ");
        strip_sign(k, (enum residence_state)i, false);
        ink(k, INK_DIM, " %s", strip_names[i]);
        ink(k, INK_PLAIN, " %s", size);
        first = false;
    }
    ink_line(k);
    ink_line(k);
}

// ---------------------------------------------------------------- owners

// What fits behind the share.
static void owner_note(struct ink *k, const struct map_view *m, const struct map_owner *o)
{
    char size[WORDS_SIZE], count[WORDS_SIZE], note[3 * WORDS_SIZE] = "";
    if (o->swap != 0)
        ink(k, INK_WARN, "  %s in swap", words_size(size, o->swap));
    if (o->kind == SPACE_HEAP && m->account.heap)
        snprintf(note, sizeof note, "  %s live%s%s",
                 words_size(size, m->account.part[ACCOUNT_LIVE]), k->width >= 100 ? " in " : "",
                 k->width >= 100 ? words_of(count, m->account.live_blocks, "block") : "");
    else if (o->kind == SPACE_STACK)
        snprintf(note, sizeof note, "  of %s", words_of(count, o->parts, "thread"));
    else if (o->size > o->rss + o->rss / 8)
        snprintf(note, sizeof note, "  of %s", words_size(size, o->size));
    if (k->column < k->width)
        ink_cut(k, INK_DIM, note, k->width - k->column);
}

static void owner_row(struct ink *k, const struct map_view *m, const struct map_owner *o)
{
    char label[MAP_LABEL], share[WORDS_SIZE];
    ink(k, INK_PLAIN, "  ");
    if (o->kind == SPACE_STACK)
        ink(k, INK_PLAIN, "stacks");
    else
        ink_cut(k, INK_PLAIN, map_label(label, o->kind, o->name), LABEL - 4);
    ink_to(k, LABEL);
    size_right(k, INK_BOLD, o->rss);
    ink(k, INK_PLAIN, "  ");
    ink_bar(k, o->rss, m->rss, k->width >= 100 ? BAR : BAR / 2);
    ink(k, INK_PLAIN, "%6s", words_share(share, o->rss, m->rss));
    owner_note(k, m, o);
    ink_line(k);
}

static void owners(struct ink *k, const struct map_view *m)
{
    char label[64];
    struct map_owner rest = {0};
    size_t shown = 0, left = 0;
    ink(k, INK_HEAD, "WHO HAS IT");
    ink_line(k);
    for (size_t i = 0; i < m->owner_count; i++) {
        const struct map_owner *o = &m->owner[i];
        if (o->rss + o->swap == 0)
            continue;
        bool last = i + 1 == m->owner_count || m->owner[i + 1].rss + m->owner[i + 1].swap == 0;
        if (shown < OWNERS_MAX || (last && left == 0)) {
            owner_row(k, m, o);
            shown++;
            continue;
        }
        rest.rss += o->rss;
        rest.swap += o->swap;
        left++;
    }
    if (left != 0) {
        snprintf(label, sizeof label, "%zu others", left);
        rest.kind = SPACE_FILE;
        rest.name = label;
        owner_row(k, m, &rest);
    }
    ink_line(k);
}

// ---------------------------------------------------------------- all

static void lacks(struct ink *k, const struct map_view *m, const struct map_options *o)
{
    if (m->space.core.cut)
        ink_wrap(k, INK_WARN, "The core file was cut: what is missing counts as absent.");
    if (m->space.no_pages != 0)
        ink_wrap(k, INK_WARN,
                 "The kernel does not say where its pages are (/proc/PID/pagemap): states are "
                 "missing. Try as the same user, or as root.");
    if (m->space.no_memory != 0)
        ink_wrap(k, INK_WARN,
                 "Its memory may not be read (ptrace is not allowed): whether it is on loam's "
                 "heap is not known. Try as root.");
    if (m->space.root != 0 && !m->space.heap)
        ink_wrap(k, INK_WARN,
                 "loam's heap could not be read: it changed too fast, or it is damaged. "
                 "Try again.");
    if (o->pages && !m->space.residence.frames && !space_is_core(&m->space))
        ink_wrap(k, INK_DIM, "Frame numbers are told to root only.");
}

#define NAMED_MAX 6

static int by_held(const void *a, const void *b)
{
    const struct owned *x = *(const struct owned *const *)a, *y = *(const struct owned *const *)b;
    return x->held != y->held ? (x->held < y->held ? 1 : -1) : strcmp(x->name, y->name);
}

static void named_row(struct ink *k, const struct owned *x)
{
    char text[2 * OWNED_TEXT], share[WORDS_SIZE];
    snprintf(text, sizeof text, "%s %s", x->kind, x->name);
    utf8_clean(text);
    ink(k, INK_PLAIN, "  ");
    ink_cut(k, INK_PLAIN, text, LABEL - 4);
    ink_to(k, LABEL);
    size_right(k, INK_BOLD, x->held);
    ink(k, INK_PLAIN, "  ");
    ink_bar(k, x->used, x->held, k->width >= 100 ? BAR : BAR / 2);
    ink(k, INK_PLAIN, "%6s", words_share(share, x->used, x->held));
    ink(k, INK_DIM, " in use  ");
    snprintf(text, sizeof text, "%s", x->place);
    utf8_clean(text);
    ink_cut(k, INK_DIM, text, k->width - k->column);
    ink_line(k);
}

// Regions and pools: who cuts the heap's blocks into objects of its own.
static void named(struct ink *k, const struct owners *o)
{
    const struct owned **list = calloc(o->count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list != NULL && i < o->count; i++)
        if (o->owned[i].held != 0 && strcmp(o->owned[i].kind, "task") != 0)
            list[count++] = &o->owned[i];
    if (count != 0) {
        qsort(list, count, sizeof *list, by_held);
        ink(k, INK_HEAD, "REGIONS AND POOLS");
        ink(k, INK_DIM, "  within the heap");
        ink_line(k);
        for (size_t i = 0; i < count && i < NAMED_MAX; i++)
            named_row(k, list[i]);
        ink_line(k);
    }
    free(list);
}

void map_text(struct ink *k, const struct map_view *m, const struct map_options *o)
{
    head(k, m);
    totals(k, m);
    states(k, m);
    owners(k, m);
    account_text(k, &m->account);
    account_classes_text(k, &m->account);
    named(k, &m->space.owners);
    map_rows(k, m, o);
    lacks(k, m, o);
    if (!o->all && !space_is_core(&m->space)) {
        ink_line(k);
        ink(k, INK_DIM, "NEXT  loam map --all %d             each mapping with its sections",
            m->status.pid);
        ink_line(k);
        ink(k, INK_DIM, "      loam translate %d 0xADDRESS   one address, down to its frame",
            m->status.pid);
        ink_line(k);
    }
}
