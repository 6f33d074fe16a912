// json.c: the model as one object. Numbers are exact; every place has its whole stack.

#include "report/json.h"

#include "report/advice.h"
#include "report/jot.h"
#include "report/notes.h"
#include "report/owners.h"
#include "report/place.h"
#include "report/stack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static json_t *amount(struct amount a)
{
    return json_pack("{s:o, s:o}", "bytes", jot_int(a.bytes), "blocks", jot_int(a.blocks));
}

// Leak results, or null: "not known" must not look like "none".
static json_t *leak(bool known, struct amount direct, struct amount indirect, struct amount cycle)
{
    if (!known)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "bytes",
                     jot_int(leaked_bytes(direct, indirect, cycle)), "direct", amount(direct),
                     "indirect", amount(indirect), "cycle", amount(cycle));
}

static json_t *program(const struct model *m)
{
    int status = (int)m->end_status;
    bool ended = m->ended_ns != 0, killed = ended && WIFSIGNALED(status);
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "command", m->command, "started_ns",
                     jot_int(m->started_ns), "ended_ns", ended ? jot_int(m->ended_ns) : json_null(),
                     "exit_status",
                     ended && !killed ? json_integer(WEXITSTATUS(status)) : json_null(), "signal",
                     killed ? json_integer(WTERMSIG(status)) : json_null());
}

// What was done beside allocating and freeing, into the object of who did it.
static void put_churn(json_t *o, const struct churn *c)
{
    json_t *lives = json_array();
    u32 used = countof(c->lives); // the rest is zeros
    while (used > 0 && c->lives[used - 1] == 0)
        used--;
    for (u32 i = 0; i < used; i++)
        json_array_append_new(lives, jot_int(c->lives[i]));
    json_object_set_new(o, "capacity_bytes", jot_int(c->capacity));
    json_object_set_new(
        o, "temporary",
        amount((struct amount){.bytes = c->temporary_bytes, .blocks = c->temporaries}));
    json_object_set_new(o, "reallocations",
                        json_pack("{s:o, s:o, s:o}", "calls", jot_int(c->reallocs), "chains",
                                  jot_int(c->chains), "copied_bytes", jot_int(c->copied_bytes)));
    json_object_set_new(o, "lifetimes", lives);
}

static json_t *threads_json(const struct process *p)
{
    json_t *list = json_array();
    for (u32 i = 0; i < p->threads_count; i++) {
        const struct thread *t = &p->threads[i];
        json_t *o = json_pack("{s:o, s:s, s:o, s:o}", "tid", jot_int(t->tid), "name", t->name,
                              "started_ns", jot_int(t->started_ns), "ended_ns",
                              t->ended ? jot_int(t->stopped_ns) : json_null());
        json_object_set_new(o, "allocations", jot_int(t->allocs));
        json_object_set_new(o, "allocated_bytes", jot_int(t->alloc_bytes));
        json_object_set_new(o, "frees", jot_int(t->frees));
        json_object_set_new(o, "freed_bytes", jot_int(t->free_bytes));
        json_object_set_new(o, "temporary_blocks", jot_int(t->temporaries));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *process(const struct process *p)
{
    bool ended = (p->flags & PROCESS_ENDED) != 0;
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:s, s:s}", "pid", jot_int(p->pid), "ppid", jot_int(p->ppid),
                  "started_ns", jot_int(p->started_ns), "exe", p->exe, "command", p->args);
    json_object_set_new(o, "forked", json_boolean(p->flags & PROCESS_FORKED));
    json_object_set_new(o, "execed", json_boolean(p->flags & PROCESS_EXECED));
    json_object_set_new(o, "scanned", json_boolean(p->flags & PROCESS_SCANNED));
    json_object_set_new(o, "exit_status", ended ? jot_int(p->exit_code) : json_null());
    json_object_set_new(o, "allocations", jot_int(p->allocs));
    json_object_set_new(o, "allocated_bytes", jot_int(p->alloc_bytes));
    json_object_set_new(o, "frees", jot_int(p->frees));
    json_object_set_new(o, "live", amount(p->live));
    json_object_set_new(o, "peak_bytes", jot_int(p->peak_bytes));
    json_object_set_new(o, "peak_after_ns", jot_int(p->peak_ns));
    json_object_set_new(o, "leaked",
                        leak((p->flags & PROCESS_SCANNED) != 0, p->direct, p->indirect, p->cycle));
    json_object_set_new(o, "freed_bytes", jot_int(p->free_bytes));
    json_object_set_new(o, "live_capacity_bytes", jot_int(p->live_capacity));
    put_churn(o, &p->churn);
    json_object_set_new(o, "sample_bytes",
                        p->sample_bytes == 0 ? json_null() : jot_int(p->sample_bytes));
    json_object_set_new(o, "merged_stacks", jot_int(p->merged));
    json_object_set_new(o, "threads", threads_json(p));
    return o;
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || *text == 0 ? json_null() : json_string(text);
}

// Each frame stands once, in a list of its own, and stacks name it by number: the stacks of a
// Python program repeat 2,500 frames 190,000 times.
struct frames {
    struct symbols *symbols;
    struct store *store;
    struct table numbers; // symbol -> 1 + its number
    json_t *list;
};

static json_t *frame(const struct stack_line *l)
{
    const struct symbol *sym = l->symbol;
    json_t *f = json_pack("{s:o, s:o, s:o, s:b}", "function",
                          text_or_null(sym->named ? sym->function : NULL), "module",
                          text_or_null(l->module == NULL ? NULL : l->module->path), "offset",
                          jot_int(l->offset), "inlined", sym->inlined);
    json_object_set_new(f, "file", text_or_null(sym->file));
    json_object_set_new(f, "line", sym->line == 0 ? json_null() : jot_int(sym->line));
    return f;
}

static u64 frame_number(struct frames *f, const struct stack_line *l)
{
    u64 key = (u64)(uintptr_t)l->symbol; // one for each frame and function inlined there
    uintptr_t known = (uintptr_t)table_get(&f->numbers, key);
    if (known != 0)
        return known - 1;
    u64 number = json_array_size(f->list);
    json_array_append_new(f->list, frame(l));
    table_put(&f->numbers, key, (void *)(uintptr_t)(number + 1));
    return number;
}

static json_t *stack_of(struct frames *f, const struct site *site)
{
    struct stack s = stack_cut(f->symbols, f->store, site, 0);
    json_t *stack = json_array();
    for (u32 i = 0; i < s.lines_count; i++)
        json_array_append_new(stack, jot_int(frame_number(f, &s.lines[i])));
    return stack;
}

static json_t *place(struct frames *f, const struct place *p, bool leaks)
{
    json_t *o = json_object();
    json_object_set_new(o, "leaked", leak(leaks, p->direct, p->indirect, p->cycle));
    json_object_set_new(o, "reachable", leaks ? amount(p->reachable) : json_null());
    json_object_set_new(o, "live", amount(p->live));
    json_object_set_new(o, "peak_bytes", jot_int(p->at_peak));
    json_object_set_new(o, "allocations", jot_int(p->allocs));
    json_object_set_new(o, "allocated_bytes", jot_int(p->alloc_bytes));
    json_object_set_new(o, "frees", jot_int(p->frees));
    json_object_set_new(o, "freed_bytes", jot_int(p->free_bytes));
    json_object_set_new(o, "largest_bytes", jot_int(p->largest));
    json_object_set_new(o, "smallest_bytes", jot_int(p->smallest));
    json_object_set_new(o, "live_capacity_bytes", jot_int(p->live_capacity));
    put_churn(o, p->churn);
    json_object_set_new(o, "large_bytes", jot_int(p->large_bytes));
    json_object_set_new(o, "untouched_bytes", jot_int(p->untouched_bytes));
    json_object_set_new(o, "samples", jot_int(p->samples));
    json_object_set_new(o, "live_samples", jot_int(p->live_samples));
    json_object_set_new(o, "truncated", json_boolean(p->sample->truncated));
    json_object_set_new(o, "stack", stack_of(f, p->sample));
    return o;
}

static json_t *peak(const struct totals *t)
{
    if (t->peak == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "bytes", jot_int(t->peak->peak_bytes), "pid",
                     jot_int(t->peak->pid), "after_ns", jot_int(t->peak->peak_ns));
}

static json_t *place_number(const struct site *s)
{
    return s == NULL || s->place == NULL ? json_null() : jot_int(s->place->number);
}

static json_t *moment(const struct moment *t)
{
    json_t *o = json_pack("{s:o, s:o, s:o}", "at_ns", jot_int(t->at_ns), "live", amount(t->live),
                          "rss_bytes", t->rss_bytes == 0 ? json_null() : jot_int(t->rss_bytes));
    json_object_set_new(o, "allocations", jot_int(t->allocs));
    json_object_set_new(o, "allocated_bytes", jot_int(t->alloc_bytes));
    json_object_set_new(o, "frees", jot_int(t->frees));
    json_object_set_new(o, "freed_bytes", jot_int(t->free_bytes));
    return o;
}

static json_t *moments_json(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->moments_count; i++) {
        const struct moment *t = &m->moments[i];
        json_t *o = moment(t), *top = json_array();
        for (u32 j = 0; j < t->tops_count; j++)
            json_array_append_new(top,
                                  json_pack("{s:o, s:o}", "place", place_number(t->tops[j].site),
                                            "live_bytes", jot_int(t->tops[j].live_bytes)));
        json_object_set_new(o, "processes", jot_int(t->processes));
        json_object_set_new(o, "top", top);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *points_json(const struct label *l)
{
    json_t *list = json_array();
    for (u32 i = 0; i < l->points_count; i++) {
        const struct point *p = &l->points[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o}", "place", place_number(p->site),
                                        "live", amount(p->live), "allocations", jot_int(p->allocs),
                                        "allocated_bytes", jot_int(p->alloc_bytes)));
    }
    return list;
}

static json_t *labels_json(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->labels_count; i++) {
        const struct label *l = &m->labels[i];
        json_t *o = moment(&l->moment);
        json_object_set_new(o, "name", json_string(l->name));
        json_object_set_new(o, "pid", jot_int(l->pid));
        json_object_set_new(o, "cut", json_boolean(l->cut));
        json_object_set_new(o, "places", points_json(l));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *bounds_json(void)
{
    json_t *list = json_array();
    for (u32 i = 0; i <= LIVES_BUCKETS; i++)
        json_array_append_new(list, jot_int(lives_from_ns(i)));
    return list;
}

static json_t *advice_json(const struct places *places, const struct totals *t)
{
    struct advices all = advices_of(places, t);
    json_t *list = json_array();
    for (u32 i = 0; i < all.count; i++) {
        const struct advice *a = &all.items[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:s}", "code", a->code, "place",
                                              jot_int(a->place->number), "bytes", jot_int(a->bytes),
                                              "text", a->text));
    }
    return list;
}

static json_t *places_json(struct model *m, struct frames *f, const struct totals *t,
                           json_t **ret_advice)
{
    bool leaks = t->scanned > 0;
    struct places all = places_merge(m, 0);
    json_t *list = json_array();
    places_sort(&all, leaks ? BY_LEAK : BY_LIVE);
    for (u32 i = 0; i < all.count; i++)
        json_array_append_new(list, place(f, all.items[i], leaks));
    *ret_advice = advice_json(&all, t);
    places_done(&all);
    return list;
}

static json_t *notes_json(struct model *m, const struct totals *t)
{
    struct notes all = notes_of(m, t);
    json_t *list = json_array();
    const char *no_scan = notes_no_scan(m, t);
    if (no_scan != NULL)
        json_array_append_new(list, json_pack("{s:s, s:s}", "code", "no-scan", "text", no_scan));
    for (u32 i = 0; i < all.count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "code", all.items[i].code, "text", all.items[i].text));
    return list;
}

int json_report(FILE *out, struct model *m)
{
    struct totals t = totals_of(m);
    struct symbols *symbols = symbols_new(&m->store);
    bool leaks = t.scanned > 0;
    json_t *o = json_pack("{s:s, s:s, s:o}", "schema", "loam-report/1", "loam", LOAM_VERSION,
                          "program", program(m));
    json_object_set_new(o, "leaks_asked", json_boolean(m->leaks));
    json_object_set_new(o, "leaked", leak(leaks, t.direct, t.indirect, t.cycle));
    json_object_set_new(o, "reachable", leaks ? amount(t.reachable) : json_null());
    json_object_set_new(o, "live", amount(t.live));
    json_object_set_new(o, "peak", peak(&t));
    json_object_set_new(o, "allocations", jot_int(t.allocs));
    json_object_set_new(o, "allocated_bytes", jot_int(t.alloc_bytes));
    json_object_set_new(o, "frees", jot_int(t.frees));
    json_object_set_new(o, "freed_bytes", jot_int(t.free_bytes));
    json_object_set_new(o, "live_capacity_bytes", jot_int(t.live_capacity));
    put_churn(o, &t.churn);
    json_object_set_new(o, "lifetime_bounds_ns", bounds_json());
    json_t *list = json_array();
    for (u32 i = 0; i < m->processes_count; i++)
        json_array_append_new(list, process(&m->processes[i]));
    json_object_set_new(o, "processes", list);
    struct frames f = {.symbols = symbols, .store = &m->store, .list = json_array()};
    json_t *advice;
    json_object_set_new(o, "places", places_json(m, &f, &t, &advice));
    json_object_set_new(o, "advice", advice);
    json_object_set_new(o, "frames", f.list);
    json_object_set_new(o, "moments", moments_json(m)); // these name places by number
    json_object_set_new(o, "labels", labels_json(m));
    json_object_set_new(o, "owners", owners_json(m));
    if (m->pauses.count != 0)
        json_object_set_new(o, "pauses", owners_pauses_json(m));
    table_done(&f.numbers);
    json_object_set_new(o, "notes", notes_json(m, &t)); // last: symbols were asked by now
    int r = json_dumpf(o, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(o);
    symbols_free(symbols);
    return r == 0 && fflush(out) == 0 ? 0 : -1;
}
