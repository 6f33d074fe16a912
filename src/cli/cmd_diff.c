// cmd_diff.c: `loam diff`: what grew, between two recordings or between two labels of one.

#include "cli/busy.h"
#include "cli/output.h"
#include "report/diff_print.h"
#include "report/load.h"
#include "report/words.h"

#include <string.h>

struct diff_args {
    bool json, all;
    const char *html, *from, *to, *by, *fail_over;
    u32 places;
};

static const struct option options[] = {
    {"from", 0, "LABEL", OPT_TEXT, offsetof(struct diff_args, from),
     "compare from this label of FILE; default: its start"},
    {"to", 0, "LABEL", OPT_TEXT, offsetof(struct diff_args, to),
     "compare to this label of FILE; default: its end"},
    {"by", 0, "WHAT", OPT_TEXT, offsetof(struct diff_args, by),
     "peak, live, leaked, allocated, ...: what is compared"},
    {"fail-over", 0, "SIZE", OPT_TEXT, offsetof(struct diff_args, fail_over),
     "exit 1 if a place, or all, grew by more than SIZE"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct diff_args, json),
     "everything as JSON, for machines"},
    {"html", 0, "FILE", OPT_TEXT, offsetof(struct diff_args, html),
     "write one HTML page that needs no network"},
    {"places", 'n', "N", OPT_COUNT, offsetof(struct diff_args, places),
     "show N places instead of 5"},
    {"all", 'a', NULL, OPT_FLAG, offsetof(struct diff_args, all), "show every place"},
};

// Everything that a diff needs, from the command line.
struct job {
    const struct command *c;
    const struct diff_args *args;
    struct diff_options print;
    struct model before, after; // `after` is empty between labels
    bool labels;
};

static bool usage_ok(struct job *j, int operands)
{
    const struct diff_args *a = j->args;
    j->labels = a->from != NULL || a->to != NULL;
    if (operands != (j->labels ? 1 : 2)) {
        say(j->c,
            j->labels ? "labels stand in one FILE, not %d. Try 'loam diff -h'."
                      : "two recordings, or one and --from or --to, not %d. "
                        "Try 'loam diff -h'.",
            operands);
        return false;
    }
    if (a->by != NULL && gauge_named(a->by) < 0) {
        say(j->c, "\"%s\" is nothing that is counted; try peak, live, leaked or allocated.", a->by);
        return false;
    }
    j->print.judge = a->fail_over != NULL;
    if (j->print.judge && !words_read_size(a->fail_over, &j->print.fail_over)) {
        say(j->c, "\"%s\" is no size; 500k, 1M and 4MiB are.", a->fail_over);
        return false;
    }
    return true;
}

static int load(struct job *j, char **paths)
{
    char why[4400];
    if (load_file(paths[0], &j->before, why, sizeof why) < 0) {
        say(j->c, "%s", why);
        return -1;
    }
    if (!j->labels && load_file(paths[1], &j->after, why, sizeof why) < 0) {
        say(j->c, "%s", why);
        load_done(&j->before);
        return -1;
    }
    return 0;
}

static int make(struct job *j, u32 depth, struct diff *d)
{
    char why[400];
    if (!j->labels) {
        diff_files(d, &j->before, &j->after, depth);
        return 0;
    }
    int r = diff_labels(d, &j->before, j->args->from, j->args->to, depth, why, sizeof why);
    if (r < 0)
        say(j->c, "%s.", why);
    return r;
}

static void name_sides(struct job *j, const struct diff *d, char **paths)
{
    j->print.from = j->labels ? d->from : paths[0];
    j->print.to = j->labels ? d->to : paths[1];
}

static int write_page(struct job *j, const struct diff *d)
{
    FILE *out = output_open(j->c, j->args->html);
    if (out == NULL)
        return EXIT_LOAM;
    return output_close(j->c, out, j->args->html, diff_html(out, d, &j->print) == 0);
}

static int show(struct job *j, const struct diff *d)
{
    if (j->args->html != NULL)
        return write_page(j, d);
    if (j->args->json)
        return output_close(j->c, stdout, "-", diff_json(stdout, d, &j->print) == 0);
    struct ink k = ink_on(stdout);
    diff_text(&k, d, &j->print);
    return output_close(j->c, stdout, "-", true);
}

// A page shows whole stacks; a person and a judgement want places.
static int run_job(struct job *j, char **paths)
{
    struct diff d;
    if (make(j, j->args->html != NULL ? 0 : PLACE_DEPTH, &d) < 0)
        return EXIT_USAGE;
    j->print.gauge = j->args->by == NULL ? diff_gauge(&d) : (u32)gauge_named(j->args->by);
    name_sides(j, &d, paths);
    int r = show(j, &d);
    if (j->args->html != NULL) {
        diff_done(&d);
        make(j, PLACE_DEPTH, &d); // made once already, so its labels are there
    }
    bool failed = diff_judge(&d, &j->print).failed;
    diff_done(&d);
    return r != 0 ? r : failed ? EXIT_FAILED : 0;
}

static int diff(const struct command *c, int argc, char **argv)
{
    struct diff_args args = {0};
    int n = opt_parse(c, argc, argv, &args);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    struct job j = {.c = c, .args = &args};
    char **paths = argv + argc - n;
    if (!usage_ok(&j, n))
        return EXIT_USAGE;
    j.print.places_max = args.all ? 0 : args.places != 0 ? args.places : 5;
    if (load(&j, paths) < 0)
        return EXIT_BAD_FILE;
    struct busy b = {0};
    if (args.html != NULL)
        busy_begin(&b, "loam diff: reading names and lines");
    int r = run_job(&j, paths);
    busy_end(&b);
    load_done(&j.before);
    load_done(&j.after);
    return r;
}

const struct command command_diff = {
    .name = "diff",
    .group = "inspect",
    .summary = "what grew between two recordings or two labels",
    .synopsis = "[options] BEFORE AFTER | FILE --from LABEL [--to LABEL]",
    .examples = {{"loam diff old.loam new.loam --fail-over 1M", "did this change cost memory?"},
                 {"loam diff app.loam --from warm --to idle", "what stayed after the load?"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "Two recordings of one program, of the same or of different builds: places are the same\n"
        "where the same functions called each other. Compared is the peak, or what --by says.\n\n"
        "With --from or --to, two moments of one recording: labels that 'loam label' or the\n"
        "program itself set. Between labels, what is live and what was allocated is known.\n\n"
        "--fail-over makes a test of it: exit status 1 if one place, or everything together, grew\n"
        "by more than SIZE (500k, 1M, 4MiB).\n\n"
        "Exit status: 0; 1 if --fail-over was passed, or if a FILE cannot be read as a recording;\n"
        "2 for wrong usage, and for a label that is not there.\n",
    .run = diff,
};
