// memory.c: another process's memory as a target for the scan.
#include "target/memory.h"
#include "target/pagescan.h"
#include "target/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES    256
#define SPARSE    ((size_t)256 * KiB) // from here on it pays to ask which pages are there
#define CALL_MAX  ((size_t)1 * GiB)   // bytes in one call; the kernel stops short of 2 GiB
#define ROOM_FROM ((size_t)64 * MiB)  // smaller mappings are not worth asking about

// ---------------------------------------------------------------- copying

struct batch {
    struct memory *m;
    size_t count, bytes;
    struct iovec ours[PIECES], theirs[PIECES];
};

// Step over `n` bytes of the batch from entry *at on.
static void advance(struct batch *b, size_t *at, size_t n)
{
    while (*at < b->count && n >= b->theirs[*at].iov_len)
        n -= b->theirs[(*at)++].iov_len;
    if (*at == b->count)
        return;
    b->ours[*at].iov_base = (char *)b->ours[*at].iov_base + n;
    b->ours[*at].iov_len -= n;
    b->theirs[*at].iov_base = (char *)b->theirs[*at].iov_base + n;
    b->theirs[*at].iov_len -= n;
}

// What is left of the first entry's first OS page: the part that could not be read.
static size_t bad_bytes(const struct memory *m, const struct iovec *theirs)
{
    size_t in_page = (uintptr_t)theirs->iov_base & (m->os_page - 1);
    return size_min(theirs->iov_len, m->os_page - in_page);
}

static ssize_t read_mem(struct memory *m, const struct iovec *ours, const struct iovec *theirs)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", m->tid);
    if (m->mem < 0 && (m->mem = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return -1;
    ssize_t n = pread(m->mem, ours->iov_base, theirs->iov_len, (off_t)(uintptr_t)theirs->iov_base);
    if (n == 0) { // the address space is gone
        errno = ESRCH;
        return -1;
    }
    if (n < 0 && errno == EIO)
        errno = EFAULT;
    return n;
}

static ssize_t read_some(struct batch *b, size_t at)
{
    struct memory *m = b->m;
    if (!m->slow) {
        ssize_t n =
            process_vm_readv(m->tid, b->ours + at, b->count - at, b->theirs + at, b->count - at, 0);
        if (n >= 0 || (errno != EPERM && errno != ENOSYS))
            return n;
        m->slow = true;
    }
    return read_mem(m, &b->ours[at], &b->theirs[at]);
}

static int flush(struct batch *b)
{
    for (size_t at = 0; at < b->count;) {
        ssize_t n = read_some(b, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EFAULT)
            return -errno;
        advance(b, &at, n > 0 ? (size_t)n : bad_bytes(b->m, &b->theirs[at]));
    }
    b->count = b->bytes = 0;
    return 0;
}

static int put(struct batch *b, u64 from, char *to, size_t size)
{
    while (size != 0) {
        size_t n = size_min(size, CALL_MAX - b->bytes);
        b->ours[b->count] = (struct iovec){to, n};
        b->theirs[b->count++] = (struct iovec){(void *)(uintptr_t)from, n};
        b->bytes += n;
        from += n;
        to += n;
        size -= n;
        int e = b->count == PIECES || b->bytes == CALL_MAX ? flush(b) : 0;
        if (e < 0)
            return e;
    }
    return 0;
}

struct sparse {
    struct batch *b;
    const struct piece *piece;
};

static int put_present(void *ctx, u64 start, u64 end)
{
    struct sparse *s = ctx;
    const struct piece *p = s->piece;
    u64 from = start > p->from ? start : p->from;
    u64 to = size_min(end, p->from + p->size);
    return from < to ? put(s->b, from, (char *)p->to + (from - p->from), to - from) : 0;
}

static int memory_read(struct target *t, const struct piece *pieces, size_t count)
{
    struct batch b = {.m = (struct memory *)t};
    int e = 0;
    for (size_t i = 0; e == 0 && i < count; i++) {
        const struct piece *p = &pieces[i];
        struct sparse s = {&b, p};
        if (p->size < SPARSE)
            e = put(&b, p->from, p->to, p->size);
        else
            e = memory_present(b.m, p->from, p->from + p->size, put_present, &s);
    }
    return e == 0 ? flush(&b) : e;
}

// ---------------------------------------------------------------- what is there

static int present_by_scan(struct memory *m, u64 start, u64 end,
                           int (*each)(void *ctx, u64 start, u64 end), void *ctx, bool *ret_known)
{
    struct pagescan_region region[256];
    struct pagescan_arg arg = {
        .size = sizeof arg,
        .end = end,
        .vec = (u64)(uintptr_t)region,
        .vec_len = countof(region),
        .category_inverted = PAGESCAN_ZERO,
        .category_mask = PAGESCAN_ZERO,
        .category_anyof_mask = PAGESCAN_PRESENT | PAGESCAN_SWAPPED,
        .return_mask = PAGESCAN_ZERO, // the same for all, so that neighbours are merged
    };
    *ret_known = true;
    for (u64 at = start; at < end; at = arg.walk_end) {
        arg.start = at;
        int n = ioctl(m->pagemap, PAGESCAN_IOCTL, &arg);
        if (n < 0) {
            *ret_known = at > start; // half-way: the process is gone, reads will say so
            return 0;
        }
        for (int i = 0; i < n; i++) {
            int e = each(ctx, region[i].start, region[i].end);
            if (e != 0)
                return e;
        }
        if (arg.walk_end <= at)
            return 0;
    }
    return 0;
}

#define ENTRY_THERE ((u64)3 << 62) // present or swapped

static int present_by_table(struct memory *m, u64 start, u64 end,
                            int (*each)(void *ctx, u64 start, u64 end), void *ctx)
{
    u64 entry[2048], run = 0; // run: start of the touched pages that end at `at`, 0 = none
    for (u64 at = start; at < end;) {
        size_t want = size_min(countof(entry), (end - at) / m->os_page);
        ssize_t n = pread(m->pagemap, entry, want * sizeof *entry,
                          (off_t)(at / m->os_page * sizeof *entry));
        size_t got = n > 0 ? (size_t)n / sizeof *entry : 0;
        for (size_t i = got; i < want; i++)
            entry[i] = ENTRY_THERE; // not told: take it as touched
        for (size_t i = 0; i < want; i++, at += m->os_page) {
            bool there = (entry[i] & ENTRY_THERE) != 0;
            if (there && run == 0)
                run = at;
            if (there || run == 0)
                continue;
            int e = each(ctx, run, at);
            if (e != 0)
                return e;
            run = 0;
        }
    }
    return run != 0 ? each(ctx, run, end) : 0;
}

int memory_present(struct memory *m, u64 start, u64 end, int (*each)(void *ctx, u64 start, u64 end),
                   void *ctx)
{
    start &= ~(u64)(m->os_page - 1);
    end = round_up(end, m->os_page);
    if (m->pagemap < 0)
        return each(ctx, start, end);
    bool known;
    int e = present_by_scan(m, start, end, each, ctx, &known);
    return known ? e : present_by_table(m, start, end, each, ctx);
}

// ---------------------------------------------------------------- memory of our own

static void *memory_map(struct target *t, size_t size)
{
    struct memory *m = (struct memory *)t;
    if (size >= ROOM_FROM && !room_for(size_min(size, room_resident(m->tid))))
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p != MAP_FAILED ? p : NULL;
}

static void memory_unmap(struct target *t, void *at, size_t size)
{
    (void)t;
    munmap(at, size);
}

void memory_open(struct memory *m, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", tid);
    *m = (struct memory){
        .target = {memory_read, memory_map, memory_unmap},
        .tid = tid,
        .pagemap = open(path, O_RDONLY | O_CLOEXEC),
        .mem = -1,
        .os_page = (size_t)sysconf(_SC_PAGESIZE),
    };
}

void memory_close(struct memory *m)
{
    if (m->pagemap >= 0)
        close(m->pagemap);
    if (m->mem >= 0)
        close(m->mem);
    m->pagemap = m->mem = -1;
}
