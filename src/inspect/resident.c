// resident.c: /proc/PID/maps says where, /proc/PID/pagemap which OS pages are there.

#include "inspect/resident.h"

#include "report/utf8.h"
#include "target/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// proc(5), "pagemap": what one 64-bit entry says of an OS page.
#define PAGE_PRESENT ((u64)1 << 63)
#define PAGE_SWAPPED ((u64)1 << 62)
#define PAGE_FILE    ((u64)1 << 61) // of the file itself, or shared memory; else a private copy

static struct segment *segment_at(struct facts *f, u64 address)
{
    u64 page = (u64)sysconf(_SC_PAGESIZE);
    for (u32 i = 0; i < f->segments_count; i++) {
        struct segment *s = &f->segments[i];
        u64 start = s->address & ~(page - 1);
        if (s->type == PT_LOAD && address >= start &&
            address - start < round_up(s->address + s->mem_size, page) - start)
            return s;
    }
    return NULL;
}

static void count(struct resident *r, struct segment *s, u64 entry, u64 page)
{
    s->mapped = true;
    r->size += page;
    if ((entry & PAGE_SWAPPED) != 0) {
        s->swapped += page;
        r->swapped += page;
    } else if ((entry & PAGE_PRESENT) != 0) {
        bool own = (entry & PAGE_FILE) == 0;
        s->resident += page;
        r->present += page;
        s->copied += own ? page : 0;
        r->copied += own ? page : 0;
    }
}

// One mapping, page by page.
static int look(struct resident *r, struct facts *f, int pagemap, const struct map *m)
{
    u64 page = (u64)sysconf(_SC_PAGESIZE), entries[512];
    for (u64 at = m->start; at < m->end;) {
        size_t want = size_min(countof(entries), (m->end - at) / page);
        ssize_t n =
            pread(pagemap, entries, want * sizeof *entries, (off_t)(at / page * sizeof *entries));
        if (n <= 0)
            return n < 0 ? -errno : -ESRCH;
        for (size_t i = 0; i < (size_t)n / sizeof *entries; i++, at += page) {
            struct segment *s = segment_at(f, at - r->base);
            if (s != NULL)
                count(r, s, entries[i], page);
        }
    }
    return 0;
}

static bool is_ours(const struct map *m, const struct image *im)
{
    // On an overlay file system the numbers of maps and of stat(2) differ.
    return (m->inode == im->inode && m->major == major(im->device) &&
            m->minor == minor(im->device)) ||
           (im->real != NULL && strcmp(m->path, im->real) == 0);
}

// The first mapping of the file tells how far it was moved.
static bool find_base(struct resident *r, const struct facts *f, const struct image *im,
                      const struct maps *maps)
{
    u64 page = (u64)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < maps->count; i++) {
        const struct map *m = &maps->map[i];
        if (!is_ours(m, im))
            continue;
        for (u32 j = 0; j < f->segments_count; j++) {
            const struct segment *s = &f->segments[j];
            if (s->type == PT_LOAD && (s->offset & ~(page - 1)) == m->offset) {
                r->base = m->start - (s->address & ~(page - 1));
                return true;
            }
        }
    }
    return false;
}

// The file's own mappings, and the anonymous memory behind its last one, where .bss goes on.
static int look_at_all(struct resident *r, struct facts *f, const struct image *im, int pagemap,
                       const struct maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct map *m = &maps->map[i];
        bool tail = i > 0 && maps_anonymous(m) && is_ours(m - 1, im) && m->start == m[-1].end;
        int e = is_ours(m, im) || tail ? look(r, f, pagemap, m) : 0;
        if (e < 0)
            return e;
    }
    return 0;
}

static void read_command(struct resident *r)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", r->pid);
    FILE *in = fopen(path, "re");
    if (in != NULL && fgets(r->command, sizeof r->command, in) != NULL)
        r->command[strcspn(r->command, "\n")] = 0;
    if (in != NULL)
        fclose(in);
    utf8_clean(r->command);
}

static int explain(int error, pid_t pid, char why[IMAGE_WHY])
{
    if (error == -ESRCH)
        snprintf(why, IMAGE_WHY, "there is no process %d, or it has just ended", pid);
    else if (error == -EACCES || error == -EPERM)
        snprintf(why, IMAGE_WHY, "process %d is another user's: try again as root", pid);
    else
        snprintf(why, IMAGE_WHY, "process %d cannot be looked at: %s", pid, strerror(-error));
    return -1;
}

int resident_load(struct resident *r, struct facts *f, const struct image *im, pid_t pid,
                  char why[IMAGE_WHY])
{
    char path[64];
    struct maps maps;
    *r = (struct resident){.pid = pid};
    int e = maps_load(&maps, pid);
    if (e < 0)
        return explain(e, pid, why);
    if (!find_base(r, f, im, &maps)) {
        snprintf(why, IMAGE_WHY, "process %d does not map %.300s", pid, im->path);
        maps_done(&maps);
        return -1;
    }
    snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    e = pagemap < 0 ? (errno == ENOENT ? -ESRCH : -errno) : look_at_all(r, f, im, pagemap, &maps);
    if (pagemap >= 0)
        close(pagemap);
    maps_done(&maps);
    read_command(r);
    return e < 0 ? explain(e, pid, why) : 0;
}
