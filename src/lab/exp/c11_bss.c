// C11 bss: zeroed variables take no room in the file, and none in memory until touched.

#include "lab/lab.h"
#include "lab/pages.h"

#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

enum { BYTES = 4 * 1024 * 1024, PAGE = 4096 };
static char zeroed[BYTES] __attribute__((aligned(PAGE)));

// Bytes of our segments in memory that have no counterpart in the file.
static double beyond_file(void)
{
    double beyond = 0;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    size_t n = 0;
    if (elf != NULL && elf_getphdrnum(elf, &n) == 0)
        for (size_t i = 0; i < n; i++) {
            GElf_Phdr p;
            if (gelf_getphdr(elf, (int)i, &p) != NULL && p.p_type == PT_LOAD)
                beyond += (double)(p.p_memsz - p.p_filesz);
        }
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return beyond;
}

static void run(struct lab *l)
{
    double beyond = beyond_file();
    lab_exact(l, "not_in_the_file", beyond, "bytes");
    long before = pages_present(zeroed, BYTES);
    u64 sum = 0;
    for (u32 i = 0; i < BYTES; i += PAGE)
        sum += (u64)zeroed[i];
    zeroed[BYTES / 2] = 1;
    KEEP(zeroed);
    lab_check(l, "zero", sum == 0, "one byte of each page was read: all are zero");
    if (before < 0 || sysconf(_SC_PAGESIZE) != PAGE)
        lab_cannot(l, "untouched_pages", "/proc/self/pagemap cannot be read here");
    else
        lab_exact(l, "untouched_pages", (double)before, "pages");
}

static const struct claim claims[] = {
    {S1, NULL, "zeroes that the file leaves out", "takes no disk space", "not_in_the_file", BYTES,
     INFINITY, "bytes"},
    {S3, "topic 4", "bss at the start", "zero", "zero", 0, 0, NULL},
    {S3, "topic 4", "its memory before the first touch", "none", "untouched_pages", 0, 0, "pages"},
};

LAB_EXPERIMENT(C11) = {
    .question = "Where are four megabytes of zeroed variables before they are used?",
    .prediction = "Nowhere: the file says only how many there are, and the kernel gives a page of "
                  "zeros at the first touch.",
    .method = "This program has a static array of 4 MiB. Its ELF header tells how much of its "
              "memory the file does not hold; /proc/self/pagemap tells which of the array's pages "
              "exist before the first access; then one byte of each is read.",
    .look = "The file would be 4 MiB larger otherwise. See also elf (A11) and lazy (B8).",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
