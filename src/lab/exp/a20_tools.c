// A20 tools: what readelf, objdump and hexdump say of a program.

#include "lab/lab.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// This program's file, by a name that others can open, also when it was replaced meanwhile. Their
// own /proc/self would be they themselves.
static void own_file(char name[64])
{
    snprintf(name, 64, "/proc/%d/exe", (int)getpid());
}

static bool needs(struct lab *l, const char *key, const char *program)
{
    if (lab_has(program))
        return true;
    lab_cannot(l, key, "%s is not installed", program);
    return false;
}

// A few lines of what a program printed, those that hold `word`.
static void quote(struct lab *l, const char *title, const char *said, const char *word, u32 most)
{
    lab_picture(l, title);
    for (const char *line = said; *line != 0 && most > 0;) {
        size_t len = strcspn(line, "\n");
        if (memmem(line, len, word, strlen(word)) != NULL) {
            lab_line(l, "%.*s", (int)(len < 76 ? len : 76), line);
            most--;
        }
        line += len + (line[len] == '\n');
    }
}

static void with_readelf(struct lab *l, u64 entry)
{
    struct lab_end end;
    char self[64];
    char *argv[] = {"readelf", "-hW", self, NULL};
    if (!needs(l, "entry_agrees", "readelf"))
        return;
    own_file(self);
    if (lab_program(l, argv, 10, &end) != 0)
        return;
    const char *at = strstr(end.said, "Entry point address:");
    u64 told = at == NULL ? 0 : strtoull(at + strcspn(at, "0"), NULL, 16);
    lab_check(l, "entry_agrees", told == entry, "readelf says %#llx, libelf %#llx",
              (unsigned long long)told, (unsigned long long)entry);
    quote(l, "readelf -h", end.said, "  ", 8);
}

static void with_hexdump(struct lab *l)
{
    struct lab_end end;
    char self[64];
    char *hexdump[] = {"hexdump", "-C", "-n", "32", self, NULL};
    char *od[] = {"od", "-A", "x", "-t", "x1z", "-N", "32", self, NULL};
    bool has = lab_has("hexdump");
    if ((!has && !needs(l, "magic", "od")))
        return;
    own_file(self);
    if (lab_program(l, has ? hexdump : od, 10, &end) != 0)
        return;
    lab_check(l, "magic", strstr(end.said, "7f 45 4c 46") != NULL, "7f 45 4c 46 is \\x7f E L F");
    quote(l, has ? "hexdump -C -n 32" : "od -t x1z -N 32", end.said, " ", 2);
}

static void with_objdump(struct lab *l, u64 entry)
{
    struct lab_end end;
    char self[64], from[40], to[40];
    char *argv[] = {"objdump", "-d", "--no-show-raw-insn", from, to, self, NULL};
    if (!needs(l, "code_at_entry", "objdump"))
        return;
    snprintf(from, sizeof from, "--start-address=%#llx", (unsigned long long)entry);
    snprintf(to, sizeof to, "--stop-address=%#llx", (unsigned long long)entry + 40);
    own_file(self);
    if (lab_program(l, argv, 10, &end) != 0)
        return;
    char address[32];
    snprintf(address, sizeof address, "%llx:", (unsigned long long)entry);
    lab_check(l, "code_at_entry", strstr(end.said, address) != NULL,
              "objdump disassembles from the entry on");
    quote(l, "objdump -d, from the entry", end.said, ":\t", 6);
}

static void run(struct lab *l)
{
    GElf_Ehdr h;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf *elf =
        elf_version(EV_CURRENT) == EV_NONE || fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL || gelf_getehdr(elf, &h) == NULL) {
        lab_cannot(l, NULL, "this program's file cannot be read");
    } else {
        with_readelf(l, h.e_entry);
        with_hexdump(l);
        with_objdump(l, h.e_entry);
    }
    elf_end(elf);
    if (fd >= 0)
        close(fd);
}

static const struct claim claims[] = {
    {S0, "4", "readelf shows the header", "readelf -h", "entry_agrees", 0, 0, NULL},
    {S0, "4", "hexdump shows the magic", "7f 45 4c 46", "magic", 0, 0, NULL},
    {S0, "4", "objdump shows the code", "objdump -d", "code_at_entry", 0, 0, NULL},
};

LAB_EXPERIMENT(A20) = {
    .question = "What do readelf, objdump and hexdump show of a program?",
    .prediction = "Its header, its code, its bytes.",
    .method = "The three are run on this very program, and what they say is compared with what "
              "libelf reads of the same file.",
    .look =
        "The same entry address in all of them. loam's own: 'loam elf', 'loam asm', 'loam hex'.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
