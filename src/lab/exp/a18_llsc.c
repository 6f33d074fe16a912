// A18 llsc: two ways to change a word atomically.

#include "lab/lab.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char program[] =
    "int swap(long *p, long old, long new) { return __atomic_compare_exchange_n(\n"
    "    p, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }\n";

// Compile to assembler with the first compiler that is there; false if none is.
static bool assembler(struct lab *l, const char *cross, const char *target, const char *option,
                      char text[8192])
{
    const char *folder = lab_folder(l);
    char source[512], out[512];
    if (folder == NULL)
        return false;
    snprintf(source, sizeof source, "%s/add.c", folder);
    snprintf(out, sizeof out, "%s/add.s", folder);
    int fd = open(source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, program, sizeof program - 1) == sizeof program - 1;
    if (fd >= 0)
        close(fd);
    char *with_clang[] = {"clang", (char *)target, "-O2", (char *)option, "-S", "-o",
                          out,     source,         NULL};
    char *with_gcc[] = {(char *)cross, "-O2", (char *)option, "-S", "-o", out, source, NULL};
    struct lab_end end;
    bool made = written && ((lab_program(l, with_gcc, 15, &end) == 0 && end.status == 0) ||
                            (lab_program(l, with_clang, 15, &end) == 0 && end.status == 0));
    fd = made ? open(out, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? 0 : read(fd, text, 8191);
    text[n < 0 ? 0 : n] = 0;
    if (fd >= 0)
        close(fd);
    return n > 0;
}

// The instructions of add(), in a picture.
static void show(struct lab *l, const char *title, const char *text)
{
    lab_picture(l, title);
    for (const char *line = text; *line != 0;) {
        size_t len = strcspn(line, "\n");
        if (*line == '\t' && line[1] >= 'a' && line[1] <= 'z') {
            char plain[80];
            snprintf(plain, sizeof plain, "%.*s", (int)(len < 70 ? len - 1 : 70), line + 1);
            for (char *c = plain; *c != 0; c++)
                *c = *c == '\t' ? ' ' : *c;
            lab_line(l, "%s", plain);
        }
        line += len + (line[len] == '\n');
    }
}

static void run(struct lab *l)
{
    static char arm[8192], riscv[8192];
#if defined(__aarch64__)
    bool here = true;
#else
    bool here = false;
    lab_cannot(l, "runs_here", "x86 has compare-and-swap and 'lock' only: no load-link");
#endif
    if (here)
        lab_check(l, "runs_here", true, "this processor has ldxr and stxr");
    if (!assembler(l, "aarch64-linux-gnu-gcc", "--target=aarch64-linux-gnu", "-mno-outline-atomics",
                   arm)) {
        lab_cannot(l, "pair_in_arm_code", "no compiler for aarch64: install clang");
        return;
    }
    bool pair = strstr(arm, "xr") != NULL && strstr(arm, "cbnz") != NULL;
    lab_check(l, "pair_in_arm_code", pair, "compare-and-swap is a loop of %s and %s",
              strstr(arm, "ldaxr") != NULL ? "ldaxr" : "ldxr",
              strstr(arm, "stlxr") != NULL ? "stlxr" : "stxr");
    show(l, "the same source on aarch64", arm);
    if (assembler(l, "riscv64-linux-gnu-gcc", "--target=riscv64-linux-gnu", "-w", riscv))
        show(l, "and on riscv64", riscv);
}

static const struct claim claims[] = {
    {S3, "topic 8", "load-link, store-conditional, run", "atomic on ARM", "runs_here", 0, 0, NULL},
    {S3, "topic 8", "the pair in aarch64 code", "load-link/store-conditional", "pair_in_arm_code",
     0, 0, NULL},
};

LAB_EXPERIMENT(A18) = {
    .question = "How does a processor without compare-and-swap change a word atomically?",
    .prediction = "It loads and watches (load-link), and stores only if nobody else did meanwhile "
                  "(store-conditional); else it tries again.",
    .method =
        "x86 has no such pair, so here it can only be shown: one compare-and-swap is compiled "
        "for aarch64, without its newer atomic instructions, and for riscv64.",
    .look = "The loop: load, compare, conditional store, and back if it failed.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
