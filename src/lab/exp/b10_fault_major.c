// B10 fault-major: a page fault that waits for a disk.

#include "lab/coldfile.h"
#include "lab/lab.h"
#include "lab/limit.h"
#include "lab/pages.h"
#include "lab/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

enum { MOST = 2000 };
#define LIMIT  (16 * MiB)
#define DEMAND (32 * MiB)
#define SWAP   (64 * MiB)

// Times of single touches, by the kind of fault that they took.
struct touches {
    u32 major, minor;
    double major_ns[MOST], minor_ns[MOST];
    bool entered;
};

static void touch(struct touches *t, volatile char *at)
{
    u64 majors = pages_major_faults(), start = clock_ns();
    (void)*at;
    double ns = (double)(clock_ns() - start);
    if (pages_major_faults() > majors)
        t->major_ns[t->major++] = ns;
    else if (t->minor < MOST)
        t->minor_ns[t->minor++] = ns;
}

static double median(double *values, u32 n)
{
    stat_sort(values, n);
    return stat_quantile(values, n, 0.5);
}

// ---------------------------------------------------------------- from a file

static void from_file(struct lab *l, struct touches *t, char *fresh)
{
    u64 bytes = lab_pick(l, 16, 64) * MiB, page = l->machine->page;
    u32 pages = (u32)(bytes / page), *order = lab_memory(l, pages * sizeof *order, LAB_4K);
    int fd = order == NULL ? -1 : coldfile_make(l, "file", bytes);
    char *at = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return;
    madvise(at, bytes, MADV_RANDOM); // one page, and none ahead
    rng_shuffle(&l->rng, order, pages);
    u64 until = clock_ns() + (l->full ? 2000 : 500) * 1000000ull;
    for (u32 i = 0; i < pages && i < MOST / 2 && clock_ns() < until; i++) {
        touch(t, at + order[i] * page);
        touch(t, fresh + i * page); // memory that is new: a minor fault
    }
    munmap(at, bytes);
    close(fd);
    if (t->major < 10 || t->minor < 10) {
        lab_cannot(l, "file", "the file's pages did not come from a disk");
        lab_cannot(l, "file_over_minor", "the file's pages did not come from a disk");
        return;
    }
    lab_distribution(l, "minor", t->minor_ns, t->minor, "ns");
    lab_distribution(l, "file", t->major_ns, t->major, "ns");
    lab_measured(l, "file_over_minor",
                 stat_exact(median(t->major_ns, t->major) / median(t->minor_ns, t->minor)), "x");
}

// ---------------------------------------------------------------- from swap

// What mkswap(8) writes: version, last page, and a word at the first page's end.
static bool format(int fd, u64 page)
{
    char *first = calloc(1, page);
    u32 header[2] = {1, (u32)(SWAP / page - 1)};
    if (first == NULL)
        return false;
    memcpy(first + 1024, header, sizeof header);
    memcpy(first + page - 10, "SWAPSPACE2", 10);
    bool done = pwrite(fd, first, page, 0) == (ssize_t)page && fsync(fd) == 0;
    free(first);
    return done;
}

// A swap file of our own, known to the list of things to remove before it is there.
static bool swap_begin(struct lab *l, char path[512])
{
    const char *folder = lab_folder(l);
    if (folder == NULL)
        return false;
    snprintf(path, 512, "%s/loam-lab.swap", folder);
    state_add("swap", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)SWAP);
    bool done = r == 0 && format(fd, l->machine->page);
    if (fd >= 0)
        close(fd);
    if (done && swapon(path, 0) == 0)
        return true;
    lab_cannot(l, "swap", "no swap file can be used here: %s", strerror(r != 0 ? r : errno));
    unlink(path);
    return false;
}

struct child {
    const struct limit *limit;
    struct touches *t;
    struct rng rng;
    u64 page;
};

// In the limited child: twice as much as may stay, and then back to any of it.
static void over_the_limit(void *of)
{
    struct child *c = of;
    char *at = mmap(NULL, DEMAND, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    c->t->entered = limit_enter(c->limit) && at != MAP_FAILED;
    if (!c->t->entered)
        return;
    madvise(at, DEMAND, MADV_NOHUGEPAGE);
    for (u64 i = 0; i < DEMAND; i += c->page)
        *(u64 *)(void *)(at + i) = i;
    u64 until = clock_ns() + 500000000ull;
    for (u32 i = 0; i < 2 * MOST && c->t->major < MOST && clock_ns() < until; i++)
        touch(c->t, at + rng_below(&c->rng, DEMAND / c->page) * c->page);
}

static void from_swap(struct lab *l)
{
    struct limit limit;
    struct lab_end end;
    char path[512];
    struct touches *t = lab_shared(l, sizeof *t);
    if (t == NULL || !limit_make(l, "swap", LIMIT, &limit) || !swap_begin(l, path))
        return;
    struct child c = {&limit, t, l->rng, l->machine->page};
    int r = lab_child(l, over_the_limit, &c, 5, &end);
    swapoff(path);
    unlink(path);
    if (r == 0 && t->entered && t->major >= 10)
        lab_distribution(l, "swap", t->major_ns, t->major, "ns");
    else
        lab_cannot(l, "swap", "the kernel swapped nothing out under a limit of 16 MiB");
}

static void run(struct lab *l)
{
    struct touches *t = lab_shared(l, sizeof *t);
    char *fresh = lab_memory(l, MOST * l->machine->page, LAB_4K);
    if (t == NULL || fresh == NULL)
        return;
    from_file(l, t, fresh);
    from_swap(l);
    lab_why(l, "file", "milliseconds are those of a disk that turns");
    lab_why(l, "swap", "milliseconds are those of a disk that turns");
}

static const struct claim claims[] = {
    {S3, "topic 3", "a page from swap", "milliseconds", "swap", 1e6, 1e9, "ns"},
    {S3, "topic 3", "a page from a file on disk", "milliseconds", "file", 1e6, 1e9, "ns"},
    {S4, NULL, "a major fault against a minor one", "slow", "file_over_minor", 10, INFINITY, "x"},
};

LAB_EXPERIMENT(B10) = {
    .question = "How long does a program wait for a page from the disk?",
    .prediction = "Milliseconds; a minor fault takes a thousandth of that.",
    .method = "A file is written, synced, dropped from memory and mapped without read-ahead; pages "
              "in random order are touched once, each touch is timed, and the kernel's counter of "
              "major faults tells which of them waited. For swap, as root only, a child under a "
              "limit of 16 MiB uses 32, with a swap file that lives as long as the experiment. "
              "Pages that come out of the swap cache are minor faults, and are not counted.",
    .look = "The histograms: minor faults below a microsecond or two, major ones some fifty times "
            "as long on a disk without moving parts, with a tail. Milliseconds are the past.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
