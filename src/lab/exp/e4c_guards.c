// E4c guards: a guard page for each of 100,000 stacks.

#include "lab/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { STACKS = 100000, STACK = 16384, PAGE = 4096 };

static struct outcome {
    u32 by_mprotect, by_madvise, maps_mprotect, maps_madvise;
    int error_mprotect, error_madvise;
    u64 ns_mprotect, ns_madvise;
} * to;

static u32 mappings(void)
{
    u32 n = 0;
    int c;
    FILE *f = fopen("/proc/self/maps", "re");
    while (f != NULL && (c = getc(f)) != EOF)
        n += c == '\n';
    if (f != NULL)
        fclose(f);
    return n;
}

static char *reserve(void)
{
    char *at = mmap(NULL, (size_t)STACKS * STACK, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void with_mprotect(void *of)
{
    (void)of;
    char *at = reserve();
    u64 start = clock_ns();
    while (at != NULL && to->by_mprotect < STACKS &&
           mprotect(at + (size_t)to->by_mprotect * STACK, PAGE, PROT_NONE) == 0)
        to->by_mprotect++;
    to->error_mprotect = errno;
    to->ns_mprotect = clock_ns() - start;
    to->maps_mprotect = mappings();
}

static void with_madvise(void *of)
{
    (void)of;
    char *at = reserve();
    u64 start = clock_ns();
    while (at != NULL && to->by_madvise < STACKS &&
           madvise(at + (size_t)to->by_madvise * STACK, PAGE, MADV_GUARD_INSTALL) == 0)
        to->by_madvise++;
    to->error_madvise = errno;
    to->ns_madvise = clock_ns() - start;
    to->maps_madvise = mappings();
}

static void run(struct lab *l)
{
    struct lab_end end;
    to = lab_shared(l, sizeof *to);
    if (to == NULL || lab_child(l, with_mprotect, NULL, 15, &end) != 0 ||
        lab_child(l, with_madvise, NULL, 15, &end) != 0)
        return;
    lab_table(l, "a guard page for each of 100,000 stacks", "by|stacks|mappings|each|then");
    lab_row(l, "mprotect|%u|%u|%.2f us|%s", to->by_mprotect, to->maps_mprotect,
            (double)to->ns_mprotect * 1e-3 / (to->by_mprotect + 1),
            to->by_mprotect < STACKS ? strerror(to->error_mprotect) : "all");
    lab_row(l, "MADV_GUARD_INSTALL|%u|%u|%.2f us|%s", to->by_madvise, to->maps_madvise,
            (double)to->ns_madvise * 1e-3 / (to->by_madvise + 1),
            to->by_madvise < STACKS ? strerror(to->error_madvise) : "all");
    lab_exact(l, "guards_by_mprotect", to->by_mprotect, "stacks");
    lab_why(l, "guards_by_mprotect",
            "each guard splits a mapping, and the kernel allows only "
            "vm.max_map_count of them");
    if (to->by_madvise == 0)
        lab_cannot(l, "guards_by_madvise", "this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
    else
        lab_exact(l, "guards_by_madvise", to->by_madvise, "stacks");
}

static const struct claim claims[] = {
    {S3, "topic 6", "100,000 stacks, by mprotect", "each with a guard page", "guards_by_mprotect",
     STACKS, STACKS, "stacks"},
    {S3, "topic 6", "100,000 stacks, by madvise", "each with a guard page", "guards_by_madvise",
     STACKS, STACKS, "stacks"},
};

LAB_EXPERIMENT(E4c) = {
    .question = "Can each of 100,000 stacks have a guard page?",
    .prediction = "Two texts put a guard page below every stack. With 100,000 stacks that is twice "
                  "as many mappings, and the kernel has a limit.",
    .method = "A child reserves the addresses of 100,000 stacks and makes the lowest page of each "
              "inaccessible, until the kernel says no: by mprotect, and by the newer advice that "
              "marks the page in its table and leaves the mapping whole.",
    .look = "mprotect ends at half of vm.max_map_count (65,530 as a rule); the advice takes all, "
            "with one mapping more. loam's tasks use it where the kernel has it.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
