// B9 fault-minor: what the first touch of a page costs.

#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 128 };
#define HUGE_PAGE (2 * MiB)

struct area {
    char *at;
    size_t bytes, page;
};

static void drop(void *of)
{
    const struct area *a = of;
    madvise(a->at, a->bytes, MADV_DONTNEED);
}

static void write_each(void *of, u64 rounds)
{
    const struct area *a = of;
    (void)rounds;
    for (size_t i = 0; i < a->bytes; i += a->page)
        *(volatile char *)(a->at + i) = 1;
}

static void read_each(void *of, u64 rounds)
{
    const struct area *a = of;
    (void)rounds;
    for (size_t i = 0; i < a->bytes; i += a->page)
        (void)*(volatile char *)(a->at + i);
}

// The page of zeroes first, so that the write has to replace it.
static void drop_and_read(void *of)
{
    drop(of);
    read_each(of, 1);
}

static void populate(void *of, u64 rounds)
{
    const struct area *a = of;
    (void)rounds;
    madvise(a->at, a->bytes, MADV_POPULATE_WRITE);
}

// A file in the page cache, mapped privately and only read: frames are there, entries are not.
static bool map_file(struct lab *l, struct area *ret, int *ret_fd)
{
    const char *folder = lab_folder(l);
    char path[512];
    if (folder == NULL)
        return false;
    snprintf(path, sizeof path, "%s/cached", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    static const char block[4096] = {1};
    for (size_t done = 0; fd >= 0 && done < ret->bytes; done += sizeof block)
        if (write(fd, block, sizeof block) != sizeof block)
            break;
    ret->at = fd < 0 ? MAP_FAILED : mmap(NULL, ret->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    *ret_fd = fd;
    return ret->at != MAP_FAILED;
}

static void run(struct lab *l)
{
    size_t page = l->machine->page, bytes = PAGES * page;
    struct area small = {lab_memory(l, bytes, LAB_4K), bytes, page},
                huge = {lab_memory(l, HUGE_PAGE, LAB_HUGE), HUGE_PAGE, HUGE_PAGE},
                file = {NULL, bytes, page};
    int fd = -1;
    if (small.at == NULL || huge.at == NULL || !map_file(l, &file, &fd))
        return;
    *huge.at = 1;
    bool is_huge = lab_smaps(huge.at, "AnonHugePages") >= HUGE_PAGE;
    struct arm arms[] = {
        {"write_4k", .run = write_each, .of = &small, .ops = PAGES, .before = drop},
        {"read_zero_page", .run = read_each, .of = &small, .ops = PAGES, .before = drop},
        {"copy_on_write", .run = write_each, .of = &small, .ops = PAGES, .before = drop_and_read},
        {"populate_4k", .run = populate, .of = &small, .ops = PAGES, .before = drop},
        {"cached_file", .run = read_each, .of = &file, .ops = PAGES, .before = drop},
        {"write_2m_per_4k", .run = write_each, .of = &huge, .ops = 512, .before = drop},
    };
    lab_time(l, arms, countof(arms) - !is_huge);
    if (is_huge)
        lab_ratio(l, "huge_is_cheaper", &arms[0], &arms[5]);
    else
        lab_cannot(l, "huge_is_cheaper", "the kernel gives no huge page here");
    munmap(file.at, bytes);
    close(fd);
}

static const struct claim claims[] = {
    {S3, "topic 3", "a minor fault", "fast: no disk", "write_4k", 0, 10000, "ns"},
    {S4, NULL, "a minor fault", "fast", "write_4k", 0, 10000, "ns"},
    {S4, NULL, "a page of a file that is in memory", "minor, fast", "cached_file", 0, 10000, "ns"},
    {S3, "topic 3", "a huge page, byte for byte", "fewer faults", "huge_is_cheaper", 1.2, INFINITY,
     "x"},
};

LAB_EXPERIMENT(B9) = {
    .question = "What does a page fault cost that needs no disk?",
    .prediction = "Little: the kernel finds a frame, clears it and enters it. No text gives a "
                  "figure; under ten microseconds is taken for fast.",
    .method = "128 pages are thrown away (MADV_DONTNEED, not timed) and touched again: by a write, "
              "by a read, by a write after a read, by one call for all, and in a file that is "
              "cached. A huge page is checked to be one, and its time is told for each 4 KiB.",
    .look = "Clearing 4 KiB is a small part: most of it is the way into the kernel and back, and "
            "the accounting. So a huge page is several times cheaper, and a file's pages are the "
            "cheapest, since one fault maps sixteen of them.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
