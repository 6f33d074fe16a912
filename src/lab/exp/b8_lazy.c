// B8 lazy: memory comes when it is touched.

#include "lab/lab.h"
#include "lab/pages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static void touch(struct lab *l, char *at, size_t pages, size_t page)
{
    u64 faults = 0;
    u32 series = lab_series(l, "resident", "pages touched", "pages");
    for (size_t done = 0, upto = 1; done < pages; upto *= 2) {
        u64 before = pages_minor_faults(); // drawing the curve takes memory, too: not counted
        for (; done < upto; done++)
            at[done * page] = 1;
        faults += pages_minor_faults() - before;
        lab_point(l, series, (double)done, stat_exact((double)pages_present(at, pages * page)));
    }
    lab_exact(l, "faults_a_page", (double)faults / (double)pages, "faults");
    lab_why(l, "faults_a_page", "the kernel maps more than one page in a fault here");
    lab_exact(l, "after_touch", (double)lab_smaps(at, "Rss") / (double)(pages * page), "x");
}

// Reading first: every page of the mapping is the kernel's one page of zeroes.
static void only_read(struct lab *l, char *at, size_t pages, size_t page)
{
    u64 faults = pages_minor_faults();
    char sum = 0;
    for (size_t i = 0; i < pages; i++)
        sum |= ((volatile char *)at)[i * page];
    faults = pages_minor_faults() - faults;
    u64 first = pages_frame(at), other = pages_frame(at + (pages - 1) * page);
    u64 bytes = lab_smaps(at, "Rss");
    lab_check(l, "read_is_free", sum == 0 && bytes == 0 && first == other,
              "%zu pages read, %llu faults, %llu KiB resident", pages, (unsigned long long)faults,
              (unsigned long long)(bytes >> 10));
}

static void run(struct lab *l)
{
    size_t page = l->machine->page, pages = lab_pick(l, 4096, 32768), room = 64 * GiB;
    char *written = mmap(NULL, room, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *read = lab_memory(l, pages * page, LAB_4K);
    if (written == MAP_FAILED || read == NULL) {
        lab_cannot(l, NULL, "64 GiB cannot be reserved: %s", strerror(errno));
        return;
    }
    madvise(written, room, MADV_NOHUGEPAGE);
    lab_exact(l, "untouched", (double)lab_smaps(written, "Rss"), "bytes");
    only_read(l, read, pages, page); // first: the kernel may make one mapping of the two
    touch(l, written, pages, page);
    munmap(written, room);
}

static const struct claim claims[] = {
    {S3, "topic 3", "RAM for 64 GiB that are reserved", "none before the first touch", "untouched",
     0, 0, "bytes"},
    {S3, "topic 3", "faults for each page written", "the first write faults", "faults_a_page", 1, 1,
     "faults"},
    {S4, NULL, "RAM after writing, against what was written", "what is touched", "after_touch", 1,
     1, "x"},
    {S4, NULL, "a page that is only read", "takes no memory", "read_is_free", 0, 0, NULL},
};

LAB_EXPERIMENT(B8) = {
    .question = "When does memory that was asked for take memory?",
    .prediction = "With the first write to each page, by one page fault each.",
    .method = "64 GiB of addresses are reserved and the kernel is asked what is resident of them. "
              "Then one byte of each page of a part is written, and the thread's own count of "
              "minor faults is read before and after. Huge pages are declined: they would make "
              "one fault of 512.",
    .look = "The line is straight, one page a touch. Reading gives every page the same frame of "
            "zeroes, which belongs to nobody: thousands of faults, and nothing resident.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
