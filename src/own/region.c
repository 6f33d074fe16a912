// region.c: memory that is freed all at once.
//
// A region is a chain of blocks, newest first; the cursor moves in the newest. A block that is too
// small for a push is left as it is, and a larger one put in front: blocks double, so little is
// wasted. Clean-ups are a second chain; children are clean-ups of their parents, which alone gives
// the right order. The fast path is in the header; everything here is for when a block is full.
#include <loam/region.h>

#include "base/base.h"
#include "heap/owner.h"
#include "os/os.h"
#include "own/debug.h"
#include "own/region.h"

#include <errno.h>

#define BLOCK_SIZE_FIRST 1024
#define BLOCK_SIZE_MAX   (256 * KiB) // no larger by doubling; a single push may need one
#define SPARE_SIZE_MAX   (4 * BLOCK_SIZE_MAX)

enum state { STATE_OPEN, STATE_CLOSED, STATE_CLOSED_BY_PARENT };

// Whole OS pages, so that they can be fenced, where the heap gives them and mistakes are looked
// for.
static bool is_fenced(const loam_region *r)
{
    return debugging() && r->alloc.ops == NULL;
}

static loam_layout block_layout(const loam_region *r, size_t size)
{
    return loam_layout_make(size, is_fenced(r) ? os_page_size() : LOAM_ALIGNOF(max_align_t));
}

static noreturn_ cold_ void tell_gone(const char *what, const loam_region *r, const char *now)
{
    struct note n;
    struct telling t = {what, r, "it let go of memory here", now, NULL, NULL};
    t.first = note_find(NOTE_REGION_GONE, r, 0, &n) ? &n : NULL;
    debug_die(&t);
}

static void check_open(const loam_region *r)
{
    if (unlikely(r->state != STATE_OPEN))
        tell_gone("region: used after it was closed", r, "used here");
}

// Q5
static void set_end(loam_region *r)
{
    r->end = r->block == NULL ? NULL : (char *)r->block + r->block->size;
    if (debugging())
        r->end = r->at;
}

// ---------------------------------------------------------------- as an owner

static bool block_holds(const struct loam_region_block *b, const void *p, size_t *ret_offset)
{
    if (b == NULL || (uintptr_t)p < (uintptr_t)b || (uintptr_t)p - (uintptr_t)b >= b->size)
        return false;
    *ret_offset = (uintptr_t)p - (uintptr_t)b;
    return true;
}

static bool find(const loam_owner_link *link, const void *p, size_t *ret_offset)
{
    const loam_region *r = container_of(link, loam_region, owner);
    for (const struct loam_region_block *b = r->block; b != NULL; b = b->older)
        if (block_holds(b, p, ret_offset))
            return true;
    return block_holds(r->spare, p, ret_offset);
}

// Reads words that the region's own thread writes without a lock: numbers for people.
static void describe(const loam_owner_link *link, loam_owner_info *ret)
{
    const loam_region *r = container_of(link, loam_region, owner);
    ret->name = r->name == NULL ? "(unnamed)" : r->name;
    ret->place = r->place == NULL ? "" : r->place;
    ret->held = r->held;
    ret->used = loam_region_used(r);
    ret->used_max = size_max(r->used_max, ret->used);
    ret->resets = r->resets;
}

static void detail(const loam_owner_link *link, const void *p, loam_owner_info *ret)
{
    const loam_region *r = container_of(link, loam_region, owner);
    const struct loam_region_object *o = region_debug_object(r, p);
    if (o != NULL && o->made != NULL) {
        ret->made = o->made;
        ret->in_object = (size_t)((const char *)p - (const char *)(o + 1));
    }
}

const struct loam_owner_ops region_owner = {"region", describe, find, detail};

// Of the newest block all, if the cursor has not moved there yet.
void region_each_block(const loam_region *r,
                       void (*see)(void *ctx, const void *from, const void *to), void *ctx)
{
    for (struct loam_region_block *b = r->block; b != NULL; b = b->older) {
        const char *from = block_data(b), *end = (const char *)b + b->size;
        bool current = r->at >= from && r->at <= end;
        see(ctx, from, current ? r->at : end);
    }
}

// ---------------------------------------------------------------- life cycle

void loam_region_init_in_at(loam_region *r, loam_alloc alloc, const char *name, const char *place)
{
    *r = (loam_region){.alloc = alloc, .name = name, .place = place};
    if (debugging())
        note_remove(NOTE_REGION_GONE, r, 0);
}

void loam_region_init_at(loam_region *r, const char *name, const char *place)
{
    loam_region_init_in_at(r, loam_alloc_heap(), name, place);
}

// Q3
static void cleanup_push(loam_region *r, loam_cleanup *c, void (*run)(void *), void *arg)
{
    *c = (loam_cleanup){r->cleanups, NULL, run, arg, ++r->numbers};
    if (c->next != NULL)
        c->next->prev = c;
    r->cleanups = c;
}

static void cleanup_unlink(loam_region *r, loam_cleanup *c)
{
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        assert(r->cleanups == c);
        r->cleanups = c->next;
    }
}

// Each exactly once: it leaves the chain before it runs.
static void cleanups_run(loam_region *r, size_t down_to)
{
    while (r->cleanups != NULL && r->cleanups->number > down_to) {
        loam_cleanup *c = r->cleanups;
        cleanup_unlink(r, c);
        c->run(c->arg);
    }
}

static void block_free(loam_region *r, struct loam_region_block *b)
{
    if (b == NULL)
        return;
    r->held -= b->size;
    if (is_fenced(r))
        debug_keep_fenced(b, b->size, r->name, r->place);
    else
        loam_alloc_free(r->alloc, b, block_layout(r, b->size));
}

static void close_region(loam_region *r, enum state state)
{
    cleanups_run(r, 0);
    if (debugging()) {
        region_debug_going(r, r->block, NULL);
        note_put(NOTE_REGION_GONE, r, 0, NULL);
    }
    owner_remove(&r->owner); // Q4: before its blocks, which readers walk
    r->objects = NULL;
    block_free(r, r->spare);
    for (struct loam_region_block *older, *b = r->block; b != NULL; b = older) {
        older = b->older;
        block_free(r, b);
    }
    assert(r->held == 0);
    r->at = r->end = NULL;
    r->block = r->spare = NULL;
    r->state = (int)state;
}

static void close_child(void *child)
{
    close_region(child, STATE_CLOSED_BY_PARENT);
}

void loam_region_init_child_at(loam_region *r, loam_region *parent, const char *name,
                               const char *place)
{
    check_open(parent);
    loam_region_init_in_at(r, parent->alloc, name, place);
    r->parent = parent;
    cleanup_push(parent, &r->in_parent, close_child, r);
}

void loam_region_done(loam_region *r)
{
    if (r == NULL || r->state == STATE_CLOSED_BY_PARENT)
        return;
    if (unlikely(r->state == STATE_CLOSED))
        tell_gone("region: closed twice", r, "closed again here");
    if (r->parent != NULL)
        cleanup_unlink(r->parent, &r->in_parent);
    close_region(r, STATE_CLOSED);
}

void loam_region_clear(loam_region *r)
{
    loam_region_restore(r, (loam_region_mark){NULL, NULL, 0, 0, NULL});
}

void loam_region_set_limit(loam_region *r, size_t bytes)
{
    r->limit = bytes;
}

// ---------------------------------------------------------------- growing

static size_t limit_left(const loam_region *r)
{
    if (r->limit == 0)
        return PTRDIFF_MAX;
    return r->held < r->limit ? r->limit - r->held : 0;
}

// How large the next block is to be: twice the last, at least `need`, within the limit. 0 when the
// limit leaves no room.
static size_t block_size_next(const loam_region *r, size_t need)
{
    size_t size = r->block == NULL ? BLOCK_SIZE_FIRST : 2 * r->block->size;
    size = size_max(size_min(size, BLOCK_SIZE_MAX), need);
    size = size_min(size, limit_left(r));
    return size < need ? 0 : size;
}

static struct loam_region_block *block_new(loam_region *r, size_t need)
{
    if (r->limit != 0 && limit_left(r) < need && r->spare != NULL) {
        struct loam_region_block *spare = r->spare; // too small, and in the way
        if (r->owner.ops != NULL)
            owner_lock(&r->owner);
        r->spare = NULL;
        if (r->owner.ops != NULL)
            owner_unlock(&r->owner);
        block_free(r, spare);
    }
    size_t size = block_size_next(r, need);
    if (size == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (is_fenced(r)) // whole pages, but where the limit has no room for them
        size = size_max(size, size_min(round_up(size, os_page_size()), limit_left(r)));
    struct loam_region_block *b = loam_alloc_new(r->alloc, block_layout(r, size));
    if (b == NULL)
        return NULL;
    b->size = size;
    r->held += size;
    return b;
}

// Q1, Q2: put a block in front. Under the registry's lock, because readers walk the chain (N2).
static void block_push(loam_region *r, struct loam_region_block *b)
{
    if (r->owner.ops == NULL)
        owner_add(&r->owner, &region_owner);
    owner_lock(&r->owner);
    if (r->block != NULL) {
        r->block->at = (size_t)(r->at - block_data(r->block));
        r->below += r->block->at;
    }
    if (b == r->spare)
        r->spare = NULL;
    b->older = r->block;
    b->number = ++r->numbers;
    r->block = b;
    r->at = block_data(b);
    set_end(r);
    owner_unlock(&r->owner);
}

// A block with room for `need` more bytes in front; the spare one if that will do.
static bool more(loam_region *r, size_t need)
{
    bool fits = r->spare != NULL && r->spare->size >= need;
    struct loam_region_block *b = fits ? r->spare : block_new(r, need);
    if (b != NULL)
        block_push(r, b);
    return b != NULL;
}

static void *push_here(loam_region *r, size_t size, size_t align, const char *made)
{
    if (debugging())
        return region_debug_push(r, size, align, made);
    size_t pad = -(size_t)r->at & (align - 1);
    size_t room = (size_t)(r->end - r->at);
    if (pad >= room || size > room - pad)
        return NULL;
    char *p = r->at + pad;
    r->at = p + size;
    assert(r->at <= r->end); // Q1
    return p;
}

void *loam_region_push_slow_(loam_region *r, size_t size, size_t align, const char *made)
{
    check_open(r);
    if (!is_pow2(align)) {
        errno = EINVAL;
        return NULL;
    }
    size = size_max(size, 1);
    size_t need, before = sizeof(struct loam_region_block);
    if (debugging()) // Q5, aligned as it wants
        before += sizeof(struct loam_region_object) + LOAM_ALIGNOF(struct loam_region_object);
    if (__builtin_add_overflow(size, align - 1 + before, &need) || need > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = push_here(r, size, align, made); // a size of 0 may have brought us here
    if (p != NULL || !more(r, need))
        return p;
    return push_here(r, size, align, made);
}

char *loam_region_text_n(loam_region *r, const char *text, size_t n)
{
    char *copy = n == SIZE_MAX ? loam_region_push_raw(r, n, 1) : loam_region_push_raw(r, n + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

int loam_region_defer(loam_region *r, void (*run)(void *arg), void *arg)
{
    loam_cleanup *c = loam_region_push_raw(r, sizeof *c, LOAM_ALIGNOF(loam_cleanup));
    if (c == NULL)
        return -ENOMEM;
    cleanup_push(r, c, run, arg);
    return 0;
}

// ---------------------------------------------------------------- cutting back

loam_region_mark loam_region_save(const loam_region *r)
{
    size_t number = r->block == NULL ? 0 : r->block->number;
    return (loam_region_mark){r->block, r->at, number, r->numbers, r->objects};
}

// A mark is there if its block is, and the cursor was not cut back below it.
static void check_mark(const loam_region *r, loam_region_mark mark)
{
    const struct loam_region_block *b = r->block;
    while (b != NULL && b != mark.block)
        b = b->older;
    if (unlikely(b != mark.block || (b != NULL && b->number != mark.block_number)))
        tell_gone("region: restored to a mark that is gone", r, "restored here");
    if (unlikely(b == r->block && mark.at > r->at))
        tell_gone("region: restored to a mark that is gone", r, "restored here");
}

// Unlink the blocks down to `down_to`, and return those that are to be freed: all but the largest,
// which is kept so that a loop finds it again.
static struct loam_region_block *cut_blocks(loam_region *r, struct loam_region_block *down_to)
{
    struct loam_region_block *gone = NULL;
    while (r->block != down_to) {
        struct loam_region_block *b = r->block;
        r->block = b->older;
        r->below -= r->block == NULL ? 0 : r->block->at;
        if (!debugging() && b->size <= SPARE_SIZE_MAX &&
            (r->spare == NULL || b->size > r->spare->size)) {
            struct loam_region_block *smaller = r->spare;
            r->spare = b;
            b = smaller;
        }
        if (b != NULL) {
            b->older = gone;
            gone = b;
        }
    }
    return gone;
}

// N2. What goes is freed outside of the lock: an allocator may be anything.
static void cut(loam_region *r, loam_region_mark mark)
{
    owner_lock(&r->owner);
    struct loam_region_block *gone = cut_blocks(r, mark.block);
    r->at = mark.at;
    set_end(r);
    owner_unlock(&r->owner);
    while (gone != NULL) {
        struct loam_region_block *b = gone;
        gone = b->older;
        block_free(r, b);
    }
}

// Q5, N2
static void objects_cut(loam_region *r, struct loam_region_object *newest)
{
    if (r->owner.ops != NULL)
        owner_lock(&r->owner);
    r->objects = newest;
    if (r->owner.ops != NULL)
        owner_unlock(&r->owner);
}

void loam_region_restore(loam_region *r, loam_region_mark mark)
{
    check_open(r);
    check_mark(r, mark);
    r->used_max = size_max(r->used_max, loam_region_used(r));
    r->resets++;
    cleanups_run(r, mark.cleanup_number); // they may push, so before anything is cut
    if (debugging()) {
        region_debug_going(r, r->block, mark.block);
        note_put(NOTE_REGION_GONE, r, 0, NULL);
        objects_cut(r, mark.objects);
    }
    if (r->block != mark.block)
        cut(r, mark);
    r->at = mark.at;
    set_end(r);
}

// ---------------------------------------------------------------- as an allocator, and queries

static void *region_fresh(void *self, loam_layout l, bool zero)
{
    return zero ? loam_region_push(self, l.size, l.align)
                : loam_region_push_raw(self, l.size, l.align);
}

static void *region_resize(void *self, void *p, loam_layout from, size_t size)
{
    loam_region *r = self;
    size_t room = (size_t)(r->end - (char *)p);
    if ((char *)p + from.size == r->at && size <= room) { // the newest
        r->at = (char *)p + size;
        set_end(r);
        return p;
    }
    if (size <= from.size)
        return p;
    void *q = loam_region_push_raw(r, size, from.align);
    return q == NULL ? NULL : memcpy(q, p, from.size);
}

static void region_release(void *self, void *p, loam_layout l)
{
    loam_region *r = self;
    if ((char *)p + l.size != r->at)
        return;
    if (debugging())
        objects_cut(r, r->objects->older);
    r->at = p;
    set_end(r);
}

static const loam_alloc_ops region_ops = {region_fresh, region_resize, region_release};

loam_alloc loam_region_alloc(loam_region *r)
{
    return (loam_alloc){&region_ops, r};
}

size_t loam_region_used(const loam_region *r)
{
    return r->block == NULL ? 0 : r->below + (size_t)(r->at - block_data(r->block));
}

size_t loam_region_held(const loam_region *r)
{
    return r->held;
}

bool loam_region_holds(const loam_region *r, const void *p)
{
    size_t offset;
    return find(&r->owner, p, &offset);
}
