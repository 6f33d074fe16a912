// replay: the calls that a real program made, made again.
//
//     replay [-s SCALE] TRACE
//
// All calls come from one thread in the order in which they were recorded, and the trace is
// repeated until about thirty million were made. Each line of a block's first 4 KiB and one word of
// each further OS page is written, as the program will have done; that the block's ends are still
// right is checked before it is freed. The trace is read in small pieces and the table of blocks is
// mapped apart, so that both weigh the same under every allocator.

#include "bench.h"
#include "traces/trace.h"

#include <fcntl.h>
#include <sys/mman.h>

struct reader {
    int fd;
    unsigned char buffer[16 * 1024];
    size_t at, end;
};

struct block {
    unsigned char *p; // NULL: the slot is free
    size_t size;
};

static unsigned next_byte(struct reader *r)
{
    if (r->at == r->end) {
        ssize_t n = read(r->fd, r->buffer, sizeof r->buffer);
        check(n > 0);
        r->at = 0;
        r->end = (size_t)n;
    }
    return r->buffer[r->at++];
}

static inline uint64_t next_number(struct reader *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
        unsigned byte = next_byte(r);
        n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return n;
    }
}

static unsigned char mark_of(const struct block *b)
{
    return (unsigned char)(b->size * 31 + 7);
}

static void write_marks(struct block *b, size_t from)
{
    size_t near = b->size < 4 * KiB ? b->size : 4 * KiB;
    for (size_t i = from; i < near; i += 64)
        b->p[i] = 1;
    touch(b->p, b->size);
    if (b->size > 0)
        b->p[0] = b->p[b->size - 1] = mark_of(b);
}

static void check_marks(const struct block *b)
{
    check(b->p != NULL);
    check(b->size == 0 || (b->p[0] == mark_of(b) && b->p[b->size - 1] == mark_of(b)));
}

static void reallocate(struct block *b, size_t size)
{
    check_marks(b);
    size_t old_size = b->size;
    b->p = realloc(b->p, size);
    b->size = size;
    check(b->p != NULL);
    write_marks(b, old_size < size ? old_size : size);
}

static void do_event(struct reader *r, struct block *blocks, size_t slots)
{
    enum trace_kind kind = (enum trace_kind)next_byte(r);
    size_t slot = next_number(r);
    check(kind < TRACE_KINDS && slot < slots);
    struct block *b = &blocks[slot];
    if (kind == TRACE_FREE) {
        check_marks(b);
        free(b->p);
        b->p = NULL;
        return;
    }
    size_t size = next_number(r);
    if (kind == TRACE_REALLOC) {
        reallocate(b, size);
        return;
    }
    b->size = size;
    if (kind == TRACE_ALIGNED)
        b->p = aligned_alloc((size_t)1 << next_number(r), size);
    else
        b->p = kind == TRACE_ZEROED ? calloc(1, size) : malloc(size);
    check(b->p != NULL && (kind != TRACE_ZEROED || size == 0 || b->p[size - 1] == 0));
    write_marks(b, 0);
}

static void replay(struct reader *r, struct block *blocks, const struct trace_header *head)
{
    lseek(r->fd, sizeof *head, SEEK_SET);
    r->at = r->end = 0;
    for (uint64_t i = 0; i < head->events; i++)
        do_event(r, blocks, head->slots);
    for (size_t i = 0; i < head->slots; i++) { // what the program left at its end
        free(blocks[i].p);
        blocks[i].p = NULL;
    }
}

int main(int argc, char **argv)
{
    static struct reader r;
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct trace_header head;
    r.fd = open(b.mode, O_RDONLY);
    check(r.fd >= 0 && read(r.fd, &head, sizeof head) == (ssize_t)sizeof head);
    check(memcmp(head.magic, TRACE_MAGIC, sizeof head.magic) == 0);
    check(head.events > 0 && head.slots < (uint64_t)1 << 32);
    struct block *blocks = mmap(NULL, (head.slots + 1) * sizeof *blocks, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(blocks != MAP_FAILED);
    for (size_t i = 0, n = scaled(&b, 3e7 / (double)head.events); i < n; i++)
        replay(&r, blocks, &head);
    printf("%llu events\n", (unsigned long long)head.events);
    return 0;
}
