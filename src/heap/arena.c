// arena.c: where the arena lies, and how it grows.
//
// A window of 1 TiB is chosen at random where nothing is mapped, and nothing of it is reserved: it
// is mapped in steps of hugepages with MAP_FIXED_NOREPLACE, and a place that somebody else took is
// skipped. (A real reservation was tried and breaks programs: setrlimit(RLIMIT_AS), mlockall and
// `ulimit -v` all count it.) The tables lie below it and grow with it.
#include "heap/owner.h"
#include "heap/pages.h"
#include "os/chunk.h"

#include <errno.h>

struct arena arena;
struct heap_global the;

// Never changes: owner of nothing and always busy, so that the fast paths leave it alone.
struct heap heap_none = {.busy = 1};
thread_local_ struct heap *heap_fast = &heap_none;
thread_local_ struct heap *heap_mine;

export_ struct heap_root loam_heap_root = {
    .magic = HEAP_ROOT_MAGIC,
    .version = HEAP_ROOT_VERSION,
    .page_shift = PAGE_SHIFT,
};

// One table: `per` entries of `size` bytes for every `unit` pages of the arena.
struct table {
    char *at;
    size_t mapped; // bytes, from `at`
    size_t bits;   // entry size in bits a page
};

enum { T_DESC, T_SIDE, T_STATE, T_REMOTE, T_FREE, T_DIRTY, T_HUGE, TABLES };
static struct table tables[TABLES] = {
    [T_DESC] = {.bits = 8 * sizeof(struct desc)},
    [T_SIDE] = {.bits = 8 * sizeof(struct side)},
    [T_STATE] = {.bits = 8 * sizeof(struct state)},
    [T_REMOTE] = {.bits = 8 * sizeof(struct remote)},
    [T_FREE] = {.bits = 1},
    [T_DIRTY] = {.bits = 1},
    [T_HUGE] = {.bits = 1}, // 4 bytes for 128 pages: a quarter of a bit; one keeps it whole
};
static_assert(sizeof(u32) * 8 <= HUGE_PAGES, "T_HUGE's bits");

static size_t table_bytes(const struct table *t, size_t end_page)
{
    return round_up((end_page * t->bits + 7) / 8, OS_PAGE);
}

// Steps in which tables grow: 64 MiB of arena, so that they cost few mappings; the first one is
// smaller, because gcore writes all that is mapped, touched or not, and most programs stay within
// it.
#define TABLE_STEP  ((64 * MiB) >> PAGE_SHIFT)
#define TABLE_FIRST ((8 * MiB) >> PAGE_SHIFT)

static int tables_grow(size_t end_page)
{
    end_page = end_page <= TABLE_FIRST ? TABLE_FIRST
                                       : size_min(round_up(end_page, TABLE_STEP), ARENA_PAGES_MAX);
    for (int i = 0; i < TABLES; i++) {
        struct table *t = &tables[i];
        size_t want = table_bytes(t, end_page);
        if (want <= t->mapped)
            continue;
        // Counted before it is noted, because a fork may come while the note waits (fork.c).
        char *at = t->at + t->mapped;
        size_t more = want - t->mapped;
        int r = os_map_unnoted(at, more);
        if (r < 0)
            return r;
        t->mapped = want;
        chunk_note(at, more);
    }
    return 0;
}

// Publish a larger arena. `hole`: its last hugepage is not ours. Addresses are known to be the
// arena's before anybody can take them. Release order for readers in other threads: they learn of a
// new span only by a pointer that some thread handed to them.
static void publish(size_t mapped, bool hole)
{
    __atomic_store_n(&arena.bytes, mapped << PAGE_SHIFT, __ATOMIC_RELEASE);
    atomic_store_explicit(&loam_heap_root.pages, mapped, memory_order_release);
    bool locked unused_ = lock_take(&the.pages_lock);
    assert(locked);
    if (hole) {
        // Pages below the hole that are mapped and not yet used stay usable.
        for (size_t i = pages.top; i < mapped - HUGE_PAGES; i++)
            pages.free[i >> 6] |= (u64)1 << (i & 63);
        pages_lower_hints(pages.top);
        pages.top = mapped;
    }
    pages.mapped = mapped; // P5
    lock_give(&the.pages_lock);
}

// Map the next `n` pages, a multiple of HUGE_PAGES. 0, -EEXIST or -ENOMEM.
static int map_step(size_t n)
{
    if (pages.mapped + n > ARENA_PAGES_MAX)
        return -ENOMEM;
    int r = tables_grow(pages.mapped + n);
    if (r == 0)
        r = os_map_at(page_addr((u32)pages.mapped), n << PAGE_SHIFT);
    if (r == 0)
        publish(pages.mapped + n, false);
    return r;
}

// Lay the tables out below `base` and map the first step.
static bool settle(uintptr_t base)
{
    char *at = (char *)base;
    for (int i = 0; i < TABLES; i++) {
        at -= round_up(table_bytes(&tables[i], ARENA_PAGES_MAX), HUGE_SIZE) + HUGE_SIZE;
        tables[i].at = at;
        tables[i].mapped = 0;
    }
    arena.base = (char *)base;
    __atomic_store_n(&arena.shift, -base, __ATOMIC_RELAXED);
    arena.desc = (struct desc *)tables[T_DESC].at;
    arena.side = (struct side *)tables[T_SIDE].at;
    arena.state = (struct state *)tables[T_STATE].at;
    arena.remote = (struct remote *)tables[T_REMOTE].at;
    arena.huge = (u32 *)tables[T_HUGE].at;
    pages.free = (u64 *)tables[T_FREE].at;
    pages.dirty = (u64 *)tables[T_DIRTY].at;
    if (map_step(HUGE_PAGES) == 0)
        return true;
    for (int i = 0; i < TABLES; i++)
        if (tables[i].mapped > 0)
            os_unmap(tables[i].at, tables[i].mapped);
    arena.base = NULL;
    __atomic_store_n(&arena.shift, 0, __ATOMIC_RELAXED);
    return false;
}

static void publish_root(void)
{
    struct heap_root *r = &loam_heap_root;
    r->desc = (u64)(uintptr_t)arena.desc;
    r->side = (u64)(uintptr_t)arena.side;
    r->state = (u64)(uintptr_t)arena.state;
    r->remote = (u64)(uintptr_t)arena.remote;
    r->huge = (u64)(uintptr_t)arena.huge;
    r->heaps = (u64)(uintptr_t)the.heaps;
    r->chunks = (u64)(uintptr_t)chunk_view();
    r->owners = (u64)(uintptr_t)owner_shards();
    r->base = (u64)(uintptr_t)arena.base;
}

static bool init(void)
{
    the.os_page = os_page_size();
    pages.top = 1; // page 0 is never part of a span, so 0 can mean "none"
    pages.low_free = pages.low_dirty = 1;
    pages.fail_size = SIZE_MAX;
    for (unsigned attempt = 0; attempt < 16; attempt++) {
        if (settle(round_up(os_place(attempt), ARENA_ALIGN))) {
            publish_root();
            return true;
        }
    }
    return false;
}

int arena_grow(size_t end)
{
    if (end > ARENA_PAGES_MAX || (arena.base == NULL && !init()))
        return -ENOMEM;
    while (pages.mapped < end) {
        size_t need = round_up(end - pages.mapped, HUGE_PAGES);
        size_t ahead = size_min(pages.mapped / 8, (32 * MiB) >> PAGE_SHIFT) & ~(HUGE_PAGES - 1);
        if (ahead > need && map_step(ahead) == 0)
            continue;
        int r = map_step(need);
        if (r != -EEXIST) // the kernel's own EAGAIN (too much is locked) is no place that was taken
            return r < 0 ? -ENOMEM : 0;
        r = map_step(HUGE_PAGES); // what of it is free?
        if (r == -EEXIST) {       // not this hugepage: it belongs to somebody else
            r = tables_grow(pages.mapped + HUGE_PAGES);
            if (r < 0)
                return -ENOMEM;
            publish(pages.mapped + HUGE_PAGES, true);
            return -EAGAIN;
        }
        if (r < 0)
            return -ENOMEM;
    }
    return 0;
}
