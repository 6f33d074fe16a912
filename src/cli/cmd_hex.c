// cmd_hex.c: `loam hex`: bytes of a file, a process or a core, and what they mean.

#include "cli/opt.h"
#include "inspect/hex.h"
#include "inspect/shield.h"

struct hex_options {
    bool json;
    u32 size;
    const char *as, *types;
};

static const struct option options[] = {
    {"as", 'a', "TYPE", OPT_TEXT, offsetof(struct hex_options, as),
     "values of a struct, or of u8 to u64, f64, ptr"},
    {"bytes", 'n', "N", OPT_COUNT, offsetof(struct hex_options, size),
     "N bytes instead of 256, or of one struct"},
    {"types", 't', "FILE", OPT_TEXT, offsetof(struct hex_options, types),
     "whose debug information has the type"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct hex_options, json),
     "everything as JSON, for machines"},
};

struct job {
    const struct command *c;
    const struct hex_options *o;
    const char *what;
};

// The type that was asked for, from the file that is named, or from what is looked at.
static int find_fields(const struct job *job, struct origin *o, struct fields *f)
{
    struct image other;
    char why[IMAGE_WHY];
    if (job->o->types == NULL) {
        if (fields_find(f, &o->store, origin_image(o), job->o->as, why) == 0)
            return 0;
    } else if (image_open(&other, job->o->types, why) == 0) {
        int e = fields_find(f, &o->store, &other, job->o->as, why);
        image_done(&other);
        if (e == 0)
            return 0;
    }
    say(job->c, "%s.", why);
    return -1;
}

static int show(const struct job *job, struct origin *o)
{
    struct fields f;
    struct hex h;
    char why[IMAGE_WHY];
    bool typed = job->o->as != NULL;
    if (typed && find_fields(job, o, &f) != 0)
        return EXIT_BAD_FILE;
    u64 size = job->o->size != 0 ? job->o->size : typed && !f.plain ? f.size : 256;
    size = typed && size < f.size ? f.size : size;
    if (size > HEX_MOST) {
        say(job->c, "at most %llu bytes at a time.", (unsigned long long)HEX_MOST);
        return EXIT_USAGE;
    }
    if (hex_load(&h, o, o->at, size, why) != 0) {
        say(job->c, "%s.", why);
        return EXIT_BAD_FILE;
    }
    h.fields = typed ? &f : NULL;
    if (job->o->json)
        hex_json(stdout, &h);
    else if (typed)
        hex_values(stdout, &h);
    else
        hex_print(stdout, &h);
    hex_done(&h);
    return 0;
}

// In a child: see shield.h.
static int look(void *ctx)
{
    const struct job *job = ctx;
    struct origin o;
    char why[IMAGE_WHY];
    if (origin_open(&o, job->what, why) != 0) {
        say(job->c, "%s.", why);
        return EXIT_BAD_FILE;
    }
    int status = show(job, &o);
    origin_close(&o);
    return status;
}

static int hex(const struct command *c, int argc, char **argv)
{
    struct hex_options o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 1) {
        say(c, n == 0 ? "bytes of what? Try 'loam hex FILE' or 'loam hex PID:ADDR'."
                      : "one place at a time. Try 'loam hex -h'.");
        return EXIT_USAGE;
    }
    struct job job = {c, &o, argv[argc - 1]};
    int r = shield_run(look, &job);
    if (r < 0)
        say(c, "%s: %s.", job.what, shield_words(r));
    return r < 0 ? EXIT_BAD_FILE : r;
}

const struct command command_hex = {
    .name = "hex",
    .group = "inspect",
    .summary = "bytes of a file, a process or a core: pointers, texts, types",
    .synopsis = "[options] FILE | FILE:ADDR | PID:ADDR | CORE:ADDR",
    .examples = {{"loam hex 1234:0x7ffe1000", "memory of a process, pointers followed"},
                 {"loam hex core:conns --as connection", "a struct in a core file, by its symbol"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "ADDR is a number (0x...), a symbol, or either with +N behind it. Of an ELF file with an\n"
        "address, bytes are shown as the loader would map them; of other files ADDR is an offset.\n"
        "A process is not stopped; pages that it has never touched are told as zeroes, not "
        "read.\n\n"
        "Words that point to something are followed: to a symbol, a block of loam's heap, a stack, "
        "a\n"
        "mapping; to its text, if it is one. FOUND counts pointers, texts of six characters and\n"
        "more, zeroes, and the word that comes most often.\n\n"
        "--as takes a struct, class, union or typedef (see loam layout), whose debug information\n"
        "stands in the file, in the program of the process, or in --types FILE; or u8 u16 u32 u64\n"
        "i8 i16 i32 i64 f32 f64 ptr. With -n, as many of them as fit.\n\n"
        "Exit status: 0; 1 if nothing can be read there, or the type is not known; 2 for wrong\n"
        "usage.\n",
    .run = hex,
};
