// cmd_layout.c: `loam layout`: how structs lie in memory, and how they could.

#include "cli/opt.h"
#include "inspect/layout_view.h"
#include "inspect/shield.h"

struct layout_options {
    bool json, all;
    u32 rows;
};

static const struct option options[] = {
    {"structs", 'n', "N", OPT_COUNT, offsetof(struct layout_options, rows),
     "show N structs of the list instead of 20"},
    {"all", 'a', NULL, OPT_FLAG, offsetof(struct layout_options, all),
     "list all of them, also those of system headers"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct layout_options, json),
     "everything as JSON, for machines"},
};

struct job {
    const struct command *c;
    const struct layout_options *o;
    const char *name, *wanted;
};

static int show(const struct job *job, struct image *im, Dwarf *dwarf)
{
    struct structs s;
    structs_collect(&s, im, dwarf, job->wanted);
    struct layout_view v = {
        .path = im->path,
        .structs = &s,
        .rows = job->o->all         ? UINT32_MAX
                : job->o->rows == 0 ? 20
                                    : job->o->rows,
        .all = job->o->all,
    };
    int status = 0;
    if (job->wanted != NULL && s.count == 0) {
        say(job->c, "there is no struct '%s' in %s%s%s%s", job->wanted, im->path,
            s.near == NULL ? "" : "; did you mean '", s.near == NULL ? "" : s.near,
            s.near == NULL ? "." : "'?");
        if (s.walk.units_missing > 0)
            say(job->c, "%llu units' debug information is missing: %s.",
                (unsigned long long)s.walk.units_missing, s.walk.missing);
        status = EXIT_BAD_FILE;
    } else if (job->o->json) {
        layout_json(stdout, &v);
    } else if (job->wanted != NULL) {
        layout_show(stdout, &v);
    } else {
        layout_list(stdout, &v);
    }
    structs_done(&s);
    return status;
}

// In a child: see shield.h.
static int look(void *ctx)
{
    const struct job *job = ctx;
    struct image im;
    char why[IMAGE_WHY];
    Dwarf_Addr bias;
    if (image_open(&im, job->name, why) != 0) {
        say(job->c, "%s.", why);
        return EXIT_BAD_FILE;
    }
    Dwarf *dwarf = image_dwarf(&im, &bias, why);
    int status = EXIT_BAD_FILE;
    if (dwarf == NULL)
        say(job->c, "%s.", why);
    else
        status = show(job, &im, dwarf);
    image_done(&im);
    return status;
}

static int layout(const struct command *c, int argc, char **argv)
{
    struct layout_options o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 1 && n != 2) {
        say(c, n == 0 ? "which file? Try 'loam layout ./prog', or 'loam layout -h'."
                      : "one file and one struct at a time. Try 'loam layout -h'.");
        return EXIT_USAGE;
    }
    struct job job = {c, &o, argv[argc - n], n == 2 ? argv[argc - 1] : NULL};
    int r = shield_run(look, &job);
    if (r < 0)
        say(c, "%s: %s.", job.name, shield_words(r));
    return r < 0 ? EXIT_BAD_FILE : r;
}

const struct command command_layout = {
    .name = "layout",
    .group = "inspect",
    .summary = "structs: holes, cache lines, shared atomics, a better order",
    .synopsis = "[options] FILE [STRUCT]",
    .examples = {{"loam layout ./prog", "the structs of a program, the worst first"},
                 {"loam layout ./prog connection", "one struct: members, map, a better order"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "FILE is a program, a library or an object file with debug information (-g), in it or\n"
        "beside it: /usr/lib/debug, .dwo files, a .dwp. STRUCT is a struct, class, union or the\n"
        "typedef of an unnamed one: its whole name (ns::Outer::foo<int>), the last part of it, or\n"
        "a template without its arguments.\n\n"
        "WASTES are the bytes of an object in holes between members and at its end; SAVES is what\n"
        "the suggested order saves, LINES are cache lines of 64 bytes that an object takes when "
        "it\n"
        "begins at one. The order fills holes with members that stand further back, and sorts by\n"
        "alignment where that is not enough; bases, virtual pointers, flexible arrays and\n"
        "neighbouring bit-fields stay where they are.\n\n"
        "Two atomics or locks in one line are marked: threads that write them wait for each other\n"
        "though they share no data. 'alignas(64)' before the second one parts them.\n\n"
        "Exit status: 0; 1 if FILE cannot be read, has no debug information or no such struct; 2\n"
        "for wrong usage.\n",
    .run = layout,
};
