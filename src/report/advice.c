// advice.c: see advice.h.

#include "report/advice.h"

#include "report/words.h"

#include <string.h>

#define CLASS_MIN     16
#define EVEN_MAX      128 // up to here every 16 bytes, then eight classes to a doubling
#define CLASS_MAX     (32 * KiB)
#define PAGE          (16 * KiB)
#define BYTES_MIN     (64 * KiB) // less is not worth a line
#define TEMPORARY_MIN 10000

// Steps between classes where `size` lies; tests/unit/advice_test.c compares with the heap's table.
static u64 step_at(u64 size)
{
    if (size <= EVEN_MAX)
        return CLASS_MIN;
    if (size > CLASS_MAX)
        return PAGE;
    return (u64)1 << (60 - __builtin_clzll(size - 1));
}

u64 advice_room(u64 size)
{
    u64 step = step_at(size);
    return size == 0 ? CLASS_MIN : (size + step - 1) / step * step;
}

u64 advice_below(u64 size)
{
    u64 step = step_at(size);
    return size == advice_room(size) ? size : size / step * step;
}

// ---------------------------------------------------------------- how much there is of each

// Bytes that a place would not have taken at the peak, had its blocks been a little smaller. Only
// where all blocks are of one size, and it lies an eighth or less above the next class.
static u64 rounding(const struct place *p)
{
    u64 size = p->smallest, room = advice_room(size), below = advice_below(size);
    if (p->allocs == 0 || p->smallest != p->largest || below == 0 || size - below > size / 8)
        return 0;
    u64 blocks = p->at_peak / size;
    return (room - below) * blocks;
}

static u64 weight(const struct place *p, enum advice_kind kind)
{
    switch (kind) {
    case ADVICE_UNTOUCHED:
        return p->untouched_bytes;
    case ADVICE_ROUNDING:
        return rounding(p);
    case ADVICE_TEMPORARY:
        return p->churn->temporaries;
    case ADVICE_COPIED:
        return p->churn->copied_bytes;
    }
    return 0;
}

static bool matters(const struct totals *t, u64 weight, enum advice_kind kind)
{
    u64 peak = t->peak == NULL ? 0 : t->peak->peak_bytes;
    switch (kind) {
    case ADVICE_UNTOUCHED:
    case ADVICE_ROUNDING:
        return weight >= BYTES_MIN && weight >= peak / 50;
    case ADVICE_TEMPORARY:
        return weight >= TEMPORARY_MIN && weight >= t->allocs / 10;
    case ADVICE_COPIED:
        return weight >= MiB && weight >= t->alloc_bytes / 10;
    }
    return false;
}

// ---------------------------------------------------------------- words

static void tell(struct advice *a, const struct totals *t, enum advice_kind kind, u64 weight)
{
    static const char *const codes[] = {"untouched", "rounding", "temporary", "copied"};
    const struct place *p = a->place;
    char x[WORDS_SIZE], y[WORDS_SIZE];
    a->code = codes[kind];
    a->bytes = weight;
    switch (kind) {
    case ADVICE_UNTOUCHED:
        snprintf(a->text, sizeof a->text, "never touched, of %s in large blocks",
                 words_size(x, p->large_bytes));
        return;
    case ADVICE_ROUNDING:
        snprintf(a->text, sizeof a->text, "less at the peak, if blocks of %llu bytes had %llu",
                 (unsigned long long)p->smallest, (unsigned long long)advice_below(p->smallest));
        return;
    case ADVICE_TEMPORARY:
        a->bytes = p->churn->temporary_bytes;
        snprintf(a->text, sizeof a->text, "freed by the very next call: %s of all allocations",
                 words_share(x, p->churn->temporaries, t->allocs));
        return;
    case ADVICE_COPIED:
        snprintf(a->text, sizeof a->text, "copied by %s, in %s",
                 words_of(x, p->churn->reallocs, "realloc"),
                 words_of(y, p->churn->chains, "chain"));
        return;
    }
}

struct advices advices_of(const struct places *places, const struct totals *t)
{
    struct advices all = {.count = 0};
    for (enum advice_kind kind = 0; kind < ADVICE_MAX; kind++) {
        struct place *most = NULL;
        u64 least = 0;
        for (u32 i = 0; i < places->count; i++) {
            u64 w = weight(places->items[i], kind);
            if (w <= least || places->items[i]->sample->other)
                continue;
            least = w;
            most = places->items[i];
        }
        if (most == NULL || !matters(t, least, kind))
            continue;
        all.items[all.count] = (struct advice){.place = most};
        tell(&all.items[all.count++], t, kind, least);
    }
    return all;
}
