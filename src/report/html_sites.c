// html_sites.c: the largest sites by every gauge, their stacks as one tree, and the rests.

#include "report/html_parts.h"

#include "report/trie.h"

#include <stdlib.h>

#define SITES_MAX  6000
#define LIVES_MAX  1500   // sites with their lifetimes
#define NODES_MAX  100000 // about 12 bytes each in the page
#define REST_DEPTH 32

static json_t *measures(const struct rows *rows)
{
    json_t *list = json_array();
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:o}", "key", gauges[g].key, "label",
                                        gauges[g].label, "help", gauges[g].help, "unit",
                                        gauges[g].unit == GAUGE_BYTES ? "bytes" : "count", "total",
                                        html_signed(rows->after[g], rows->before[g])));
    return list;
}

// A list of numbers for each column of the page's table of sites.
struct columns {
    bool diff;
    json_t *node, *own, *largest, *smallest, *capacity, *lives;
    json_t *gauges[GAUGES_MAX], *before[GAUGES_MAX]; // before: in a diff, what the change began at
};

static struct columns columns_new(bool diff)
{
    struct columns c = {
        .diff = diff,
        .node = json_array(),
        .own = json_array(),
        .largest = json_array(),
        .smallest = json_array(),
        .capacity = json_array(),
        .lives = json_array(),
    };
    for (u32 g = 0; g < gauges_count; g++)
        c.gauges[g] = json_array();
    for (u32 g = 0; g < gauges_count; g++)
        c.before[g] = json_array();
    return c;
}

static json_t *lives(struct lifetimes l)
{
    json_t *list = json_array();
    for (u32 i = 0; i < l.count; i++)
        json_array_append_new(list, html_number(l.lives[i]));
    return list;
}

static void add_gauges(struct columns *c, const struct row *r, int node, int own)
{
    json_array_append_new(c->node, json_integer(node));
    json_array_append_new(c->own, json_integer(own));
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(c->gauges[g], html_signed(r->after[g], r->before[g]));
    for (u32 g = 0; g < gauges_count && c->diff; g++)
        json_array_append_new(c->before[g], html_number(r->before[g]));
}

static void add_row(struct columns *c, const struct row *r, int node, int own)
{
    const struct place *p = r->place;
    add_gauges(c, r, node, own);
    json_array_append_new(c->largest, html_number(p->largest));
    json_array_append_new(c->smallest, html_number(p->smallest));
    json_array_append_new(c->capacity, html_number(p->churn->capacity));
    if (json_array_size(c->lives) < LIVES_MAX)
        json_array_append_new(c->lives, lives(p->lifetimes));
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
            sum->before = store_push(trie->store, GAUGES_MAX * sizeof *sum->before);
            table_put(&by_node, (u64)(node + 2), sum);
            sum->node = node;
        }
        for (u32 g = 0; g < gauges_count; g++) {
            sum->after[g] += r->after[g];
            sum->before[g] += r->before[g];
        }
    }
    for (u32 i = 0; i < used; i++)
        add_gauges(c, &sums[i], sums[i].node, -1);
    table_done(&by_node);
    free(sums);
    return used;
}

static json_t *sites_json(struct columns *c, u32 rests)
{
    json_t *values = json_array(), *before = json_array();
    for (u32 g = 0; g < gauges_count; g++) {
        json_array_append_new(values, c->gauges[g]);
        json_array_append_new(before, c->before[g]);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "node", c->node, "own",
                     c->own, "values", values, "largest", c->largest, "smallest", c->smallest,
                     "capacity", c->capacity, "lives", c->lives, "before", before, "rests",
                     (int)rests);
}

// A diff from nothing is a report.
static bool is_diff(const struct rows *rows)
{
    u64 any = 0;
    for (u32 g = 0; g < gauges_count; g++)
        any |= rows->before[g];
    return any != 0;
}

void html_sites_put(json_t *page, const struct rows *rows, struct store *store, u32 **ret_numbers)
{
    struct columns c = columns_new(is_diff(rows));
    struct trie trie;
    trie_init(&trie, store);
    u32 count, used = 0, *chosen = rows_choose(rows, &count);
    u32 *numbers = calloc(rows->count + 1, sizeof *numbers);
    if (numbers == NULL)
        die("loam: no memory for the report", NULL);
    while (used < count && used < SITES_MAX && trie.nodes_count < NODES_MAX) {
        const struct row *r = &rows->items[chosen[used]];
        int own, node = trie_add(&trie, r->symbols, r->place->sample, &own);
        add_row(&c, r, node, own);
        numbers[chosen[used]] = used + 1;
        used++;
    }
    u32 rests = add_rests(&c, &trie, rows, chosen + used, count - used);
    free(chosen);
    trie_put(&trie, page);
    trie_done(&trie);
    json_object_set_new(page, "measures", measures(rows));
    json_object_set_new(page, "sites", sites_json(&c, rests));
    json_object_set_new(page, "sites_left_out", html_number(count - used));
    *ret_numbers = numbers;
}
