// cmd_top.c: `loam top`: which places in a running program hold memory, now.

#include "cli/live.h"
#include "cli/opt.h"
#include "cli/top.h"
#include "cli/top_screen.h"

#include <string.h>
#include <unistd.h>

struct top_options {
    u32 interval;
    bool once;
    const char *sort;
};

static const struct option options[] = {
    {"interval", 'i', "SECONDS", OPT_COUNT, offsetof(struct top_options, interval),
     "look again every so many seconds; 1 else"},
    {"sort", 's', "KEY", OPT_TEXT, offsetof(struct top_options, sort),
     "live (default), growth, churn or peak"},
    {"once", '1', NULL, OPT_FLAG, offsetof(struct top_options, once),
     "print one picture and end, as without a terminal"},
};

static int print_once(const struct command *c, struct top_view *t)
{
    char why[256];
    if (top_look(t, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    struct ink k = ink_on(stdout);
    top_print(t, &k, 20);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : EXIT_LOAM;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct top_options o = {.interval = 1};
    struct top_view t = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 1 || (o.sort != NULL && !top_sort_named(o.sort, &t.sort))) {
        say(c,
            n > 1 ? "one process or recording, please." : "sort by live, growth, churn or peak.");
        return EXIT_USAGE;
    }
    int r = live_find(c, n == 1 ? argv[argc - 1] : NULL, &t.live);
    if (r != 0)
        return r;
    bool screen = !o.once && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    r = screen ? top_screen(c, &t, o.interval) : print_once(c, &t);
    top_done(&t);
    return r;
}

const struct command command_top = {
    .name = "top",
    .group = "watch",
    .summary = "which places in a running program hold memory, live",
    .synopsis = "[options] [PID|FILE]",
    .examples = {{"loam top 1234", "watch a process that 'loam run' records"},
                 {"loam top --once --sort churn 1234", "one picture, for scripts"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process that 'loam run' records (see 'loam ps'); FILE is a recording; without\n"
        "either it is the last recording. The program goes on undisturbed: the view only reads\n"
        "its recording, and can be left and opened again at any time.\n\n"
        "Keys: l g c p sort by live bytes, growth since the view began, allocations a second,\n"
        "peak. Up, down, page up and page down move; Enter opens a place's stack; / filters by\n"
        "name; space pauses; h helps; q leaves.\n\n"
        "Exit status: 0; 1 if there is no such process or recording; 2 for wrong usage.\n",
    .run = run,
};
