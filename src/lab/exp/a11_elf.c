// A11 elf: from the file to memory.

#include "lab/lab.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 4 * 1024 * 1024 };

static char zeros[ROOM];          // in .bss
static int initialised[64] = {1}; // in .data

extern int main(int argc, char **argv);

struct section {
    u64 size, in_file;
    bool found, writable, executable;
};

static struct section section_named(Elf *elf, const char *name)
{
    struct section s = {0};
    size_t names;
    GElf_Shdr h;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return s;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        if (gelf_getshdr(scn, &h) == NULL || strcmp(elf_strptr(elf, names, h.sh_name), name) != 0)
            continue;
        s = (struct section){h.sh_size, h.sh_type == SHT_NOBITS ? 0 : h.sh_size, true,
                             (h.sh_flags & SHF_WRITE) != 0, (h.sh_flags & SHF_EXECINSTR) != 0};
    }
    return s;
}

// Pages that are in memory, of those that [at, at + bytes) wholly holds.
static double resident_share(const void *at, u64 bytes, u64 page)
{
    static unsigned char there[ROOM / 4096];
    u64 from = ((u64)(uintptr_t)at + page - 1) / page * page, count = bytes / page - 1, in = 0;
    if (count > sizeof there || mincore((void *)from, count * page, there) != 0)
        return -1;
    for (u64 i = 0; i < count; i++)
        in += there[i] & 1;
    return (double)in / (double)count;
}

// How much of the file's mappings this process has ever touched.
static double touched_share(void)
{
    char line[512], self[256] = "";
    unsigned long long kib, size = 0, rss = 0;
    bool inside = false;
    if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        return 1;
    FILE *f = fopen("/proc/self/smaps", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strchr(line, '-') != NULL && line[0] != ' ' && strstr(line, " kB") == NULL)
            inside = strstr(line, self) != NULL;
        else if (inside && sscanf(line, "Size: %llu kB", &kib) == 1)
            size += kib;
        else if (inside && sscanf(line, "Rss: %llu kB", &kib) == 1)
            rss += kib;
    }
    if (f != NULL)
        fclose(f);
    return size == 0 ? 1 : (double)rss / (double)size;
}

static void sections(struct lab *l, Elf *elf)
{
    static const char *const names[] = {".text", ".rodata", ".data", ".bss"};
    lab_table(l, "this program's sections", "section|in memory|in the file|may");
    for (u32 i = 0; i < countof(names); i++) {
        struct section s = section_named(elf, names[i]);
        lab_row(l, "%s|%llu bytes|%llu bytes|read%s%s", names[i], (unsigned long long)s.size,
                (unsigned long long)s.in_file, s.writable ? ", write" : "",
                s.executable ? ", execute" : "");
    }
    struct section text = section_named(elf, ".text"), data = section_named(elf, ".data");
    struct section bss = section_named(elf, ".bss");
    lab_check(l, "text_rx", text.executable && !text.writable, ".text may be read and executed");
    lab_check(l, "data_rw", data.writable && !data.executable, ".data may be read and written");
    lab_exact(l, "bss_on_disk", (double)bss.in_file, "bytes");
    lab_exact(l, "bss_in_memory", (double)bss.size, "bytes");
}

static void run(struct lab *l)
{
    u64 page = l->machine->page;
    KEEP(initialised);
    double before = resident_share(zeros, sizeof zeros, page);
    for (u64 i = 0; i < sizeof zeros; i += page)
        ((volatile char *)zeros)[i] = 1;
    double after = resident_share(zeros, sizeof zeros, page);
    lab_check(l, "bss_takes_memory", after > 0.99 && before > 0.5,
              "%.0f %% of it before the first touch, %.0f %% after", before * 100, after * 100);
    if (after > 0.99 && before <= 0.5)
        lab_partly(l, "bss_takes_memory", "only what was touched: %.0f %% at first, then all",
                   before * 100);
    double touched = touched_share();
    lab_check(l, "copied_at_start", touched > 0.99,
              "%.0f %% of what is mapped of the file is in this process' memory", touched * 100);
    bool at_main = getauxval(AT_ENTRY) == (u64)(uintptr_t)main;
    lab_check(l, "entry_is_main", at_main, "the entry is _start, which prepares and calls main");
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf *elf =
        elf_version(EV_CURRENT) == EV_NONE || fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL)
        lab_cannot(l, NULL, "this program's file cannot be read");
    else
        sections(l, elf);
    elf_end(elf);
    if (fd >= 0)
        close(fd);
}

static const struct claim claims[] = {
    {S0, "4", ".text may be", "R-X", "text_rx", 0, 0, NULL},
    {S0, "4", ".data may be", "RW-", "data_rw", 0, 0, NULL},
    {S0, "4", ".bss in the file", "takes no disk space", "bss_on_disk", 0, 0, "bytes"},
    {S3, "topic 2", ".bss in the file", "takes no disk space", "bss_on_disk", 0, 0, "bytes"},
    {S3, "topic 2", ".bss in memory", "takes RAM", "bss_takes_memory", 0, 0, NULL},
    {S3, "topic 2", "the entry point", "usually main", "entry_is_main", 0, 0, NULL},
    {S3, "topic 2", "the file at the start", "simply copied into RAM", "copied_at_start", 0, 0,
     NULL},
};

LAB_EXPERIMENT(A11) = {
    .question = "What of a program's file becomes memory, and when?",
    .prediction = "Code and data are copied, zeros are made; execution begins at main.",
    .method = "This program looks at itself: its own file's sections with libelf; 4 MiB of its own "
              ".bss with mincore before and after they are touched; how much of its file is in "
              "memory (smaps); and its entry point (AT_ENTRY) against the address of main.",
    .look = "Nothing is copied at the start: the file is mapped, and a page comes when it is first "
            "touched. The same picture of any program: 'loam elf FILE'.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
