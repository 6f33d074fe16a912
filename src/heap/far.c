// far.c: blocks outside the arena, each in a mapping of its own.
//
// The last resort: when the arena cannot grow, when an alignment is larger than the arena's own,
// and when a signal handler allocates while the thread it interrupted holds a lock of the heap.
// That is why the table needs no lock: an entry is claimed by one compare-and-swap.
#include "heap/arena.h"

#define FAR_MAX 1024

static struct far_block far_table[FAR_MAX];
#define FAR_BUSY 1 // addr while an entry is being filled or emptied

static struct far_block *claim_entry(void)
{
    for (size_t i = 0; i < FAR_MAX; i++) {
        u64 free = 0;
        if (atomic_load_explicit(&far_table[i].addr, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&far_table[i].addr, &free, FAR_BUSY)) {
            if (loam_heap_root.far_count < i + 1) { // a hint for readers; grows only
                loam_heap_root.far = (u64)(uintptr_t)far_table;
                __atomic_store_n(&loam_heap_root.far_count, FAR_MAX, __ATOMIC_RELEASE);
            }
            return &far_table[i];
        }
    }
    return NULL;
}

void *far_alloc(size_t size, size_t align)
{
    size_t bytes = round_up(size_max(size, 1), OS_PAGE);
    size_t slack = align > OS_PAGE ? align : 0;
    struct far_block *f = claim_entry();
    if (f == NULL)
        return NULL;
    char *p = os_map(bytes + slack);
    if (p == NULL) {
        atomic_store(&f->addr, 0);
        return NULL;
    }
    char *block = slack > 0 ? (char *)round_up((uintptr_t)p, align) : p;
    if (block > p)
        os_unmap(p, (size_t)(block - p));
    if (block + bytes < p + bytes + slack)
        os_unmap(block + bytes, (size_t)(p + bytes + slack - (block + bytes)));
    __atomic_store_n(&f->bytes, bytes, __ATOMIC_RELAXED);
    f->usable = bytes;
    f->tag[0] = f->tag[1] = f->tag[2] = f->tag[3] = 0;
    atomic_store_explicit(&f->addr, (u64)(uintptr_t)block, memory_order_release);
    return block;
}

struct far_block *far_find(const void *p)
{
    u64 a = (u64)(uintptr_t)p;
    for (u64 i = 0; i < loam_heap_root.far_count; i++) {
        struct far_block *f = &far_table[i];
        u64 start = atomic_load_explicit(&f->addr, memory_order_acquire);
        u64 bytes = __atomic_load_n(&f->bytes, __ATOMIC_ACQUIRE);
        // Looked at twice: between the two the entry may have been given to another block.
        if (start > FAR_BUSY && a - start < bytes &&
            atomic_load_explicit(&f->addr, memory_order_relaxed) == start)
            return f;
    }
    return NULL;
}

bool far_free(void *p)
{
    struct far_block *f = far_find(p);
    u64 addr = (u64)(uintptr_t)p;
    if (f == NULL || !atomic_compare_exchange_strong(&f->addr, &addr, FAR_BUSY))
        return false;
    os_unmap(p, f->bytes);
    atomic_store_explicit(&f->addr, 0, memory_order_release);
    return true;
}
