// B12 segv: an address where nothing is.

#include "lab/lab.h"
#include "lab/pages.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

enum { HOLE = 256 };

static void write_to(void *of)
{
    *(volatile int *)of = 42;
}

static bool is_map_error(struct lab *l, const char *what, u64 address)
{
    struct lab_fault f = {0};
    if (lab_fault(l, write_to, (void *)(uintptr_t)address, &f) != 0)
        return false;
    lab_row(l, "%s|%#llx|%s|%s|%#llx", what, (unsigned long long)address,
            f.signal == 0 ? "nothing happened" : strsignal(f.signal),
            f.code == SEGV_MAPERR   ? "nothing is mapped"
            : f.code == SEGV_ACCERR ? "not allowed"
                                    : "",
            (unsigned long long)f.error);
    return f.signal == SIGSEGV && f.address == address && f.code == SEGV_MAPERR;
}

static void run(struct lab *l)
{
    size_t page = l->machine->page;
    char *mapped =
        mmap(NULL, HOLE * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        lab_cannot(l, NULL, "mmap is refused");
        return;
    }
    // A large hole: others who map while we look get its far end.
    munmap(mapped + page, (HOLE - 1) * page);
    lab_table(l, "a write", "to|address|signal|si_code|error code");
    bool example = is_map_error(l, "the essay's example", 0x10000000);
    bool null = is_map_error(l, "null", 0);
    bool behind = is_map_error(l, "just behind a mapping", (u64)(uintptr_t)mapped + page);
    *mapped = 1; // the page is there
    mprotect(mapped, page, PROT_READ);
    is_map_error(l, "memory that is read-only", (u64)(uintptr_t)mapped);
    lab_check(l, "example", example, "writing 42 to 0x10000000 %s",
              example ? "ends with SIGSEGV" : "does something else");
    lab_check(l, "unmapped", null && behind, "null and the page behind a mapping %s",
              null && behind ? "fault at that very address" : "do something else");
    // The other kind of fault is repaired by the kernel, and the program never hears of it.
    char *fresh = lab_memory(l, page, LAB_4K);
    if (fresh != NULL) {
        u64 before = pages_minor_faults();
        *fresh = 1;
        u64 faults = pages_minor_faults() - before;
        lab_check(l, "minor", faults == 1, "the first write to a fresh page: %llu minor fault",
                  (unsigned long long)faults);
    }
    munmap(mapped, page);
}

static const struct claim claims[] = {
    {S3, "topic 3", "a write where nothing is mapped", "SIGSEGV", "unmapped", 0, 0, NULL},
    {S4, NULL, "a write to 0x10000000", "segmentation fault", "example", 0, 0, NULL},
    {S4, NULL, "a fault that can be repaired", "minor, the program goes on", "minor", 0, 0, NULL},
};

LAB_EXPERIMENT(B12) = {
    .question = "What happens where nothing is mapped?",
    .prediction = "The processor finds no translation, the kernel no mapping, and the process gets "
                  "SIGSEGV.",
    .method =
        "Children write to the address of the essay's example, to null, just behind a mapping "
        "and into read-only memory; a handler on a stack of its own notes what the kernel and "
        "the processor say. The kind of fault that goes unnoticed is counted beside it; those "
        "that wait for a disk are experiment B10.",
    .look = "Error code 0x6 on x86 is a write by a user where no page is; 0x7 is one where a page "
            "is, that may not be written. The signal's code says the same in words.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
