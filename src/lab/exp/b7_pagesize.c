// B7 pagesize: the least that the kernel can give.

#include "lab/lab.h"
#include "lab/pages.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

static void write_to(void *of)
{
    *(volatile char *)of = 1;
}

// A mapping of one byte, with nothing behind it.
static void map_one_byte(struct lab *l, size_t page)
{
    char *at = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return;
    mprotect(at, 1, PROT_READ | PROT_WRITE); // the kernel rounds up: it has no finer rights
    struct lab_fault inside = {0}, behind = {0};
    lab_table(l, "rights for one byte, asked of the kernel", "byte|a write");
    if (lab_fault(l, write_to, at + page - 1, &inside) == 0 &&
        lab_fault(l, write_to, at + page, &behind) == 0) {
        lab_row(l, "%zu|%s", page - 1, inside.signal == 0 ? "works" : strsignal(inside.signal));
        lab_row(l, "%zu|%s", page, behind.signal == 0 ? "works" : strsignal(behind.signal));
        lab_check(l, "not_one_byte", inside.signal == 0 && behind.signal == SIGSEGV,
                  "asked for 1 byte, and %s", inside.signal == 0 ? "got a page" : "got less");
    }
    munmap(at, 3 * page);
}

static void run(struct lab *l)
{
    size_t page = l->machine->page, bytes = 64 * page;
    char *at = lab_memory(l, bytes, LAB_4K);
    if (at == NULL)
        return;
    lab_exact(l, "page_bytes", (double)page, "bytes");
    lab_why(l, "page_bytes", "this kernel was built for other pages");
    map_one_byte(l, page);
    long before = pages_present(at, bytes);
    at[10 * page + 5] = 1;
    long after = pages_present(at, bytes);
    if (before < 0 || after < 0)
        lab_cannot(l, "byte_takes", "/proc/self/pagemap cannot be read");
    else
        lab_exact(l, "byte_takes", (double)(after - before) * (double)page, "bytes");
    lab_why(l, "byte_takes", "the kernel gives more than was touched, in larger folios");
}

static const struct claim claims[] = {
    {S3, "topic 3", "size of a page", "4 KiB", "page_bytes", 4096, 4096, "bytes"},
    {S3, "topic 3", "memory that one byte takes", "4 KiB", "byte_takes", 4096, 4096, "bytes"},
    {S3, "topic 3", "one byte from the kernel", "cannot be had", "not_one_byte", 0, 0, NULL},
};

LAB_EXPERIMENT(B7) = {
    .question = "What is the least that the kernel gives?",
    .prediction = "A page of 4 KiB, even for one byte.",
    .method = "One byte of a fresh mapping is written, and /proc/self/pagemap is asked before and "
              "after: the counters of resident memory are kept per processor, and would show "
              "nothing for so little. Then the right to write is asked for one byte, and children "
              "try the last byte of that page and the first one of the next.",
    .look = "What was asked for one byte holds for 4096: the page table has no finer grain.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
