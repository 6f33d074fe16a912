// D14 disk: a page from the disk, in cycles.

#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PAGE = 4096, READS = 400 };

// Does the device under `fd` turn? -1: nobody knows.
static int rotates(int fd)
{
    struct stat s;
    char path[128], line[16];
    if (fstat(fd, &s) != 0)
        return -1;
    for (int up = 0; up < 2; up++) { // a partition has no queue of its own: its disk has
        snprintf(path, sizeof path, "/sys/dev/block/%u:%u/%squeue/rotational", major(s.st_dev),
                 minor(s.st_dev), up != 0 ? "../" : "");
        if (machine_line(path, line, sizeof line))
            return line[0] == '1';
    }
    return -1;
}

static bool fill(int fd, u64 bytes, struct rng *rng)
{
    u64 block[PAGE / 8];
    for (u64 at = 0; at < bytes; at += PAGE) {
        for (u32 i = 0; i < countof(block); i++)
            block[i] = rng_next(rng);
        if (write(fd, block, PAGE) != PAGE)
            return false;
    }
    return fsync(fd) == 0;
}

// Is any page of the file still in memory?
static bool still_cached(int fd, u64 bytes)
{
    unsigned char there[256] = {0};
    u64 part = bytes < 256 * PAGE ? bytes : 256 * PAGE;
    void *at = mmap(NULL, part, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED || mincore(at, part, there) != 0)
        return true;
    u32 count = 0;
    for (u32 i = 0; i < part / PAGE; i++)
        count += there[i] & 1;
    munmap(at, part);
    return count > 16;
}

static void read_cold(struct lab *l, int fd, u64 bytes)
{
    double ns[READS];
    char page[PAGE];
    u32 n = 0;
    u64 until = clock_ns() + (l->full ? 4 : 1) * 1000000000ull;
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM); // one page, and none ahead
    while (n < READS && clock_ns() < until) {
        u64 at = rng_below(&l->rng, bytes / PAGE) * PAGE, start = clock_ns();
        if (pread(fd, page, PAGE, (off_t)at) != PAGE)
            break;
        ns[n++] = (double)(clock_ns() - start);
    }
    lab_distribution(l, "page_ns", ns, n, "ns");
    for (u32 i = 0; i < n; i++)
        ns[i] *= l->machine->core_ghz;
    struct samples cycles = {0};
    for (u32 i = 0; i < n; i++)
        samples_add(&cycles, ns[i]);
    struct summary s = stat_summary(&cycles, false);
    int turning = rotates(fd);
    if (turning == 1 && s.median < 0.5e6 * l->machine->core_ghz) {
        lab_note(l,
                 "The kernel says that this disk turns, but no disk that turns answers so fast.");
        turning = 0;
    }
    lab_measured(l, turning == 1 ? "hdd_cycles" : "ssd_cycles", s, "cycles");
    lab_cannot(l, turning == 1 ? "ssd_cycles" : "hdd_cycles", "%s",
               turning == 1 ? "the disk here turns" : "no disk here turns");
    if (turning < 0)
        lab_note(l, "Nobody tells what kind of disk this is; it is judged as one without moving "
                    "parts.");
    samples_done(&cycles);
}

static void run(struct lab *l)
{
    u64 bytes = lab_pick(l, 16, 64) * MiB;
    const char *folder = lab_folder(l);
    char path[512];
    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/pages", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || !fill(fd, bytes, &l->rng)) {
        lab_cannot(l, NULL, "no file could be written in %s: %s", folder, strerror(errno));
    } else {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        if (still_cached(fd, bytes))
            lab_cannot(l, NULL, "the file stays in memory (%s is on tmpfs?)", folder);
        else
            read_cold(l, fd, bytes);
    }
    if (fd >= 0)
        close(fd);
}

static const struct claim claims[] = {
    {S4, NULL, "a page from an SSD", "100,000+ cycles", "ssd_cycles", 100000, INFINITY, "cycles"},
    {S4, NULL, "a page from a hard disk", "1,000,000+ cycles", "hdd_cycles", 1000000, INFINITY,
     "cycles"},
};

LAB_EXPERIMENT(D14) = {
    .question = "How many cycles pass until a page comes from the disk?",
    .prediction = "A hundred thousand from an SSD, a million and more from a disk that turns.",
    .method =
        "A file of random bytes is written and synced, and its pages are dropped from memory "
        "(POSIX_FADV_DONTNEED; mincore must confirm it). Then single pages are read at random "
        "places, with read-ahead off, and each is timed.",
    .look = "The median and the tail: a virtual disk may be cached by its host, and then be faster "
            "than any real one.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
