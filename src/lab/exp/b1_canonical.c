// B1 canonical: how many bits of an address are used.

#include "lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void read_at(void *of)
{
    (void)*(volatile char *)of;
}

// The user's half ends below 2^k: two pages before that can still be mapped, nothing above can.
static u32 user_bits(struct lab *l)
{
    u32 bits = 0;
    size_t page = l->machine->page;
    lab_table(l, "can a page be mapped just below", "below|address|answer");
    for (u32 k = 45; k <= 57; k++) {
        char *at = (char *)(uintptr_t)((1ull << k) - 2 * page);
        void *got = mmap(at, page, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        int error = got == MAP_FAILED ? errno : 0;
        lab_row(l, "2^%u|%p|%s", k, (void *)at, error == 0 ? "mapped" : strerror(error));
        if (error == 0)
            munmap(got, page);
        if (error == 0 || error == EEXIST) // something is there already: so it can be
            bits = k;
    }
    return bits;
}

// In a child: a TiB at a time, never touched, until there are no addresses left.
static void reserve(void *of)
{
    u64 *tib = of;
    while (*tib < 1ull << 20 &&
           mmap(NULL, TiB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
               MAP_FAILED)
        ++*tib;
}

static u64 trap_at(struct lab *l, const char *what, u64 address)
{
    struct lab_fault f = {0};
    if (lab_fault(l, read_at, (void *)(uintptr_t)address, &f) != 0)
        return 0;
    lab_row(l, "%s|%#llx|%s|%llu|%#llx", what, (unsigned long long)address, strsignal(f.signal),
            (unsigned long long)f.trap, (unsigned long long)f.address);
    return f.trap;
}

// An address whose upper bits are neither all 0 nor all 1 is no address: the processor answers
// with a general protection fault (13), before it looks into any page table (14 is a page fault).
static void probe_hole(struct lab *l, u32 bits)
{
#if defined(__x86_64__)
    lab_table(l, "a read of an address where nothing is", "where|address|signal|trap|told address");
    u64 low = trap_at(l, "user's half", 0x10000);
    u64 hole = trap_at(l, "between the halves", (1ull << bits) + 0x10000);
    u64 mixed = trap_at(l, "upper bits mixed", 0x1234567890abcdefull);
    u64 high = trap_at(l, "kernel's half", ~0ull - 0xfffff);
    lab_check(l, "upper_bits", low == 14 && high == 14 && hole == 13 && mixed == 13,
              "trap %llu and %llu in the halves, %llu and %llu between them",
              (unsigned long long)low, (unsigned long long)high, (unsigned long long)hole,
              (unsigned long long)mixed);
#else
    (void)bits;
    (void)trap_at;
    lab_cannot(l, "upper_bits", "traps are numbered on x86-64 only");
#endif
}

static void run(struct lab *l)
{
    u32 bits = user_bits(l);
    u64 *tib = lab_shared(l, sizeof *tib);
    struct lab_end end;
    lab_exact(l, "bits", bits + 1, "bits");
    lab_exact(l, "user_bits", bits, "bits");
    lab_exact(l, "both_halves", ldexp(1, (int)bits + 1 - 40), "TiB");
    lab_why(l, "both_halves", "this kernel has another number of levels in its page tables");
    lab_why(l, "all_64_bits",
            "the upper bits of an address must repeat one bit: they address "
            "nothing");
    lab_exact(l, "all_64_bits", ldexp(1, (int)bits + 1 - 40), "TiB");
    if (tib != NULL && lab_child(l, reserve, tib, 0, &end) == 0)
        lab_exact(l, "reserved", (double)*tib, "TiB");
    lab_why(l, "reserved", "half of it is the kernel's, and no process can have it");
    probe_hole(l, bits);
}

static const struct claim claims[] = {
    {S0, NULL, "bits of an address in use", "48 bits", "bits", 48, 48, "bits"},
    {S0, NULL, "virtual addresses, both halves", "256 TiB", "both_halves", 256, 256, "TiB"},
    {S0, NULL, "addresses that a process can reserve", "256 TiB", "reserved", 256, 256, "TiB"},
    {S0, NULL, "the upper 16 bits", "all 0 or all 1", "upper_bits", 0, 0, NULL},
    {S4, NULL, "the user's part", "0 ... 0x7FFF_FFFF_FFFF", "user_bits", 47, 47, "bits"},
    {S4, NULL, "64-bit address space", "18 exabytes", "all_64_bits", 16777216, 16777216, "TiB"},
};

LAB_EXPERIMENT(B1) = {
    .question = "How much of a 64-bit address is an address?",
    .prediction = "48 bits: 256 TiB, of which the lower half is the program's.",
    .method =
        "Pages are mapped just below 2^45, 2^46 and so on, at that very place or not at all. A "
        "child reserves a TiB at a time without touching it, until the kernel has no addresses "
        "left. Children read in the lower half, in the hole and in the upper half, and the "
        "processor's trap number tells apart 'no page there' and 'no address at all'. Hints "
        "would not do: the kernel is free to ignore them.",
    .look = "Trap 14 in both halves, trap 13 in the hole, and there the processor does not even "
            "tell the address. 18 exabytes is what 64 bits could name, not what this machine can.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
