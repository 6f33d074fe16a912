// load.c: validate a recording, then tell it as a model.
//
// The bytes are copied first and judged afterwards, because recorded processes may still write
// them, and because a mapped file that somebody truncates would end the tool by SIGBUS. Every
// offset, count and length is checked where it is read (F4); what makes no sense is counted and
// left out, and the rest is shown.

#include "report/load.h"

#include "report/argv.h"
#include "report/count.h"
#include "report/jit.h"
#include "report/owners.h"
#include "report/ram.h"
#include "report/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE_INDEX_BITS 16
#define FRAMES_MAX        (32u << 20) // in all stacks: a hostile file could ask for gigabytes

struct loader {
    struct model *m;
    struct store *store;
    const char *bytes;
    size_t size;
    struct table by_index;  // process index -> struct process
    struct table by_module; // process index, module index -> struct module
    struct table by_site;   // process index, site id -> 1 + number in model.sites
    struct table by_stack;  // hash of frames -> struct kept
    struct table by_pen;    // process index, site id -> struct record_pen, the sum of all (F10)
    struct table by_name;   // hash of path and build-id -> struct module
    u32 modules_room, processes_room, sites_room, rams_room;
    u32 frames_kept;
    struct timeline timeline;
};

// What a walk over all records calls for each; `bytes` of it are readable.
typedef void (*load_fn)(struct loader *l, u32 process, const struct record *r, size_t bytes);

static void *grown(void *array, u32 count, u32 *room, size_t each)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 64 : 2 * *room;
    void *p = realloc(array, *room * each);
    if (p == NULL)
        die("loam: no memory for the report", NULL);
    return p;
}

// ---------------------------------------------------------------- walking

static const struct record_block *block_at(struct loader *l, u32 i, size_t *ret_used)
{
    size_t at = RECORDING_HEADER + (size_t)i * RECORDING_BLOCK;
    if (at + sizeof(struct record_block) > l->size)
        return NULL;
    const struct record_block *b = (const void *)(l->bytes + at);
    if (memcmp(b->magic, "blk\n", 4) != 0)
        return NULL;
    size_t room = size_min(RECORDING_BLOCK, l->size - at) - sizeof *b;
    *ret_used = size_min(b->used, room);
    return b;
}

static void walk_block(struct loader *l, const struct record_block *b, size_t used, load_fn fn)
{
    const char *at = (const char *)(b + 1);
    u32 process = b->process;
    while (used >= sizeof(struct record)) {
        const struct record *r = (const void *)at;
        if (r->bytes < sizeof *r || r->bytes > used || r->bytes % 8 != 0)
            return;
        if (r->kind == RECORD_PROCESS && r->bytes >= sizeof(struct record_process))
            process = ((const struct record_process *)r)->index; // F7
        fn(l, process, r, r->bytes);
        at += r->bytes;
        used -= r->bytes;
    }
}

static void walk(struct loader *l, u32 blocks, load_fn fn)
{
    for (u32 i = 0; i < blocks; i++) {
        size_t used;
        const struct record_block *b = block_at(l, i, &used);
        if (b != NULL)
            walk_block(l, b, used, fn);
    }
}

// Count what walk() leaves out without a word. A block of zeroes was handed out and not yet
// begun when its writer, or the copy of the file, was stopped: that is no damage.
static void judge(struct loader *l, u32 blocks)
{
    static const struct record_block fresh;
    for (u32 i = 0; i < blocks; i++) {
        size_t at = RECORDING_HEADER + (size_t)i * RECORDING_BLOCK, used;
        if (at + RECORDING_BLOCK > l->size)
            l->m->cut = true;
        if (at + sizeof fresh > l->size)
            return;
        if (block_at(l, i, &used) != NULL)
            continue;
        l->m->damaged += memcmp(l->bytes + at, &fresh, sizeof fresh) != 0;
    }
}

// ---------------------------------------------------------------- processes

static void add_process(struct loader *l, u32 index, const struct record *r, size_t bytes)
{
    const struct record_process *p = (const void *)r;
    if (r->kind != RECORD_PROCESS)
        return;
    if (bytes < sizeof *p || p->index != index ||
        (size_t)p->exe_len + p->args_len > bytes - sizeof *p) {
        l->m->damaged++;
        return;
    }
    struct model *m = l->m;
    m->processes =
        grown(m->processes, m->processes_count, &l->processes_room, sizeof *m->processes);
    m->processes[m->processes_count++] = (struct process){
        .index = index,
        .pid = p->pid,
        .ppid = p->ppid,
        .parent = p->parent,
        .flags = p->flags,
        .request = p->request,
        .scan_error = p->scan_error,
        .exit_code = p->exit_code,
        .started_ns = p->started_ns,
        .peak_bytes = p->peak_bytes,
        .peak_ns = p->peak_ns,
        .peak_serial = p->peak_serial,
        .exe = argv_text(l->store, p->text, p->exe_len),
        .args = argv_joined(l->store, p->text + p->exe_len, p->args_len),
    };
    count_process(&m->processes[m->processes_count - 1], p);
}

static int by_index(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

// A program that was linked with loam and preloads it too has two records: the preloaded copy
// wrote the first and was bypassed by the linked one, which wrote the second.
static bool is_shadow(const struct process *p, const struct process *next)
{
    return (p->flags & PROCESS_BYPASSED) != 0 && (next->flags & PROCESS_BYPASSED) == 0 &&
           strcmp(p->exe, next->exe) == 0;
}

// A process cannot say that it will replace itself by exec: the call may fail, and when it does
// not, nobody is left to speak. But what came instead has the same id, and a record of its own.
static void settle_processes(struct model *m)
{
    struct table by_pid = {0}; // to the record that came next
    u32 first = m->processes_count;
    for (u32 i = m->processes_count; i-- > 0;) {
        struct process p = m->processes[i];
        const struct process *next = table_get(&by_pid, p.pid);
        if (next != NULL && is_shadow(&p, next))
            continue;
        if (next != NULL && (p.flags & PROCESS_ENDED) == 0)
            p.flags |= PROCESS_EXECED;
        m->processes[--first] = p;
        table_put(&by_pid, p.pid, &m->processes[first]);
    }
    m->processes_count -= first;
    memmove(m->processes, m->processes + first, m->processes_count * sizeof *m->processes);
    table_done(&by_pid);
}

// The array has moved while it grew, so pointers into it are taken only now.
static void index_processes(struct loader *l)
{
    struct model *m = l->m;
    if (m->processes_count > 0) {
        qsort(m->processes, m->processes_count, sizeof *m->processes, by_index);
        settle_processes(m);
    }
    for (u32 i = 0; i < m->processes_count; i++) {
        if (table_get(&l->by_index, m->processes[i].index) == NULL)
            table_put(&l->by_index, m->processes[i].index, &m->processes[i]);
    }
}

// ---------------------------------------------------------------- modules

static u64 hash_bytes(u64 h, const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < size; i++)
        h = (h ^ b[i]) * 0x100000001b3;
    return h;
}

static bool same_module(const struct module *a, const char *path, const u8 *id, u32 id_len)
{
    return a->build_id_len == id_len && memcmp(a->build_id, id, id_len) == 0 &&
           strcmp(a->path, path) == 0;
}

static struct module *module_new(struct loader *l, const char *path, const u8 *id, u32 id_len)
{
    struct model *m = l->m;
    struct module *mod = store_push(l->store, sizeof *mod);
    const char *slash = strrchr(path, '/');
    mod->path = path;
    mod->name = slash == NULL ? path : slash + 1;
    memcpy(mod->build_id, id, id_len);
    mod->build_id_len = id_len;
    mod->number = m->modules_count + 1;
    m->modules = grown(m->modules, m->modules_count, &l->modules_room, sizeof *m->modules);
    m->modules[m->modules_count++] = mod;
    return mod;
}

static void add_module(struct loader *l, u32 index, const struct record *r, size_t bytes)
{
    const struct record_module *rm = (const void *)r;
    if (r->kind != RECORD_MODULE)
        return;
    if (bytes < sizeof *rm || rm->path_len > bytes - sizeof *rm ||
        rm->build_id_len > sizeof rm->build_id || rm->index >> MODULE_INDEX_BITS != 0) {
        l->m->damaged++;
        return;
    }
    char *path = argv_text(l->store, rm->path, rm->path_len);
    u64 key = hash_bytes(hash_bytes(1469598103934665603u, path, strlen(path)), rm->build_id,
                         rm->build_id_len);
    struct module *first = table_get(&l->by_name, key), *mod = first;
    while (mod != NULL && !same_module(mod, path, rm->build_id, rm->build_id_len))
        mod = mod->next;
    if (mod == NULL) {
        mod = module_new(l, path, rm->build_id, rm->build_id_len);
        mod->next = first;
        table_put(&l->by_name, key, mod);
    }
    table_put(&l->by_module, (u64)index << MODULE_INDEX_BITS | rm->index, mod);
}

// Bare pcs of a process whose JIT compiler told profilers where its code is.
static void add_maps(struct loader *l)
{
    static const u8 no_id[1];
    char path[64];
    for (u32 i = 0; i < l->m->processes_count; i++) {
        const struct process *p = &l->m->processes[i];
        if (!jit_path(path, sizeof path, p->pid, p->started_ns))
            continue;
        struct module *m = module_new(l, store_text(l->store, path, sizeof path), no_id, 0);
        table_put(&l->by_module, (u64)p->index << MODULE_INDEX_BITS, m);
    }
    // The list has its place now.
    for (u32 i = 0; i < l->m->processes_count; i++)
        l->m->processes[i].modules = l->m->modules;
}

// ---------------------------------------------------------------- sites

static u64 site_key(u32 process, u32 id)
{
    return (u64)process << 32 | id;
}

// The site whose frames go on where those of `rs` end (F6), or NULL. The records of a process are
// in order of its writing, so that site has been met. What makes no sense cuts the stack short.
static const struct site *tail_of(struct loader *l, u32 process, const struct record_site *rs,
                                  bool *ret_missing)
{
    *ret_missing = false;
    if (rs->tail == 0)
        return NULL;
    uintptr_t number = (uintptr_t)table_get(&l->by_site, site_key(process, rs->tail));
    const struct site *tail = number != 0 ? &l->m->sites[number - 1] : NULL;
    if (tail != NULL && rs->tail_skip <= tail->frames_count &&
        rs->frames_count + tail->frames_count - rs->tail_skip <= RECORDING_FRAMES &&
        l->frames_kept < FRAMES_MAX)
        return tail;
    *ret_missing = true;
    return NULL;
}

// A stack that stands in the store, by its hash in loader.by_stack.
struct kept {
    u64 count;
    u64 frames[];
};

// One copy of each stack: the hundred processes of a build have the same ones.
static const u64 *keep_stack(struct loader *l, const u64 *frames, u32 count)
{
    u64 key = count;
    for (u32 i = 0; i < count; i++)
        key = table_mix(key, frames[i]);
    struct kept *k = table_get(&l->by_stack, key);
    if (k != NULL && k->count == count && memcmp(k->frames, frames, count * sizeof *frames) == 0)
        return k->frames;
    k = store_push(l->store, sizeof *k + count * sizeof *frames);
    k->count = count;
    memcpy(k->frames, frames, count * sizeof *frames);
    table_put(&l->by_stack, key, k);
    l->frames_kept += count;
    return k->frames;
}

// The model's numbers of modules instead of the process's own.
static u64 packed_frame(struct loader *l, u32 process, u64 frame)
{
    u64 key = (u64)process << MODULE_INDEX_BITS | frame >> FRAME_MODULE_SHIFT;
    const struct module *m = table_get(&l->by_module, key);
    u64 number = m == NULL || m->number > UINT16_MAX ? 0 : m->number;
    return number << FRAME_MODULE_SHIFT | (frame & FRAME_OFFSET_MASK);
}

static void load_frames(struct loader *l, u32 process, const struct record_site *rs, struct site *s)
{
    bool missing;
    const struct site *tail = tail_of(l, process, rs, &missing);
    u32 own = rs->frames_count, rest = tail != NULL ? tail->frames_count - rs->tail_skip : 0;
    u64 frames[RECORDING_FRAMES];
    for (u32 i = 0; i < own; i++)
        frames[i] = packed_frame(l, process, rs->frames[i]);
    if (rest > 0)
        memcpy(frames + own, tail->frames + rs->tail_skip, rest * sizeof *frames);
    s->frames = keep_stack(l, frames, own + rest);
    s->frames_count = own + rest;
    s->truncated = rs->truncated != 0 || missing;
    l->m->damaged += missing;
}

// Before the sites.
static void add_pens(struct loader *l, u32 index, const struct record *r, size_t bytes)
{
    const struct record_pens *pens = (const void *)r;
    const struct process *p = table_get(&l->by_index, index);
    if (r->kind != RECORD_PENS || p == NULL)
        return;
    if (bytes < sizeof *pens) {
        l->m->damaged++;
        return;
    }
    for (u32 i = 0; i < PENS_COUNT; i++) {
        u64 key = site_key(index, pens->pen[i].site);
        if (pens->pen[i].site == 0)
            continue;
        struct record_pen *sum = table_get(&l->by_pen, key);
        if (sum == NULL) {
            sum = store_push(l->store, sizeof *sum);
            *sum = (struct record_pen){0};
            table_put(&l->by_pen, key, sum);
        }
        count_pen(sum, &pens->pen[i], p);
    }
}

static void add_site(struct loader *l, u32 index, const struct record *r, size_t bytes)
{
    const struct record_site *rs = (const void *)r;
    struct process *p = table_get(&l->by_index, index);
    if (r->kind != RECORD_SITE || p == NULL)
        return;
    if (bytes < sizeof *rs || rs->frames_count > RECORDING_FRAMES ||
        rs->frames_count > (bytes - sizeof *rs) / sizeof(u64)) {
        l->m->damaged++;
        return;
    }
    struct model *m = l->m;
    m->sites = grown(m->sites, m->sites_count, &l->sites_room, sizeof *m->sites);
    struct site *s = &m->sites[m->sites_count];
    *s = (struct site){.id = rs->id, .process = p};
    load_frames(l, index, rs, s);
    m->sites_count++;
    table_put(&l->by_site, site_key(index, rs->id), (void *)(uintptr_t)m->sites_count);
    count_site(s, rs, table_get(&l->by_pen, site_key(index, rs->id)), l->store);
    count_sum(p, s);
}

static void add_owner(struct loader *l, u32 index unused_, const struct record *r, size_t bytes)
{
    if (r->kind == RECORD_OWNER && !owners_add(l->m, r, bytes))
        l->m->damaged++;
    if (r->kind == RECORD_PAUSES && !owners_add_pauses(l->m, r, bytes))
        l->m->damaged++;
}

// ---------------------------------------------------------------- timeline

static void add_time(struct loader *l, u32 index, const struct record *r, size_t bytes)
{
    if (r->kind >= RECORD_THREAD &&
        !timeline_add(&l->timeline, table_get(&l->by_index, index), r, bytes))
        l->m->damaged++;
}

static struct site *site_of(void *ctx, u32 process, u32 id)
{
    struct loader *l = ctx;
    uintptr_t number = (uintptr_t)table_get(&l->by_site, site_key(process, id));
    return number == 0 ? NULL : &l->m->sites[number - 1];
}

static void add_account(struct loader *l, u32 index unused_, const struct record *r, size_t bytes)
{
    const struct record_account *a = (const void *)r;
    if (r->kind != RECORD_ACCOUNT)
        return;
    struct process *p = bytes < sizeof *a ? NULL : table_get(&l->by_index, a->process);
    if (!ram_add(l->m, &l->rams_room, p, r, bytes, site_of, l))
        l->m->damaged++;
}

// ---------------------------------------------------------------- entries

static int say(char *why, size_t why_size, const char *name, const char *what)
{
    snprintf(why, why_size, "%s %s", name, what);
    return -1;
}

static int judge_header(const char *name, const struct recording *h, size_t size, char *why,
                        size_t why_size)
{
    char text[96];
    if (size < sizeof h->magic || memcmp(h->magic, RECORDING_MAGIC, sizeof h->magic) != 0)
        return say(why, why_size, name, "is not a loam recording");
    if (size < RECORDING_HEADER)
        return say(why, why_size, name, "is cut off: not even its header is whole");
    if (h->version != RECORDING_VERSION) {
        snprintf(text, sizeof text, "is a recording of version %u; this loam reads version %d",
                 h->version, RECORDING_VERSION);
        return say(why, why_size, name, text);
    }
    if (h->block_size != RECORDING_BLOCK)
        return say(why, why_size, name, "is damaged: its header makes no sense");
    return 0;
}

static void load_header(struct loader *l, const struct recording *h)
{
    struct model *m = l->m;
    m->started_ns = h->started_ns;
    m->ended_ns = h->ended_ns;
    m->end_status = h->end_status;
    m->leaks = h->leaks != 0;
    m->command = argv_joined(l->store, h->command, size_min(h->command_len, sizeof h->command));
}

// `bytes` are ours alone from here on.
static int load_copy(const char *name, const char *bytes, size_t size, struct model *ret_model,
                     char *why, size_t why_size)
{
    const struct recording *h = (const void *)bytes;
    if (judge_header(name, h, size, why, why_size) < 0)
        return -1;
    *ret_model = (struct model){0};
    struct loader l = {.m = ret_model, .store = &ret_model->store, .bytes = bytes, .size = size};
    u32 most = (RECORDING_SIZE_MAX - RECORDING_HEADER) / RECORDING_BLOCK;
    u32 blocks = size_min(h->blocks, RECORDING_BLOCKS_MAX);
    ret_model->full = h->full != 0 || (h->closed == 0 && blocks == most);
    ret_model->archived = h->archived;
    load_header(&l, h);
    judge(&l, blocks);
    walk(&l, blocks, add_process);
    index_processes(&l);
    walk(&l, blocks, add_module);
    add_maps(&l);
    walk(&l, blocks, add_pens);
    walk(&l, blocks, add_site);
    walk(&l, blocks, add_owner);
    owners_settle(ret_model);
    l.timeline.m = ret_model;
    walk(&l, blocks, add_time);
    timeline_settle(&l.timeline, site_of, &l);
    walk(&l, blocks, add_account);
    ram_settle(ret_model);
    table_done(&l.by_index);
    table_done(&l.by_module);
    table_done(&l.by_site);
    table_done(&l.by_stack);
    table_done(&l.by_pen);
    table_done(&l.by_name);
    return 0;
}

int load_memory(const char *name, const void *bytes, size_t size, struct model *ret_model,
                char *why, size_t why_size)
{
    // Room for a whole header even if there is less to copy: judge_header reads it.
    char *copy = calloc(1, size_max(size, RECORDING_HEADER));
    if (copy == NULL)
        return say(why, why_size, name, "cannot be read: out of memory");
    memcpy(copy, bytes, size);
    int r = load_copy(name, copy, size, ret_model, why, why_size);
    free(copy);
    return r;
}

// Read up to `size` bytes; fewer at the end of the file. -errno on failure.
static ssize_t read_all(int fd, char *to, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, to + got, size - got);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        got += n < 0 ? 0 : (size_t)n;
    }
    return (ssize_t)got;
}

static int load_fd(int fd, const char *name, struct model *ret_model, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode))
        return say(why, why_size, name, "is a folder, not a recording");
    size_t most = RECORDING_HEADER + (size_t)RECORDING_BLOCKS_MAX * RECORDING_BLOCK;
    size_t room = S_ISREG(st.st_mode) ? size_min((size_t)st.st_size, most) : RECORDING_SIZE_MAX;
    char *bytes = calloc(1, size_max(room, RECORDING_HEADER));
    if (bytes == NULL)
        return say(why, why_size, name, "cannot be read: out of memory");
    ssize_t size = read_all(fd, bytes, room);
    int r = -1;
    if (size < 0)
        snprintf(why, why_size, "%s cannot be read: %s", name, strerror((int)-size));
    else
        r = load_copy(name, bytes, (size_t)size, ret_model, why, why_size);
    free(bytes);
    return r;
}

int load_file(const char *path, struct model *ret_model, char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, why_size, "%s cannot be opened: %s", path, strerror(errno));
        return -1;
    }
    int r = load_fd(fd, path, ret_model, why, why_size);
    close(fd);
    return r;
}

const struct process *model_program(const struct model *m)
{
    const struct process *last = m->processes_count == 0 ? NULL : &m->processes[0];
    for (u32 i = 1; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        bool same = p->pid == last->pid && (last->flags & PROCESS_EXECED) != 0;
        last = same ? p : last;
    }
    return last;
}

void load_done(struct model *m)
{
    free(m->processes);
    free(m->modules);
    free(m->sites);
    free(m->threads);
    free(m->moments);
    free(m->labels);
    free(m->rams);
    store_done(&m->store);
    *m = (struct model){0};
}
