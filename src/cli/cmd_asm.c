// cmd_asm.c: `loam asm`: a function's instructions beside its source, alone or against another
// version.

#include "cli/opt.h"
#include "inspect/code_view.h"
#include "inspect/compile.h"
#include "inspect/shield.h"

#include <string.h>

struct asm_options {
    bool json, att;
    const char *compare, *flags;
    const char *second; // with two lists of flags: the second one
};

static const struct option options[] = {
    {"compare", 'c', "OTHER", OPT_TEXT, offsetof(struct asm_options, compare),
     "beside another file; of a source: flags and flags"},
    {"flags", 'f', "FLAGS", OPT_TEXT, offsetof(struct asm_options, flags),
     "more flags for the compiler, such as -Iinclude"},
    {"att", 0, NULL, OPT_FLAG, offsetof(struct asm_options, att),
     "AT&T's order of operands, as objdump has it"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct asm_options, json),
     "everything as JSON, for machines"},
};

// One version of the function: a file, or a source and how to compile it.
struct version {
    const char *name; // "-O2", or the path
    const char *file;
    char object[256]; // compiled here; "" if nothing was
};

struct job {
    const struct command *c;
    const struct asm_options *o;
    const char *symbol;
    struct version version[2];
    u32 count;
};

static int load(const struct job *job, const struct version *v, struct code *code)
{
    struct image im;
    char why[IMAGE_WHY];
    if (image_open(&im, v->file, why) != 0) {
        say(job->c, "%s.", why);
        return -1;
    }
    int e = code_load(code, &im, job->symbol, (struct code_options){.att = job->o->att}, why);
    if (e != 0)
        say(job->c, "%s.", why);
    image_done(&im);
    return e;
}

// In a child: see shield.h.
static int look(void *ctx)
{
    const struct job *job = ctx;
    const struct version *v = job->version;
    struct code code[2];
    for (u32 i = 0; i < job->count; i++) {
        if (load(job, &v[i], &code[i]) != 0)
            return EXIT_BAD_FILE; // the child ends: nothing to free
    }
    if (job->o->json)
        code_json(stdout, &code[0], v[0].name, job->count == 2 ? &code[1] : NULL, v[1].name);
    else if (job->count == 2)
        code_print_both(stdout, &code[0], v[0].name, &code[1], v[1].name);
    else
        code_print(stdout, &code[0]);
    for (u32 i = 0; i < job->count; i++)
        code_done(&code[i]);
    return 0;
}

// "--compare -O2 -O3" has two values that look like options: taken out before the parser sees them.
static int take_flags(int argc, char **argv, struct asm_options *o)
{
    for (int i = 1; i + 2 < argc; i++) {
        bool here = strcmp(argv[i], "--compare") == 0 || strcmp(argv[i], "-c") == 0;
        if (!here || argv[i + 1][0] != '-' || argv[i + 2][0] != '-')
            continue;
        o->compare = argv[i + 1];
        o->second = argv[i + 2];
        memmove(argv + i, argv + i + 3, (size_t)(argc - i - 3) * sizeof *argv);
        return argc - 3;
    }
    return argc;
}

static int compile(const struct job *job, struct version *v, const char *source, const char *flags)
{
    char all[1024], why[IMAGE_WHY];
    snprintf(all, sizeof all, "%s %s", job->o->flags == NULL ? "" : job->o->flags, flags);
    if (compile_source(source, all, v->object, why) != 0) {
        v->object[0] = 0;
        say(job->c, "%s.", why);
        return -1;
    }
    v->name = flags;
    v->file = v->object;
    return 0;
}

// Fill the job's versions from the file and what it is compared with. 0, or an exit status.
static int prepare(struct job *job, const char *file)
{
    const struct asm_options *o = job->o;
    struct version *v = job->version;
    bool source = compile_is_source(file);
    job->count = o->compare == NULL ? 1 : 2;
    if (o->second != NULL && !source) {
        say(job->c, "%s is no source file: only those can be compiled both ways.", file);
        return EXIT_USAGE;
    }
    v[0] = (struct version){.name = file, .file = file};
    if (source && compile(job, &v[0], file, o->second != NULL ? o->compare : "-O2") != 0)
        return EXIT_BAD_FILE;
    if (o->second != NULL)
        return compile(job, &v[1], file, o->second) != 0 ? EXIT_BAD_FILE : 0;
    if (o->compare == NULL)
        return 0;
    v[1] = (struct version){.name = o->compare, .file = o->compare};
    if (!compile_is_source(o->compare))
        return 0;
    int e = compile(job, &v[1], o->compare, "-O2");
    v[0].name = source ? file : v[0].name;
    v[1].name = o->compare;
    return e != 0 ? EXIT_BAD_FILE : 0;
}

static int assembly(const struct command *c, int argc, char **argv)
{
    struct asm_options o = {0};
    argc = take_flags(argc, argv, &o);
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 2) {
        say(c,
            n < 2 ? "which %s? Try 'loam asm ./prog main', or 'loam asm -h'."
                  : "one file and one function at a time%s. Try 'loam asm -h'.",
            n == 0   ? "file"
            : n == 1 ? "function"
                     : "");
        return EXIT_USAGE;
    }
    struct job job = {.c = c, .o = &o, .symbol = argv[argc - 1]};
    int r = prepare(&job, argv[argc - 2]);
    if (r == 0)
        r = shield_run(look, &job);
    for (u32 i = 0; i < 2; i++) {
        if (job.version[i].object[0] != 0)
            compile_remove(job.version[i].object);
    }
    if (r < 0)
        say(c, "%s: %s.", argv[argc - 2], shield_words(r));
    return r < 0 ? EXIT_BAD_FILE : r;
}

const struct command command_asm = {
    .name = "asm",
    .group = "inspect",
    .summary = "a function's instructions beside its source; two versions of it",
    .synopsis = "[options] FILE FUNCTION",
    .examples = {{"loam asm ./prog main", "instructions, source, jumps and calls"},
                 {"loam asm foo.c sum --compare -O2 -O3", "what another optimisation makes of it"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "FILE is a program, a library or an object file for x86-64, i386 or aarch64; or a C or "
        "C++\n"
        "source, which is compiled by $CC or $CXX with -g -O2. FUNCTION is a symbol, a C++ name\n"
        "with or without namespaces, parameters and template arguments, or an address (0x1234).\n\n"
        "Arrows are jumps inside the function. A 'check' is a branch to code that ends the "
        "program:\n"
        "a bounds check, an assertion, a canary. 'vector' instructions work on several numbers at\n"
        "once. Calls through the PLT have the name of what is called.\n\n"
        "--compare takes another file that has the function, or two lists of flags to compile the\n"
        "source with: --compare -O2 '-O3 -march=native'.\n\n"
        "Exit status: 0; 1 if FILE cannot be read, compiled, or has no such function; 2 for wrong\n"
        "usage.\n",
    .run = assembly,
};
