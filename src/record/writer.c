// writer.c: appending records to this process's blocks of the recording.
//
// A block is taken by counting up header.blocks, and may be used once the tool has raised
// header.size past it (F2). A number that was taken is kept until then: it is never given back.
#include "record/writer.h"

#include "os/os.h"
#include "os/share.h"

#include <string.h>

#define WAIT_MS_MAX  100 // for the tool to make room
#define WAIT_MS_STEP 5
#define ROOM         (RECORDING_BLOCK - sizeof(struct record_block))

struct recording *writer_mapping;

static struct {
    size_t mapped;              // bytes of it
    struct record_block *block; // being filled
    u32 process;
    u32 claimed;    // 1 + number of a block that was taken but is not backed yet
    bool tool_gone; // it did not answer once
} the;

void writer_begin(struct recording *map)
{
    if (map != writer_mapping)
        the.mapped = RECORDING_HEADER;
    writer_mapping = map;
    the.block = NULL;
    the.process = 0;
    the.claimed = 0;
}

u32 writer_process(void)
{
    return the.process;
}

static u64 end_of(u32 number)
{
    return RECORDING_HEADER + ((u64)number + 1) * RECORDING_BLOCK;
}

static bool backed(u32 number)
{
    // Acquire: pairs with the tool's release after its fallocate.
    return end_of(number) <= atomic_load_explicit(&writer_mapping->size, memory_order_acquire);
}

// Map what is backed by now, if block `number` is not mapped yet.
static bool mapped(u32 number)
{
    u64 size = atomic_load_explicit(&writer_mapping->size, memory_order_acquire);
    if (end_of(number) <= the.mapped)
        return true;
    if (os_share_grow(writer_mapping, the.mapped, size) < 0)
        return false;
    the.mapped = size;
    return true;
}

// The tool raises `beat` at least every 100 ms while it lives, and wakes who waits on it or not:
// both are fine, as each wait is short.
static bool wait_until_backed(u32 number)
{
    struct recording *map = writer_mapping;
    atomic_fetch_add_explicit(&map->bell, 1, memory_order_release);
    os_wake(&map->bell);
    u64 end_ns = os_monotonic_ns() + WAIT_MS_MAX * 1000000u;
    while (!backed(number)) {
        u32 beat = atomic_load_explicit(&map->beat, memory_order_relaxed);
        if (atomic_load_explicit(&map->closed, memory_order_relaxed) != 0 ||
            os_monotonic_ns() >= end_ns) {
            the.tool_gone = true;
            return false;
        }
        os_wait(&map->beat, beat, WAIT_MS_STEP);
    }
    return true;
}

static bool claim(u32 *ret_number)
{
    if (the.claimed == 0) {
        // Do not count past the end: the number would grow with every new stack.
        u32 seen = atomic_load_explicit(&writer_mapping->blocks, memory_order_relaxed);
        if (end_of(seen) > writer_mapping->size_max)
            return false;
        the.claimed =
            1 + atomic_fetch_add_explicit(&writer_mapping->blocks, 1, memory_order_relaxed);
    }
    *ret_number = the.claimed - 1;
    return end_of(*ret_number) <= writer_mapping->size_max;
}

static bool take_block(void)
{
    u32 number;
    if (!claim(&number))
        return false;
    if (!backed(number) && (the.tool_gone || !wait_until_backed(number)))
        return false;
    if (!mapped(number))
        return false;
    the.claimed = 0;
    if (the.process == 0)
        the.process = number + 1;
    struct record_block *b = (struct record_block *)((char *)writer_mapping + RECORDING_HEADER +
                                                     number * RECORDING_BLOCK);
    b->process = the.process;
    memcpy(b->magic, "blk\n", sizeof b->magic);
    the.block = b;
    return true;
}

static u32 used(void)
{
    return atomic_load_explicit(&the.block->used, memory_order_relaxed);
}

void *writer_reserve(u32 kind, size_t bytes)
{
    bytes = round_up(bytes, RECORD_UNIT);
    if (writer_mapping == NULL || bytes > ROOM)
        return NULL;
    if ((the.block == NULL || bytes > ROOM - used()) && !take_block())
        return NULL;
    struct record *r = (struct record *)((char *)(the.block + 1) + used());
    memset(r, 0, bytes); // an earlier reservation may have been given up
    *r = (struct record){kind, (u32)bytes};
    return r;
}

void writer_commit(void *record, size_t bytes)
{
    struct record *r = record;
    if (writer_mapping == NULL)
        return; // begun before a fork in a signal handler, and the record is the parent's
    bytes = round_up(bytes, RECORD_UNIT);
    assert(bytes <= r->bytes);
    r->bytes = (u32)bytes;
    // Release: F1, pairs with the reader's acquire.
    atomic_store_explicit(&the.block->used, used() + (u32)bytes, memory_order_release);
}

u32 writer_left(u32 *ret_all)
{
    *ret_all = 0;
    if (writer_mapping == NULL)
        return 0;
    u32 taken = atomic_load_explicit(&writer_mapping->blocks, memory_order_relaxed);
    *ret_all = (u32)((writer_mapping->size_max - RECORDING_HEADER) / RECORDING_BLOCK);
    return taken < *ret_all ? *ret_all - taken : 0;
}
