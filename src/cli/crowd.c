// crowd.c: see crowd.h.

#include "cli/crowd.h"

#include "os/os.h"
#include "target/touched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_NS   1000000000u
#define NAMES_MAX  512 // threads asked at a time

#define TOUCHED_NS 1000000000u
#define COST_SHARE 50
#define SITES_MAX  (1u << 20) // a tag has 20 bits for them

// The array with room for one more, or NULL.
static void *grown(struct crowd *c, void *array, u32 count, u32 *room, size_t each)
{
    if (count < *room)
        return array;
    u32 more = *room == 0 ? 64 : 2 * *room;
    void *p = realloc(array, more * each);
    if (p == NULL) {
        c->no_memory = true;
        return NULL;
    }
    *room = more;
    return p;
}

static u64 get(const _Atomic u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static u64 minus(u64 a, u64 b)
{
    return a > b ? a - b : 0;
}

// ---------------------------------------------------------------- meeting

// The process that had this pid before has become another program by exec.
static void replace_pid(struct crowd *c, u32 pid)
{
    for (u32 i = 0; i < c->processes_count; i++)
        if (c->processes[i].pid == pid && c->processes[i].record != NULL)
            c->processes[i].over = true;
}

static u32 meet_process(struct crowd *c, const struct volume *v, u32 add,
                        const struct record_process *p)
{
    struct crowd_process *all =
        grown(c, c->processes, c->processes_count, &c->processes_room, sizeof *all);
    if (all == NULL)
        return 0;
    replace_pid(c, p->pid);
    c->processes = all;
    all[c->processes_count] = (struct crowd_process){
        .record = p, .volume = v->number, .index = p->index + add, .pid = p->pid};
    return ++c->processes_count;
}

static void meet_site(struct crowd *c, u32 process, struct record_site *s)
{
    struct crowd_site *all = grown(c, c->sites, c->sites_count, &c->sites_room, sizeof *all);
    if (all == NULL)
        return;
    c->sites = all;
    all[c->sites_count++] = (struct crowd_site){.record = s, .process = process};
}

static void meet_thread(struct crowd *c, u32 process, struct record_thread *t)
{
    struct crowd_thread *all =
        grown(c, c->threads, c->threads_count, &c->threads_room, sizeof *all);
    if (all == NULL)
        return;
    c->threads = all;
    all[c->threads_count++] = (struct crowd_thread){.record = t, .process = process};
}

static void meet_pens(struct crowd *c, u32 process, const struct record_pens *p)
{
    struct crowd_pens *all = grown(c, c->pens, c->pens_count, &c->pens_room, sizeof *all);
    if (all == NULL)
        return;
    c->pens = all;
    all[c->pens_count++] = (struct crowd_pens){.record = p, .process = process};
}

// Records of a block from *used on.
static void meet_records(struct crowd *c, const struct volume *v, u32 add, struct crowd_open *o,
                         struct record_block *b)
{
    u32 end = atomic_load_explicit(&b->used, memory_order_acquire); // F1
    end = (u32)size_min(end, RECORDING_BLOCK - sizeof *b);
    while (end - o->used >= sizeof(struct record)) {
        struct record *r = (void *)((char *)(b + 1) + o->used);
        u32 bytes = r->bytes;
        if (bytes < sizeof *r || bytes % 8 != 0 || bytes > end - o->used)
            return;
        if (r->kind == RECORD_PROCESS && bytes >= sizeof(struct record_process))
            o->process = meet_process(c, v, add, (void *)r);
        else if (r->kind == RECORD_SITE && bytes >= sizeof(struct record_site) && o->process != 0)
            meet_site(c, o->process - 1, (void *)r);
        else if (r->kind == RECORD_THREAD && bytes >= sizeof(struct record_thread) &&
                 o->process != 0)
            meet_thread(c, o->process - 1, (void *)r);
        else if (r->kind == RECORD_PENS && bytes >= sizeof(struct record_pens) && o->process != 0)
            meet_pens(c, o->process - 1, (void *)r);
        o->used += bytes;
    }
}

static struct crowd_volume *volume_of(struct crowd *c, u32 number)
{
    for (u32 i = 0; i < c->volumes_count; i++)
        if (c->volumes[i].number == number)
            return &c->volumes[i];
    if (c->volumes_count == countof(c->volumes))
        return NULL;
    c->volumes[c->volumes_count] = (struct crowd_volume){.number = number};
    return &c->volumes[c->volumes_count++];
}

static struct record_block *block_at(const struct volume *v, u32 i)
{
    return (void *)((char *)v->rec + RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
}

// The process that a later block of it belongs to; 0 if its first block was not met.
static u32 process_of(const struct crowd *c, const struct volume *v, u32 add, u32 index)
{
    for (u32 i = c->processes_count; i-- > 0;) {
        const struct crowd_process *p = &c->processes[i];
        if (p->volume == v->number && p->index == index + add)
            return i + 1;
    }
    return 0;
}

// A process writes its last block only. False when the block is not begun yet.
static bool begin_block(struct crowd *c, struct crowd_volume *cv, const struct volume *v, u32 add,
                        struct crowd_open *o)
{
    const struct record_block *b = block_at(v, o->block);
    if (memcmp(b->magic, "blk\n", sizeof b->magic) != 0)
        return false;
    o->process = process_of(c, v, add, b->process);
    for (u32 i = 0; i < cv->open_count; i++) {
        struct crowd_open *old = &cv->open[i];
        if (old == o || old->process != o->process || o->process == 0 || old->block > o->block)
            continue;
        meet_records(c, v, add, old, block_at(v, old->block)); // for the last time
        old->block = UINT32_MAX;
    }
    return true;
}

static void drop_closed(struct crowd_volume *cv)
{
    u32 kept = 0;
    for (u32 i = 0; i < cv->open_count; i++)
        if (cv->open[i].block != UINT32_MAX)
            cv->open[kept++] = cv->open[i];
    cv->open_count = kept;
}

static void open_new(struct crowd *c, struct crowd_volume *cv, const struct volume *v)
{
    for (u32 blocks = volume_blocks(v); cv->blocks < blocks; cv->blocks++) {
        struct crowd_open *all = grown(c, cv->open, cv->open_count, &cv->open_room, sizeof *all);
        if (all == NULL)
            return;
        cv->open = all;
        all[cv->open_count++] = (struct crowd_open){.block = cv->blocks};
    }
}

void crowd_meet(struct crowd *c, const struct volume *v, u32 add)
{
    struct crowd_volume *cv = volume_of(c, v->number);
    if (cv == NULL)
        return;
    open_new(c, cv, v);
    for (u32 i = 0; i < cv->open_count; i++) {
        struct crowd_open *o = &cv->open[i];
        if (o->block == UINT32_MAX ||
            (o->process == 0 && o->used == 0 && !begin_block(c, cv, v, add, o)))
            continue;
        meet_records(c, v, add, o, block_at(v, o->block));
    }
    drop_closed(cv);
}

// ---------------------------------------------------------------- the end of some

// Sites, threads and pens of processes that are gone.
static void drop_gone(struct crowd *c)
{
    u32 sites = 0, threads = 0, pens = 0;
    for (u32 i = 0; i < c->sites_count; i++)
        if (c->processes[c->sites[i].process].record != NULL)
            c->sites[sites++] = c->sites[i];
    for (u32 i = 0; i < c->threads_count; i++)
        if (c->processes[c->threads[i].process].record != NULL)
            c->threads[threads++] = c->threads[i];
    for (u32 i = 0; i < c->pens_count; i++)
        if (c->processes[c->pens[i].process].record != NULL)
            c->pens[pens++] = c->pens[i];
    c->pens_count = pens;
    c->sites_count = sites;
    c->threads_count = threads;
}

void crowd_done(struct crowd *c)
{
    for (u32 i = 0; i < c->volumes_count; i++)
        free(c->volumes[i].open);
    free(c->processes);
    free(c->threads);
    free(c->pens);
    free(c->sites);
    *c = (struct crowd){0};
}

// ---------------------------------------------------------------- looking

// Resident bytes; false when there is no such process.
static bool read_rss(u32 pid, u64 *ret)
{
    char path[48], text[128];
    unsigned long pages = 0;
    snprintf(path, sizeof path, "/proc/%u/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    if (sscanf(text, "%*u %lu", &pages) == 1)
        *ret += pages * (u64)sysconf(_SC_PAGESIZE);
    return true;
}

static void sum_threads(struct crowd *c)
{
    for (u32 i = 0; i < c->processes_count; i++) {
        struct crowd_process *p = &c->processes[i];
        if (p->record != NULL)
            p->sum = (struct record_totals){.allocs = get(&p->record->rest.allocs),
                                            .alloc_bytes = get(&p->record->rest.alloc_bytes),
                                            .frees = get(&p->record->rest.frees),
                                            .free_bytes = get(&p->record->rest.free_bytes)};
    }
    for (u32 i = 0; i < c->threads_count; i++) {
        const struct record_totals *own = &c->threads[i].record->own;
        struct record_totals *sum = &c->processes[c->threads[i].process].sum;
        sum->allocs += get(&own->allocs);
        sum->alloc_bytes += get(&own->alloc_bytes);
        sum->frees += get(&own->frees);
        sum->free_bytes += get(&own->free_bytes);
    }
}

static u64 blocks_of(const struct crowd_process *p, u64 counter)
{
    return get(&p->record->sample_bytes) == 0 ? counter : counter / SAMPLE_UNIT; // F8
}

static void add_totals(struct record_moment *m, const struct crowd_process *p)
{
    m->allocs += blocks_of(p, p->sum.allocs);
    m->alloc_bytes += p->sum.alloc_bytes;
    m->frees += blocks_of(p, p->sum.frees);
    m->free_bytes += p->sum.free_bytes;
}

static void look_at(struct record_moment *m, struct crowd_process *p)
{
    p->over |= !read_rss(p->pid, &m->rss_bytes);
    m->processes++;
    m->live_bytes += minus(p->sum.alloc_bytes, p->sum.free_bytes);
    m->live_blocks += blocks_of(p, minus(p->sum.allocs, p->sum.frees));
    add_totals(m, p);
}

static void enter_top(struct record_top *top, u32 *count, struct record_top new)
{
    u32 at = *count < TOPS_MAX ? (*count)++ : TOPS_MAX - 1;
    for (; at > 0 && top[at - 1].live_bytes < new.live_bytes; at--)
        top[at] = top[at - 1];
    top[at] = new;
}

// F4: read once; a process that runs wild may change it between a check and a use.
static u32 id_of(const struct record_site *s)
{
    return *(const volatile u32 *)&s->id;
}

// The site of a pen; NULL if it was not met yet. Sites move when others go.
static struct crowd_site *site_of_pen(struct crowd *c, struct crowd_pens *pens, u32 i, u32 id)
{
    u32 at = pens->at[i];
    if (at >= c->sites_count || c->sites[at].process != pens->process ||
        id_of(c->sites[at].record) != id)
        for (at = 0; at < c->sites_count; at++)
            if (c->sites[at].process == pens->process && id_of(c->sites[at].record) == id)
                break;
    pens->at[i] = at;
    return at < c->sites_count ? &c->sites[at] : NULL;
}

static void add_pens(struct crowd *c, struct crowd_pens *pens)
{
    for (u32 i = 0; i < PENS_COUNT; i++) {
        const struct record_pen *pen = &pens->record->pen[i];
        u32 id = atomic_load_explicit(&pen->site, memory_order_relaxed);
        struct crowd_site *s = id == 0 ? NULL : site_of_pen(c, pens, i, id);
        if (s == NULL)
            continue;
        s->pen_frees += get(&pen->frees);
        s->pen_free_bytes += get(&pen->free_bytes);
        s->pen_allocs += get(&pen->allocs);
        s->pen_alloc_bytes += get(&pen->alloc_bytes);
    }
}

static void sum_pens(struct crowd *c)
{
    for (u32 i = 0; i < c->sites_count && c->pens_count > 0; i++) {
        struct crowd_site *s = &c->sites[i];
        s->pen_allocs = s->pen_alloc_bytes = s->pen_frees = s->pen_free_bytes = 0;
    }
    for (u32 i = 0; i < c->pens_count; i++)
        add_pens(c, &c->pens[i]);
}

static u32 find_tops(const struct crowd *c, struct record_top *top)
{
    u32 count = 0;
    for (u32 i = 0; i < c->sites_count; i++) {
        const struct crowd_site *s = &c->sites[i];
        u64 freed = get(&s->record->free_bytes) + s->pen_free_bytes;
        u64 live = minus(get(&s->record->alloc_bytes) + s->pen_alloc_bytes, freed);
        if (live == 0 || (count == TOPS_MAX && live <= top[TOPS_MAX - 1].live_bytes))
            continue;
        enter_top(top, &count,
                  (struct record_top){c->processes[s->process].index, s->record->id, live});
    }
    return count;
}

// What has ended now goes to the past.
static void bury(struct crowd *c)
{
    bool any = false;
    for (u32 i = 0; i < c->processes_count; i++) {
        struct crowd_process *p = &c->processes[i];
        if (p->record == NULL || !p->over)
            continue;
        add_totals(&c->past, p);
        p->record = NULL;
        any = true;
    }
    if (any)
        drop_gone(c);
}

void crowd_look(struct crowd *c, struct record_moment *ret, struct record_top *ret_top)
{
    *ret = c->past;
    sum_threads(c);
    for (u32 i = 0; i < c->processes_count; i++)
        if (c->processes[i].record != NULL)
            look_at(ret, &c->processes[i]);
    sum_pens(c);
    ret->tops_count = find_tops(c, ret_top);
    bury(c);
}

// Processes of a forgotten volume leave the array, lest it grow for ever; what points into it
// follows. Without memory they stay.
static void drop_processes(struct crowd *c, u32 number)
{
    u32 *moved = malloc((c->processes_count + (size_t)1) * sizeof *moved), kept = 0;
    if (moved == NULL)
        return;
    for (u32 i = 0; i < c->processes_count; i++) {
        moved[i] = kept;
        if (c->processes[i].volume != number)
            c->processes[kept++] = c->processes[i];
    }
    for (u32 i = 0; i < c->sites_count; i++)
        c->sites[i].process = moved[c->sites[i].process];
    for (u32 i = 0; i < c->threads_count; i++)
        c->threads[i].process = moved[c->threads[i].process];
    for (u32 i = 0; i < c->pens_count; i++)
        c->pens[i].process = moved[c->pens[i].process];
    for (u32 i = 0; i < c->volumes_count; i++)
        for (u32 j = 0; j < c->volumes[i].open_count; j++) {
            struct crowd_open *o = &c->volumes[i].open[j];
            o->process = o->process == 0 ? 0 : moved[o->process - 1] + 1;
        }
    c->processes_count = kept;
    free(moved);
}

void crowd_forget(struct crowd *c, u32 number)
{
    u32 kept = 0;
    // Who was not seen to end has ended since: volumes go when all of theirs have.
    sum_threads(c);
    for (u32 i = 0; i < c->processes_count; i++)
        c->processes[i].over |= c->processes[i].volume == number;
    bury(c);
    for (u32 i = 0; i < c->volumes_count; i++) {
        if (c->volumes[i].number == number)
            free(c->volumes[i].open);
        else
            c->volumes[kept++] = c->volumes[i];
    }
    c->volumes_count = kept;
    drop_processes(c, number);
}

// ---------------------------------------------------------------- threads

static void ask_thread(const struct crowd_process *p, struct record_thread *t, u64 clock)
{
    char path[64], name[sizeof t->name + 1] = {0};
    snprintf(path, sizeof path, "/proc/%u/task/%u/comm", p->pid, t->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT) {
            t->stopped = clock;
            atomic_store_explicit(&t->ended, 1, memory_order_release);
        }
        return;
    }
    ssize_t n = read(fd, name, sizeof t->name);
    close(fd);
    if (n <= 0)
        return;
    name[strcspn(name, "\n")] = 0;
    memcpy(t->name, name, sizeof t->name);
}

void crowd_names(struct crowd *c, u64 now_ns, u64 clock)
{
    if (c->named_ns != 0 && now_ns - c->named_ns < NAMES_NS)
        return;
    c->named_ns = now_ns;
    u32 asked = 0;
    for (u32 i = c->threads_count; i-- > 0 && asked < NAMES_MAX;) {
        struct record_thread *t = c->threads[i].record;
        if (atomic_load_explicit(&t->ended, memory_order_relaxed) != 0)
            continue;
        ask_thread(&c->processes[c->threads[i].process], t, clock);
        asked++;
    }
}

// ---------------------------------------------------------------- large blocks

struct touched {
    struct crowd_pages *pages; // by site id - first
    u32 first, count;
};
struct crowd_pages {
    u64 large, untouched;
};

static void add_block(void *ctx, u32 site, u64 bytes, u64 touched)
{
    struct touched *t = ctx;
    if (site < t->first || site - t->first >= t->count)
        return; // a block that the parent allocated, or nonsense
    t->pages[site - t->first].large += bytes / PAGE_UNIT;
    t->pages[site - t->first].untouched += (bytes - touched) / PAGE_UNIT;
}

static void note_pages(struct record_site *s, const struct touched *t)
{
    u32 i = id_of(s) - t->first;
    if (i >= t->count)
        return;
    atomic_store_explicit(&s->large_pages, (u32)t->pages[i].large, memory_order_relaxed);
    atomic_store_explicit(&s->untouched_pages, (u32)t->pages[i].untouched, memory_order_relaxed);
}

static void look_at_blocks(struct crowd *c, u32 process, u64 clock)
{
    const struct crowd_process *p = &c->processes[process];
    struct touched t = {.first = p->record->first_site};
    for (u32 i = 0; i < c->sites_count; i++) {
        u32 at = id_of(c->sites[i].record) - t.first;
        if (c->sites[i].process == process && at < SITES_MAX && at >= t.count)
            t.count = at + 1;
    }
    t.pages = calloc(t.count + (size_t)1, sizeof *t.pages);
    if (t.pages == NULL)
        return;
    // Without an answer the sites keep what was known last.
    bool known = touched_each((pid_t)p->pid, p->record, clock, add_block, &t) == 0;
    for (u32 i = 0; i < c->sites_count && known; i++)
        if (c->sites[i].process == process)
            note_pages(c->sites[i].record, &t);
    free(t.pages);
}

void crowd_touched(struct crowd *c, u64 now_ns, u64 clock)
{
    if (now_ns < c->touched_ns)
        return;
    for (u32 i = 0; i < c->processes_count; i++)
        if (c->processes[i].record != NULL)
            look_at_blocks(c, i, clock);
    u64 cost = (os_monotonic_ns() - now_ns) * COST_SHARE;
    c->touched_ns = now_ns + (cost > TOUCHED_NS ? cost : TOUCHED_NS);
}

// ---------------------------------------------------------------- labels

struct record_point *crowd_points(struct crowd *c, u32 process, u32 *ret_count)
{
    struct record_point *points = malloc((c->sites_count + (size_t)1) * sizeof *points);
    u32 count = 0;
    sum_pens(c);
    for (u32 i = 0; i < c->sites_count && points != NULL; i++) {
        struct crowd_site *s = &c->sites[i];
        const struct crowd_process *p = &c->processes[s->process];
        u64 frees = get(&s->record->frees) + s->pen_frees;
        u64 freed = get(&s->record->free_bytes) + s->pen_free_bytes;
        u64 allocs = get(&s->record->allocs) + s->pen_allocs;
        u64 allocated = get(&s->record->alloc_bytes) + s->pen_alloc_bytes;
        if (s->process != process || (allocs == s->told_allocs && allocs <= frees))
            continue;
        s->told_allocs = allocs;
        points[count++] = (struct record_point){.site = s->record->id,
                                                .live_bytes = minus(allocated, freed),
                                                .live_blocks = blocks_of(p, minus(allocs, frees)),
                                                .allocs = blocks_of(p, allocs),
                                                .alloc_bytes = allocated};
    }
    *ret_count = count;
    if (count > 0)
        return points;
    free(points);
    return NULL;
}
