// cmd_bench.c: `loam bench`: which allocator is how good, on a suite or on the user's own program.
//
// In order: parse; find allocators and programs; open the file of rows; measure in rounds; then, or
// at once with --from, print tables and verdict, and draw the plot. What was measured before a ^C
// is shown, too.

#include "cli/opt.h"
#include "cli/rounds.h"
#include "cli/view.h"
#include "report/contest.h"
#include "report/plot.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

struct bench_options {
    const char *suite, *peers, *only, *programs, *output, *svg, *reference, *scale, *from, *dir;
    u32 rounds, limit;
    bool json;
};

static const struct option options[] = {
    {"suite", 's', "NAME", OPT_TEXT, offsetof(struct bench_options, suite),
     "quick (default), full, micro, traces, real or huge"},
    {"programs", 0, "NAMES", OPT_TEXT, offsetof(struct bench_options, programs),
     "of the suite, only programs whose names begin so"},
    {"peers", 'p', "LIST", OPT_TEXT, offsetof(struct bench_options, peers),
     "more allocators: name=/path/lib.so,..."},
    {"only", 0, "NAMES", OPT_TEXT, offsetof(struct bench_options, only), "only these allocators"},
    {"reference", 'r', "NAME", OPT_TEXT, offsetof(struct bench_options, reference),
     "compare with this one; glibc else"},
    {"rounds", 'n', "N", OPT_COUNT, offsetof(struct bench_options, rounds),
     "runs of each program under each allocator; 5 else"},
    {"scale", 0, "X", OPT_TEXT, offsetof(struct bench_options, scale),
     "multiply the suite's work; 0.1 is a quick try"},
    {"limit", 0, "SECONDS", OPT_COUNT, offsetof(struct bench_options, limit),
     "kill a run that takes longer; 600 else"},
    {"output", 'o', "FILE", OPT_TEXT, offsetof(struct bench_options, output),
     "keep all rows as CSV in FILE"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct bench_options, json),
     "print medians, ratios and means as JSON"},
    {"svg", 0, "FILE", OPT_TEXT, offsetof(struct bench_options, svg), "draw a plot into FILE"},
    {"from", 0, "FILE", OPT_TEXT, offsetof(struct bench_options, from),
     "measure nothing: show the rows of FILE"},
    {"dir", 0, "FOLDER", OPT_TEXT, offsetof(struct bench_options, dir),
     "where the suite's programs are"},
};

// ---------------------------------------------------------------- line 1 of the file

static void add(struct trials *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct trials *t, const char *fmt, ...)
{
    size_t used = strlen(t->about);
    va_list args;
    va_start(args, fmt);
    vsnprintf(t->about + used, sizeof t->about - used - 1, fmt, args);
    va_end(args);
}

// The first line of a file that begins with `key`, behind its colon; or the whole first line.
static void add_from_file(struct trials *t, const char *path, const char *key)
{
    char line[512];
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *from = *key == 0 ? line : strchr(line, ':');
        line[strcspn(line, "\n")] = 0;
        add(t, "%s", from == NULL ? "" : from + strspn(from, ": \t"));
        break;
    }
    if (f != NULL)
        fclose(f);
}

static u32 processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (u32)CPU_COUNT(&set) : 0;
}

static void describe(struct trials *t, const char *command, const struct peers *peers, u64 seed)
{
    struct utsname u;
    struct sysinfo memory;
    char date[32];
    time_t now = time(NULL);
    uname(&u);
    sysinfo(&memory);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
    add(t, "command: %s | machine: ", command);
    add_from_file(t, "/proc/cpuinfo", "model name");
    add(t, ", %u processors, %.1f GB, %s %s, huge pages ", processors(),
        (double)memory.totalram * memory.mem_unit / 1e9, u.sysname, u.release);
    add_from_file(t, "/sys/kernel/mm/transparent_hugepage/enabled", "");
    add(t, ", load ");
    add_from_file(t, "/proc/loadavg", "");
    add(t, " | %s | seed %llu | loam " LOAM_VERSION " |", date, (unsigned long long)seed);
    for (u32 i = 0; i < peers->count; i++)
        add(t, " %s=%s", peers->peer[i].name, peers->peer[i].path);
    for (char *c = t->about; *c != 0; c++)
        *c = *c == '\n' ? ' ' : *c;
}

// ---------------------------------------------------------------- files

// Where rows are kept when nobody says: beside the last recording.
static bool default_output(char path[PATH_MAX])
{
    if (!view_last_path(path, PATH_MAX - 16))
        return false;
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = 0;
        int e = mkdir(path, 0777) == 0 ? 0 : errno;
        *at = '/';
        if (e != 0 && e != EEXIST)
            return false;
    }
    strcpy(strrchr(path, '/') + 1, "bench.csv");
    return true;
}

static FILE *open_rows(const struct command *c, const struct bench_options *o, char path[PATH_MAX])
{
    if (o->output != NULL)
        snprintf(path, PATH_MAX, "%s", o->output);
    else if (!default_output(path))
        return NULL;
    FILE *f = fopen(path, "we");
    if (f == NULL)
        say(c, "%s cannot be written: %s.", path, strerror(errno));
    return f;
}

static int draw_plot(const struct command *c, const struct contest *contest, const char *path)
{
    FILE *f = fopen(path, "we");
    if (f != NULL)
        plot_svg(contest, f);
    bool bad = f == NULL || ferror(f) != 0;
    if ((f != NULL && fclose(f) != 0) || bad) {
        say(c, "the plot cannot be written to %s: %s.", path, strerror(errno));
        return EXIT_LOAM;
    }
    return 0;
}

// ---------------------------------------------------------------- showing

// Tables and the verdict. Returns whether any run failed.
static bool print_text(const struct bench_options *o, const struct contest *contest,
                       const char *rows)
{
    struct ink k = ink_on(stdout);
    contest_print_tables(contest, &k);
    if (contest->t->programs == 1)
        contest_print_verdict(contest, &k);
    bool failed = contest_print_failures(contest, &k);
    if (o->from == NULL && rows != NULL)
        printf("\nAll rows: %s\nAgain, with a plot: loam bench --from %s --svg bench.svg\n", rows,
               rows);
    return failed;
}

static int show(const struct command *c, const struct bench_options *o, const struct trials *t,
                const char *rows)
{
    struct contest contest;
    const char *reference = o->reference == NULL ? "glibc" : o->reference;
    if (contest_init(&contest, t, reference) != 0) {
        say(c, "no allocator is called '%s': try '-r %s'.", reference, t->allocator[0]);
        return EXIT_USAGE;
    }
    bool failed = o->json ? contest_print_json(&contest, stdout) : print_text(o, &contest, rows);
    int r = failed ? EXIT_BAD_FILE : 0;
    if (o->svg != NULL && draw_plot(c, &contest, o->svg) != 0)
        r = EXIT_LOAM;
    contest_done(&contest);
    return r;
}

static int show_file(const struct command *c, const struct bench_options *o)
{
    struct trials *t = calloc(1, sizeof *t);
    char why[256] = "";
    FILE *f = fopen(o->from, "re");
    int r = EXIT_BAD_FILE;
    if (f == NULL || t == NULL)
        say(c, "%s cannot be read: %s.", o->from, strerror(errno));
    else if (trials_read(t, f, why, sizeof why) != 0)
        say(c, "%s is no file of loam bench: %s.", o->from, why);
    else {
        if (!o->json)
            printf("%s\n", t->about);
        r = show(c, o, t, o->from);
    }
    if (f != NULL)
        fclose(f);
    if (t != NULL)
        trials_done(t);
    free(t);
    return r;
}

// ---------------------------------------------------------------- measuring

// The folder of the suite: as told, or beside the tool.
static void bench_folder(const struct bench_options *o, char dir[PATH_MAX])
{
    char self[PATH_MAX];
    if (o->dir != NULL) {
        if (realpath(o->dir, dir) == NULL)
            snprintf(dir, PATH_MAX, "%s", o->dir); // who opens it will say what is wrong
        return;
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 8);
    self[n < 0 ? 0 : n] = 0;
    char *slash = strrchr(self, '/');
    strcpy(slash == NULL ? self : slash, "/bench");
    snprintf(dir, PATH_MAX, "%s", self);
}

// Show what there is, however the measuring ended.
static int finish(const struct rounds *r, const struct bench_options *o, int e, const char *rows)
{
    if (e > 0)
        return e;
    if (e == -EINTR)
        say(r->c, r->trials->count == 0 ? "stopped before the first run was over."
                                        : "stopped; this is what was measured before.");
    else if (e < 0)
        say(r->c, "stopped: %s.", strerror(-e));
    int shown = r->trials->count == 0 ? EXIT_LOAM : show(r->c, o, r->trials, rows);
    return e == -EINTR ? 128 + SIGINT : e < 0 ? EXIT_LOAM : shown;
}

static int measure(struct rounds *r, const struct bench_options *o, const char *command)
{
    char rows[PATH_MAX] = "";
    describe(r->trials, command, r->peers, r->seed);
    r->csv = open_rows(r->c, o, rows);
    if (r->csv == NULL && o->output != NULL)
        return EXIT_LOAM;
    int e = finish(r, o, rounds_run(r), r->csv == NULL ? NULL : rows);
    if (r->csv != NULL && (ferror(r->csv) != 0) | (fclose(r->csv) != 0)) {
        say(r->c, "the rows in %s are not whole: %s.", rows, strerror(errno));
        e = EXIT_LOAM;
    }
    return e;
}

// Fill in what the options choose. 0 or an exit status, and told.
static int choose(struct rounds *r, const struct bench_options *o, struct peers *peers,
                  struct suite *suite, char dir[PATH_MAX])
{
    char why[PATH_MAX + 128];
    if (peers_find(peers, o->peers, o->only, why, sizeof why) != 0) {
        say(r->c, "%s.", why);
        return EXIT_USAGE;
    }
    if (o->scale != NULL && !(strtod(o->scale, NULL) > 0)) {
        say(r->c, "'--scale' wants a number above zero, not '%s'. Try 'loam bench -h'.", o->scale);
        return EXIT_USAGE;
    }
    setenv("BENCH_SCALE", o->scale == NULL ? "1" : o->scale, 1);
    if (r->suite == NULL)
        return 0;
    bench_folder(o, dir);
    if (suite_read(suite, dir, o->suite == NULL ? "quick" : o->suite, o->programs, why,
                   sizeof why) == 0)
        return 0;
    say(r->c, "%s.", why);
    return EXIT_USAGE;
}

static u64 seed_of_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return ((u64)t.tv_sec << 20 ^ (u64)t.tv_nsec) | 1;
}

// The command line as it was typed, before the parser moves it around.
static void join(char *out, size_t size, int argc, char **argv)
{
    size_t used = (size_t)snprintf(out, size, "loam");
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s", argv[i]);
}

static int bench(const struct command *c, int argc, char **argv)
{
    static struct peers peers;
    static struct suite suite;
    static struct trials trials;
    struct bench_options o = {.rounds = 5, .limit = 600};
    char command[1024], dir[PATH_MAX];
    join(command, sizeof command, argc, argv);
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (o.from != NULL)
        return show_file(c, &o);
    struct rounds r = {.c = c,
                       .peers = &peers,
                       .suite = n == 0 ? &suite : NULL,
                       .dir = dir,
                       .argv = argv + argc - n,
                       .count = o.rounds,
                       .limit = o.limit,
                       .seed = seed_of_now(),
                       .trials = &trials};
    if (n > 0) {
        const char *slash = strrchr(r.argv[0], '/');
        r.name = slash == NULL ? r.argv[0] : slash + 1;
    }
    int e = choose(&r, &o, &peers, &suite, dir);
    if (e == 0)
        e = measure(&r, &o, command);
    trials_done(&trials);
    return e;
}

const struct command command_bench = {
    .name = "bench",
    .group = "run",
    .summary = "compare allocators, on your program or on a suite",
    .synopsis = "[options] [--] [PROGRAM ARGUMENTS…]",
    .examples = {{"loam bench -n 10 -- ./prog input.txt", "which allocator is best for it?"},
                 {"loam bench --suite full --svg plot.svg", "the whole field, with a plot"}},
    .options = options,
    .options_count = countof(options),
    .stops = true,
    .about =
        "Each round runs every program once under every allocator, in random order. Time is CPU\n"
        "time, user and system, of the program and the children that it waited for; wall time\n"
        "stands beside it. Memory is the peak of the largest process. Tables show medians as\n"
        "ratios to the reference: below 1 is better. Behind each stands half the distance of the\n"
        "quartiles in percent; below the means, the interval in which 95 % of bootstrap\n"
        "replicates lie. A run that failed, printed something else, or did not load its library\n"
        "is told and does not count.\n\n"
        "Compared are glibc, loam, and of Debian's jemalloc, mimalloc, tcmalloc and tbbmalloc\n"
        "those that are installed; --peers adds others, or other builds of these.\n\n"
        "Python, node and others deal out small objects themselves, from large blocks: to compare\n"
        "allocators for Python's objects, say 'loam bench -- env PYTHONMALLOC=malloc python3 "
        "...'.\n\n"
        "Your own program gets no input and its output is thrown away; processes that it leaves\n"
        "behind are ended. Rows are kept beside the last recording unless -o says where.\n\n"
        "Exit status: 0; 1 a run failed or a file cannot be read; 2 wrong usage; 125 loam failed;\n"
        "126 or 127 the program cannot be executed or is not there; 130 stopped by ^C.\n",
    .run = bench,
};
