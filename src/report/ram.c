// ram.c: accounts of RSS from a recording, as text and as JSON.

#include "report/ram.h"

#include "report/jot.h"
#include "report/words.h"
#include "target/account.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MIN (8 * MiB) // the RSS of a smaller program is libraries

// ---------------------------------------------------------------- taking in

static void keep_pinners(struct model *m, struct ram *to, u32 process,
                         const struct record_account *from,
                         struct site *(*site)(void *ctx, u32 process, u32 id), void *ctx)
{
    to->pinners = store_push(&m->store, from->pins_count * sizeof *to->pinners);
    to->pinners_count = from->pins_count;
    for (u32 i = 0; i < from->pins_count; i++) {
        const struct record_pin *p = &from->pin[i];
        to->pinners[i] = (struct pinner){.site = site(ctx, process, p->site),
                                         .slabs = p->slabs,
                                         .blocks = p->blocks,
                                         .bytes = p->bytes,
                                         .pinned = p->pinned,
                                         .freed = p->freed};
    }
}

// A1 holds, or the numbers are nonsense.
static bool adds_up(const struct record_account *a)
{
    u64 sum = 0;
    for (u32 i = 0; i < ACCOUNT_PARTS; i++)
        sum += a->part[i];
    return sum == a->rss && a->rss != 0;
}

static struct ram *line_new(struct model *m, u32 *room)
{
    if (m->rams_count == *room) {
        *room = *room == 0 ? 64 : 2 * *room;
        m->rams = realloc(m->rams, *room * sizeof *m->rams);
        if (m->rams == NULL)
            die("loam: no memory for the report", NULL);
    }
    return &m->rams[m->rams_count++];
}

bool ram_add(struct model *m, u32 *room, struct process *process, const struct record *r,
             size_t bytes, struct site *(*site)(void *ctx, u32 process, u32 id), void *ctx)
{
    const struct record_account *a = (const void *)r;
    if (bytes < sizeof *a || a->pins_count > (bytes - sizeof *a) / sizeof a->pin[0] || !adds_up(a))
        return false;
    if (a->when != ACCOUNT_SUM && process == NULL)
        return true; // its process was left out, as one that another library counts
    struct ram *to = a->when == ACCOUNT_SUM       ? line_new(m, room)
                     : a->when == ACCOUNT_HIGHEST ? &process->highest
                                                  : &process->last;
    *to = (struct ram){.at_ns = a->at_ns,
                       .rss = a->rss,
                       .live_blocks = a->live_blocks,
                       .slabs = a->slabs,
                       .slabs_rss = a->slabs_rss,
                       .slabs_live = a->slabs_live,
                       .known = a->known,
                       .processes = a->processes};
    memcpy(to->part, a->part, sizeof to->part);
    keep_pinners(m, to, a->process, a, site, ctx);
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct ram *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

void ram_settle(struct model *m)
{
    u32 kept = 0;
    if (m->rams_count > 0)
        qsort(m->rams, m->rams_count, sizeof *m->rams, by_time);
    for (u32 i = 0; i < m->rams_count; i++) // L3: one of each time
        if (kept == 0 || m->rams[kept - 1].at_ns != m->rams[i].at_ns)
            m->rams[kept++] = m->rams[i];
    m->rams_count = kept;
}

// ---------------------------------------------------------------- questions

const struct process *ram_process(const struct model *m)
{
    const struct process *best = NULL;
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        if (p->highest.rss != 0 && (best == NULL || p->highest.rss > best->highest.rss))
            best = p;
    }
    return best;
}

bool ram_knows(const struct ram *r, enum account_part part)
{
    if (part == ACCOUNT_WASTE)
        return (r->known & ACCOUNT_ASKED) != 0;
    return (part != ACCOUNT_LIVE && part != ACCOUNT_FREE) || (r->known & ACCOUNT_HEAP) != 0;
}

u64 ram_spare(const struct ram *r)
{
    return r->slabs_rss > r->slabs_live ? r->slabs_rss - r->slabs_live : 0;
}

const struct ram *ram_fragmented(const struct model *m)
{
    const struct process *p = ram_process(m);
    if (p == NULL)
        return NULL;
    return ram_spare(&p->last) > ram_spare(&p->highest) ? &p->last : &p->highest;
}

// ---------------------------------------------------------------- text

static void part_text(struct ink *k, const struct ram *r, u32 part, u32 left, bool first)
{
    char size[WORDS_SIZE], share[WORDS_SIZE], text[3 * WORDS_SIZE];
    words_size(size, r->part[part]);
    words_share(share, r->part[part], r->rss);
    u32 n = (u32)snprintf(text, sizeof text, "%s %s (%s)", account_names[part], size, share);
    if (!first && k->column + 3 + n + 2 > k->width) {
        ink(k, INK_DIM, " ·");
        ink_line(k);
        first = true;
    } else if (!first) {
        ink(k, INK_DIM, " · ");
    }
    if (first)
        ink_to(k, left);
    ink(k, INK_PLAIN, "%s", text);
}

// Parts of less than a hundredth are no answer to anything.
static void parts_text(struct ink *k, const struct ram *r, u32 left)
{
    bool first = true;
    for (u32 i = 0; i < ACCOUNT_PARTS; i++) {
        if (r->part[i] < r->rss / 100 || r->part[i] == 0 || !ram_knows(r, (enum account_part)i))
            continue;
        part_text(k, r, i, left, first);
        first = false;
    }
    ink_line(k);
}

void ram_text(struct ink *k, const struct model *m, u32 left)
{
    const struct process *p = ram_process(m);
    char size[WORDS_SIZE], when[WORDS_SIZE];
    if (p == NULL || p->highest.rss < TEXT_MIN)
        return;
    ink_line(k);
    ink(k, INK_BOLD, "RSS");
    ink_to(k, left);
    ink(k, INK_BOLD, "%s", words_size(size, p->highest.rss));
    ink(k, INK_PLAIN, " in RAM at the most, %s after the start",
        words_time(when, p->highest.at_ns));
    if (m->processes_count > 1)
        ink(k, INK_DIM, ", in process %u", p->pid);
    ink_line(k);
    parts_text(k, &p->highest, left);
    if (p->last.rss + p->last.rss / 8 >= p->highest.rss)
        return;
    ink_to(k, left);
    ink(k, INK_BOLD, "%s", words_size(size, p->last.rss));
    ink(k, INK_PLAIN, " when last looked, after %s", words_time(when, p->last.at_ns));
    ink_line(k);
    parts_text(k, &p->last, left);
}

// ---------------------------------------------------------------- JSON

static json_t *pinner_json(const struct pinner *p)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "pinned_bytes", jot_int(p->pinned),
                          "freed_bytes", jot_int(p->freed), "blocks", jot_int(p->blocks), "bytes",
                          jot_int(p->bytes), "slabs", jot_int(p->slabs));
    bool known = p->site != NULL && p->site->place != NULL;
    json_object_set_new(o, "place", known ? jot_int(p->site->place->number) : json_null());
    return o;
}

static json_t *fragmentation_json(const struct ram *r)
{
    json_t *list = json_array();
    for (u32 i = 0; i < r->pinners_count; i++)
        json_array_append_new(list, pinner_json(&r->pinners[i]));
    return json_pack("{s:o, s:o, s:o, s:o}", "slabs", jot_int(r->slabs), "rss_bytes",
                     jot_int(r->slabs_rss), "live_bytes", jot_int(r->slabs_live), "places", list);
}

static json_t *sums_json(const struct ram *r)
{
    json_t *parts = json_object();
    for (u32 i = 0; i < ACCOUNT_PARTS; i++)
        json_object_set_new(parts, account_keys[i],
                            ram_knows(r, (enum account_part)i) ? jot_int(r->part[i]) : json_null());
    return json_pack("{s:o, s:o, s:o}", "at_ns", jot_int(r->at_ns), "rss_bytes", jot_int(r->rss),
                     "parts", parts);
}

json_t *ram_json(const struct ram *r)
{
    if (r->rss == 0)
        return json_null();
    json_t *o = sums_json(r);
    json_object_set_new(o, "live_blocks",
                        (r->known & ACCOUNT_HEAP) != 0 ? jot_int(r->live_blocks) : json_null());
    json_object_set_new(o, "fragmentation",
                        (r->known & ACCOUNT_HEAP) != 0 ? fragmentation_json(r) : json_null());
    return o;
}

json_t *ram_line_json(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->rams_count; i++) {
        json_t *o = sums_json(&m->rams[i]);
        json_object_set_new(o, "processes", jot_int(m->rams[i].processes));
        json_array_append_new(list, o);
    }
    return list;
}
