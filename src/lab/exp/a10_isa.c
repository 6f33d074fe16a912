// A10 isa: one function, four instruction sets.

#include "lab/lab.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// What is compiled. No headers: a compiler without libraries for the target will do.
static const char program[] =
    "typedef unsigned long long u64;\n"
    "u64 add(u64 a, u64 b) { return a + b; }\n"
    "u64 hash(const unsigned char *s)\n"
    "{ u64 h = 14695981039346656037ull;\n"
    "  while (*s) { h ^= *s++; h *= 1099511628211ull; } return h; }\n"
    "struct node { struct node *next; long key, value; };\n"
    "long find(const struct node *n, long key)\n"
    "{ for (; n; n = n->next) if (n->key == key) return n->value; return -1; }\n"
    "void copy(long *to, const long *from, long n)\n"
    "{ for (long i = 0; i < n; i++) to[i] = from[i] + 1; }\n"
    "int size(void) { return sizeof(void *); }\n";

struct target {
    const char *name;
    const char *compiler[2]; // the first that is there, with its option
    const char *option[2];
};

static const struct target targets[] = {
    {"x86_64", {"gcc", "clang"}, {"-m64", "--target=x86_64-linux-gnu"}},
    {"i386", {"gcc", "clang"}, {"-m32", "--target=i386-linux-gnu"}},
    {"aarch64", {"aarch64-linux-gnu-gcc", "clang"}, {"-O2", "--target=aarch64-linux-gnu"}},
    {"riscv64", {"riscv64-linux-gnu-gcc", "clang"}, {"-O2", "--target=riscv64-linux-gnu"}},
};

struct code {
    u32 instructions, in_add; // in all functions, in add()
    u32 pointer;              // what size() returns
    bool known;
};

// Count the instructions of assembler: lines that begin with a tab and then a letter.
static struct code read_assembler(const char *text)
{
    struct code c = {.known = true};
    char function[32] = "";
    for (const char *line = text; *line != 0;) {
        size_t len = strcspn(line, "\n");
        const char *colon = memchr(line, ':', len);
        if (*line >= 'a' && *line <= 'z' && colon != NULL && colon - line < 32)
            snprintf(function, sizeof function, "%.*s", (int)(colon - line), line);
        if (*line == '\t' && line[1] >= 'a' && line[1] <= 'z') {
            c.instructions++;
            c.in_add += strcmp(function, "add") == 0 && memmem(line, len, "ret", 3) == NULL;
            const char *four = memmem(line, len, "4", 1), *eight = memmem(line, len, "8", 1);
            if (strcmp(function, "size") == 0 && (four != NULL || eight != NULL))
                c.pointer = c.pointer != 0 ? c.pointer : four != NULL ? 4 : 8;
        }
        line += len + (line[len] == '\n');
    }
    return c;
}

static struct code compile(struct lab *l, const struct target *t, const char *source)
{
    static char said[256 * 1024];
    const char *folder = lab_folder(l);
    char out[512];
    if (folder == NULL)
        return (struct code){0};
    snprintf(out, sizeof out, "%s/%s.s", folder, t->name);
    for (u32 i = 0; i < 2; i++) {
        struct lab_end end;
        char *argv[] = {(char *)t->compiler[i],
                        (char *)t->option[i],
                        "-O2",
                        "-fno-tree-vectorize",
                        "-fno-unroll-loops",
                        "-fno-asynchronous-unwind-tables",
                        "-fno-stack-protector",
                        "-fcf-protection=none",
                        "-S",
                        "-o",
                        out,
                        (char *)source,
                        NULL};
        if (strcmp(t->name, "x86_64") != 0 && strcmp(t->name, "i386") != 0)
            argv[7] = "-w"; // only x86 has that option
        if (lab_program(l, argv, 20, &end) != 0 || end.status != 0)
            continue;
        int fd = open(out, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, said, sizeof said - 1);
        if (fd >= 0)
            close(fd);
        said[n < 0 ? 0 : n] = 0;
        return read_assembler(said);
    }
    return (struct code){0};
}

static const char *write_source(struct lab *l, char path[512])
{
    const char *folder = lab_folder(l);
    if (folder == NULL)
        return NULL;
    snprintf(path, 512, "%s/isa.c", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, program, sizeof program - 1) == sizeof program - 1;
    if (fd >= 0)
        close(fd);
    return written ? path : NULL;
}

static void run(struct lab *l)
{
    char path[512];
    struct code code[countof(targets)];
    lab_exact(l, "usize_here", sizeof(size_t), "bytes");
    if (write_source(l, path) == NULL)
        return;
    lab_table(l, "the same C, compiled with -O2", "target|instructions|for u64 + u64|pointer");
    for (u32 i = 0; i < countof(targets); i++) {
        code[i] = compile(l, &targets[i], path);
        if (code[i].known)
            lab_row(l, "%s|%u|%u|%u bytes", targets[i].name, code[i].instructions, code[i].in_add,
                    code[i].pointer);
        else
            lab_row(l, "%s|no compiler||", targets[i].name);
    }
    if (code[1].known) {
        lab_exact(l, "usize_on_32_bits", code[1].pointer, "bytes");
        lab_check(l, "two_additions", code[1].in_add > code[0].in_add,
                  "%u instructions on 32 bits, %u on 64", code[1].in_add, code[0].in_add);
    } else {
        lab_cannot(l, "usize_on_32_bits", "no compiler here makes 32-bit code (gcc or clang)");
        lab_cannot(l, "two_additions", "no compiler here makes 32-bit code (gcc or clang)");
    }
    for (u32 i = 2; i < countof(targets); i++) {
        const char *key = i == 2 ? "arm_over_x86" : "riscv_over_x86";
        if (code[0].known && code[i].known)
            lab_exact(l, key, (double)code[i].instructions / code[0].instructions, "x");
        else
            lab_cannot(l, key, "no compiler for it: install clang, or gcc-%s-linux-gnu",
                       targets[i].name);
    }
}

static const struct claim claims[] = {
    {S3, "topic 2", "size of usize, 64 bits", "8 bytes", "usize_here", 8, 8, "bytes"},
    {S3, "topic 2", "size of usize, 32 bits", "4 bytes", "usize_on_32_bits", 4, 4, "bytes"},
    {S3, "topic 2", "u64 on a 32-bit processor", "needs two instructions", "two_additions", 0, 0,
     NULL},
    {S3, "topic 2", "ARM code against x86", "longer", "arm_over_x86", 1.01, INFINITY, "x"},
    {S3, "topic 2", "RISC-V code against x86", "longer", "riscv_over_x86", 1.01, INFINITY, "x"},
};

LAB_EXPERIMENT(A10) = {
    .question = "How does one piece of C look in other instruction sets?",
    .prediction = "x86 does more in one instruction; ARM and RISC-V need more of them. 32-bit code "
                  "needs two additions for a 64-bit sum.",
    .method = "Five small functions are compiled to assembler with -O2 for each target for which "
              "there is a compiler (a cross gcc, or clang, which has them all), and their "
              "instructions are counted.",
    .look =
        "The counts. An instruction is not a unit of work: three bytes or four, one operation or "
        "a load and an addition.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
