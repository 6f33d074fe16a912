// cmd_map.c: `loam map`: an address space as one picture.

#include "cli/opt.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "inspect/map.h"
#include "inspect/map_html.h"

#include <string.h>

struct map_command {
    struct map_options view;
    const char *diff, *html;
    u32 watch;
    bool json;
};

static const struct option options[] = {
    {"all", 'a', NULL, OPT_FLAG, offsetof(struct map_command, view.all),
     "every mapping, with its sections"},
    {"pages", 'p', NULL, OPT_FLAG, offsetof(struct map_command, view.pages),
     "every run of pages, with its frames"},
    {"diff", 'd', "FILE", OPT_TEXT, offsetof(struct map_command, diff),
     "what has changed since FILE, which --json wrote"},
    {"watch", 'w', "SECONDS", OPT_COUNT, offsetof(struct map_command, watch),
     "again every so many seconds, with what changed"},
    {"html", 0, "FILE", OPT_TEXT, offsetof(struct map_command, html),
     "a page to zoom into, written to FILE"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct map_command, json),
     "everything as JSON, for machines"},
};

static int show(const struct map_command *o, const struct map_view *m,
                const struct map_moment *before)
{
    if (o->json)
        return output_json(before != NULL ? map_diff_json(before, m) : map_json(m, &o->view));
    struct ink k = ink_on(stdout);
    if (before != NULL)
        map_diff_text(&k, before, m);
    else
        map_text(&k, m, &o->view);
    return 0;
}

// A process by its number, or a core file by its path. 0, or the exit status after saying why not.
static int load(const struct command *c, struct map_view *m, const char *subject,
                const struct map_options *view)
{
    char why[CORE_WHY];
    pid_t pid = status_pid(subject);
    if (pid == 0) {
        if (map_load_core(m, subject, view, why) == 0)
            return 0;
        say(c, "%s.", why);
        return EXIT_BAD_FILE;
    }
    int e = map_load(m, pid, view);
    return e < 0 ? subject_refused(c, pid, e) : 0;
}

static int show_once(const struct command *c, const struct map_command *o, const char *subject,
                     const struct map_moment *before)
{
    struct map_view m;
    int e = load(c, &m, subject, &o->view);
    if (e != 0)
        return e;
    int r = show(o, &m, before);
    map_done(&m);
    return r;
}

static int write_html(const struct command *c, const struct map_command *o, const char *subject)
{
    struct map_view m;
    struct map_options pages = {.all = true, .pages = true};
    int e = load(c, &m, subject, &pages);
    if (e != 0)
        return e;
    json_t *json = map_json(&m, &pages);
    map_done(&m);
    FILE *out = output_open(c, o->html);
    int r = EXIT_LOAM;
    if (out != NULL)
        r = output_close(c, out, o->html, json != NULL && map_html(out, json) == 0);
    json_decref(json);
    return r;
}

static int show_diff(const struct command *c, const struct map_command *o, const char *subject)
{
    struct map_moment before;
    char why[4400];
    if (map_moment_read(&before, o->diff, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    int r = show_once(c, o, subject, &before);
    map_moment_done(&before);
    return r;
}

// The map first, then what changed, until the process or the reader is gone.
static int show_watch(const struct command *c, const struct map_command *o, pid_t pid)
{
    struct map_moment before = {0};
    int r = 0;
    for (bool first = true;; first = false) {
        struct map_view m;
        int e = map_load(&m, pid, &o->view);
        if (e < 0) {
            r = first ? subject_refused(c, pid, e) : 0;
            break;
        }
        if (!o->json)
            subject_clear(stdout);
        r = show(o, &m, first ? NULL : &before);
        map_moment_done(&before);
        e = map_moment_of(&before, &m);
        map_done(&m);
        if (r != 0 || e < 0 || !subject_wait(pid, o->watch))
            break;
    }
    map_moment_done(&before);
    return r;
}

static int map(const struct command *c, int argc, char **argv)
{
    struct map_command o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 1) {
        say(c, "%s. Try 'loam map PID', or 'loam map -h'.",
            n == 0 ? "which process, or which core file?" : "one process or core file at a time");
        return EXIT_USAGE;
    }
    const char *subject = argv[argc - 1];
    pid_t pid = status_pid(subject);
    if (pid == 0 && o.watch != 0) {
        say(c, "--watch needs a process: '%s' is none.", subject);
        return EXIT_USAGE;
    }
    o.view.all = o.view.all || o.view.pages || o.json;
    if (o.html != NULL)
        return write_html(c, &o, subject);
    if (o.diff != NULL)
        return show_diff(c, &o, subject);
    return o.watch != 0 ? show_watch(c, &o, pid) : show_once(c, &o, subject, NULL);
}

const struct command command_map = {
    .name = "map",
    .group = "inspect",
    .summary = "an address space as one picture: who has which pages",
    .synopsis = "[options] PID | CORE",
    .examples = {{"loam map 1234", "what takes memory, and where"},
                 {"loam map --json 1234 >a; loam map --diff a 1234", "what has changed since"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process, or 'self'; any program, on loam's heap or not, and it is not stopped. "
        "CORE\n"
        "is a core file, of the kernel or of gcore: its pages are those that were written into "
        "it.\n\n"
        "First who has the memory: the program, its libraries, its heap, stacks by thread. Then\n"
        "the address space from low to high, one sign a page (or more, when a line would not\n"
        "hold them): absent, guard, the zero page, small, huge, swapped, a file's as on disk,\n"
        "written, shared with others. With --all each mapping stands alone, with its ELF\n"
        "sections; with --pages each run of equal pages, with the frames that it lies in, which\n"
        "the kernel tells to root alone.\n\n"
        "Sizes are decimal: 1 kB is 1,000 bytes. The JSON is described in docs/map-json.md. Exit\n"
        "status: 0; 1 if there is no such process or it may not be read, or FILE is no map; 2\n"
        "for wrong usage.\n",
    .run = map,
};
