// A16 rodata: where string literals and constants stand.

#include "lab/lab.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const char *const literal = "a literal";
static const int constant[4] = {1, 2, 3, 4};
static int variable[4] = {1, 2, 3, 4};

// The section of this program's file that holds an address of this process.
static void section_of(Elf *elf, u64 address, char name[32])
{
    size_t names;
    GElf_Shdr h;
    GElf_Ehdr header;
    strcpy(name, "?");
    if (gelf_getehdr(elf, &header) == NULL || elf_getshdrstrndx(elf, &names) != 0)
        return;
    address -= getauxval(AT_ENTRY) - header.e_entry;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        if (gelf_getshdr(scn, &h) != NULL && (h.sh_flags & SHF_ALLOC) != 0 &&
            address >= h.sh_addr && address < h.sh_addr + h.sh_size)
            snprintf(name, 32, "%s", elf_strptr(elf, names, h.sh_name));
    }
}

static void write_to(void *of)
{
    *(volatile char *)of = 'A';
}

static bool row(struct lab *l, Elf *elf, const char *what, const void *at, char name[32])
{
    struct lab_fault f = {0};
    section_of(elf, (u64)(uintptr_t)at, name);
    bool faults = lab_fault(l, write_to, (void *)(uintptr_t)at, &f) == 0 && f.signal != 0;
    lab_row(l, "%s|%s|%s", what, name, faults ? strsignal(f.signal) : "works");
    return faults;
}

static void run(struct lab *l)
{
    char of_literal[32], of_constant[32], of_variable[32];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf *elf =
        elf_version(EV_CURRENT) == EV_NONE || fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL) {
        lab_cannot(l, NULL, "this program's file cannot be read");
        return;
    }
    lab_table(l, "where it stands", "what|section|a write");
    bool literal_faults = row(l, elf, "\"a literal\"", literal, of_literal);
    bool constant_faults = row(l, elf, "static const int[4]", constant, of_constant);
    row(l, elf, "static int[4] = {1, ...}", variable, of_variable);
    lab_check(l, "literal_in_data", strcmp(of_literal, ".data") == 0,
              "string literals stand in %s, and a write to one %s", of_literal,
              literal_faults ? "faults" : "works");
    lab_check(l, "constant_in_data", strcmp(of_constant, ".data") == 0,
              "constants stand in %s, and a write to one %s", of_constant,
              constant_faults ? "faults" : "works");
    lab_check(l, "variable_in_data", strcmp(of_variable, ".data") == 0, "variables stand in %s",
              of_variable);
    elf_end(elf);
    close(fd);
}

static const struct claim claims[] = {
    {S3, "topic 2", "string literals", "stand in .data", "literal_in_data", 0, 0, NULL},
    {S3, "topic 2", "constants", "stand in .data", "constant_in_data", 0, 0, NULL},
    {S0, "4", "initialised variables", "stand in .data", "variable_in_data", 0, 0, NULL},
};

LAB_EXPERIMENT(A16) = {
    .question = "In which section do string literals stand?",
    .prediction = "One text says .data. But what may not be changed need not be writable.",
    .method = "The address of a literal, of a constant and of a variable of this very program is "
              "looked up in its own section table, and a child writes to each.",
    .look =
        ".rodata is read-only, .data is not. 'loam elf' shows both, 'loam hex' what is in them.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
