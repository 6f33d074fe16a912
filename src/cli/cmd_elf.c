// cmd_elf.c: `loam elf`: what matters in an ELF file.

#include "cli/opt.h"
#include "inspect/facts_view.h"
#include "inspect/shield.h"

#include <stdlib.h>

struct elf_options {
    bool json, sections;
    u32 vs;
};

static const struct option options[] = {
    {"vs", 0, "PID", OPT_COUNT, offsetof(struct elf_options, vs),
     "what is resident of it in that process"},
    {"sections", 's', NULL, OPT_FLAG, offsetof(struct elf_options, sections),
     "a table of all sections, too"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct elf_options, json),
     "everything as JSON, for machines"},
};

struct job {
    const struct command *c;
    const struct elf_options *o;
    const char *name;
};

// In a child: see shield.h.
static int look(void *ctx)
{
    const struct job *job = ctx;
    struct image im;
    struct facts f;
    struct resident r;
    char why[IMAGE_WHY];
    if (image_open(&im, job->name, why) != 0) {
        say(job->c, "%s.", why);
        return EXIT_BAD_FILE;
    }
    facts_load(&f, &im);
    struct facts_view v = {.facts = &f, .sections = job->o->sections};
    v.hardening_count = harden_of(&f, &im, v.hardening);
    v.needs = needs_of(&f);
    int status = 0;
    if (job->o->vs != 0 && resident_load(&r, &f, &im, (pid_t)job->o->vs, why) != 0) {
        say(job->c, "%s.", why);
        status = EXIT_BAD_FILE;
    } else if (job->o->vs != 0) {
        v.resident = &r;
    }
    if (status == 0 && job->o->json)
        facts_json(stdout, &v);
    else if (status == 0)
        facts_print(stdout, &v);
    facts_done(&f);
    image_done(&im);
    return status;
}

static int elf(const struct command *c, int argc, char **argv)
{
    struct elf_options o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 1) {
        say(c, n == 0 ? "which file? Try 'loam elf /bin/ls', or 'loam elf -h'."
                      : "one file at a time. Try 'loam elf -h'.");
        return EXIT_USAGE;
    }
    struct job job = {c, &o, argv[argc - 1]};
    int r = shield_run(look, &job);
    if (r < 0)
        say(c, "%s: %s.", job.name, shield_words(r));
    return r < 0 ? EXIT_BAD_FILE : r;
}

const struct command command_elf = {
    .name = "elf",
    .group = "inspect",
    .summary = "an ELF file: what takes disk, what takes memory, what it needs",
    .synopsis = "[options] FILE",
    .examples = {{"loam elf /bin/ls", "a picture of the file against memory"},
                 {"loam elf libfoo.so --vs 1234", "how much of it process 1234 has in memory"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "FILE is a program, a shared library, an object file or a core file; a name without a\n"
        "slash that is not here is looked for in $PATH, and a number means the program of that\n"
        "process.\n\n"
        "The picture has the file on the left and memory on the right, in the file's order: what\n"
        "the loader maps with which rights, what is only on disk (debug information, symbols),\n"
        "what is only in memory (.bss: zeroes that no file holds). Bars compare sizes.\n\n"
        "Libraries are looked for where ld.so(8) would look. 'copied' are the pages that the\n"
        "process has written to, and that it shares with nobody any more.\n\n"
        "Exit status: 0; 1 if FILE cannot be read as an ELF file, or the process not be looked\n"
        "at; 2 for wrong usage.\n",
    .run = elf,
};
