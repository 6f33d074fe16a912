// B22 usize: how wide a pointer is, and what of it is used.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

// "address sizes : 48 bits physical, 48 bits virtual", as the kernel prints it on x86.
static bool address_bits(u32 *ret_physical, u32 *ret_virtual)
{
    char line[4096];
    bool found = false;
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
        found = sscanf(line, "address sizes : %u bits physical, %u bits virtual", ret_physical,
                       ret_virtual) == 2;
    if (f != NULL)
        fclose(f);
    return found;
}

static void run(struct lab *l)
{
    u32 physical, virtual;
    lab_exact(l, "pointer_bytes", sizeof(void *), "bytes");
    lab_check(l, "size_is_pointer",
              sizeof(size_t) == sizeof(void *) && sizeof(uintptr_t) == sizeof(void *),
              "size_t %zu, uintptr_t %zu, pointer %zu bytes", sizeof(size_t), sizeof(uintptr_t),
              sizeof(void *));
    if (address_bits(&physical, &virtual)) {
        lab_exact(l, "physical_bits", physical, "bits");
        lab_exact(l, "virtual_bits", virtual, "bits");
        lab_why(l, "physical_bits",
                "what leaves the processor is a physical address of fewer "
                "bits, and data moves by the cache line");
    } else {
        lab_cannot(l, "physical_bits", "the kernel does not tell the width of addresses here");
    }
    if (l->machine->cache_count > 0)
        lab_exact(l, "moved_at_once", l->machine->cache[0].line * 8.0, "bits");
    else
        lab_cannot(l, "moved_at_once", "the kernel does not tell the size of a cache line");
    lab_why(l, "moved_at_once",
            "memory and caches exchange whole lines, whatever a pointer's "
            "size");
}

static const struct claim claims[] = {
    {S3, NULL, "size of a pointer, of usize", "8 bytes", "pointer_bytes", 8, 8, "bytes"},
    {S3, NULL, "usize is as wide as a pointer", "the same", "size_is_pointer", 0, 0, NULL},
    {S3, NULL, "usize is as wide as the data bus", "64 bits at once", "moved_at_once", 64, 64,
     "bits"},
    {S3, NULL, "usize is as wide as a physical address", "64 bits", "physical_bits", 64, 64,
     "bits"},
};

LAB_EXPERIMENT(B22) = {
    .question = "Why are pointers 8 bytes wide?",
    .prediction = "Because the machine has 64 bits: its registers and, as the text says, its bus.",
    .method = "The compiler tells the sizes, the kernel the width of addresses that this processor "
              "has, and the size of a cache line.",
    .look = "A pointer is as wide as a register: that is the instruction set's choice. Neither the "
            "wires for addresses nor those for data are 64.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
