// chunk.c: the record of all memory that was asked of the kernel.
//
// One sorted array. A tree would make a note cheaper than a memmove, but the heap's neighbouring
// mappings are merged, so the array stays a few entries long unless the program itself asks for
// thousands of chunks; and an array can be listed by number, copied by fork and checked by eye.
#include "os/chunk.h"
#include "os/os.h"

#include <errno.h>
#include <loam/chunk.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLACK 4 // entries that must be free before a change: a cut adds one, an add another

static struct {
    struct lock lock; // over everything below but `missed`
    union {
        struct chunk_view view;
        struct {
            loam_chunk *list; // C1
            size_t count;     // chunks in the list
        };
    };
    size_t room;        // chunks that fit in the list's memory
    unsigned forks;     // fork handlers that hold the lock, nested by signal handlers
    _Atomic u64 missed; // C4
} the;

static char *end_of(const loam_chunk *c)
{
    return (char *)c->addr + c->size;
}

const struct chunk_view *chunk_view(void)
{
    return &the.view;
}

// ---------------------------------------------------------------- the list

// Number of the first chunk that ends behind addr: the one that holds it, or the next.
static size_t find(const char *addr)
{
    size_t low = 0, high = the.count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (end_of(&the.list[mid]) <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void insert(size_t i, loam_chunk c)
{
    assert(the.count < the.room);
    assert(i == 0 || end_of(&the.list[i - 1]) <= (char *)c.addr);     // C1
    assert(i == the.count || end_of(&c) <= (char *)the.list[i].addr); // C1
    memmove(&the.list[i + 1], &the.list[i], (the.count - i) * sizeof c);
    the.list[i] = c;
    the.count++;
}

static void erase(size_t i)
{
    assert(i < the.count);
    the.count--;
    memmove(&the.list[i], &the.list[i + 1], (the.count - i) * sizeof *the.list);
}

// Take [from, to) out of whatever chunks stand there.
static void cut(char *from, char *to)
{
    size_t i = find(from);
    while (i < the.count && (char *)the.list[i].addr < to) {
        loam_chunk *c = &the.list[i];
        loam_chunk tail = *c;
        tail.addr = to;
        tail.size = end_of(c) > to ? (size_t)(end_of(c) - to) : 0;
        if ((char *)c->addr < from) {
            c->size = (size_t)(from - (char *)c->addr);
            i++;
        } else {
            erase(i);
        }
        if (tail.size != 0)
            insert(i++, tail);
    }
}

static bool joins(const loam_chunk *low, const loam_chunk *high)
{
    return low->heap && high->heap && end_of(low) == high->addr;
}

static void add(loam_chunk c)
{
    cut(c.addr, end_of(&c)); // C4
    size_t i = find(c.addr);
    if (i < the.count && joins(&c, &the.list[i])) { // C3
        c.size += the.list[i].size;
        erase(i);
    }
    if (i > 0 && joins(&the.list[i - 1], &c))
        the.list[i - 1].size += c.size;
    else
        insert(i, c);
}

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

// Double the list's memory. Growing by mremap would be one call less, but it fails where another
// mapping stands behind, and this happens a dozen times in the life of a process.
static bool grow(void)
{
    loam_chunk *old = the.list;
    size_t old_size = old == NULL ? 0 : round_up(the.room * sizeof *old, os_page_size());
    size_t size = old == NULL ? os_page_size() : 2 * old_size;
    loam_chunk *list = map(size);
    if (list == NULL)
        return false;
    if (old != NULL)
        memcpy(list, old, the.count * sizeof *list);
    the.list = list;
    the.room = size / sizeof *list;
    add((loam_chunk){.addr = list, .size = size, .source = LOAM_CHUNK_MMAP, .heap = true}); // C2
    if (old != NULL) {
        cut((char *)old, (char *)old + old_size);
        munmap(old, old_size);
    }
    return true;
}

static bool have_room(void)
{
    return the.count + SLACK <= the.room || grow();
}

// ---------------------------------------------------------------- the heap's mappings

static void change(void *addr, size_t size, bool mapped)
{
    if (!lock_take(&the.lock)) { // C4
        atomic_fetch_add_explicit(&the.missed, 1, memory_order_relaxed);
        return;
    }
    int saved = errno;
    if (!have_room())
        atomic_fetch_add_explicit(&the.missed, 1, memory_order_relaxed);
    else if (mapped)
        add((loam_chunk){.addr = addr, .size = size, .source = LOAM_CHUNK_MMAP, .heap = true});
    else
        cut(addr, (char *)addr + size);
    errno = saved;
    lock_give(&the.lock);
}

void chunk_note(void *addr, size_t size)
{
    change(addr, size, true);
}

void chunk_forget(void *addr, size_t size)
{
    change(addr, size, false);
}

u64 chunk_missed(void)
{
    return atomic_load_explicit(&the.missed, memory_order_relaxed);
}

// A signal handler may fork while its thread is inside this file, or inside another fork's
// handlers. Then the lock is already held by this thread, and whoever took it gives it back when
// the handler returns: in the parent and, on its copy of the stack, in the child.
bool chunk_fork_held(void)
{
    return lock_held(&the.lock);
}

void chunk_fork_prepare(void)
{
    if (lock_take(&the.lock))
        the.forks = 1;
    else if (the.forks != 0)
        the.forks++;
}

void chunk_fork_parent(void)
{
    if (the.forks != 0 && --the.forks == 0)
        lock_give(&the.lock);
}

void chunk_fork_child(void)
{
    chunk_fork_parent();
}

// ---------------------------------------------------------------- the end of the data segment

// Whoever else calls sbrk (glibc's malloc does) may move the end between our calls, but not
// inside of one: then what came back is not where we looked, and we give it back and look again.
static void *segment_take(size_t size)
{
    size_t mask = os_page_size() - 1;
    for (;;) {
        char *seen = sbrk(0);
        size_t gap = -(uintptr_t)seen & mask;
        char *got = sbrk((intptr_t)(gap + size));
        if (got == (void *)-1)
            return NULL;
        if (got == seen)
            return got + gap;
        if (sbrk(0) == got + gap + size)
            sbrk(-(intptr_t)(gap + size));
    }
}

// Lower the end of the data segment past all released chunks that stand right below it.
static void segment_trim(void)
{
    for (size_t i = the.count; i-- > 0;) {
        loam_chunk c = the.list[i];
        if (c.source != LOAM_CHUNK_SBRK)
            continue;
        if (!c.released || sbrk(0) != end_of(&c) || sbrk(-(intptr_t)c.size) == (void *)-1)
            return;
        erase(i);
    }
}

// ---------------------------------------------------------------- the program's chunks

static void *ask(size_t size, loam_chunk_source source)
{
    if (source == LOAM_CHUNK_MMAP)
        return map(size);
    segment_trim();
    return segment_take(size);
}

void *loam_mem_chunk(size_t size, loam_chunk_source source)
{
    if (size == 0 || (source != LOAM_CHUNK_SBRK && source != LOAM_CHUNK_MMAP)) {
        errno = EINVAL;
        return NULL;
    }
    size_t whole = round_up(size, os_page_size());
    if (whole > PTRDIFF_MAX - os_page_size() || whole < size || !lock_take(&the.lock)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = have_room() ? ask(whole, source) : NULL;
    if (p != NULL)
        add((loam_chunk){.addr = p, .size = whole, .source = source});
    lock_give(&the.lock);
    if (p == NULL)
        errno = ENOMEM;
    return p;
}

static int release(size_t i)
{
    loam_chunk *c = &the.list[i];
    if (c->heap)
        return -EPERM;
    if (c->source == LOAM_CHUNK_MMAP) {
        // The kernel refuses when it would have to split a mapping and the process has too many.
        if (munmap(c->addr, c->size) != 0)
            return -errno;
        erase(i);
        return 0;
    }
    c->released = true;
    madvise(c->addr, c->size, MADV_DONTNEED); // refused for locked memory: then the RAM stays
    segment_trim();
    return 0;
}

int loam_mem_chunk_release(void *addr)
{
    if (!lock_take(&the.lock)) {
        errno = EBUSY;
        return -1;
    }
    int saved = errno;
    size_t i = find(addr);
    int r = -EINVAL;
    if (i < the.count && the.list[i].addr == addr && !the.list[i].released)
        r = release(i);
    lock_give(&the.lock);
    errno = r < 0 ? -r : saved;
    return r < 0 ? -1 : 0;
}

// ---------------------------------------------------------------- looking at the record

bool loam_mem_chunk_at(size_t i, loam_chunk *ret_chunk)
{
    if (!lock_take(&the.lock))
        return false;
    bool found = i < the.count;
    if (found)
        *ret_chunk = the.list[i];
    lock_give(&the.lock);
    return found;
}

// Count or bytes of all chunks that are not released.
static size_t sum(bool bytes)
{
    if (!lock_take(&the.lock))
        return 0;
    size_t n = 0;
    for (size_t i = 0; i < the.count; i++)
        if (!the.list[i].released)
            n += bytes ? the.list[i].size : 1;
    lock_give(&the.lock);
    return n;
}

size_t loam_mem_chunk_count(void)
{
    return sum(false);
}

size_t loam_mem_chunk_bytes(void)
{
    return sum(true);
}

const char *loam_chunk_source_name(loam_chunk_source source)
{
    switch (source) {
    case LOAM_CHUNK_SBRK:
        return "sbrk";
    case LOAM_CHUNK_MMAP:
        return "mmap";
    }
    return "unknown";
}
