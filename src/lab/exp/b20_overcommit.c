// B20 overcommit: more memory than there is.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNTIL = 1 << 20 };

// In a child: memory that may be written, a TiB at a time, never touched.
static void reserve(void *of)
{
    u64 *tib = of;
    while (*tib < UNTIL && mmap(NULL, TiB, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
        ++*tib;
}

// The same, but with the kernel's own idea of how much is too much at once.
static void largest(void *of)
{
    u64 *bytes = of;
    for (u64 size = GiB; size <= 64 * TiB; size *= 2) {
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return;
        munmap(at, size);
        *bytes = size;
    }
}

static u64 of_meminfo(const char *key)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            sscanf(line + strlen(key) + 1, "%llu", &kib);
    }
    if (f != NULL)
        fclose(f);
    return kib * KiB;
}

static void run(struct lab *l)
{
    static const char *const policy[] = {"0: a guess (no more at once than there is)", "1: always",
                                         "2: never more than CommitLimit"};
    u64 *got = lab_shared(l, 2 * sizeof *got);
    struct lab_end end;
    char line[32] = "";
    if (got == NULL || lab_child(l, reserve, &got[0], 0, &end) != 0 ||
        lab_child(l, largest, &got[1], 0, &end) != 0)
        return;
    machine_line("/proc/sys/vm/overcommit_memory", line, sizeof line);
    u32 kind = (u32)atoi(line);
    lab_table(l, "memory, promised and there", "what|GiB");
    lab_row(l, "RAM|%.1f", (double)l->machine->memory / (double)GiB);
    lab_row(l, "swap|%.1f", (double)of_meminfo("SwapTotal") / (double)GiB);
    lab_row(l, "CommitLimit|%.1f", (double)of_meminfo("CommitLimit") / (double)GiB);
    lab_row(l, "largest mapping with a promise of memory|%.0f", (double)got[1] / (double)GiB);
    lab_row(l, "all mappings without one (NORESERVE)|%.0f", (double)got[0] * 1024);
    lab_note(l, "The kernel's policy is %s.", kind < countof(policy) ? policy[kind] : line);
    lab_exact(l, "virtual_over_ram", (double)got[0] * (double)TiB / (double)l->machine->memory,
              "x");
    lab_why(l, "virtual_over_ram", "the kernel's policy forbids promises beyond what it has");
}

static const struct claim claims[] = {
    {S1, NULL, "virtual memory against RAM", "can be larger", "virtual_over_ram", 1.001, INFINITY,
     "x"},
    {S4, NULL, "memory that is promised, against RAM", "overcommit", "virtual_over_ram", 1.001,
     INFINITY, "x"},
};

LAB_EXPERIMENT(B20) = {
    .question = "Can a program have more memory than the machine?",
    .prediction = "Yes, as long as it does not touch all of it.",
    .method = "A child maps a TiB at a time, writable and never touched, until the kernel has no "
              "addresses left. Another looks for the largest mapping that counts as a promise. "
              "The kernel's policy and limits are told beside it.",
    .look = "Addresses run out at the end of the address space, not at the end of RAM. The bill "
            "comes with the first touch of each page; then there may be nobody but the kernel's "
            "OOM killer to pay it.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
