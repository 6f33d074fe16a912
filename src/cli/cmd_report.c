// cmd_report.c: `loam report`: a recording, told again.

#include "cli/busy.h"
#include "cli/output.h"
#include "cli/view.h"
#include "report/export.h"
#include "report/html.h"
#include "report/json.h"
#include "report/load.h"
#include "report/symbol.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct report_options {
    bool json, debuginfod;
    const char *html, *export, *output, *by;
    struct view view;
};

static const struct option options[] = {
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct report_options, json),
     "everything as JSON, for machines"},
    {"html", 0, "FILE", OPT_TEXT, offsetof(struct report_options, html),
     "write one HTML page that needs no network"},
    {"export", 0, "FORMAT", OPT_TEXT, offsetof(struct report_options, export),
     "pprof, folded, speedscope, chrome, json, openmetrics"},
    {"output", 'o', "FILE", OPT_TEXT, offsetof(struct report_options, output),
     "where the export goes, instead of stdout"},
    {"by", 0, "WHAT", OPT_TEXT, offsetof(struct report_options, by),
     "peak, live, leaked, allocated, ...: what folded tells"},
    {"debuginfod", 0, NULL, OPT_FLAG, offsetof(struct report_options, debuginfod),
     "ask $DEBUGINFOD_URLS for missing debug information"},
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

static int write_html(const struct command *c, struct model *m, const char *path)
{
    FILE *out = output_open(c, path);
    return out == NULL ? EXIT_LOAM : output_close(c, out, path, html_report(out, m) == 0);
}

static int write_export(const struct command *c, struct model *m, const struct report_options *o)
{
    const struct export_format *f = export_named(o->export);
    const char *path = o->output == NULL ? "-" : o->output;
    if (f->binary && strcmp(path, "-") == 0 && isatty(1)) {
        say(c, "%s is no text for a terminal: name a file with -o.", f->name);
        return EXIT_USAGE;
    }
    FILE *out = output_open(c, path);
    if (out == NULL)
        return EXIT_LOAM;
    u32 gauge = (u32)gauge_named(o->by == NULL ? "peak" : o->by);
    return output_close(c, out, path, f->write(out, m, gauge) == 0);
}

static int show(const struct command *c, struct model *m, const struct report_options *o,
                const char *next)
{
    if (o->html != NULL)
        return write_html(c, m, o->html);
    if (o->export != NULL)
        return write_export(c, m, o);
    if (o->json)
        json_report(stdout, m);
    else
        view_text(stdout, m, &o->view, next);
    return output_close(c, stdout, "-", true);
}

static bool servers_ok(const struct command *c, const struct report_options *o)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    if (!o->debuginfod)
        return true;
    if (urls == NULL || *urls == 0) {
        say(c, "--debuginfod needs DEBUGINFOD_URLS; for Debian's packages it is "
               "https://debuginfod.debian.net");
        return false;
    }
    symbols_ask_servers();
    return true;
}

static void list_formats(char *out, size_t size)
{
    size_t at = 0;
    for (u32 i = 0; i < export_formats_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, i > 0 ? ", %s" : "%s", export_formats[i].name);
}

static void list_gauges(char *out, size_t size)
{
    size_t at = 0;
    for (u32 i = 0; i < gauges_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, i > 0 ? ", %s" : "%s", gauges[i].key);
}

// Wrong words are told before a recording is read.
static bool usage_ok(const struct command *c, const struct report_options *o, int operands)
{
    char list[400];
    if (operands > 1) {
        say(c, "one recording at a time, not %d. Try 'loam report -h'.", operands);
        return false;
    }
    if (o->export != NULL && export_named(o->export) == NULL) {
        list_formats(list, sizeof list);
        say(c, "there is no format \"%s\"; there are %s.", o->export, list);
        return false;
    }
    if (o->by != NULL && gauge_named(o->by) < 0) {
        list_gauges(list, sizeof list);
        say(c, "\"%s\" is nothing that is counted; there are %s.", o->by, list);
        return false;
    }
    if ((o->output != NULL || o->by != NULL) && o->export == NULL) {
        say(c, "-o and --by belong to --export.");
        return false;
    }
    return true;
}

static int report(const struct command *c, int argc, char **argv)
{
    struct report_options o = {0};
    char last[4096], why[4400], next[4400];
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (!usage_ok(c, &o, n) || !servers_ok(c, &o))
        return EXIT_USAGE;
    const char *path = chosen(c, n, argv + argc - n, last, sizeof last);
    if (path == NULL)
        return EXIT_BAD_FILE;
    struct model m;
    if (load_file(path, &m, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    snprintf(next, sizeof next, "loam report%s%s", n == 1 ? " " : "", n == 1 ? path : "");
    // A page or an export is written when all is known; text comes line by line.
    struct busy b = {0};
    if (o.html != NULL || o.output != NULL)
        busy_begin(&b, "loam report: reading names and lines");
    int r = show(c, &m, &o, next);
    busy_end(&b);
    load_done(&m);
    return r;
}

const struct command command_report = {
    .name = "report",
    .group = "inspect",
    .summary = "show a recording: leaks, peak, and who allocated",
    .synopsis = "[options] [FILE]",
    .examples = {{"loam report", "the last program that was run, again"},
                 {"loam report app.loam --html app.html", "a recording that was kept, as a page"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "FILE is what 'loam run -o FILE' wrote; without it, the last recording is shown, which\n"
        "stands in ${XDG_STATE_HOME:-~/.local/state}/loam/last.loam. A recording of a program\n"
        "that was killed, or of a loam that was killed, is shown as far as it goes.\n\n"
        "Names, files and lines are read now, from the programs and libraries themselves and from\n"
        "/usr/lib/debug; with --debuginfod also from servers, whose names stand in "
        "DEBUGINFOD_URLS.\n"
        "Code of node --perf-basic-prof and of python -X perf is named by its perf map. A file "
        "that has changed since the recording is not believed: its frames\n"
        "stay module and offset.\n\n"
        "--export writes for other tools: pprof is read by 'go tool pprof', Parca, Pyroscope and\n"
        "Grafana; folded by flamegraph.pl, one number a stack, chosen by --by; speedscope by\n"
        "speedscope.app; chrome, the timeline, by Perfetto; openmetrics by Prometheus.\n\n"
        "Sizes are decimal: 1 kB is 1,000 bytes. Exit status: 0; 1 if FILE cannot be read as a\n"
        "recording; 2 for wrong usage; 125 if the report cannot be written.\n",
    .run = report,
};
