// record.c: what malloc and free mean while a recording is made.
//
// Each block that the heap hands out gets a tag naming its site before the program sees it, and
// loses it before the heap gets the block back: between heap_free and a later look at the tag
// another thread may have been given the same block.
#include "record/record.h"

#include "format/recording.h"
#include "heap/api.h"
#include "os/os.h"
#include "os/share.h"
#include "record/module.h"
#include "record/owners.h"
#include "record/process.h"
#include "record/rule.h"
#include "record/sites.h"
#include "record/tags.h"
#include "record/tally.h"
#include "record/unwind.h"
#include "record/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum record_state {
    RECORD_OFF = 0, // calls go straight to the heap
    RECORD_ON,
    RECORD_FORKED, // child of a fork, no record yet
};

static struct {
    _Atomic u32 state; // enum record_state
    _Atomic u32 asked; // 1: a thread answers a tool that asks for samples, or has done so
    struct record_program program; // of record_ready
    pid_t ready_in;                // the process that can be asked
    u32 first_site;                // of the child, in RECORD_FORKED
    u64 sample_bytes;              // 0: every block is counted
    _Atomic(struct record_process *) process;
} the;

static enum record_state state(void)
{
    // Acquire: pairs with the release in begin.
    return atomic_load_explicit(&the.state, memory_order_acquire);
}

static void set_state(enum record_state s)
{
    atomic_store_explicit(&the.state, s, memory_order_release);
}

// ---------------------------------------------------------------- a process begins

static bool begin(u32 first_site)
{
    struct record_process *p = process_write(first_site);
    if (p != NULL)
        atomic_store_explicit(&p->sample_bytes, the.sample_bytes, memory_order_relaxed);
    bool ok = p != NULL && sites_begin(p, first_site);
    atomic_store_explicit(&the.process, p, memory_order_relaxed);
    set_state(ok ? RECORD_ON : RECORD_OFF);
    return ok;
}

// The first allocation in the child of a fork. False if nothing is recorded.
static cold_ bool begin_child(void)
{
    if (state() == RECORD_OFF || !sites_lock())
        return false;
    if (state() == RECORD_FORKED)
        begin(the.first_site);
    sites_unlock();
    return state() == RECORD_ON;
}

static void fork_child(void)
{
    struct record_process *p = atomic_load_explicit(&the.process, memory_order_relaxed);
    if (state() == RECORD_OFF)
        return;
    if (state() == RECORD_ON)
        the.first_site = sites_next();
    module_fork_child();
    rule_fork_child();
    tally_fork_child();
    process_forked(p->index);
    // A signal handler forked while its thread was adding a site. That work goes on when the
    // handler returns; it must end nowhere.
    bool inside = sites_locked();
    writer_begin(inside ? NULL : writer_map());
    set_state(inside ? RECORD_OFF : RECORD_FORKED);
    if (!inside)
        sites_fork_child();
}

// ---------------------------------------------------------------- malloc and free

// Count a block that the program is about to get. `old` is the tag of the block that realloc made
// it from, or NULL.
static always_inline_ void note(const struct unwind_caller *from, void *p, size_t size, int kind,
                                const struct tag *old, size_t copied)
{
    struct tags tags;
    if (unlikely(state() != RECORD_ON) && !begin_child())
        return;
    if (unlikely(!tags_find(p, true, &tags)))
        return;
    struct site_ref s = sites_here(from, size);
    const struct tag tag = {
        .site = s.id, .kind = (u32)kind & 3, .grown = old != NULL, .birth = tally_now()};
    tags_set(&tags, tag, size);
    tally_alloc(s.site, (struct tally_block){size, tags.capacity});
    if (old != NULL)
        tally_realloc(s.site, old->grown == 0, copied);
    tally_remember(p);
}

// For a leak scan, one byte more than asked for: C++ containers keep a pointer to the end of their
// memory, which must not be the address of the next block, or the next block is never lost.
static size_t with_end(size_t size)
{
    const struct recording *map = writer_map();
    return map != NULL && map->leaks != 0 && size < PTRDIFF_MAX ? size + 1 : size;
}

static void *alloc(size_t size, size_t align, bool zero, int kind)
{
    const struct unwind_caller from = UNWIND_CALLER();
    void *p = heap_alloc(with_end(size), align, zero);
    tally_last(NULL);
    if (likely(p != NULL))
        note(&from, p, size, kind, NULL, 0);
    return p;
}

// What a block's tag said when it was taken off.
struct noted {
    struct tag tag;
    struct tally_block block;
};

// Take the tag off a live block. False if it has none.
static always_inline_ bool take_off(void *p, struct tags *ret_tags, struct noted *ret)
{
    if (unlikely(!tags_find(p, false, ret_tags)))
        return false;
    ret->tag = tags_get(ret_tags, &ret->block.size);
    ret->block.capacity = ret_tags->capacity;
    tags_clear(ret_tags);
    return ret->tag.site != 0;
}

static always_inline_ void count_free(const struct noted *n, bool temporary)
{
    if (unlikely(state() != RECORD_ON))
        return;
    struct record_site *s = sites_of(n->tag.site);
    if (likely(s != NULL))
        tally_free(s, n->block, n->tag.birth, temporary);
}

static void release(void *p, int kind unused_)
{
    struct tags tags;
    struct noted noted;
    bool watched = false, temporary = tally_last(p);
    if (likely(state() != RECORD_OFF) && take_off(p, &tags, &noted)) {
        count_free(&noted, temporary);
        watched = noted.tag.watched != 0;
    }
    heap_free(p);
    if (unlikely(watched))
        module_gone(p);
}

// A block that changes its size is counted as freed and allocated anew, at the place of the call:
// so does memcheck, and who lets a buffer grow is more to blame than who made it small.
static void *resize(void *p, size_t size)
{
    struct tags tags;
    struct noted noted;
    size_t copied = 0;
    const struct unwind_caller from = UNWIND_CALLER();
    if (state() == RECORD_OFF)
        return heap_realloc(p, size, NULL);
    tally_last(p);
    bool have = take_off(p, &tags, &noted);
    void *q = heap_realloc(p, with_end(size), &copied);
    if (q == NULL) {
        if (have)
            tags_set(&tags, noted.tag, noted.block.size);
        return NULL;
    }
    if (have)
        count_free(&noted, false);
    note(&from, q, size, have ? (int)noted.tag.kind : KIND_MALLOC, have ? &noted.tag : NULL,
         copied);
    return q;
}

// What was asked for, and no more: the leak scan does not look behind it.
static size_t usable(const void *p)
{
    struct tags tags;
    size_t size, all = heap_usable(p);
    if (!tags_find(p, false, &tags) || tags_get(&tags, &size).site == 0)
        return all;
    return size < all ? size : all;
}

// Without a tag the leak scan follows the block's pointers, and does not tell it. The counters keep
// it as live, which it is.
static void forget(void *p)
{
    struct tags tags;
    if (state() != RECORD_OFF && tags_find(p, false, &tags))
        tags_clear(&tags);
}

static const struct heap_ops ops = {
    .alloc = alloc,
    .free = release,
    .realloc = resize,
    .usable = usable,
    .tags_gone = tags_gone,
    .fork_child = fork_child,
    .forget = forget,
};

// ---------------------------------------------------------------- sampling

static void chosen(void *p, size_t size, size_t capacity)
{
    struct unwind_start here;
    struct tags tags;
    unwind_capture(&here);
    if (unlikely(state() != RECORD_ON) && !begin_child())
        return;
    if (!tags_find(p, true, &tags))
        return;
    module_verify();
    struct record_site *s = sites_here_seldom(&here, capacity);
    tags_set(&tags, (struct tag){.site = s->id, .birth = tally_now()}, size);
    tally_sample(s, (struct tally_block){size, capacity});
}

static void freed(void *p, size_t capacity)
{
    struct tags tags;
    struct noted n;
    if (state() == RECORD_OFF || !take_off(p, &tags, &n) || state() != RECORD_ON)
        return;
    n.block.capacity = capacity;
    struct record_site *s = sites_of(n.tag.site);
    if (s != NULL)
        tally_sample_free(s, n.block, n.tag.birth);
}

static const struct heap_sampler sampler = {
    .chosen = chosen,
    .freed = freed,
    .tags_gone = tags_gone,
    .fork_child = fork_child,
};

// ---------------------------------------------------------------- start and end

static int open_recording(const char *path, struct recording **ret)
{
    u64 bytes = 0;
    void *map = NULL;
    int r = os_share_size(path, &bytes);
    if (r < 0)
        return r;
    if (bytes < RECORDING_HEADER)
        return -EPROTO;
    r = os_share_open(path, RECORDING_HEADER, &map);
    if (r < 0)
        return r;
    const struct recording *h = map;
    bool ours = memcmp(h->magic, RECORDING_MAGIC, sizeof h->magic) == 0 &&
                h->version == RECORDING_VERSION && h->block_size == RECORDING_BLOCK &&
                h->size_max <= RECORDING_SIZE_MAX && atomic_load(&h->size) <= h->size_max &&
                atomic_load(&h->size) <= bytes;
    if (!ours) {
        os_share_close(map, RECORDING_HEADER);
        return -EPROTO;
    }
    *ret = map;
    return 0;
}

static int begin_in(const char *path, const struct record_program *program, struct recording **ret)
{
    struct recording *map;
    u64 start, end;
    int r = open_recording(path, &map);
    if (r < 0)
        return r;
    process_init(program);
    module_init(process_exe());
    module_self(&start, &end);
    unwind_init(start, end);
    writer_begin(map);
    the.sample_bytes = program->sample_bytes != 0 ? program->sample_bytes : map->sample_bytes;
    *ret = map;
    return begin(1) ? 0 : -ENOSPC;
}

int record_start(const char *path, const struct record_program *program)
{
    struct recording *map;
    int r = begin_in(path, program, &map);
    if (r < 0)
        return r;
    owners_watch();
    if (the.sample_bytes != 0)
        heap_sample(&sampler, the.sample_bytes, &map->sampling, 0);
    else
        heap_set_ops(&ops);
    return 0;
}

// ---------------------------------------------------------------- asked while the program runs

// By the thread whose block is the first one chosen, outside of its heap. What the others choose
// meanwhile is not counted.
static cold_ void answer(void)
{
    const struct heap_wish *wish = heap_sample_wish();
    struct recording *map;
    char path[WISH_PATH];
    u32 nobody = 0;
    // The child of a vfork runs in its parent's memory, but it is not who was asked.
    if (getpid() != the.ready_in || !atomic_compare_exchange_strong(&the.asked, &nobody, 1))
        return;
    int saved = errno;
    memcpy(path, wish->path, sizeof path);
    path[sizeof path - 1] = 0;
    the.program.sample_bytes = wish->mean;
    int r = begin_in(path, &the.program, &map);
    errno = saved;
    if (r == 0) {
        heap_sample_go(&map->sampling);
        return;
    }
    heap_sample_refuse(r);
    if (r != -ENOSPC) // then there is no recording to get rid of
        atomic_store(&the.asked, 0);
}

static void chosen_if_asked(void *p, size_t size, size_t capacity)
{
    if (unlikely(state() == RECORD_OFF))
        answer();
    if (state() != RECORD_OFF)
        chosen(p, size, capacity);
}

static void fork_child_ready(void)
{
    the.ready_in = getpid();
    fork_child();
}

static const struct heap_sampler waiting = {
    .chosen = chosen_if_asked,
    .freed = freed,
    .tags_gone = tags_gone,
    .fork_child = fork_child_ready,
};

void record_ready(const struct record_program *program)
{
    the.ready_in = getpid();
    the.program = *program;
    heap_sample_ready(&waiting);
    rule_undumped();
    module_undumped();
}

void record_bypassed(void)
{
    struct record_process *p = atomic_load_explicit(&the.process, memory_order_relaxed);
    if (p != NULL)
        atomic_fetch_or_explicit(&p->flags, PROCESS_BYPASSED, memory_order_relaxed);
}

void record_end(int status)
{
    struct unwind_start from;
    unwind_capture(&from);
    struct record_process *p = atomic_load_explicit(&the.process, memory_order_relaxed);
    if (state() != RECORD_ON || !process_is_me())
        return;
    int saved = errno;
    p->exit_code = (u32)status;
    owners_write();
    tally_settle();
    atomic_fetch_or_explicit(&p->flags, PROCESS_ENDED, memory_order_release);
    if (writer_map()->leaks != 0)
        process_ask_scan(writer_map(), p, unwind_leave(&from) ? &from : NULL);
    errno = saved;
}
