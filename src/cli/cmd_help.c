// cmd_help.c: `loam help` and `loam version`: what the tables say.

#include "cli/opt.h"

#include "base/options.h"

#include <string.h>

struct nothing {
    char none;
};

// ---------------------------------------------------------------- help

static const char *const groups[][2] = {
    {"run", "run a program"},
    {"watch", "watch a program while it runs"},
    {"inspect", "look at recordings, processes, files and cores"},
    {"learn", "find out more"},
};

static void print_groups(void)
{
    puts("loam: a heap that knows its blocks, and a tool that asks it\n");
    puts("  loam run --leaks -- ./prog   who leaks?");
    puts("  loam run -- ./prog           who allocates, and what was there at the peak?");
    for (size_t g = 0; g < countof(groups); g++) {
        printf("\n%s\n", groups[g][1]);
        for (size_t i = 0; i < commands_count; i++) {
            if (strcmp(commands[i]->group, groups[g][0]) == 0)
                printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
        }
    }
    puts("\n'loam COMMAND -h' shows a command's options on one screen, '--help' its manual.");
}

// What LOAM=key=value,key=value can say; the library reads the same table.
static void print_keys(void)
{
    puts("The environment variable LOAM holds key=value pairs, with commas between them.\n"
         "A program under libloam.so reads it when it starts; loam run adds what it needs.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = &option_info[i];
        printf("  %s=%s, else %s\n      %s\n", o->name, o->type, o->fallback, o->sentence);
    }
}

static int help(const struct command *c, int argc, char **argv)
{
    struct nothing none;
    int n = opt_parse(c, argc, argv, &none);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 1) {
        say(c, "one command at a time, not %d. Try 'loam help'.", n);
        return EXIT_USAGE;
    }
    if (n == 0 || strcmp(argv[argc - 1], "--help") == 0) {
        print_groups();
        return 0;
    }
    if (strcmp(argv[argc - n], "options") == 0) {
        print_keys();
        return 0;
    }
    const struct command *about = command_named(argv[argc - n]);
    if (about == NULL) {
        say(c, "there is no command '%s'. Try 'loam help'.", argv[argc - n]);
        return EXIT_USAGE;
    }
    opt_print_manual(about, stdout);
    return 0;
}

const struct command command_help = {
    .name = "help",
    .group = "learn",
    .summary = "the commands, or the manual of one of them",
    .synopsis = "[COMMAND | options]",
    .examples = {{"loam help run", "the manual of one command"},
                 {"loam help options", "what LOAM=key=value can say"}},
    .about = "",
    .run = help,
};

// ---------------------------------------------------------------- version

static int version(const struct command *c, int argc, char **argv)
{
    struct nothing none;
    int n = opt_parse(c, argc, argv, &none);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 0) {
        say(c, "takes nothing, not '%s'. Try 'loam version'.", argv[argc - n]);
        return EXIT_USAGE;
    }
    printf("loam %s\n", LOAM_VERSION);
    return 0;
}

const struct command command_version = {
    .name = "version",
    .group = "learn",
    .summary = "loam's version",
    .synopsis = "",
    .examples = {{"loam version", "print it"}},
    .about = "",
    .run = version,
};
