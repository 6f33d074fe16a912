// trace.c: the timeline as trace events: counters of what was live and resident, labels as
// instants, processes and threads as spans.
//
// Times are microseconds since the session began. Counters belong to the first process, for what
// they sum up are all.

#include "report/export.h"

#include "report/stack.h"

#include <jansson.h>

static double micro(u64 ns)
{
    return (double)ns / 1e3;
}

static json_t *event(const char *phase, const char *name, u64 at_ns, u32 pid, u32 tid)
{
    return json_pack("{s:s, s:s, s:f, s:I, s:I}", "ph", phase, "name", name, "ts", micro(at_ns),
                     "pid", (json_int_t)pid, "tid", (json_int_t)tid);
}

static void add(json_t *list, json_t *e, const char *key, json_t *value)
{
    if (key != NULL)
        json_object_set_new(e, key, value);
    json_array_append_new(list, e);
}

static void add_counter(json_t *list, const char *name, u64 at_ns, u32 pid, u64 value)
{
    add(list, event("C", name, at_ns, pid, 0), "args",
        json_pack("{s:I}", "value", (json_int_t)(value & INT64_MAX)));
}

static void add_moments(json_t *list, const struct model *m, u32 pid)
{
    u64 allocs = 0;
    for (u32 i = 0; i < m->moments_count; i++) {
        const struct moment *x = &m->moments[i];
        add_counter(list, "live bytes", x->at_ns, pid, x->live.bytes);
        add_counter(list, "live blocks", x->at_ns, pid, x->live.blocks);
        if (x->rss_bytes != 0)
            add_counter(list, "resident bytes", x->at_ns, pid, x->rss_bytes);
        add_counter(list, "allocations", x->at_ns, pid,
                    x->allocs > allocs ? x->allocs - allocs : 0);
        allocs = x->allocs;
    }
}

static void add_labels(json_t *list, const struct model *m, u32 pid)
{
    for (u32 i = 0; i < m->labels_count; i++)
        add(list, event("i", m->labels[i].name, m->labels[i].moment.at_ns, pid, 0), "s",
            json_string("g"));
}

static void add_processes(json_t *list, const struct model *m)
{
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        u64 at = p->started_ns > m->started_ns ? p->started_ns - m->started_ns : 0;
        add(list, event("M", "process_name", 0, p->pid, 0), "args",
            json_pack("{s:s}", "name", p->args));
        json_t *peak = event("i", "peak", at + p->peak_ns, p->pid, p->pid);
        json_object_set_new(peak, "args",
                            json_pack("{s:I}", "bytes", (json_int_t)(p->peak_bytes & INT64_MAX)));
        add(list, peak, "s", json_string("p"));
    }
}

static void add_threads(json_t *list, const struct model *m)
{
    u64 end = m->ended_ns > m->started_ns ? m->ended_ns - m->started_ns : 0;
    for (u32 i = 0; i < m->threads_count; i++) {
        const struct thread *t = &m->threads[i];
        u64 stop = t->ended ? t->stopped_ns : end;
        json_t *span = event("X", t->name, t->started_ns, t->process->pid, t->tid);
        json_object_set_new(span, "args",
                            json_pack("{s:I, s:I}", "allocations",
                                      (json_int_t)(t->allocs & INT64_MAX), "allocated bytes",
                                      (json_int_t)(t->alloc_bytes & INT64_MAX)));
        add(list, span, "dur", json_real(stop > t->started_ns ? micro(stop - t->started_ns) : 0));
    }
}

int trace_write(FILE *out, struct model *m, u32 gauge)
{
    (void)gauge;
    u32 pid = m->processes_count > 0 ? m->processes[0].pid : 0;
    json_t *list = json_array();
    add_processes(list, m);
    add_threads(list, m);
    add_moments(list, m, pid);
    add_labels(list, m, pid);
    json_t *o = json_pack("{s:o, s:s, s:{s:s, s:s}}", "traceEvents", list, "displayTimeUnit", "ms",
                          "otherData", "command", m->command, "loam", LOAM_VERSION);
    int r = json_dumpf(o, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(o);
    return r == 0 && fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
