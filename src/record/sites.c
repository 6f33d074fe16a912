// sites.c: one record per distinct stack.
#include "record/sites.h"

#include "heap/api.h"
#include "os/os.h"
#include "record/admit.h"
#include "record/known.h"
#include "record/module.h"
#include "record/tails.h"
#include "record/tally.h"
#include "record/trace.h"
#include "record/writer.h"

#include <string.h>

#define PART_SITES 4096 // sites a part of the index
#define PARTS_MAX  ((SITE_ID_MAX + 1) / PART_SITES)

struct part {
    u32 place[PART_SITES];
};

static struct {
    struct lock lock;
    struct record_process *process;
    struct record_site *other;
    u32 first, next;                         // ids
    _Atomic(struct part *) parts[PARTS_MAX]; // id - first -> place
} the;

bool sites_lock(void)
{
    return lock_take(&the.lock);
}

void sites_unlock(void)
{
    lock_give(&the.lock);
}

bool sites_locked(void)
{
    return lock_held(&the.lock);
}

void sites_fork_child(void)
{
    lock_break(&the.lock);
}

u32 sites_next(void)
{
    return the.next;
}

// ---------------------------------------------------------------- from id to site

static bool index_set(u32 id, const struct record_site *site)
{
    u32 i = id - the.first;
    _Atomic(struct part *) *at = &the.parts[i / PART_SITES];
    struct part *part = atomic_load_explicit(at, memory_order_relaxed);
    if (part == NULL) {
        part = os_map(sizeof *part);
        if (part == NULL)
            return false;
        // Release: pairs with the acquire in sites_of.
        atomic_store_explicit(at, part, memory_order_release);
    }
    part->place[i % PART_SITES] = writer_place(site);
    return true;
}

struct record_site *sites_of(u32 id)
{
    if (id < the.first || id == 0)
        return NULL;
    u32 i = id - the.first;
    struct part *part = atomic_load_explicit(&the.parts[i / PART_SITES], memory_order_acquire);
    return part == NULL ? NULL : writer_at(part->place[i % PART_SITES]);
}

// ---------------------------------------------------------------- new sites

static bool write_module(u32 index)
{
    struct module *m = module_at(index);
    size_t len = module_path(m, NULL);
    struct record_module *r = writer_reserve(RECORD_MODULE, round_up(sizeof *r + len, 8));
    if (r == NULL)
        return false;
    r->index = index;
    r->bias = m->bias;
    r->start = m->start;
    r->end = m->end;
    r->build_id_len = m->build_id_len;
    memcpy(r->build_id, m->build_id, m->build_id_len);
    r->path_len = (u32)len;
    module_path(m, r->path);
    writer_commit(r, r->head.bytes);
    m->owner = the.process->index;
    return true;
}

static u64 frame_of(u64 frame)
{
    u64 module = frame >> UNWIND_MODULE_SHIFT, pc = frame & FRAME_OFFSET_MASK;
    if (module == 0)
        return pc;
    return module << FRAME_MODULE_SHIFT | ((pc - module_at((u32)module)->bias) & FRAME_OFFSET_MASK);
}

// The first module in the site's frames that has no record yet, or 0.
static u32 unwritten_module(const struct record_site *s)
{
    for (u32 i = 0; i < s->frames_count; i++) {
        u32 index = (u32)(s->frames[i] >> UNWIND_MODULE_SHIFT);
        const struct module *m = module_at(index);
        if (index != 0 && m->owner != the.process->index && m->map != NULL)
            return index;
    }
    return 0;
}

// Modules first, then the site: a reader that goes through the records in order knows each module
// before a frame names it. A module's record takes the place where the site was about to stand,
// and the stack is walked anew. On return the record holds the whole stack, with frames as the
// unwinder tells them.
static struct record_site *write_stack(const struct unwind_start *start, u32 count)
{
    for (;;) {
        struct record_site *s =
            writer_reserve(RECORD_SITE, sizeof *s + count * sizeof s->frames[0]);
        if (s == NULL)
            return NULL;
        s->frames_count = unwind_frames(start, s->frames, count);
        u32 module = unwritten_module(s);
        if (module == 0)
            return s;
        if (!write_module(module))
            return NULL;
    }
}

static struct record_site *add_site(const struct unwind_start *start, struct unwind_trace t)
{
    if (!known_room() || the.next > SITE_ID_MAX)
        return NULL;
    struct record_site *s = write_stack(start, t.count);
    if (s == NULL || !index_set(the.next, s))
        return NULL;
    struct tail tail = tails_share(s->frames, s->frames_count, the.next);
    for (u32 i = 0; i < tail.own; i++)
        s->frames[i] = frame_of(s->frames[i]);
    s->frames_count = tail.own;
    s->tail = tail.site;
    s->tail_skip = (u16)tail.skip;
    s->truncated = (u16)t.truncated;
    s->id = the.next++;
    writer_commit(s, sizeof *s + tail.own * sizeof s->frames[0]);
    known_add(t.hash, (struct known){writer_place(s), s->id});
    return s;
}

static struct record_site *known(u64 hash)
{
    struct known k;
    return known_find(hash, &k) ? writer_at(k.place) : NULL;
}

// A stack that is too small for the room that is left is counted in "other".
static bool is_admitted(u64 hash, u64 bytes)
{
    u32 all, left = writer_left(&all);
    bool new;
    if (likely(admit(hash, bytes, left, all, &new)))
        return true;
    atomic_fetch_add_explicit(&the.process->merged, new, memory_order_relaxed);
    atomic_fetch_or_explicit(&the.process->flags, PROCESS_MERGED, memory_order_relaxed);
    return false;
}

static struct record_site *new_site(const struct unwind_start *start, struct unwind_trace t,
                                    u64 bytes)
{
    if (!sites_lock())
        return the.other;
    struct record_site *s = known(t.hash);
    bool admitted = s != NULL || is_admitted(t.hash, bytes);
    if (s == NULL && admitted)
        s = add_site(start, t);
    sites_unlock();
    if (s != NULL)
        return s;
    if (admitted)
        atomic_fetch_or_explicit(&the.process->flags, PROCESS_FULL, memory_order_relaxed);
    return the.other;
}

// A heap belongs to one thread at a time, and a signal handler that interrupts its user has another
// one: just what a cache needs (L4).
static always_inline_ bool trace(const struct unwind_caller *from, struct unwind_trace *ret)
{
    struct heap *h = heap_enter();
    if (unlikely(h == NULL))
        return false;
    if (unlikely(h->above == NULL))
        h->above = os_map(round_up(sizeof(struct trace_cache), OS_PAGE));
    bool ok = likely(h->above != NULL) && trace_hash(h->above, from, ret);
    heap_leave(h);
    return ok;
}

// A stack that is new, or that nothing is remembered of.
static cold_ struct record_site *look_hard(const struct unwind_caller *from, bool traced,
                                           struct unwind_trace t, u64 bytes)
{
    struct unwind_start here;
    unwind_capture(&here);
    if (!unwind_out(&here, from->rsp))
        return the.other;
    if (!traced)
        t = unwind_hash(&here);
    t.hash |= 1; // 0 marks an empty slot
    struct record_site *s = traced ? NULL : known(t.hash);
    return s != NULL ? s : new_site(&here, t, bytes);
}

struct site_ref sites_here(const struct unwind_caller *from, u64 bytes)
{
    struct unwind_trace t = {0};
    bool traced = trace(from, &t);
    struct known k;
    if (likely(traced) && likely(known_find(t.hash | 1, &k)))
        return (struct site_ref){writer_at(k.place), k.id};
    struct record_site *s = look_hard(from, traced, t, bytes);
    return (struct site_ref){s, s->id};
}

struct record_site *sites_here_seldom(const struct unwind_start *start, u64 bytes)
{
    struct unwind_trace t = unwind_hash(start);
    t.hash |= 1;
    struct record_site *s = known(t.hash);
    return s != NULL ? s : new_site(start, t, bytes);
}

bool sites_begin(struct record_process *process, u32 first_site)
{
    for (u32 i = 0; i < PARTS_MAX; i++) { // a parent's, in a forked child
        struct part *part = atomic_load_explicit(&the.parts[i], memory_order_relaxed);
        if (part == NULL)
            break;
        os_unmap(part, sizeof *part);
        atomic_store_explicit(&the.parts[i], NULL, memory_order_relaxed);
    }
    tails_clear();
    admit_clear();
    bool ok = known_begin();
    the.process = process;
    the.first = the.next = first_site;
    tally_begin(process, writer_map());
    if (!ok)
        return false;
    the.other = writer_reserve(RECORD_SITE, sizeof *the.other);
    if (the.other == NULL || !index_set(first_site, the.other))
        return false;
    the.other->id = the.next++;
    the.other->truncated = 1;
    writer_commit(the.other, sizeof *the.other);
    return true;
}
