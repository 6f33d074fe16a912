// archive.c: read a recording as the report does, write it again, shorter.

#include "cli/archive.h"

#include "report/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct archive *a;
    struct record_block *block; // being filled, or NULL
    u32 process;                // whose records are written
    bool failed;
};

// ---------------------------------------------------------------- writing

static int make_room(struct archive *a, u32 blocks)
{
    u32 room = a->room;
    while (room < a->count + blocks)
        room = room == 0 ? 16 : 2 * room;
    if (room == a->room)
        return 0;
    char *bytes = realloc(a->blocks, (size_t)room * RECORDING_BLOCK);
    if (bytes == NULL)
        return -ENOMEM;
    a->blocks = bytes;
    a->room = room;
    return 0;
}

int archive_append(struct archive *a, const struct archive *other)
{
    if (other->count == 0)
        return 0;
    int r = make_room(a, other->count);
    if (r < 0)
        return r;
    memcpy(a->blocks + (size_t)a->count * RECORDING_BLOCK, other->blocks,
           (size_t)other->count * RECORDING_BLOCK);
    a->count += other->count;
    a->processes += other->processes;
    return 0;
}

static struct record_block *new_block(struct writer *w)
{
    struct archive *a = w->a;
    if (make_room(a, 1) < 0)
        return NULL;
    w->block = (void *)(a->blocks + (size_t)a->count++ * RECORDING_BLOCK);
    memset(w->block, 0, RECORDING_BLOCK);
    memcpy(w->block->magic, "blk\n", sizeof w->block->magic);
    w->block->process = w->process;
    return w->block;
}

// Zeroed room for a record; NULL when there is no memory.
static void *put(struct writer *w, u32 kind, size_t bytes)
{
    bytes = round_up(bytes, 8);
    bool fits = w->block != NULL && bytes <= RECORDING_BLOCK - sizeof *w->block - w->block->used;
    if (!fits && new_block(w) == NULL) {
        w->failed = true;
        return NULL;
    }
    struct record *r = (void *)((char *)(w->block + 1) + w->block->used);
    *r = (struct record){kind, (u32)bytes};
    w->block->used += (u32)bytes;
    return r;
}

// ---------------------------------------------------------------- processes and modules

// The record of process `index` as it stands in the recording, already judged by the loader.
static const struct record_process *find_record(const struct recording *r, size_t used, u32 index)
{
    u32 blocks = (u32)((used - RECORDING_HEADER) / RECORDING_BLOCK);
    for (u32 i = 0; i < blocks; i++) {
        const struct record_block *b =
            (const void *)((const char *)r + RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
        const struct record_process *p = (const void *)(b + 1);
        size_t bytes = p->head.bytes;
        if (memcmp(b->magic, "blk\n", 4) == 0 && p->head.kind == RECORD_PROCESS &&
            p->index == index && bytes >= sizeof *p && bytes <= RECORDING_BLOCK - sizeof *b &&
            (size_t)p->exe_len + p->args_len <= bytes - sizeof *p)
            return p;
    }
    return NULL;
}

// The process's totals with those of all its threads: of ended threads nobody asks.
static void sum_totals(struct record_totals *to, const struct process *p)
{
    u64 unit = p->sample_bytes == 0 ? 1 : SAMPLE_UNIT; // F8
    *to = (struct record_totals){
        .allocs = p->allocs * unit,
        .alloc_bytes = p->alloc_bytes,
        .alloc_capacity = p->churn.capacity,
        .frees = p->frees * unit,
        .free_bytes = p->free_bytes,
        .free_capacity = p->free_capacity,
        .temporaries = p->churn.temporaries,
        .temporary_bytes = p->churn.temporary_bytes,
        .reallocs = p->churn.reallocs,
        .copied_bytes = p->churn.copied_bytes,
    };
}

static void put_process(struct writer *w, const struct record_process *p,
                        const struct process *known, u32 add)
{
    size_t bytes = sizeof *p + p->exe_len + p->args_len;
    w->process = p->index + add;
    struct record_process *copy = put(w, RECORD_PROCESS, bytes);
    if (copy == NULL)
        return;
    struct record head = copy->head;
    memcpy(copy, p, bytes);
    copy->head = head;
    copy->index = w->process;
    copy->parent = p->parent == 0 ? 0 : p->parent + add;
    sum_totals(&copy->rest, known);
}

static void put_module(struct writer *w, const struct module *m)
{
    size_t len = size_min(strlen(m->path), 4096);
    struct record_module *r = put(w, RECORD_MODULE, sizeof *r + len);
    if (r == NULL)
        return;
    r->index = m->number;
    r->build_id_len = m->build_id_len;
    memcpy(r->build_id, m->build_id, m->build_id_len);
    r->path_len = (u32)len;
    memcpy(r->path, m->path, len);
}

// ---------------------------------------------------------------- sites

// F8: as the process itself would have counted.
static u64 counter(const struct site *s, u64 blocks)
{
    return s->process->sample_bytes == 0 ? blocks : blocks * SAMPLE_UNIT;
}

static void sum_lives(struct record_lives *to, struct lifetimes l)
{
    for (u32 i = 0; i + 1 < l.count; i++) {
        u64 n = ((u64)to->high[i] << 32 | to->low[i]) + l.lives[i + 1];
        to->low[i] = (u32)n;
        to->high[i] = (u8)(n >> 32);
    }
}

static void sum_churn(struct record_site *r, const struct site *s)
{
    const struct churn *c = &s->churn;
    r->alloc_capacity += c->capacity;
    r->free_capacity += c->capacity - s->live_capacity;
    if (s->process->sample_bytes != 0) {
        r->samples += s->samples;
        r->sample_frees += s->samples - s->live_samples;
    } else {
        r->temporaries += c->temporaries;
        r->temporary_bytes += c->temporary_bytes;
    }
    r->reallocs += c->reallocs;
    r->chains += c->chains;
    r->copied_bytes += c->copied_bytes;
    r->large_pages += (u32)(s->large_bytes / PAGE_UNIT);
    r->untouched_pages += (u32)(s->untouched_bytes / PAGE_UNIT);
    sum_lives(&r->lives, s->lifetimes);
}

static void sum_site(struct record_site *r, const struct site *s)
{
    if (s->allocs != 0 && (r->allocs == 0 || s->smallest < r->smallest))
        r->smallest = s->smallest;
    r->allocs += counter(s, s->allocs);
    r->alloc_bytes += s->alloc_bytes;
    r->frees += counter(s, s->frees);
    r->free_bytes += s->free_bytes;
    r->largest = s->largest > r->largest ? s->largest : r->largest;
    r->at_peak += s->at_peak;
    r->direct_blocks += s->direct.blocks;
    r->direct_bytes += s->direct.bytes;
    r->indirect_blocks += s->indirect.blocks;
    r->indirect_bytes += s->indirect.bytes;
    r->cycle_blocks += s->cycle.blocks;
    r->cycle_bytes += s->cycle.bytes;
    r->reachable_blocks += s->reachable.blocks;
    r->reachable_bytes += s->reachable.bytes;
    sum_churn(r, s);
}

// Its number stays: moments and labels name it.
static void put_site(struct writer *w, const struct site *s)
{
    struct record_site *r =
        put(w, RECORD_SITE, sizeof *r + (size_t)s->frames_count * sizeof r->frames[0]);
    if (r == NULL)
        return;
    r->id = s->id;
    r->frames_count = s->frames_count;
    r->truncated = s->truncated;
    r->serial = (u32)s->process->peak_serial; // at_peak is resolved (F5)
    memcpy(r->frames, s->frames, s->frames_count * sizeof r->frames[0]);
    sum_site(r, s);
}

static bool leaked(const struct site *s)
{
    return (s->direct.blocks | s->indirect.blocks | s->cycle.blocks) != 0;
}

static u64 weight(const struct site *s)
{
    u64 most = s->live.bytes > s->at_peak ? s->live.bytes : s->at_peak;
    return most > s->reachable.bytes ? most : s->reachable.bytes;
}

// By process; in each first those that leaked, then the heaviest.
static int by_importance(const void *a, const void *b)
{
    const struct site *x = *(const struct site *const *)a, *y = *(const struct site *const *)b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (leaked(x) != leaked(y))
        return leaked(x) ? -1 : 1;
    u64 w_x = weight(x), w_y = weight(y);
    return w_x != w_y ? (w_x > w_y ? -1 : 1) : (x > y) - (x < y);
}

// Modules that the first `n` of these sites name, each once.
static void put_modules(struct writer *w, struct site *const *sites, u32 n, u32 *told, u32 mark)
{
    for (u32 i = 0; i < n; i++) {
        for (u32 j = 0; j < sites[i]->frames_count; j++) {
            const struct module *m = site_frame(sites[i], j).module;
            if (m == NULL || told[m->number] == mark || m->number > UINT16_MAX)
                continue;
            told[m->number] = mark;
            put_module(w, m);
        }
    }
}

// All sites that are not kept, as one.
static void put_other(struct writer *w, const struct record_process *p, struct site *const *sites,
                      u32 kept, u32 n)
{
    struct record_site *other = NULL;
    for (u32 i = 0; i < n; i++) {
        if (i < kept && sites[i]->id != p->first_site)
            continue;
        if (other == NULL && (other = put(w, RECORD_SITE, sizeof *other)) == NULL)
            return;
        other->id = p->first_site;
        other->serial = (u32)p->peak_serial;
        sum_site(other, sites[i]);
    }
}

// One process: its record, the modules and sites that are kept, the rest as one site.
static void put_all(struct writer *w, const struct record_process *p, const struct process *known,
                    struct site *const *sites, u32 n, u32 add, u32 *told)
{
    u32 kept = 0, heavy = 0;
    for (; kept < n && heavy < ARCHIVE_SITES; kept++)
        heavy += !leaked(sites[kept]);
    put_process(w, p, known, add);
    put_modules(w, sites, kept, told, w->process);
    put_other(w, p, sites, kept, n);
    for (u32 i = 0; i < kept && !w->failed; i++)
        if (sites[i]->id != p->first_site)
            put_site(w, sites[i]);
    w->a->processes += n > kept;
}

// ---------------------------------------------------------------- entries

static void put_model(struct writer *w, struct model *m, const struct recording *r, size_t used,
                      u32 add)
{
    struct site **sites = malloc((m->sites_count + (size_t)1) * sizeof *sites);
    u32 *told = calloc(m->modules_count + (size_t)2, sizeof *told);
    w->failed = sites == NULL || told == NULL;
    for (u32 i = 0; i < m->sites_count && !w->failed; i++)
        sites[i] = &m->sites[i];
    if (!w->failed)
        qsort(sites, m->sites_count, sizeof *sites, by_importance);
    u32 at = 0;
    for (u32 i = 0; i < m->processes_count && !w->failed; i++) {
        u32 first = at;
        while (at < m->sites_count && sites[at]->process == &m->processes[i])
            at++;
        const struct record_process *p = find_record(r, used, m->processes[i].index);
        if (p != NULL)
            put_all(w, p, &m->processes[i], sites + first, at - first, add, told);
    }
    free(sites);
    free(told);
}

int archive_add(struct archive *a, const struct recording *r, size_t used, u32 add)
{
    char why[128];
    struct model m;
    if (load_memory("it", r, used, &m, why, sizeof why) < 0)
        return -EINVAL;
    struct writer w = {.a = a};
    u32 count = a->count;
    put_model(&w, &m, r, used, add);
    load_done(&m);
    if (!w.failed)
        return 0;
    a->count = count;
    return -ENOMEM;
}

void archive_done(struct archive *a)
{
    free(a->blocks);
    *a = (struct archive){0};
}
