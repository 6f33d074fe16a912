// pack: from what record.so wrote to the short form that replay reads.
//
//     pack RAW TRACE
//
// Frees of blocks that were taken before recording began are left out.

#include "traces/trace.h"

#include "bench.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

// From addresses to slots; linear probing, at most half full.
struct map {
    struct {
        uint64_t address; // 0: empty
        uint32_t slot;
    } * at;
    size_t capacity, count;
};

static size_t place(const struct map *m, uint64_t address)
{
    size_t i = (address * 0x9e3779b97f4a7c15u) >> 16 & (m->capacity - 1);
    while (m->at[i].address != 0 && m->at[i].address != address)
        i = (i + 1) & (m->capacity - 1);
    return i;
}

static void map_put(struct map *m, uint64_t address, uint32_t slot)
{
    if (2 * m->count >= m->capacity) {
        struct map old = *m;
        m->capacity = old.capacity == 0 ? 1 << 16 : 2 * old.capacity;
        m->count = 0;
        m->at = calloc(m->capacity, sizeof *m->at);
        check(m->at != NULL);
        for (size_t i = 0; i < old.capacity; i++) {
            if (old.at[i].address != 0)
                map_put(m, old.at[i].address, old.at[i].slot);
        }
        free(old.at);
    }
    size_t i = place(m, address);
    check(m->at[i].address == 0); // one address, two blocks: the recording is wrong
    m->at[i].address = address;
    m->at[i].slot = slot;
    m->count++;
}

// Remove it; -1 if it is not there. What was pushed aside by it moves up.
static int64_t map_take(struct map *m, uint64_t address)
{
    if (m->capacity == 0)
        return -1;
    size_t i = place(m, address);
    if (m->at[i].address == 0)
        return -1;
    uint32_t slot = m->at[i].slot;
    m->at[i].address = 0;
    m->count--;
    for (size_t k = (i + 1) & (m->capacity - 1); m->at[k].address != 0;
         k = (k + 1) & (m->capacity - 1)) {
        uint64_t moved = m->at[k].address;
        m->at[k].address = 0;
        size_t to = place(m, moved);
        m->at[to].address = moved;
        m->at[to].slot = m->at[k].slot;
    }
    return slot;
}

struct packer {
    FILE *out;
    struct map map;
    uint32_t *spare; // slots that are free again, a stack
    size_t spare_count;
    struct trace_header head;
};

static uint32_t slot_new(struct packer *p)
{
    return p->spare_count > 0 ? p->spare[--p->spare_count] : (uint32_t)p->head.slots++;
}

static void put_number(struct packer *p, uint64_t n)
{
    for (; n >= 128; n >>= 7)
        putc((int)(n & 127) | 128, p->out);
    putc((int)n, p->out);
}

static void put_event(struct packer *p, enum trace_kind kind, uint32_t slot,
                      const struct raw_event *e)
{
    putc((int)kind, p->out);
    put_number(p, slot);
    if (kind != TRACE_FREE)
        put_number(p, e->size);
    if (kind == TRACE_ALIGNED)
        put_number(p, e->align);
    p->head.events++;
}

static void pack(struct packer *p, const struct raw_event *e)
{
    enum trace_kind kind = (enum trace_kind)e->kind;
    if (kind == TRACE_FREE) {
        int64_t slot = map_take(&p->map, e->address);
        if (slot < 0)
            return;
        put_event(p, kind, (uint32_t)slot, e);
        p->spare[p->spare_count++] = (uint32_t)slot;
        return;
    }
    int64_t old = kind == TRACE_REALLOC ? map_take(&p->map, e->old) : -1;
    if (kind == TRACE_REALLOC && old < 0)
        kind = TRACE_ALLOC;
    uint32_t slot = old >= 0 ? (uint32_t)old : slot_new(p);
    map_put(&p->map, e->address, slot);
    put_event(p, kind, slot, e);
}

int main(int argc, char **argv)
{
    check(argc == 3);
    int fd = open(argv[1], O_RDONLY);
    check(fd >= 0);
    struct raw_file *raw = mmap(NULL, RAW_FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    check(raw != MAP_FAILED);
    struct packer p = {.out = fopen(argv[2], "w")};
    check(p.out != NULL);
    p.spare = take((raw->count + 1) * sizeof *p.spare);
    memcpy(p.head.magic, TRACE_MAGIC, sizeof p.head.magic);
    check(fwrite(&p.head, sizeof p.head, 1, p.out) == 1);
    for (uint64_t i = 0; i < raw->count; i++)
        pack(&p, &raw->event[i]);
    rewind(p.out);
    check(fwrite(&p.head, sizeof p.head, 1, p.out) == 1);
    check(fclose(p.out) == 0);
    printf("%llu events, %llu slots\n", (unsigned long long)p.head.events,
           (unsigned long long)p.head.slots);
    return 0;
}
