// cmd_run.c: `loam run`: a program, watched, and the report when it has ended.
//
// In order: parse, check the program, find the library, make a recording, start the program, serve
// the recording while it runs, close it, keep it, print the report, end as the program ended. All
// that can fail without the program is tried before it is started; once it runs, nothing of ours
// changes what it does or how we end.

#include "base/options.h"
#include "cli/child.h"
#include "cli/program.h"
#include "cli/result.h"
#include "cli/view.h"
#include "report/html.h"
#include "report/json.h"
#include "report/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run_options {
    bool leaks;
    const char *sample;
    const char *output;
    const char *report;
    const char *json;
    const char *html;
    struct view view;
};

static const struct option options[] = {
    {"leaks", 'l', NULL, OPT_FLAG, offsetof(struct run_options, leaks),
     "scan for leaks when the program ends"},
    {"sample", 0, "SIZE", OPT_MAYBE, offsetof(struct run_options, sample),
     "one block in 512K bytes, instead of all; 'off': later"},
    {"output", 'o', "FILE", OPT_TEXT, offsetof(struct run_options, output),
     "keep the recording in FILE, saved each second"},
    {"report", 0, "FILE", OPT_TEXT, offsetof(struct run_options, report),
     "write the report to FILE, not to stderr"},
    {"json", 0, "FILE", OPT_TEXT, offsetof(struct run_options, json),
     "write the report as JSON to FILE, too"},
    {"html", 0, "FILE", OPT_TEXT, offsetof(struct run_options, html),
     "write the report as an HTML page to FILE, too"},
    VIEW_OPTIONS(struct run_options, view),
};

struct run {
    const struct command *c;
    const struct run_options *o;
    char **argv; // the program and its arguments
    char preload[PATH_MAX];
    struct session session;
    FILE *report; // stderr, or the file that was asked for
    FILE *json;   // NULL: not asked for
    FILE *html;   // the same
};

// ---------------------------------------------------------------- before the program

// libloam.so beside the tool, or where `make install` puts it.
static int find_library(const struct command *c, char ret_path[PATH_MAX])
{
    static const char *const beside[] = {"libloam.so", "../lib/libloam.so"};
    char self[PATH_MAX], path[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) {
        say(c, "cannot find libloam.so: /proc is not there.");
        return EXIT_LOAM;
    }
    self[n] = 0;
    *(strrchr(self, '/') + 1) = 0;
    for (size_t i = 0; i < countof(beside); i++) {
        snprintf(path, sizeof path, "%s%s", self, beside[i]);
        if (realpath(path, ret_path) == NULL)
            continue;
        if (strpbrk(ret_path, " :") == NULL)
            return 0;
        say(c, "LD_PRELOAD cannot name %s: a blank or colon ends a path there.", ret_path);
        return EXIT_LOAM;
    }
    say(c, "cannot find libloam.so: it is neither in %s nor in %s../lib.", self, self);
    return EXIT_LOAM;
}

static FILE *open_report(const struct command *c, const char *path)
{
    FILE *f = fopen(path, "we");
    if (f == NULL)
        say(c, "the report cannot be written to %s: %s.", path, strerror(errno));
    return f;
}

static int open_outputs(struct run *r)
{
    const struct run_options *o = r->o;
    r->report = o->report == NULL ? stderr : open_report(r->c, o->report);
    r->json = o->json == NULL ? NULL : open_report(r->c, o->json);
    r->html = o->html == NULL ? NULL : open_report(r->c, o->html);
    bool missing = (o->json != NULL && r->json == NULL) || (o->html != NULL && r->html == NULL);
    return r->report == NULL || missing ? EXIT_LOAM : 0;
}

static int keep_recording(struct run *r)
{
    const char *path = r->o->output;
    int e = path == NULL ? 0 : session_keep(&r->session, path);
    if (e == -EEXIST)
        say(r->c, "%s is there and is no recording; it is not overwritten.", path);
    else if (e == -ESPIPE)
        say(r->c, "%s is no file that a recording can be kept in.", path);
    else if (e == -ENOSPC)
        return 0; // a full disk may have room again when the program ends
    else if (e < 0)
        say(r->c, "the recording cannot be kept in %s: %s.", path, strerror(-e));
    return e < 0 ? EXIT_LOAM : 0;
}

#define SAMPLE_BYTES (512 * KiB)

// What --leaks and --sample ask for. 0 or an exit status.
static int choose_mode(const struct run *r, struct session_mode *ret)
{
    const char *size = r->o->sample;
    *ret = (struct session_mode){.leaks = r->o->leaks, .sampling = true};
    if (size == NULL)
        return 0;
    if (r->o->leaks) {
        say(r->c, "--leaks looks for every block, --sample knows few: choose one of them.");
        return EXIT_USAGE;
    }
    ret->sample_bytes = SAMPLE_BYTES;
    ret->sampling = strcmp(size, "off") != 0;
    const struct option_text text = {size, strlen(size)};
    if (*size == 0 || !ret->sampling || option_size(text, &ret->sample_bytes))
        return 0;
    say(r->c, "'--sample=%s' is no size: say '--sample=512K', or 'off'. Try 'loam run -h'.", size);
    return EXIT_USAGE;
}

static int prepare(struct run *r)
{
    char why[1024];
    struct session_mode mode;
    int status = choose_mode(r, &mode);
    if (status != 0)
        return status;
    status = program_check(r->argv[0], why, sizeof why);
    if (status != 0) {
        say(r->c, "%s", why);
        return status;
    }
    status = find_library(r->c, r->preload);
    if (status != 0)
        return status;
    if (session_begin(&r->session, r->argv, &mode, why, sizeof why) < 0) {
        say(r->c, "%s", why);
        return EXIT_LOAM;
    }
    status = open_outputs(r);
    return status != 0 ? status : keep_recording(r);
}

// ---------------------------------------------------------------- the program

// "first:rest", "rest" if it begins with first, or "first" alone. Freed by the caller.
static char *joined(const char *first, char between, const char *rest)
{
    char *both = NULL;
    if (rest == NULL || *rest == 0 || strncmp(rest, first, strlen(first)) == 0)
        return strdup(rest == NULL || *rest == 0 ? first : rest);
    return asprintf(&both, "%s%c%s", first, between, rest) < 0 ? NULL : both;
}

static int start(struct run *r, struct child *child)
{
    char record[sizeof r->session.path + 16];
    snprintf(record, sizeof record, "record=%s", r->session.path);
    const char *loam = getenv("LOAM");
    bool none = loam == NULL || *loam == 0;
    struct child_setting set = {.argv = r->argv, .program = r->argv[0]};
    char *preload = joined(r->preload, ':', getenv("LD_PRELOAD"));
    char *keys = joined(none ? record : loam, ',', none ? NULL : record); // the last key counts
    set.preload = preload;
    set.loam = keys;
    int e = preload == NULL || keys == NULL ? -ENOMEM : child_start(child, &set);
    free(preload);
    free(keys);
    if (e == 0)
        return 0;
    say(r->c, "'%s' cannot be started: %s.", r->argv[0], strerror(-e));
    return e == -ENOENT ? EXIT_NOT_FOUND : e == -ENOMEM || e == -EAGAIN ? EXIT_LOAM : EXIT_NO_EXEC;
}

static int watch(struct run *r, struct child *child)
{
    int e = session_serve(&r->session);
    int status = child_wait(child);
    session_close(&r->session, (u32)status);
    if (e < 0)
        say(r->c, "the recording was not served: %s.", strerror(-e));
    return status;
}

// ---------------------------------------------------------------- after the program

// Soft notes: neither changes how we end.
static void keep_last(struct run *r)
{
    char path[PATH_MAX - 16];
    if (r->session.keep.error < 0)
        say(r->c, "the recording in %s is not whole: %s.", r->o->output,
            strerror(-r->session.keep.error));
    if (r->session.no_room)
        say(r->c, "%s has no room: the recording stopped growing.", r->session.path);
    if (!view_last_path(path, sizeof path))
        return;
    int e = result_keep(&r->session, path, r->o->output);
    if (e < 0)
        say(r->c, "the recording is not kept in %s: %s.", path, strerror(-e));
}

static void finish(struct run *r, FILE *f, const char *name)
{
    bool bad = ferror(f) != 0;
    bad |= f == stderr ? fflush(f) != 0 : fclose(f) != 0;
    if (bad && name != NULL)
        say(r->c, "the report in %s is not whole: %s.", name, strerror(errno));
}

static void print(struct run *r)
{
    char why[256], next[PATH_MAX + 32];
    const char *output = r->o->output;
    struct model m;
    if (result_load(&r->session, &m, why, sizeof why) < 0) {
        say(r->c, "%s.", why);
        return;
    }
    snprintf(next, sizeof next, "loam report%s%s", output == NULL ? "" : " ",
             output == NULL ? "" : output);
    if (r->report == stderr)
        fputc('\n', stderr);
    view_text(r->report, &m, &r->o->view, next);
    finish(r, r->report, r->o->report);
    if (r->json != NULL) {
        json_report(r->json, &m);
        finish(r, r->json, r->o->json);
    }
    if (r->html != NULL) {
        html_report(r->html, &m);
        finish(r, r->html, r->o->html);
    }
    load_done(&m);
}

static int run(const struct command *c, int argc, char **argv)
{
    struct run_options o = {0};
    struct run r = {.c = c, .o = &o, .session = {.keep.fd = -1}};
    struct child child = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n == 0) {
        say(c, "which program? Try 'loam run -- ./prog', or 'loam run -h'.");
        return EXIT_USAGE;
    }
    r.argv = argv + argc - n;
    child_prepare(&child);
    int failed = prepare(&r);
    if (failed == 0)
        failed = start(&r, &child);
    if (failed != 0) {
        session_done(&r.session);
        return failed;
    }
    int status = watch(&r, &child);
    signal(SIGPIPE, SIG_IGN); // nobody may read the report; we still end as the program did
    keep_last(&r);
    print(&r);
    session_done(&r.session);
    child_done(&child);
    child_end_like(status);
}

const struct command command_run = {
    .name = "run",
    .group = "run",
    .summary = "run a program on loam and report on its memory",
    .synopsis = "[options] [--] PROGRAM [ARGUMENTS…]",
    .examples = {{"loam run --leaks -- ./prog input.txt", "who leaks, by function and line"},
                 {"loam run -o app.loam -- python3 app.py", "keep it, for loam report"}},
    .options = options,
    .options_count = countof(options),
    .stops = true,
    .about =
        "The program runs unchanged, with its own streams, in your terminal, and all processes\n"
        "that it starts are recorded with it. When it has ended, the report goes to stderr; the\n"
        "recording is kept as the last one for 'loam report'.\n\n"
        "Exit status: the program's own. A program that dies by a signal makes loam die by the\n"
        "same one, so that a shell sees 128 and the signal's number as ever. Before the program\n"
        "was started: 2 wrong usage, 125 loam cannot do it, 126 the program cannot be executed,\n"
        "127 there is no such program.\n\n"
        "With --leaks each process is looked at when it comes to its end, after its own\n"
        "destructors and exit handlers: what nothing points to any more is leaked. A process that\n"
        "dies by a signal is not scanned; what was live then is listed instead.\n\n"
        "With --sample blocks are chosen at random, so that each byte has the same chance: one in\n"
        "512 KiB, or in the SIZE given. It costs next to nothing and may stay on for ever; "
        "reports\n"
        "then show estimates, and how sure they are. 'loam sample PID on' and 'off' switch it;\n"
        "--sample=off begins without.\n\n"
        "For Python, PYTHONMALLOC=malloc is set unless you set it: its own pools would hide its\n"
        "objects. Static, setuid and 32-bit programs cannot be looked into; loam says so and does\n"
        "not start them.\n",
    .run = run,
};
