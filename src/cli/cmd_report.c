// cmd_report.c: `loam report`: a recording, told again.

#include "cli/view.h"
#include "report/json.h"
#include "report/load.h"

#include <string.h>
#include <unistd.h>

struct report_options {
    bool json;
    struct view view;
};

static const struct option options[] = {
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct report_options, json),
     "everything as JSON, for machines"},
    VIEW_OPTIONS(struct report_options, view),
};

// The recording to show: the operand, or the last one that was made.
static const char *chosen(const struct command *c, int n, char **operands, char *last, size_t size)
{
    if (n == 1)
        return operands[0];
    if (!view_last_path(last, size) || access(last, F_OK) != 0) {
        say(c, "there is no recording yet: make one by 'loam run -- prog', or name a FILE.");
        return NULL;
    }
    return last;
}

static int show(const struct command *c, struct model *m, const struct report_options *o,
                const char *next)
{
    if (o->json)
        json_report(stdout, m);
    else
        view_text(stdout, m, &o->view, next);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    say(c, "the report could not be written: stdout is closed or full.");
    return EXIT_LOAM;
}

static int report(const struct command *c, int argc, char **argv)
{
    struct report_options o = {0};
    char last[4096], why[4400], next[4400];
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 1) {
        say(c, "one recording at a time, not %d. Try 'loam report -h'.", n);
        return EXIT_USAGE;
    }
    const char *path = chosen(c, n, argv + argc - n, last, sizeof last);
    if (path == NULL)
        return EXIT_BAD_FILE;
    struct model m;
    if (load_file(path, &m, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    snprintf(next, sizeof next, "loam report%s%s", n == 1 ? " " : "", n == 1 ? path : "");
    int r = show(c, &m, &o, next);
    load_done(&m);
    return r;
}

const struct command command_report = {
    .name = "report",
    .group = "inspect",
    .summary = "show a recording: leaks, peak, and who allocated",
    .synopsis = "[options] [FILE]",
    .examples = {{"loam report", "the last program that was run, again"},
                 {"loam report app.loam --json", "a recording that was kept, for machines"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "FILE is what 'loam run -o FILE' wrote; without it, the last recording is shown, which\n"
        "stands in ${XDG_STATE_HOME:-~/.local/state}/loam/last.loam. A recording of a program\n"
        "that was killed, or of a loam that was killed, is shown as far as it goes.\n\n"
        "Names, files and lines are read now, from the programs and libraries themselves and from\n"
        "/usr/lib/debug. A file that has changed since the recording is not believed: its frames\n"
        "stay module and offset.\n\n"
        "Sizes are decimal: 1 kB is 1,000 bytes. Exit status: 0; 1 if FILE cannot be read as a\n"
        "recording; 2 for wrong usage.\n",
    .run = report,
};
