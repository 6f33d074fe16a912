// card.c: rows from a document; what the texts say comes from the claims on the same metric.

#include "lab/card.h"

#include "lab/text.h"

#include <string.h>

static const struct {
    const char *what, *experiment, *metric;
} rows[] = {
    {"addition in registers", "A6", "register_add"},
    {"load from L1", "D1", "l1_cycles"},
    {"L1, size", "D1", "l1_kib"},
    {"load from L2", "D1", "l2_cycles"},
    {"L2, size", "D1", "l2_kib"},
    {"load from L3", "D1", "l3_cycles"},
    {"L3, size seen", "D1", "l3_mib"},
    {"load from memory", "D1", "dram_cycles"},
    {"the same, in time", "D1", "dram_ns"},
    {"cache line", "D2", "line_bytes"},
    {"store seen by a core", "D9", "load_spin_one_line_ns"},
    {"false sharing", "D7", "atomic_slowdown"},
    {"mispredicted branch", "A8", "cycles_a_mispredict"},
    {"page from the disk", "D14", "ssd_cycles"},
    {"new process, fork", "E1", "fork_ns"},
    {"new thread", "E1", "thread_ns"},
    {"new task", "E1", "task_ns"},
    {"switch of processes", "E2", "process_switch_ns"},
    {"switch of threads", "E2", "thread_switch_ns"},
    {"switch of tasks", "E3", "task_switch_ns"},
    {"mutex, free", "F2", "mutex"},
    {"core clock", "D1", "core_ghz"},
};

static const char *string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

static const json_t *find(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *o;
    json_array_foreach(array, i, o)
    {
        if (strcmp(string(o, key), value) == 0)
            return o;
    }
    return NULL;
}

u32 card_experiments(const struct entry **chosen, u32 max)
{
    u32 n = 0;
    for (size_t i = 0; i < registry_count && n < max; i++) {
        bool wanted = false;
        for (size_t r = 0; r < countof(rows); r++)
            wanted |= strcmp(rows[r].experiment, registry[i].id) == 0;
        if (wanted)
            chosen[n++] = &registry[i];
    }
    return n;
}

// What a text says of a metric.
static const char *said(const json_t *experiment, const char *metric, const char *source)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(experiment, "claims"), i, c)
    {
        if (strcmp(string(c, "source"), source) == 0 && strcmp(string(c, "metric"), metric) == 0)
            return string(c, "quote");
    }
    return "";
}

#define SAYS 54 // the column of the first text

static u32 second_at(const struct ink *k)
{
    return SAYS + (k->width - SAYS) / 2;
}

static void one_row(struct ink *k, const json_t *d, size_t r, double ghz)
{
    const json_t *e = find(json_object_get(d, "experiments"), "id", rows[r].experiment);
    const json_t *m = find(json_object_get(e, "metrics"), "key", rows[r].metric);
    if (m == NULL || json_integer_value(json_object_get(m, "n")) == 0)
        return;
    char number[TEXT_NUMBER];
    double value = json_number_value(json_object_get(m, "value"));
    const char *unit = string(m, "unit");
    ink(k, INK_PLAIN, "  %s", rows[r].what);
    ink_to(k, 25);
    ink(k, INK_BOLD, "%15s", text_number(number, value, unit));
    if (strcmp(unit, "cycles") == 0 && ghz > 0)
        ink(k, INK_DIM, " %11s", text_number(number, value / ghz, "ns"));
    ink_to(k, SAYS);
    ink_cut(k, INK_DIM, said(e, rows[r].metric, "S3"), second_at(k) - SAYS - 1);
    ink_to(k, second_at(k));
    ink_cut(k, INK_DIM, said(e, rows[r].metric, "S4"), k->width - k->column);
    ink_line(k);
}

void card_print(struct ink *k, const json_t *d)
{
    const json_t *env = json_object_get(d, "env");
    double ghz = json_number_value(json_object_get(env, "core_ghz"));
    ink(k, INK_HEAD, "%s", string(env, "cpu"));
    ink_line(k);
    ink_to(k, 25);
    ink(k, INK_DIM, "%15s", "here");
    ink_to(k, SAYS);
    ink(k, INK_DIM, "S3 says");
    ink_to(k, second_at(k));
    ink(k, INK_DIM, "S4 says");
    ink_line(k);
    for (size_t r = 0; r < countof(rows); r++)
        one_row(k, d, r, ghz);
    char sources[512];
    snprintf(sources, sizeof sources, "S3: %s. S4: %s.", source_title[S3], source_title[S4]);
    ink_to(k, 2);
    ink_wrap(k, INK_DIM, sources);
}
