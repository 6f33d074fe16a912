#include "cli/top.h"

#include "os/os.h"
#include "report/load.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool top_sort_named(const char *name, enum top_sort *ret)
{
    static const char *const names[] = {"live", "growth", "churn", "peak"};
    for (u32 i = 0; i < countof(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum top_sort)i;
            return true;
        }
    return false;
}

// ---------------------------------------------------------------- from look to look

// A place keeps its stack over its whole life, so a hash of that names it.
static u64 key_of(const struct site *s)
{
    u64 key = 0x9e3779b97f4a7c15u;
    for (u32 i = 0; i < s->frames_count && i < PLACE_DEPTH; i++) {
        key = (key ^ s->frames[i]) * 0xff51afd7ed558ccdu;
        key ^= key >> 32;
    }
    return key;
}

static int by_key(const void *a, const void *b)
{
    const struct top_seen *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static const struct top_seen *seen_before(const struct top_view *t, u64 key)
{
    const struct top_seen wanted = {.key = key};
    return t->seen_count == 0 ? NULL
                              : bsearch(&wanted, t->seen, t->seen_count, sizeof *t->seen, by_key);
}

// What the next look needs: with a new place's first live bytes 0, unless this look is the first.
static void remember(struct top_view *t)
{
    struct top_seen *now = calloc(t->rows_count + 1, sizeof *now);
    if (now == NULL)
        return;
    for (u32 i = 0; i < t->rows_count; i++) {
        const struct top_row *r = &t->row[i];
        const struct top_seen *before = seen_before(t, r->key);
        u64 first = before != NULL ? before->first_live : t->seen == NULL ? r->live : 0;
        now[i] = (struct top_seen){r->key, first, r->place->allocs};
    }
    qsort(now, t->rows_count, sizeof *now, by_key);
    free(t->seen);
    t->seen = now;
    t->seen_count = t->rows_count;
}

static void name_row(struct top_view *t, struct top_row *r)
{
    struct stack s = stack_cut(t->symbols, &t->model.store, r->place->sample, STACK_FOLDED);
    u32 k = 0;
    while (k + 1 < s.lines_count && !s.lines[k].mine)
        k++;
    if (s.lines_count > 0 && !s.lines[k].mine)
        k = 0;
    r->function = s.lines_count > 0 ? s.lines[k].symbol->function : "(stacks that found no room)";
    r->where = s.lines_count > 0 ? stack_where(&t->model.store, &s.lines[k]) : "";
}

static void fill_rows(struct top_view *t, double seconds)
{
    for (u32 i = 0; i < t->places.count; i++) {
        struct top_row *r = &t->row[i];
        const struct place *p = t->places.items[i];
        *r = (struct top_row){.place = p,
                              .key = key_of(p->sample),
                              .live = p->live.bytes,
                              .peak = p->at_peak,
                              .blocks = p->live.blocks};
        const struct top_seen *before = seen_before(t, r->key);
        if (t->seen != NULL)
            r->growth = (int64_t)(r->live - (before != NULL ? before->first_live : 0));
        u64 allocs = p->allocs - (before != NULL ? before->allocs : 0);
        r->rate = t->seen != NULL && seconds > 0 ? (double)allocs / seconds : 0;
    }
}

// ---------------------------------------------------------------- order

static double weight(const struct top_row *r, enum top_sort sort)
{
    switch (sort) {
    case TOP_GROWTH:
        return (double)r->growth;
    case TOP_CHURN:
        return r->rate != 0 ? r->rate : (double)r->place->allocs * 1e-12;
    case TOP_PEAK:
        return (double)r->peak;
    case TOP_LIVE:
        break;
    }
    return (double)r->live;
}

static int by_weight(const void *a, const void *b, void *of)
{
    const struct top_view *t = of;
    const struct top_row *x = a, *y = b;
    double p = weight(x, t->sort), q = weight(y, t->sort);
    if (p != q)
        return p < q ? 1 : -1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static bool passes(const struct top_view *t, struct top_row *r)
{
    if (r->place->sample->other && r->live == 0 && r->peak == 0 && r->place->allocs == 0)
        return false; // there is always a place for what finds no room; mostly it is empty
    if (t->filter[0] == 0)
        return true;
    name_row((struct top_view *)t, r);
    return strcasestr(r->function, t->filter) != NULL || strcasestr(r->where, t->filter) != NULL;
}

// Rows that the filter leaves come first. Names are looked up for them, and for the rest when a
// filter asks: reading symbols takes time, and a screen shows few rows.
void top_order(struct top_view *t)
{
    u32 kept = 0;
    for (u32 i = 0; i < t->rows_count; i++) {
        if (!passes(t, &t->row[i]))
            continue;
        struct top_row r = t->row[i];
        t->row[i] = t->row[kept];
        t->row[kept++] = r;
    }
    t->matching = kept;
    if (kept > 1)
        qsort_r(t->row, kept, sizeof *t->row, by_weight, t);
    for (u32 i = 0; i < kept && i < 200; i++)
        if (t->row[i].function == NULL)
            name_row(t, &t->row[i]);
}

// ---------------------------------------------------------------- a look

static void forget_model(struct top_view *t)
{
    if (!t->loaded)
        return;
    places_done(&t->places);
    symbols_free(t->symbols);
    free(t->row);
    load_done(&t->model);
    t->row = NULL;
    t->loaded = false;
}

static void push_history(struct top_view *t, u64 live)
{
    if (t->history_count == TOP_HISTORY)
        memmove(t->history, t->history + 1, --t->history_count * sizeof t->history[0]);
    t->history[t->history_count++] = live;
}

int top_look(struct top_view *t, char *why, size_t why_size)
{
    struct model fresh;
    if (live_load(&t->live, &fresh, why, why_size) < 0) {
        t->ended = true;
        return -1;
    }
    forget_model(t);
    t->model = fresh;
    t->loaded = true;
    t->symbols = symbols_new(&t->model.store);
    t->places = places_merge(&t->model, PLACE_DEPTH);
    t->row = calloc(t->places.count + 1, sizeof *t->row);
    t->rows_count = t->row == NULL ? 0 : t->places.count;
    u64 now = os_monotonic_ns();
    double seconds = t->looked_ns == 0 ? 0 : (double)(now - t->looked_ns) / 1e9;
    struct totals all = totals_of(&t->model);
    if (t->row != NULL)
        fill_rows(t, seconds);
    t->rate = seconds > 0 ? (double)(all.allocs - t->allocs) / seconds : 0;
    t->allocs = all.allocs;
    t->looked_ns = now;
    remember(t);
    push_history(t, all.live.bytes);
    const struct process *p = live_process(&t->live, &t->model);
    t->ended = live_ended(&t->live) || t->model.ended_ns != 0;
    t->accounted = !t->ended && p != NULL && account_load(&t->account, (pid_t)p->pid) == 0;
    top_order(t);
    return 0;
}

struct stack top_stack(struct top_view *t, const struct top_row *row)
{
    return stack_cut(t->symbols, &t->model.store, row->place->sample, 64);
}

void top_done(struct top_view *t)
{
    forget_model(t);
    free(t->seen);
}

// ---------------------------------------------------------------- words

void top_title(const struct top_view *t, char *out, size_t size)
{
    const struct process *p = live_process(&t->live, &t->model);
    snprintf(out, size, "loam top  %s%s%s", p != NULL ? p->args : t->model.command,
             t->model.processes_count > 1 ? "  (its whole tree)" : "", t->ended ? "  ENDED" : "");
}

void top_sums(const struct top_view *t, char *out, size_t size)
{
    char live[WORDS_SIZE], peak[WORDS_SIZE], blocks[WORDS_SIZE], rate[WORDS_SIZE];
    struct totals all = totals_of(&t->model);
    snprintf(out, size, "live %s in %s   peak %s   %s allocations/s",
             words_size(live, all.live.bytes), words_of(blocks, all.live.blocks, "block"),
             words_size(peak, all.peak != NULL ? all.peak->peak_bytes : 0),
             words_count(rate, (u64)t->rate));
}

// Live blocks first, they are what one asks for; then by size.
static u64 part_weight(const struct account *a, u32 part)
{
    return part == ACCOUNT_LIVE ? UINT64_MAX : a->part[part];
}

// The next part behind `last`, ACCOUNT_PARTS to begin with; ACCOUNT_PARTS: that was the last one.
static u32 next_part(const struct account *a, u32 last)
{
    u32 best = ACCOUNT_PARTS;
    for (u32 i = 0; i < ACCOUNT_PARTS; i++) {
        u64 w = part_weight(a, i), before = last == ACCOUNT_PARTS ? 0 : part_weight(a, last);
        bool told = last != ACCOUNT_PARTS && (w > before || (w == before && i <= last));
        if (!told && a->part[i] != 0 && (best == ACCOUNT_PARTS || w > part_weight(a, best)))
            best = i;
    }
    return best;
}

// The largest parts that have room, and the others as one sum.
void top_rss(const struct top_view *t, char *out, size_t size, u32 width)
{
    char part[WORDS_SIZE], text[3 * WORDS_SIZE];
    if (!t->accounted) {
        snprintf(out, size, t->ended ? "the program has ended" : "RSS cannot be read");
        return;
    }
    size_t n = (size_t)snprintf(out, size, "RSS %s", words_size(part, t->account.rss));
    const char *sign = "=";
    u64 rest = t->account.rss;
    for (u32 i = next_part(&t->account, ACCOUNT_PARTS); i != ACCOUNT_PARTS;
         i = next_part(&t->account, i)) {
        u64 bytes = t->account.part[i];
        size_t more = (size_t)snprintf(text, sizeof text, " %s %s %s", sign,
                                       words_size(part, bytes), account_names[i]);
        if (n + more + strlen(" + 9.99 MB more") > width || n + more >= size)
            break;
        memcpy(out + n, text, more + 1);
        n += more;
        rest -= bytes < rest ? bytes : rest;
        sign = "+";
    }
    if (rest != 0 && n < size)
        snprintf(out + n, size - n, " %s %s more", sign, words_size(part, rest));
}

// "2 regions 3.1 MB + 1 gc 40 MB, collected 12 times, 1.2 ms at most"
void top_owners(const struct top_view *t, char *out, size_t size)
{
    char count[WORDS_SIZE], held[WORDS_SIZE], pause[WORDS_SIZE];
    size_t n = 0;
    out[0] = 0;
    for (u32 i = 0; t->accounted && i < OWNER_KINDS; i++) {
        const struct account_owned *o = &t->account.owned[i];
        if (o->count == 0 || n >= size)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s", n == 0 ? "" : " + ",
                              words_of(count, o->count, account_owner_names[i]));
        if (i != OWNER_TASK && n < size) // how much of its stack a task touched is not known
            n += (size_t)snprintf(out + n, size - n, " %s", words_size(held, o->held));
        if (i == OWNER_GC && o->resets != 0 && n < size)
            n += (size_t)snprintf(out + n, size - n, ", collected %s, %s at most",
                                  words_of(count, o->resets, "time"),
                                  words_time(pause, o->pause_max_ns));
    }
}

void top_columns(const struct top_row *r, char out[48])
{
    char live[WORDS_SIZE], growth[WORDS_SIZE], rate[WORDS_SIZE];
    u64 by = (u64)(r->growth < 0 ? -r->growth : r->growth);
    snprintf(out, 48, "%9s %c%8s %10s  ", words_size(live, r->live),
             r->growth == 0  ? ' '
             : r->growth > 0 ? '+'
                             : '-',
             words_size(growth, by), words_count(rate, (u64)r->rate));
}

void top_print(struct top_view *t, struct ink *k, u32 rows)
{
    char line[512];
    top_title(t, line, sizeof line);
    ink_cut(k, INK_BOLD, line, k->width);
    ink_line(k);
    top_sums(t, line, sizeof line);
    ink_cut(k, INK_PLAIN, line, k->width);
    ink_line(k);
    top_rss(t, line, sizeof line, k->width);
    ink_cut(k, INK_DIM, line, k->width);
    ink_line(k);
    top_owners(t, line, sizeof line);
    if (line[0] != 0) {
        ink_cut(k, INK_DIM, line, k->width);
        ink_line(k);
    }
    ink_line(k);
    ink(k, INK_HEAD, "%sPLACE", TOP_COLUMNS);
    ink_line(k);
    for (u32 i = 0; i < t->matching && i < rows; i++) {
        char columns[48];
        top_columns(&t->row[i], columns);
        ink(k, INK_PLAIN, "%s", columns);
        snprintf(line, sizeof line, "%s  %s", t->row[i].function, t->row[i].where);
        ink_cut(k, INK_PLAIN, line, k->width > 40 ? k->width - 32 : 40);
        ink_line(k);
    }
    if (t->matching > rows)
        ink(k, INK_DIM, "%9s and %u smaller places\n", "", t->matching - rows);
}
