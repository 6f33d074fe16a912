// C12 inline: small structs travel in registers, larger ones through memory.

#include "lab/lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char program[] =
    "struct two { long a, b; };\n"
    "struct three { long a, b, c; };\n"
    "long sum_two(struct two s) { return s.a + s.b; }\n"
    "long sum_three(struct three s) { return s.a + s.b + s.c; }\n"
    "struct two make_two(long a) { struct two s = {a, a}; return s; }\n"
    "struct three make_three(long a) { struct three s = {a, a, a}; return s; }\n";

static bool compile(struct lab *l, char text[16384])
{
    const char *folder = lab_folder(l);
    char source[512];
    if (folder == NULL)
        return false;
    snprintf(source, sizeof source, "%s/by_value.c", folder);
    int fd = open(source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, program, sizeof program - 1) == sizeof program - 1;
    if (fd >= 0)
        close(fd);
    char *with_cc[] = {"cc", "-O2", "-S",   "-fno-asynchronous-unwind-tables",
                       "-o", "-",   source, NULL};
    struct lab_end end;
    if (!written || lab_program(l, with_cc, 15, &end) != 0 || end.status != 0)
        return false;
    memcpy(text, end.said, sizeof end.said);
    return true;
}

// The instructions of one function, drawn; returns how many name memory.
static int memory_accesses(struct lab *l, const char *text, const char *function)
{
    char label[64];
    snprintf(label, sizeof label, "\n%s:\n", function);
    const char *line = strstr(text, label);
    if (line == NULL)
        return -1;
    int n = 0;
    lab_line(l, "%s:", function);
    for (line += strlen(label); *line != 0; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        if (*line != '\t')
            break;
        if (line[1] == '.')
            continue;
        char plain[72];
        snprintf(plain, sizeof plain, "%.*s", (int)(len < 70 ? len - 1 : 70), line + 1);
        for (char *c = plain; *c != 0; c++)
            *c = *c == '\t' ? ' ' : *c;
        lab_line(l, "    %s", plain);
        bool address_only = strncmp(plain, "lea", 3) == 0;
        n += strpbrk(plain, "([") != NULL && !address_only;
        if (strncmp(plain, "ret", 3) == 0)
            break;
    }
    return n;
}

static void run(struct lab *l)
{
    static char text[16384];
    if (!compile(l, text)) {
        lab_cannot(l, NULL, "no C compiler (cc) is installed");
        return;
    }
    lab_picture(l, "what the compiler makes of structs by value");
    int two = memory_accesses(l, text, "sum_two"), three = memory_accesses(l, text, "sum_three");
    int make_two = memory_accesses(l, text, "make_two");
    int make_three = memory_accesses(l, text, "make_three");
    if (two < 0 || three < 0 || make_two < 0 || make_three < 0) {
        lab_cannot(l, NULL, "the compiler's assembler looks unfamiliar");
        return;
    }
    lab_exact(l, "memory_16_bytes", two + make_two, "accesses");
    lab_exact(l, "memory_24_bytes", three + make_three, "accesses");
}

static const struct claim claims[] = {
    {S3, "topic 4", "a struct of 16 bytes, by value", "in registers only", "memory_16_bytes", 0, 0,
     "accesses"},
    {S3, "topic 4", "a struct of 24 bytes, by value", "through memory", "memory_24_bytes", 1,
     INFINITY, "accesses"},
};

LAB_EXPERIMENT(C12) = {
    .question = "Does a small struct that is passed by value ever touch memory?",
    .prediction = "Up to 16 bytes the calling convention has two registers for it. Larger ones are "
                  "copied to the stack; a function returns them through a hidden pointer.",
    .method = "Four functions, with two and with three words, are compiled (cc -O2 -S), and the "
              "instructions that name memory are counted in the assembler.",
    .look = "No access for two words; three loads and the stores through the hidden pointer for "
            "three. `loam asm` shows the same of your own functions.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
