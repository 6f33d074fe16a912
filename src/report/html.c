// html.c: the data of a report's page. web/src/report/data.ts says what each part means.
//
// A page is bounded: of very many stacks the largest by each gauge are in it, and for the rest the
// totals tell what is missing.

#include "report/html.h"

#include "report/notes.h"
#include "report/page.h"
#include "report/rows.h"
#include "report/trie.h"
#include "report/words.h"

#include <stdlib.h>
#include <sys/wait.h>

#define SITES_MAX     6000
#define REST_DEPTH    32
#define PROCESSES_MAX 500
#define NODES_MAX     100000 // about 12 bytes each in the page

// JavaScript's numbers are exact up to here.
static json_t *number(u64 n)
{
    return json_integer((json_int_t)(n < (u64)1 << 53 ? n : (u64)1 << 53));
}

static json_t *signed_number(u64 after, u64 before)
{
    if (after >= before)
        return number(after - before);
    u64 less = before - after;
    return json_integer(-(json_int_t)(less < (u64)1 << 53 ? less : (u64)1 << 53));
}

static json_t *amount(struct amount a)
{
    return json_pack("{s:o, s:o}", "bytes", number(a.bytes), "blocks", number(a.blocks));
}

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

// ---------------------------------------------------------------- processes and totals

static json_t *ended(const struct process *p)
{
    char text[WORDS_SIZE];
    if ((p->flags & PROCESS_ENDED) == 0)
        return json_null();
    return json_string(words_status(text, p->exit_code << 8));
}

// An earlier process, so that no hostile recording makes a circle of them.
static int parent_of(const struct model *m, u32 child)
{
    const struct process *p = &m->processes[child];
    for (u32 i = child; i-- > 0;) {
        const struct process *q = &m->processes[i];
        if (q->pid == p->pid || q->pid == p->ppid || (p->parent != 0 && q->index == p->parent))
            return (int)i;
    }
    return -1;
}

static json_t *process(const struct model *m, u32 i)
{
    const struct process *p = &m->processes[i];
    bool scanned = (p->flags & PROCESS_SCANNED) != 0;
    json_t *o = json_pack("{s:i, s:i, s:i, s:s, s:s, s:o, s:b}", "pid", (int)p->pid, "ppid",
                          (int)p->ppid, "parent", parent_of(m, i), "command", p->args, "exe",
                          p->exe, "ended", ended(p), "execed", p->flags & PROCESS_EXECED);
    json_object_set_new(o, "allocs", number(p->allocs));
    json_object_set_new(o, "alloc_bytes", number(p->alloc_bytes));
    json_object_set_new(o, "frees", number(p->frees));
    json_object_set_new(o, "live", amount(p->live));
    json_object_set_new(o, "peak_bytes", number(p->peak_bytes));
    json_object_set_new(o, "peak_ns", number(p->peak_ns));
    json_object_set_new(o, "leaked",
                        scanned ? number(leaked_bytes(p->direct, p->indirect, p->cycle))
                                : json_null());
    return o;
}

static json_t *processes(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->processes_count && i < PROCESSES_MAX; i++)
        json_array_append_new(list, process(m, i));
    return list;
}

static json_t *leaked(const struct totals *t)
{
    if (t->scanned == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "bytes",
                     number(leaked_bytes(t->direct, t->indirect, t->cycle)), "direct",
                     amount(t->direct), "indirect", amount(t->indirect), "cycle", amount(t->cycle));
}

static json_t *peak(const struct totals *t)
{
    if (t->peak == NULL)
        return json_null();
    return json_pack("{s:o, s:i, s:o}", "bytes", number(t->peak->peak_bytes), "pid",
                     (int)t->peak->pid, "ns", number(t->peak->peak_ns));
}

static json_t *totals(struct model *m, const struct totals *t)
{
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:o}", "allocs", number(t->allocs), "alloc_bytes",
                  number(t->alloc_bytes), "frees", number(t->frees), "live", amount(t->live));
    json_object_set_new(o, "leaked", leaked(t));
    json_object_set_new(o, "reachable", t->scanned > 0 ? amount(t->reachable) : json_null());
    json_object_set_new(o, "no_scan", text_or_null(notes_no_scan(m, t)));
    json_object_set_new(o, "peak", peak(t));
    return o;
}

static json_t *notes(struct model *m, const struct totals *t)
{
    struct notes all = notes_of(m, t);
    json_t *list = json_array();
    for (u32 i = 0; i < all.count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "code", all.items[i].code, "text", all.items[i].text));
    return list;
}

// ---------------------------------------------------------------- sites

static json_t *measures(const struct rows *rows)
{
    json_t *list = json_array();
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:o}", "key", gauges[g].key, "label",
                                        gauges[g].label, "help", gauges[g].help, "unit",
                                        gauges[g].unit == GAUGE_BYTES ? "bytes" : "count", "total",
                                        signed_number(rows->after[g], rows->before[g])));
    return list;
}

// A list of numbers for each column of the page's table of sites.
struct columns {
    json_t *node, *own, *largest;
    json_t *gauges[GAUGES_MAX];
};

static void add_row(struct columns *c, const struct row *r, int node, int own)
{
    json_array_append_new(c->node, json_integer(node));
    json_array_append_new(c->own, json_integer(own));
    json_array_append_new(c->largest, number(r->place == NULL ? 0 : r->place->largest));
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(c->gauges[g], signed_number(r->after[g], r->before[g]));
}

// Rows too small for a page are added up where their stacks leave the tree, so that the boxes
// above are as wide as they should be. Rests come behind the sites.
static u32 add_rests(struct columns *c, struct trie *trie, const struct rows *rows,
                     const u32 *left_out, u32 count)
{
    struct table by_node = {0}; // 2 + node -> struct row
    struct row *sums = calloc(count + 1, sizeof *sums);
    u32 used = 0;
    if (sums == NULL)
        die("loam: no memory for the report", NULL);
    for (u32 i = 0; i < count; i++) {
        const struct row *r = &rows->items[left_out[i]];
        int node = trie_find(trie, r->symbols, r->place->sample, REST_DEPTH);
        struct row *sum = table_get(&by_node, (u64)(node + 2));
        if (sum == NULL) {
            sum = &sums[used++];
            table_put(&by_node, (u64)(node + 2), sum);
            sum->node = node;
        }
        for (u32 g = 0; g < gauges_count; g++) {
            sum->after[g] += r->after[g];
            sum->before[g] += r->before[g];
        }
    }
    for (u32 i = 0; i < used; i++)
        add_row(c, &sums[i], sums[i].node, -1);
    table_done(&by_node);
    free(sums);
    return used;
}

static json_t *sites_put(struct columns *c, u32 rests)
{
    json_t *values = json_array();
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(values, c->gauges[g]);
    return json_pack("{s:o, s:o, s:o, s:o, s:i}", "node", c->node, "own", c->own, "values", values,
                     "largest", c->largest, "rests", (int)rests);
}

static void put_sites(json_t *page, const struct rows *rows, struct store *store)
{
    struct columns c = {json_array(), json_array(), json_array(), {0}};
    for (u32 g = 0; g < gauges_count; g++)
        c.gauges[g] = json_array();
    struct trie trie;
    trie_init(&trie, store);
    u32 count, used = 0, *chosen = rows_choose(rows, &count);
    while (used < count && used < SITES_MAX && trie.nodes_count < NODES_MAX) {
        const struct row *r = &rows->items[chosen[used++]];
        int own, node = trie_add(&trie, r->symbols, r->place->sample, &own);
        add_row(&c, r, node, own);
    }
    u32 rests = add_rests(&c, &trie, rows, chosen + used, count - used);
    free(chosen);
    trie_put(&trie, page);
    trie_done(&trie);
    json_object_set_new(page, "measures", measures(rows));
    json_object_set_new(page, "sites", sites_put(&c, rests));
    json_object_set_new(page, "sites_left_out", number(count - used));
}

// ---------------------------------------------------------------- entry

static json_t *status(const struct model *m)
{
    char text[WORDS_SIZE];
    return m->ended_ns == 0 ? json_null() : json_string(words_status(text, m->end_status));
}

static json_t *head(const struct model *m)
{
    u64 duration = m->ended_ns > m->started_ns ? m->ended_ns - m->started_ns : 0;
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "loam", LOAM_VERSION, "command", m->command,
                     "started_ms", number(m->started_ns / 1000000), "duration_ns", number(duration),
                     "status", status(m));
}

int html_report(FILE *out, struct model *m)
{
    struct totals t = totals_of(m);
    struct symbols *symbols = symbols_new(&m->store);
    struct rows rows = rows_of(m, symbols);
    json_t *page = head(m);
    json_object_set_new(page, "totals", totals(m, &t));
    put_sites(page, &rows, &m->store);
    json_object_set_new(page, "processes", processes(m));
    json_object_set_new(page, "processes_count", number(m->processes_count));
    json_object_set_new(page, "notes", notes(m, &t)); // last: symbols were asked by now
    int r = page_write(out, PAGE_REPORT, page);
    json_decref(page);
    rows_done(&rows);
    symbols_free(symbols);
    return r;
}
