// json.c: the model as one object. Numbers are exact; every place has its whole stack.
//
// It is written as it is made, an element of a list on a line of its own: a recording may have
// hundred thousand places, and as one tree of jansson's they took a gigabyte.

#include "report/json.h"

#include "report/advice.h"
#include "report/jot.h"
#include "report/notes.h"
#include "report/owners.h"
#include "report/place.h"
#include "report/prefetch.h"
#include "report/ram.h"
#include "report/stack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

// ---------------------------------------------------------------- writing

struct stream {
    FILE *out;
    u32 members, elements; // of the object; of the list that is open
    bool failed;           // a value was not made, or not written
};

static void put_value(struct stream *s, json_t *value)
{
    s->failed |= value == NULL || json_dumpf(value, s->out, JSON_ENCODE_ANY) != 0;
    json_decref(value);
}

static void put_key(struct stream *s, const char *key)
{
    fprintf(s->out, "%s\n \"%s\": ", s->members++ == 0 ? "{" : ",", key);
}

static void put(struct stream *s, const char *key, json_t *value)
{
    put_key(s, key);
    put_value(s, value);
}

static void list_begin(struct stream *s, const char *key)
{
    put_key(s, key);
    fputc('[', s->out);
    s->elements = 0;
}

static void list_add(struct stream *s, json_t *value)
{
    fputs(s->elements++ == 0 ? "\n  " : ",\n  ", s->out);
    put_value(s, value);
}

static void list_end(struct stream *s)
{
    fputs(s->elements == 0 ? "]" : "\n ]", s->out);
}

static void put_list(struct stream *s, const char *key, json_t *list)
{
    size_t i;
    json_t *value;
    list_begin(s, key);
    json_array_foreach(list, i, value) list_add(s, json_incref(value));
    list_end(s);
    json_decref(list);
}

// ---------------------------------------------------------------- parts

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
static void put_churn(json_t *o, const struct churn *c, struct lifetimes l)
{
    json_t *lives = json_array();
    while (l.count > 0 && l.lives[l.count - 1] == 0)
        l.count--;
    for (u32 i = 0; i < l.count; i++)
        json_array_append_new(lives, jot_int(l.lives[i]));
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
    put_churn(o, &p->churn, (struct lifetimes){p->lives, LIVES_COUNT});
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
    struct store lines;   // of the stack at hand
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
    struct stack s = stack_cut(f->symbols, &f->lines, site, 0);
    json_t *stack = json_array();
    for (u32 i = 0; i < s.lines_count; i++)
        json_array_append_new(stack, jot_int(frame_number(f, &s.lines[i])));
    store_clear(&f->lines);
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
    put_churn(o, p->churn, p->lifetimes);
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

static void put_places(struct stream *out, struct model *m, struct frames *f,
                       const struct totals *t)
{
    bool leaks = t->scanned > 0;
    struct places all = places_merge(m, 0);
    places_sort(&all, leaks ? BY_LEAK : BY_LIVE);
    list_begin(out, "places");
    for (u32 i = 0; i < all.count; i++)
        list_add(out, place(f, all.items[i], leaks));
    list_end(out);
    put_list(out, "advice", advice_json(&all, t));
    places_done(&all);
}

static void put_accounts(struct stream *out, const struct model *m)
{
    list_begin(out, "accounts");
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        if (p->highest.rss != 0 || p->last.rss != 0)
            list_add(out, json_pack("{s:o, s:o, s:o}", "pid", jot_int(p->pid), "highest",
                                    ram_json(&p->highest), "last", ram_json(&p->last)));
    }
    list_end(out);
    put_list(out, "rss", ram_line_json(m));
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

static void put_totals(struct stream *out, const struct model *m, const struct totals *t)
{
    bool leaks = t->scanned > 0;
    put(out, "leaks_asked", json_boolean(m->leaks));
    put(out, "leaked", leak(leaks, t->direct, t->indirect, t->cycle));
    put(out, "reachable", leaks ? amount(t->reachable) : json_null());
    put(out, "live", amount(t->live));
    put(out, "peak", peak(t));
    put(out, "allocations", jot_int(t->allocs));
    put(out, "allocated_bytes", jot_int(t->alloc_bytes));
    put(out, "frees", jot_int(t->frees));
    put(out, "freed_bytes", jot_int(t->free_bytes));
    put(out, "live_capacity_bytes", jot_int(t->live_capacity));
    json_t *churn = json_object(), *value;
    const char *key;
    put_churn(churn, &t->churn, (struct lifetimes){t->lives, LIVES_COUNT});
    json_object_foreach(churn, key, value) put(out, key, json_incref(value));
    json_decref(churn);
    put(out, "lifetime_bounds_ns", bounds_json());
}

int json_report(FILE *out, struct model *m)
{
    struct totals t = totals_of(m);
    struct frames f = {.symbols = symbols_new(&m->store), .list = json_array()};
    struct stream s = {.out = out};
    prefetch(f.symbols, m);
    put(&s, "schema", json_string("loam-report/1"));
    put(&s, "loam", json_string(LOAM_VERSION));
    put(&s, "program", program(m));
    put_totals(&s, m, &t);
    list_begin(&s, "processes");
    for (u32 i = 0; i < m->processes_count; i++)
        list_add(&s, process(&m->processes[i]));
    list_end(&s);
    put_places(&s, m, &f, &t);
    put_list(&s, "frames", f.list);           // all of them are known by now
    put_list(&s, "moments", moments_json(m)); // these name places by number
    put_list(&s, "labels", labels_json(m));
    put_accounts(&s, m);
    put_list(&s, "owners", owners_json(m));
    if (m->pauses.count != 0)
        put(&s, "pauses", owners_pauses_json(m));
    put_list(&s, "notes", notes_json(m, &t)); // last: symbols were asked by now
    fputs("\n}\n", out);
    table_done(&f.numbers);
    store_done(&f.lines);
    symbols_free(f.symbols);
    return !s.failed && fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
