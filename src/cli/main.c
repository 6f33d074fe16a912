// main.c: the command table, and the way from argv to one of its rows.

#include "cli/opt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One a line, so that two who add one do not meet.
// clang-format off
const struct command *const commands[] = {
    &command_run,
    &command_report,
    &command_diff,
    &command_label,
    &command_sample,
    &command_ps,
    &command_top,
    &command_metrics,
    &command_bench,
    &command_map,
    &command_mem,
    &command_translate,
    &command_elf,
    &command_layout,
    &command_asm,
    &command_hex,
    &command_lab,
    &command_help,
    &command_version,
    &command_completion,
};
// clang-format on
const size_t commands_count = countof(commands);

const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < commands_count; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

// A closed stdin, stdout or stderr would be given to the next file that is opened, and a report
// would then be written into a recording. The program is to find it closed, as it was: CLOEXEC.
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
            exit(EXIT_LOAM);
    }
}

// The words that everybody tries first.
static const char *canonical(const char *word)
{
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        return "help";
    return strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0 ? "version" : word;
}

static int unknown(const char *name)
{
    const char *near = command_near(name);
    if (near != NULL)
        say(NULL, "unknown command '%s'. Did you mean '%s'? Try 'loam help'.", name, near);
    else
        say(NULL, "unknown command '%s'. Try 'loam help'.", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    const struct command *c = command_named(argc < 2 ? "help" : canonical(argv[1]));
    if (c == NULL)
        return unknown(argv[1]);
    int r = argc < 2 ? c->run(c, 1, argv) : c->run(c, argc - 1, argv + 1);
    return fflush(stdout) != 0 && r == 0 ? EXIT_LOAM : r;
}
