// space.c: the address space of a process: mappings cut at the borders of owners, pages counted.
#include "target/space.h"

#include "os/os.h"
#include "target/root.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_SIZE (64 * MiB) // glibc's malloc aligns its arenas to that

const char *const space_kind_names[SPACE_KINDS] = {
    [SPACE_HEAP] = "heap",         [SPACE_TABLES] = "tables",   [SPACE_RECORDING] = "recording",
    [SPACE_BRK] = "brk",           [SPACE_ARENA] = "arena",     [SPACE_STACK] = "stack",
    [SPACE_TASKS] = "tasks",       [SPACE_PROGRAM] = "program", [SPACE_LIBRARY] = "library",
    [SPACE_FILE] = "file",         [SPACE_SHARED] = "shared",   [SPACE_ANONYMOUS] = "anonymous",
    [SPACE_RESERVED] = "reserved", [SPACE_KERNEL] = "kernel",
};

// A range that is known to belong to somebody, whatever the mappings are called.
struct claim {
    u64 start, end;
    enum space_kind kind;
    const char *name;
    pid_t tid;
};

struct claims {
    struct claim *claim;
    size_t count, room;
    bool failed; // out of memory
};

static void claim(struct claims *c, struct claim x)
{
    if (x.start >= x.end)
        return;
    if (c->count == c->room) {
        c->room = c->room != 0 ? 2 * c->room : 64;
        struct claim *more = realloc(c->claim, c->room * sizeof *more);
        if (more == NULL) {
            c->failed = true;
            c->room = c->count;
            return;
        }
        c->claim = more;
    }
    c->claim[c->count++] = x;
}

static int by_start(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

// ---------------------------------------------------------------- what claims there are

struct claim_chunks {
    struct claims *claims;
    u64 base, end; // the arena
};

static void claim_chunk(void *ctx, u64 start, u64 end)
{
    struct claim_chunks *c = ctx;
    u64 arena_start = start < c->base ? c->base : start, arena_end = end < c->end ? end : c->end;
    if (arena_start >= arena_end) {
        claim(c->claims, (struct claim){start, end, SPACE_TABLES, "", 0});
        return;
    }
    claim(c->claims, (struct claim){start, arena_start, SPACE_TABLES, "", 0});
    claim(c->claims, (struct claim){arena_start, arena_end, SPACE_HEAP, "", 0});
    claim(c->claims, (struct claim){arena_end, end, SPACE_TABLES, "", 0});
}

// Blocks outside the arena stand in the chunk record like tables do: theirs win, being first.
static void claim_heap(struct space *s, struct claims *c)
{
    const struct blocks *b = &s->blocks;
    for (u32 i = b->far_first; s->heap && i < b->span_count; i++)
        claim(c, (struct claim){b->span[i].start, b->span[i].start + b->span[i].size, SPACE_HEAP,
                                "", 0});
    struct claim_chunks ctx = {c, b->base, b->base + b->extent};
    if (s->heap)
        blocks_own(space_target(s), s->root, claim_chunk, &ctx);
}

static void claim_stacks(const struct space *s, struct claims *c)
{
    for (u32 i = 0; i < s->owners.area_count; i++)
        claim(c,
              (struct claim){s->owners.area[i].start, s->owners.area[i].end, SPACE_TASKS, "", 0});
    for (size_t i = 0; i < s->threads.count; i++) {
        const struct thread_stack *t = &s->threads.stack[i];
        claim(c, (struct claim){t->start, t->end, SPACE_STACK, t->name, t->tid});
    }
}

// ---------------------------------------------------------------- what mappings are called

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_shared_memory(const struct map *m)
{
    return starts(m->path, "/dev/shm/") || starts(m->path, "/memfd:") || starts(m->path, "/SYSV") ||
           starts(m->path, "/dev/zero") || (m->shared && *m->path != '/');
}

static bool is_library(const struct space *s, const struct map *m)
{
    if (strstr(m->path, ".so") != NULL)
        return true;
    for (size_t i = 0; i < s->smaps.count; i++)
        if (s->smaps.smap[i].map.executable && maps_same_file(&s->smaps.smap[i].map, m))
            return true;
    return false;
}

static enum space_kind kind_of_file(const struct space *s, const struct map *m)
{
    if (recorded_is(m))
        return SPACE_RECORDING;
    if (is_shared_memory(m))
        return SPACE_SHARED;
    if (strcmp(m->path, s->exe) == 0)
        return SPACE_PROGRAM;
    return is_library(s, m) ? SPACE_LIBRARY : SPACE_FILE;
}

// glibc's arenas start at multiples of their size, and reserve what they have not used.
static bool is_arena(const struct smaps *s, size_t i)
{
    const struct map *m = &s->smap[i].map;
    if (m->start % ARENA_SIZE != 0 || m->end - m->start > ARENA_SIZE)
        return false;
    return m->end - m->start == ARENA_SIZE ||
           (i + 1 < s->count && s->smap[i + 1].map.start == m->end &&
            s->smap[i + 1].map.end == m->start + ARENA_SIZE && !s->smap[i + 1].map.readable);
}

// Memory that follows a file's writable data is its .bss, which has no name of its own.
static const struct space_part *bss_of(const struct space *s, const struct map *m)
{
    const struct space_part *last = s->part_count != 0 ? &s->part[s->part_count - 1] : NULL;
    bool data = last != NULL && last->end == m->start && m->readable && m->writable &&
                (last->kind == SPACE_PROGRAM || last->kind == SPACE_LIBRARY);
    return data && s->smaps.smap[last->mapping].map.writable ? last : NULL;
}

static void name_part(const struct space *s, size_t i, struct space_part *p)
{
    const struct map *m = &s->smaps.smap[i].map;
    const struct space_part *data;
    p->name = m->path;
    if (*m->path == '/' || m->shared) {
        p->kind = kind_of_file(s, m);
    } else if (starts(m->path, "[heap]")) {
        p->kind = SPACE_BRK;
        p->name = "";
    } else if (starts(m->path, "[stack")) {
        p->kind = SPACE_STACK;
        p->name = "";
    } else if (*m->path == '[' && !starts(m->path, "[anon")) {
        p->kind = SPACE_KERNEL;
    } else if (!m->readable && !m->writable && !m->executable) {
        p->kind = SPACE_RESERVED;
    } else if (*m->path == 0 && (data = bss_of(s, m)) != NULL) {
        p->kind = data->kind;
        p->name = data->name;
    } else if (is_arena(&s->smaps, i)) {
        p->kind = SPACE_ARENA;
    } else {
        p->kind = SPACE_ANONYMOUS;
    }
}

// ---------------------------------------------------------------- parts

static int add_part(struct space *s, struct space_part p)
{
    if (p.start >= p.end)
        return 0;
    struct space_part *last = s->part_count != 0 ? &s->part[s->part_count - 1] : NULL;
    if (last != NULL && last->end == p.start && last->mapping == p.mapping &&
        last->kind == p.kind && last->name == p.name && last->tid == p.tid) {
        last->end = p.end;
        return 0;
    }
    if (s->part_count == s->part_room) {
        s->part_room = s->part_room != 0 ? 2 * s->part_room : 128;
        struct space_part *more = realloc(s->part, s->part_room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        s->part = more;
    }
    s->part[s->part_count++] = p;
    return 0;
}

// One mapping, cut where claims begin and end. *first is the first claim that may reach into it.
static int cut(struct space *s, size_t i, const struct claims *c, size_t *first)
{
    const struct map *m = &s->smaps.smap[i].map;
    struct space_part whole = {.mapping = (u32)i};
    name_part(s, i, &whole);
    u64 at = m->start;
    int e = 0;
    while (*first < c->count && c->claim[*first].end <= m->start)
        ++*first;
    for (size_t k = *first; e == 0 && k < c->count && c->claim[k].start < m->end; k++) {
        const struct claim *x = &c->claim[k];
        u64 start = x->start > at ? x->start : at, end = x->end < m->end ? x->end : m->end;
        if (start >= end)
            continue;
        whole.start = at;
        whole.end = start;
        e = add_part(s, whole);
        if (e == 0)
            e = add_part(s, (struct space_part){.start = start,
                                                .end = end,
                                                .mapping = (u32)i,
                                                .kind = x->kind,
                                                .name = x->name,
                                                .tid = x->tid});
        at = end;
    }
    whole.start = at;
    whole.end = m->end;
    return e == 0 ? add_part(s, whole) : e;
}

static int make_parts(struct space *s)
{
    struct claims c = {0};
    claim_heap(s, &c);
    claim_stacks(s, &c);
    int e = c.failed ? -ENOMEM : 0;
    if (c.count > 1)
        qsort(c.claim, c.count, sizeof *c.claim, by_start);
    size_t first = 0;
    for (size_t i = 0; e == 0 && i < s->smaps.count; i++)
        e = cut(s, i, &c, &first);
    free(c.claim);
    return e;
}

// ---------------------------------------------------------------- pages

struct collect {
    struct space *s;
    size_t part; // the part that the last run lay in, or an earlier one
};

static int add_run(struct space *s, const struct residence_run *r)
{
    if (s->run_count == s->run_room) {
        s->run_room = s->run_room != 0 ? 2 * s->run_room : 1024;
        struct residence_run *more = realloc(s->run, s->run_room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        s->run = more;
    }
    s->run[s->run_count++] = *r;
    return 0;
}

static void count_run(struct space *s, struct space_part *p, const struct residence_run *r)
{
    u64 bytes = r->end - r->start;
    if (p->run_count == 0)
        p->run_first = s->run_count - 1;
    p->run_count++;
    p->by[r->state] += bytes;
    p->by[RES_ABSENT] -= bytes;
    if (r->file && residence_takes_ram(r->state))
        p->file += bytes;
}

// D2: a run that crosses parts is cut.
static int collect_run(void *ctx, const struct residence_run *run)
{
    struct collect *c = ctx;
    struct space *s = c->s;
    struct residence_run r = *run;
    int e = 0;
    while (e == 0 && r.start < run->end) {
        while (s->part[c->part].end <= r.start)
            c->part++;
        struct space_part *p = &s->part[c->part];
        r.end = run->end < p->end ? run->end : p->end;
        e = add_run(s, &r);
        if (e == 0)
            count_run(s, p, &r);
        if (r.frame != 0)
            r.frame += (r.end - r.start) / s->residence.os_page;
        r.start = r.end;
    }
    return e;
}

static int load_pages(struct space *s, unsigned what)
{
    struct collect c = {s, 0};
    int e = 0;
    for (size_t i = 0; i < s->part_count; i++)
        s->part[i].by[RES_ABSENT] = s->part[i].end - s->part[i].start; // D3
    for (size_t i = 0; e == 0 && i < s->smaps.count; i++)
        e = residence_walk(&s->residence, &s->smaps.smap[i], (what & SPACE_FRAMES) != 0,
                           collect_run, &c);
    return e;
}

// ---------------------------------------------------------------- loading

static struct maps maps_of(const struct smaps *s)
{
    struct maps m = {calloc(s->count + 1, sizeof *m.map), s->count, NULL};
    for (size_t i = 0; m.map != NULL && i < s->count; i++)
        m.map[i] = s->smap[i].map;
    return m;
}

#define TRIES 5 // the heap may change while its tables are read

// Where the tags of its blocks are; 0 without a recording.
static int find_tags(struct space *s, struct target *t, u64 *ret_tags)
{
    if (s->known != NULL) {
        *ret_tags = s->known->tags;
        return s->known->root == s->root ? 0 : -ESRCH;
    }
    int e = recorded_load(&s->recorded, t, &s->smaps, s->pid, s->root);
    *ret_tags = e == 0 && s->recorded.process != NULL ? s->recorded.process->tags : 0;
    return e;
}

static int load_blocks(struct space *s, unsigned what)
{
    struct maps maps = maps_of(&s->smaps);
    if (maps.map == NULL)
        return -ENOMEM;
    s->root = root_find(space_target(s), &maps, &s->no_memory);
    maps_done(&maps);
    if (s->root == 0 || (what & SPACE_BLOCKS) == 0)
        return s->known == NULL ? 0 : -ESRCH;
    struct target *t = space_target(s);
    u64 tags;
    int e = find_tags(s, t, &tags);
    if (e == 0)
        e = owners_load(&s->owners, t, s->root);
    if (e < 0)
        return e;
    e = -EBADMSG;
    for (int i = 0; e == -EBADMSG && i < TRIES; i++)
        e = blocks_load(&s->blocks, t, s->root, tags);
    s->heap = e == 0;
    s->asked = s->heap && tags != 0;
    return e == -ENOMEM ? e : 0;
}

static void load_exe(struct space *s)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", s->pid);
    ssize_t n = readlink(path, s->exe, sizeof s->exe - 1);
    s->exe[n > 0 ? n : 0] = 0;
}

static void clear(struct space *s)
{
    *s = (struct space){.residence = {.pagemap = -1, .kpage = -1}, .core = {.fd = -1}};
    s->memory.pagemap = s->memory.mem = -1;
}

int space_load(struct space *s, pid_t pid, unsigned what)
{
    return space_load_known(s, pid, what, NULL);
}

int space_load_known(struct space *s, pid_t pid, unsigned what, const struct record_process *known)
{
    clear(s);
    s->pid = pid;
    s->known = known;
    int e = smaps_load(&s->smaps, pid);
    if (e < 0)
        return e == -ESRCH && kill(pid, 0) == 0 ? -ENODATA : e;
    memory_open(&s->memory, pid);
    load_exe(s);
    s->no_pages = residence_open(&s->residence, pid);
    e = load_blocks(s, what);
    if (e == 0)
        e = threads_load(&s->threads, pid, &s->memory.target, &s->smaps);
    if (e == 0)
        e = make_parts(s);
    if (e == 0)
        e = load_pages(s, what);
    if (e < 0)
        space_done(s);
    return e;
}

void space_done(struct space *s)
{
    if (s->heap)
        blocks_done(&s->blocks);
    owners_done(&s->owners);
    recorded_done(&s->recorded);
    smaps_done(&s->smaps);
    threads_done(&s->threads);
    residence_close(&s->residence);
    memory_close(&s->memory);
    core_close(&s->core);
    free(s->part);
    free(s->run);
    clear(s);
}

// ---------------------------------------------------------------- cores

struct core_pages {
    struct collect collect;
    enum residence_state state;
    bool file;
};

static int collect_core(void *ctx, u64 start, u64 end)
{
    struct core_pages *c = ctx;
    return collect_run(&c->collect, &(struct residence_run){start, end, c->state, c->file, 0});
}

// What was written into the core was worth writing: pages that belong to no file, or not any more.
static int core_pages(struct space *s)
{
    struct core_pages c = {.collect = {s, 0}};
    int e = 0;
    for (size_t i = 0; i < s->part_count; i++)
        s->part[i].by[RES_ABSENT] = s->part[i].end - s->part[i].start; // D3
    for (size_t i = 0; e == 0 && i < s->core.segment_count; i++) {
        c.file = s->smaps.smap[i].map.inode != 0 && !s->smaps.smap[i].map.writable;
        c.state = c.file ? RES_CLEAN : RES_SMALL;
        e = core_present(&s->core, &s->core.segment[i], collect_core, &c);
    }
    return e;
}

static int core_threads(struct space *s)
{
    const struct core *c = &s->core;
    s->threads.stack = calloc(c->thread_count + 1, sizeof *s->threads.stack);
    if (s->threads.stack == NULL)
        return -ENOMEM;
    s->threads.count = c->thread_count;
    for (size_t i = 0; i < c->thread_count; i++) {
        struct thread_stack *t = &s->threads.stack[i];
        t->tid = c->thread[i].tid;
        t->sp = c->thread[i].sp;
        snprintf(t->name, sizeof t->name, t->tid == c->pid ? "the first thread" : "thread %d",
                 t->tid);
        for (size_t k = 0; k < s->smaps.count; k++) {
            const struct map *m = &s->smaps.smap[k].map;
            if (m->start <= t->sp && t->sp < m->end && m->inode == 0 && m->writable) {
                t->start = m->start;
                t->end = m->end;
            }
        }
    }
    return 0;
}

// The program is the file that has the entry point.
static void core_exe(struct space *s)
{
    for (size_t i = 0; i < s->smaps.count; i++) {
        const struct map *m = &s->smaps.smap[i].map;
        if (m->start <= s->core.entry && s->core.entry < m->end)
            snprintf(s->exe, sizeof s->exe, "%s", m->path);
    }
}

int space_load_core(struct space *s, const char *path, unsigned what, char why[CORE_WHY])
{
    clear(s);
    if (core_open(&s->core, path, why) < 0)
        return -1;
    s->pid = s->core.pid;
    s->residence.os_page = OS_PAGE;
    int e = core_maps(&s->core, &s->smaps);
    core_exe(s);
    if (e == 0)
        e = load_blocks(s, what);
    if (e == 0)
        e = core_threads(s);
    if (e == 0)
        e = make_parts(s);
    if (e == 0)
        e = core_pages(s);
    if (e == 0)
        return 0;
    snprintf(why, CORE_WHY, "%.300s cannot be read: %s", path, strerror(-e));
    space_done(s);
    return -1;
}

// ---------------------------------------------------------------- questions

const struct space_part *space_find(const struct space *s, u64 addr)
{
    size_t low = 0, high = s->part_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->part[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->part_count && s->part[low].start <= addr ? &s->part[low] : NULL;
}

u64 space_resident(const struct space_part *p)
{
    u64 sum = 0;
    for (int i = 0; i < RES_COUNT; i++)
        if (residence_takes_ram((enum residence_state)i))
            sum += p->by[i];
    return sum;
}
