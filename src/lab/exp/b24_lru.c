// B24 lru: which pages go first.

#include "lab/coldfile.h"
#include "lab/lab.h"
#include "lab/limit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT      (16 * MiB)
#define FILE_BYTES (20 * MiB)
enum { PAGE = 4096, ALL = FILE_BYTES / PAGE, COLD = 2048, HOT = 1024, STRIP = 64 };

// The file in three parts: read once at first, read again and again, read once at the end.
struct job {
    const struct limit *limit;
    int fd;
    unsigned char *there; // shared: what stayed of each page
    bool *done;
};

static bool use(int fd, u32 from, u32 to)
{
    char c;
    for (u32 i = from; i < to; i++)
        if (pread(fd, &c, 1, (off_t)i * PAGE) != 1)
            return false;
    return true;
}

static void fill_up(void *of)
{
    struct job *j = of;
    if (!limit_enter(j->limit))
        return;
    posix_fadvise(j->fd, 0, 0, POSIX_FADV_RANDOM); // no page before it is asked for
    bool read = use(j->fd, 0, COLD + HOT);
    for (u32 i = 0; i < 3; i++)
        read = read && use(j->fd, COLD, COLD + HOT);
    read = read && use(j->fd, COLD + HOT, ALL);
    void *at = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, j->fd, 0);
    *j->done = read && at != MAP_FAILED && mincore(at, FILE_BYTES, j->there) == 0;
}

static u32 gone(const unsigned char *there, u32 from, u32 to)
{
    u32 n = 0;
    for (u32 i = from; i < to; i++)
        n += (there[i] & 1) == 0;
    return n;
}

// One character for as many pages as make the strip 64 long.
static void draw(struct lab *l, const unsigned char *there)
{
    char strip[STRIP + 1] = "", part[STRIP + 1] = "";
    for (u32 i = 0; i < STRIP; i++) {
        u32 from = i * (ALL / STRIP), to = from + ALL / STRIP, n = gone(there, from, to);
        strip[i] = n == 0 ? '#' : n == to - from ? '.' : '+';
        part[i] = from < COLD ? 'o' : from < COLD + HOT ? 'h' : 'n';
    }
    lab_picture(l, "o: oldest, used once; h: used again; n: newest, used once");
    lab_line(l, "%s", part);
    lab_line(l, "%s", strip);
    lab_line(l, "# in memory, . gone, + some gone");
}

static void judge(struct lab *l, const unsigned char *there)
{
    u32 old = gone(there, 0, COLD), hot = gone(there, COLD, COLD + HOT), all = gone(there, 0, ALL);
    if (all == 0) {
        lab_cannot(l, NULL, "nothing was evicted");
        return;
    }
    // The pages lie in the file in the order of their last use: strict LRU takes the first ones.
    draw(l, there);
    lab_exact(l, "evicted", all, "pages");
    lab_exact(l, "as_lru", 100.0 * gone(there, 0, all < ALL ? all : ALL) / all, "%");
    lab_why(l, "as_lru",
            "the kernel keeps no exact order of use, but an active and an inactive "
            "list (or generations)");
    lab_check(l, "hot_stay", (double)hot / HOT < (double)old / COLD,
              "of the oldest %.0f %% are gone, of those used again %.0f %%", 100.0 * old / COLD,
              100.0 * hot / HOT);
}

static void run(struct lab *l)
{
    struct limit limit;
    struct lab_end end;
    if (l->machine->page != PAGE) {
        lab_cannot(l, NULL, "pages are larger than 4 KiB here");
        return;
    }
    struct job j = {&limit, -1, lab_shared(l, ALL), lab_shared(l, 1)};
    if (j.there == NULL || j.done == NULL || !limit_make(l, NULL, LIMIT, &limit))
        return;
    j.fd = coldfile_make(l, NULL, FILE_BYTES);
    if (j.fd < 0)
        return;
    if (lab_child(l, fill_up, &j, 10, &end) == 0 && *j.done)
        judge(l, j.there);
    else
        lab_cannot(l, NULL, "the limit on memory did not let the experiment end");
    close(j.fd);
}

static const struct claim claims[] = {
    {S4, NULL, "evicted, what strict LRU would evict", "least recently used", "as_lru", 95, 100,
     "%"},
    {S0, NULL, "evicted, what strict LRU would evict", "LRU", "as_lru", 95, 100, "%"},
    {S4, NULL, "pages that are used again", "stay", "hot_stay", 0, 0, NULL},
};

LAB_EXPERIMENT(B24) = {
    .question = "Is it the least recently used page that has to go?",
    .prediction = "Yes: the kernel evicts by LRU.",
    .method = "A child may have 16 MiB (a cgroup, as root only) and reads a file of 20: 8 MiB "
              "once, 4 MiB four times, the rest once. No read-ahead. mincore(2) then tells which "
              "pages are left. Pages of a file stand for pages of a heap: the same lists decide "
              "about both, and no swap is needed.",
    .look = "The strip: pages lie in the order of their last use, so that strict LRU would make "
            "one gap at the left. The kernel only knows used and used again.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
