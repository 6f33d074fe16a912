// text.c: the report's sections, top to bottom, one function each.

#include "report/text.h"

#include "report/advice.h"
#include "report/alike.h"
#include "report/drawn.h"
#include "report/next.h"
#include "report/notes.h"
#include "report/owners.h"
#include "report/place.h"
#include "report/ram.h"
#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LEFT          11 // the column that everything hangs from
#define STACK_LINES   6  // of a leak
#define PEAK_LINES    4
#define BAR_WIDTH     12
#define PROCESSES_MAX 8
#define SPARE_MIN     MiB // less fragmentation is not worth a line
#define ALIKE_PLACES  300 // more would ask for names that nobody reads

struct page {
    struct ink *k;
    struct model *m;
    const struct text_options *o;
    struct drawn drawn;
    struct totals t;
    struct places places;
    const char *no_scan; // why leaks are not known, or NULL
    bool leaks;          // leak results are there
};

static void heading(struct page *p, enum style style, const char *text)
{
    ink(p->k, style, "%s", text);
    ink_to(p->k, LEFT);
}

// An amount in the margin, its right end just before LEFT.
static void margin(struct page *p, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    words_size(size, bytes);
    ink_to(p->k, (u32)(LEFT - 1 - size_min(strlen(size), LEFT - 1)));
    ink(p->k, style, "%s", size);
    ink_to(p->k, LEFT);
}

// ---------------------------------------------------------------- places

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

// "direct", "held by other leaked blocks", or how much of each; in the next line if need be.
static void leak_kind(struct page *p, const struct place *pl)
{
    const struct {
        const char *alone, *mixed;
        struct amount a;
    } kinds[] = {
        {"direct", "direct", pl->direct},
        {"held by other leaked blocks", "indirect", pl->indirect},
        {"in cycles", "in cycles", pl->cycle},
    };
    char text[4 * WORDS_SIZE], size[WORDS_SIZE];
    size_t n = 0, told = 0, present = 0;
    for (size_t i = 0; i < countof(kinds); i++)
        present += kinds[i].a.blocks != 0;
    for (size_t i = 0; i < countof(kinds); i++) {
        if (kinds[i].a.blocks == 0)
            continue;
        const char *comma = told++ == 0 ? "" : ", ";
        if (present > 1)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %s", comma,
                                  words_size(size, kinds[i].a.bytes), kinds[i].mixed);
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", kinds[i].alone);
    }
    if (told == 0)
        return;
    bool fits = p->k->column + 3 + utf8_width(text) <= p->k->width;
    if (!fits) {
        ink_line(p->k);
        ink_to(p->k, LEFT);
    }
    ink(p->k, INK_DIM, "%s%s", fits ? " · " : "", text);
}

// One more fact about a place, if the line has room for it.
static void aside(struct page *p, const char *word, const char *text)
{
    if (p->k->column + 3 + strlen(word) + utf8_width(text) <= p->k->width)
        ink(p->k, INK_DIM, " · %s%s", word, text);
}

static void place(struct page *p, struct place *pl, enum measure by, u64 whole)
{
    char share[WORDS_SIZE], blocks[WORDS_SIZE], ways[WORDS_SIZE];
    u64 bytes = place_bytes(pl, by), n = place_blocks(pl, by);
    enum style style = by == BY_LEAK ? INK_BAD : INK_BOLD;
    margin(p, style, bytes);
    ink_bar(p->k, bytes, whole, BAR_WIDTH);
    ink(p->k, INK_PLAIN, " %5s", words_share(share, bytes, whole));
    if (by == BY_PEAK)
        ink(p->k, INK_DIM, "  of the peak");
    else
        ink(p->k, INK_PLAIN, "  in %s", words_of(blocks, n, "block"));
    if (by == BY_LEAK)
        leak_kind(p, pl);
    if (by == BY_LIVE && pl->live_samples != 0)
        ink(p->k, INK_DIM, "  ± %u %%", place_error(pl->live_samples));
    if (by != BY_PEAK && p->m->processes_count > 1)
        aside(p, "", base_name(pl->sample->process->exe));
    if (pl->ways > 1)
        aside(p, "by ", words_of(ways, pl->ways, "call path"));
    ink_line(p->k);
    if (pl->shown && !pl->sample->other)
        drawn_again(&p->drawn, pl->sample, PEAK_LINES);
    else
        drawn_stack(&p->drawn, pl->sample, by == BY_LEAK ? STACK_LINES : PEAK_LINES);
    pl->shown = true;
}

// How many of the first `n` places to show when there is room for `max` (0: for all). Where nobody
// asked for more, what makes up less than a hundredth of live memory or of the peak only
// distracts; a small leak is one all the same.
static u32 worth_showing(struct page *p, enum measure by, u64 whole, u32 max, u32 n)
{
    u32 shown = max == 0 || n < max ? n : max;
    while (max != 0 && shown > 1 && by != BY_LEAK &&
           place_bytes(p->places.items[shown - 1], by) < whole / 100)
        shown--;
    return shown;
}

// The first `max` places, largest first, and a line for the rest.
static void places(struct page *p, enum measure by, u64 whole, u32 max)
{
    u32 n = places_sort(&p->places, by), shown = worth_showing(p, by, whole, max, n);
    for (u32 i = 0; i < shown; i++) {
        if (i > 0)
            ink_line(p->k);
        place(p, p->places.items[i], by, whole);
    }
    u64 rest = 0;
    for (u32 i = shown; i < n; i++)
        rest += place_bytes(p->places.items[i], by);
    if (n == shown)
        return;
    char count[WORDS_SIZE];
    ink_line(p->k);
    margin(p, INK_DIM, rest);
    ink(p->k, INK_DIM, "in %s", words_of(count, n - shown, "smaller place"));
    ink_line(p->k);
}

// ---------------------------------------------------------------- sections

// A command as far as the line has room for it, with `behind` columns to spare. The folder of the
// program goes first: its name says more than where it lies.
static void put_command(struct page *p, enum style style, const char *command, u32 behind)
{
    u32 taken = p->k->column + behind, room = taken < p->k->width ? p->k->width - taken : 1;
    size_t first = strcspn(command, " ");
    const char *slash = memrchr(command, '/', first);
    if (utf8_width(command) > room && slash != NULL && slash[1] != ' ' && slash[1] != 0)
        command = slash + 1;
    ink_cut(p->k, style, command, room);
}

static void title(struct page *p)
{
    struct model *m = p->m;
    char took[WORDS_SIZE], status[WORDS_SIZE];
    ink(p->k, INK_HEAD, "loam");
    ink_to(p->k, LEFT);
    bool ended = m->ended_ns >= m->started_ns && m->ended_ns != 0;
    words_time(took, ended ? m->ended_ns - m->started_ns : 0);
    words_status(status, m->end_status);
    size_t behind = ended ? utf8_width(took) + utf8_width(status) + 6 : 0;
    put_command(p, INK_BOLD, m->command, (u32)behind);
    if (ended) {
        ink(p->k, INK_DIM, " · %s", took);
        ink(p->k, m->end_status == 0 ? INK_DIM : INK_BOLD, " · %s", status);
    }
    ink_line(p->k);
}

// How much is direct, indirect and in cycles; what there is none of is left out.
static void leak_parts(struct page *p)
{
    const struct {
        const char *name;
        struct amount a;
    } parts[] = {{"direct", p->t.direct}, {"indirect", p->t.indirect}, {"in cycles", p->t.cycle}};
    ink_to(p->k, LEFT);
    for (size_t i = 0, told = 0; i < countof(parts); i++) {
        char size[WORDS_SIZE];
        if (parts[i].a.blocks == 0)
            continue;
        ink(p->k, INK_DIM, "%s", told++ == 0 ? "" : " · ");
        ink(p->k, INK_PLAIN, "%s %s", words_size(size, parts[i].a.bytes), parts[i].name);
    }
    ink_line(p->k);
}

static void no_leaks(struct page *p)
{
    heading(p, INK_GOOD, "NO LEAKS");
    if (p->t.reachable.blocks == 0)
        ink(p->k, INK_PLAIN, "every block was freed");
    else
        ink(p->k, INK_PLAIN, "every block was freed, or is still pointed to at the end");
    ink_line(p->k);
}

static void leaks(struct page *p)
{
    const struct totals *t = &p->t;
    char bytes[WORDS_SIZE], blocks[WORDS_SIZE], where[WORDS_SIZE];
    ink_line(p->k);
    u64 all = leaked_bytes(t->direct, t->indirect, t->cycle);
    u64 n = t->direct.blocks + t->indirect.blocks + t->cycle.blocks;
    if (n == 0) {
        no_leaks(p);
        return;
    }
    u32 from = places_sort(&p->places, BY_LEAK);
    heading(p, INK_BAD, "LEAKED");
    ink(p->k, INK_BAD, "%s", words_of(bytes, all, "byte"));
    ink(p->k, INK_BOLD, " in %s", words_of(blocks, n, "block"));
    ink(p->k, INK_BOLD, ", from %s", words_of(where, from, "place"));
    ink_line(p->k);
    leak_parts(p);
    ink_line(p->k);
    places(p, BY_LEAK, all, p->o->places_max);
}

static void no_scan(struct page *p)
{
    ink_line(p->k);
    heading(p, INK_BAD, "LEAKS");
    ink(p->k, INK_BOLD, "not known. ");
    ink_wrap_to(p->k, LEFT, INK_PLAIN, p->no_scan);
}

static void reachable(struct page *p)
{
    char size[WORDS_SIZE], blocks[WORDS_SIZE];
    if (p->t.reachable.blocks == 0)
        return;
    ink_line(p->k);
    heading(p, INK_BOLD, "REACHABLE");
    ink(p->k, INK_BOLD, "%s", words_size(size, p->t.reachable.bytes));
    ink(p->k, INK_PLAIN, " in %s", words_of(blocks, p->t.reachable.blocks, "block"));
    ink(p->k, INK_DIM, " still pointed to at the end: no leak");
    ink_line(p->k);
    if (!p->o->reachable)
        return;
    ink_line(p->k);
    places(p, BY_REACHABLE, p->t.reachable.bytes, p->o->places_max);
}

static void live(struct page *p)
{
    char size[WORDS_SIZE], blocks[WORDS_SIZE];
    if (p->t.live.blocks == 0)
        return;
    ink_line(p->k);
    heading(p, INK_BOLD, "LIVE");
    ink(p->k, INK_BOLD, "%s", words_size(size, p->t.live.bytes));
    ink(p->k, INK_PLAIN, " in %s", words_of(blocks, p->t.live.blocks, "block"));
    ink(p->k, INK_DIM, p->m->ended_ns == 0 ? " when the recording ends" : " at the end");
    ink_line(p->k);
    ink_line(p->k);
    places(p, BY_LIVE, p->t.live.bytes, p->o->places_max);
}

static void peak(struct page *p)
{
    const struct process *top = p->t.peak;
    char size[WORDS_SIZE], when[WORDS_SIZE];
    if (top == NULL || top->peak_bytes == 0)
        return;
    ink_line(p->k);
    heading(p, INK_BOLD, "PEAK");
    ink(p->k, INK_BOLD, "%s", words_size(size, top->peak_bytes));
    ink(p->k, INK_PLAIN, ", %s after the start", words_time(when, top->peak_ns));
    if (p->m->processes_count > 1) {
        ink(p->k, INK_DIM, ", in process %u: ", top->pid);
        put_command(p, INK_DIM, top->args, 0);
    }
    ink_line(p->k);
    if (places_sort(&p->places, BY_PEAK) > 0)
        ink_line(p->k);
    places(p, BY_PEAK, top->peak_bytes,
           p->o->places_max == 0 || p->o->places_max > TEXT_PLACES ? p->o->places_max : TEXT_PEAKS);
}

// Whose few blocks keep slabs in RAM that are mostly free.
static void fragmentation(struct page *p)
{
    const struct ram *r = ram_fragmented(p->m);
    char size[WORDS_SIZE], count[WORDS_SIZE], slabs[WORDS_SIZE];
    if (r == NULL || ram_spare(r) < SPARE_MIN || ram_spare(r) < r->rss / 20)
        return;
    ink_line(p->k);
    heading(p, INK_BOLD, "FRAGMENTED");
    ink(p->k, INK_BOLD, "%s free", words_size(size, ram_spare(r)));
    ink(p->k, INK_PLAIN, " of %s in %s less than half live", words_size(slabs, r->slabs_rss),
        words_of(count, r->slabs, "slab"));
    words_time(size, r->at_ns);
    if (p->k->column + 8 + strlen(size) <= p->k->width)
        ink(p->k, INK_DIM, ", after %s", size);
    ink_line(p->k);
    for (u32 i = 0; i < r->pinners_count && i < PEAK_LINES; i++) {
        const struct pinner *x = &r->pinners[i];
        if (x->site == NULL || x->pinned < r->rss / 50)
            continue;
        ink_line(p->k);
        margin(p, INK_BOLD, x->pinned);
        ink(p->k, INK_PLAIN, "kept by %s in %s", words_of(count, x->blocks, "block"),
            words_of(slabs, x->slabs, "slab"));
        if (x->freed != 0)
            ink(p->k, INK_PLAIN, "; without them %s less RSS", words_size(size, x->freed));
        ink_line(p->k);
        drawn_stack(&p->drawn, x->site, PEAK_LINES);
    }
}

// What could be less.
static void advice(struct page *p)
{
    struct advices all = advices_of(&p->places, &p->t);
    for (u32 i = 0; i < all.count; i++) {
        const struct advice *a = &all.items[i];
        ink_line(p->k);
        if (i == 0) {
            heading(p, INK_BOLD, "WASTE");
            ink(p->k, INK_DIM, "what could be less");
            ink_line(p->k);
            ink_line(p->k);
        }
        margin(p, INK_BOLD, a->bytes);
        ink(p->k, INK_PLAIN, "%s", a->text);
        ink_line(p->k);
        drawn_stack(&p->drawn, a->place->sample, PEAK_LINES);
    }
}

static void totals(struct page *p)
{
    const struct totals *t = &p->t;
    char allocs[WORDS_SIZE], size[WORDS_SIZE], left[WORDS_SIZE];
    ink_line(p->k);
    heading(p, INK_BOLD, "TOTAL");
    ink(p->k, INK_PLAIN, "%s of ", words_of(allocs, t->allocs, "allocation"));
    ink(p->k, INK_PLAIN, "%s, ", words_size(size, t->alloc_bytes));
    ink(p->k, INK_PLAIN, "%s live at the end", words_size(left, t->live.bytes));
    ink_line(p->k);
}

// ---------------------------------------------------------------- processes

static int by_weight(const void *a, const void *b)
{
    const struct process *x = *(const struct process *const *)a;
    const struct process *y = *(const struct process *const *)b;
    u64 leak_x = leaked_bytes(x->direct, x->indirect, x->cycle);
    u64 leak_y = leaked_bytes(y->direct, y->indirect, y->cycle);
    if (leak_x != leak_y)
        return leak_x > leak_y ? -1 : 1;
    if (x->peak_bytes != y->peak_bytes)
        return x->peak_bytes > y->peak_bytes ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static const char *process_end(char out[WORDS_SIZE], const struct process *p)
{
    if ((p->flags & PROCESS_EXECED) != 0)
        snprintf(out, WORDS_SIZE, "exec");
    else if ((p->flags & PROCESS_ENDED) != 0)
        snprintf(out, WORDS_SIZE, "exit %u", p->exit_code);
    else
        snprintf(out, WORDS_SIZE, "no exit");
    return out;
}

static void process_row(struct page *p, const struct process *pr)
{
    char leak[WORDS_SIZE], top[WORDS_SIZE], end[WORDS_SIZE];
    u64 leaked = leaked_bytes(pr->direct, pr->indirect, pr->cycle);
    bool scanned = (pr->flags & PROCESS_SCANNED) != 0;
    ink_to(p->k, LEFT);
    ink(p->k, INK_DIM, "%8u  ", pr->pid);
    if (p->leaks)
        ink(p->k, leaked > 0 ? INK_BAD : INK_DIM, "%8s  ",
            scanned ? words_size(leak, leaked) : "?");
    ink(p->k, INK_PLAIN, "%8s  %-8s  ", words_size(top, pr->peak_bytes), process_end(end, pr));
    put_command(p, INK_PLAIN, pr->args, 0);
    ink_line(p->k);
}

static void processes(struct page *p)
{
    u32 n = p->m->processes_count, shown;
    char count[WORDS_SIZE];
    if (n < 2)
        return;
    const struct process **sorted = store_push(&p->m->store, n * sizeof *sorted);
    for (u32 i = 0; i < n; i++)
        sorted[i] = &p->m->processes[i];
    qsort(sorted, n, sizeof *sorted, by_weight);
    shown = p->o->places_max == 0 || n < PROCESSES_MAX ? n : PROCESSES_MAX;
    ink_line(p->k);
    heading(p, INK_BOLD, "PROCESSES");
    ink(p->k, INK_DIM, "     pid  %s    peak  end       command", p->leaks ? "  leaked  " : "");
    ink_line(p->k);
    for (u32 i = 0; i < shown; i++)
        process_row(p, sorted[i]);
    if (shown < n) {
        ink_to(p->k, LEFT);
        ink(p->k, INK_DIM, "and %s more", words_count(count, n - shown));
        ink_line(p->k);
    }
}

// ---------------------------------------------------------------- the end

static void notes(struct page *p)
{
    struct notes all = notes_of(p->m, &p->t);
    for (u32 i = 0; i < all.count; i++) {
        if (i == 0)
            ink_line(p->k);
        heading(p, INK_BOLD, i == 0 ? (all.count > 1 ? "NOTES" : "NOTE") : "");
        ink_wrap(p->k, INK_PLAIN, all.items[i].text);
    }
}

static void next(struct page *p)
{
    struct next n = {0};
    const char *base = p->o->next;
    enum measure by = p->leaks ? BY_LEAK : BY_LIVE;
    u32 all = places_sort(&p->places, by);
    if (!p->m->leaks)
        next_add(&n, "loam run --leaks -- …", "", "which of it is leaked?");
    if (p->o->places_max != 0 && all > p->o->places_max)
        next_add(&n, base, " --all", "every place");
    if (!p->o->full_stacks && (all > 0 || places_sort(&p->places, BY_PEAK) > 0))
        next_add(&n, base, " --full-stacks", "every frame of every stack");
    if (p->t.reachable.blocks > 0 && !p->o->reachable)
        next_add(&n, base, " --reachable", "what stayed reachable");
    if (p->places.count > 0)
        next_add(&n, base, " --html page.html", "flame graph, timeline");
    if (n.count == 0)
        next_add(&n, base, " --json", "all of it, for machines");
    next_print(p->k, &n);
}

// Names were asked for that nobody will read: nameless ones are counted as they are printed.
static void join_alike(struct page *p)
{
    alike_join(&p->places, p->m, p->drawn.symbols,
               (struct alike_limits){.places = p->o->places_max == 0 ? UINT32_MAX : ALIKE_PLACES,
                                     .lines = PEAK_LINES,
                                     .lines_leak = STACK_LINES});
    for (u32 i = 0; i < p->m->modules_count; i++)
        symbols_set_nameless(p->m->modules[i], 0);
}

void text_report(struct ink *k, struct model *m, const struct text_options *o)
{
    struct page p = {.k = k, .m = m, .o = o, .t = totals_of(m)};
    p.drawn = (struct drawn){k, &m->store, symbols_new(&m->store), .whole = o->full_stacks};
    p.places = places_merge(m, o->full_stacks ? 0 : PLACE_DEPTH);
    if (!o->full_stacks)
        join_alike(&p);
    p.no_scan = notes_no_scan(m, &p.t);
    p.leaks = p.t.scanned > 0;
    title(&p);
    if (p.leaks)
        leaks(&p);
    else if (p.no_scan != NULL)
        no_scan(&p);
    if (p.leaks)
        reachable(&p);
    else
        live(&p);
    peak(&p);
    ram_text(k, m, LEFT);
    fragmentation(&p);
    advice(&p);
    owners_text(k, m, o->places_max);
    totals(&p);
    processes(&p);
    notes(&p);
    next(&p);
    places_done(&p.places);
    symbols_free(p.drawn.symbols);
}
