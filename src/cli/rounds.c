// rounds.c: prepare the programs, run them, judge each run, keep its row.
//
// A suite's program must print the same under every allocator, but for its "metric" lines: a run
// whose output differs from the first good one of its program did not do the work, whatever it
// took. A user's program may print what it likes; its output is thrown away.

#include "cli/rounds.h"

#include "cli/measure.h"
#include "cli/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIP = 77, TOLD_MAX = 400 };

struct state {
    struct rounds *r;
    char work[PATH_MAX];          // where scripts keep their inputs
    int out, err;                 // what the program prints: files in memory
    u64 output[TRIALS_NAMES_MAX]; // a hash of the good output of each program; 0: not known yet
    bool skip[TRIALS_NAMES_MAX];
    bool told_untraced;
    int usual_status; // of the user's program; 0 for a suite's
};

// ---------------------------------------------------------------- output

static u64 hash(u64 h, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return h;
}

// "metric NAME VALUE UNIT" becomes "NAME=VALUE UNIT;". CSV has no commas.
static void add_figure(struct trial *row, const char *line)
{
    char name[48], value[32], unit[16] = "";
    if (sscanf(line, "metric %47[^ ,;=] %31[0-9.e+-] %15[^,;\n]", name, value, unit) < 2)
        return;
    size_t used = strlen(row->figures);
    snprintf(row->figures + used, sizeof row->figures - used, "%s%s=%s %s", used == 0 ? "" : ";",
             name, value, unit);
}

// Read what a program printed: figures go to the row; the hash of all other lines is returned.
static u64 read_output(struct state *s, struct trial *row)
{
    char line[4096];
    u64 h = 0xcbf29ce484222325u;
    int fd = dup(s->out);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (f == NULL)
        return h;
    rewind(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "metric ", 7) == 0)
            add_figure(row, line);
        else
            h = hash(h, line, strlen(line));
    }
    fclose(f);
    return h;
}

static void empty(int fd)
{
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        // /dev/null: there is nothing to empty.
    }
}

// The end of what a failed program said.
static void tell_errors(struct state *s, const char *program, const char *allocator,
                        const char *outcome)
{
    char text[TOLD_MAX + 1];
    off_t size = lseek(s->err, 0, SEEK_END), from = size > TOLD_MAX ? size - TOLD_MAX : 0;
    ssize_t n = pread(s->err, text, TOLD_MAX, from);
    text[n < 0 ? 0 : n] = 0;
    say(s->r->c, "%s with %s: %s.%s%s", program, allocator, outcome, n > 0 ? " It said: " : "",
        text);
}

// ---------------------------------------------------------------- one run

static const char *judge(struct state *s, const struct measure_order *order,
                         const struct measure_result *result, u32 program, u64 output)
{
    static char text[32];
    if (result->timed_out)
        return "time limit";
    if (result->status == 0)
        snprintf(text, sizeof text, "exit status 0");
    else if (WIFSIGNALED(result->status))
        snprintf(text, sizeof text, "signal %d", WTERMSIG(result->status));
    else
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(result->status));
    if (result->status != s->usual_status)
        return text;
    if (*order->preload != 0 && result->traced && !result->preloaded)
        return "not preloaded";
    if (s->r->suite != NULL && s->output[program] == 0)
        s->output[program] = output;
    return s->r->suite != NULL && s->output[program] != output ? "other output" : "ok";
}

static struct measure_order order_for(struct state *s, u32 program, u32 peer)
{
    struct rounds *r = s->r;
    struct measure_order o = {.argv = r->argv,
                              .preload = r->peers->peer[peer].path,
                              .out = s->out,
                              .err = s->err,
                              .limit = r->limit};
    if (r->suite == NULL)
        return o;
    o.argv = r->suite->program[program].argv;
    o.is_script = r->suite->program[program].is_script;
    o.dir = s->work;
    return o;
}

static int run_one(struct state *s, u32 program, u32 peer, u32 round)
{
    struct trials *t = s->r->trials;
    struct measure_order order = order_for(s, program, peer);
    struct measure_result result;
    empty(s->out);
    empty(s->err);
    int e = measure_run(&order, &result);
    if (e == -EINTR)
        return e;
    struct trial row = {.program = program,
                        .allocator = peer,
                        .round = round,
                        .user = result.user,
                        .sys = result.sys,
                        .wall = result.wall,
                        .peak = result.peak,
                        .faults = result.faults};
    u64 output = s->r->suite == NULL ? 0 : read_output(s, &row);
    snprintf(row.outcome, sizeof row.outcome, "%s",
             e < 0 ? "cannot be executed" : judge(s, &order, &result, program, output));
    if (strcmp(row.outcome, "ok") != 0)
        tell_errors(s, t->program[program], t->allocator[peer], row.outcome);
    if (!result.traced && !s->told_untraced) {
        s->told_untraced = true;
        say(s->r->c, "ptrace is not allowed here: peaks below loam's own size are not exact, and "
                     "whether a library was loaded is not checked.");
    }
    trials_add(t, &row);
    if (s->r->csv != NULL) {
        trials_write_row(t, &row, s->r->csv);
        fflush(s->r->csv); // what was measured is kept, whatever comes
    }
    return 0;
}

// ---------------------------------------------------------------- all runs

// xorshift64: any order will do, as long as it is not always the same.
static u32 draw(u64 *seed, u32 n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (u32)(*seed % n);
}

static void shuffle(u32 *order, u32 n, u64 *seed)
{
    for (u32 i = 0; i < n; i++)
        order[i] = i;
    for (u32 i = n; i > 1; i--) {
        u32 k = draw(seed, i), old = order[i - 1];
        order[i - 1] = order[k];
        order[k] = old;
    }
}

static void show_progress(const struct rounds *r, u32 round, u32 program)
{
    if (isatty(2))
        fprintf(stderr, "\r\033[Kround %u of %u: %s", round + 1, r->count,
                r->trials->program[program]);
}

static int all_rounds(struct state *s)
{
    struct rounds *r = s->r;
    u32 order[PEERS_MAX];
    for (u32 round = 0; round < r->count; round++) {
        for (u32 p = 0; p < r->trials->programs; p++) {
            if (s->skip[p])
                continue;
            show_progress(r, round, p);
            shuffle(order, r->peers->count, &r->seed);
            for (u32 i = 0; i < r->peers->count; i++) {
                int e = run_one(s, p, order[i], round);
                if (e < 0)
                    return e;
            }
        }
        if (!isatty(2))
            fprintf(stderr, "loam bench: round %u of %u done\n", round + 1, r->count);
    }
    return 0;
}

// ---------------------------------------------------------------- before the first round

// A script makes its inputs once; it says by status 77 that its program is not installed.
static int prepare_script(struct state *s, u32 program)
{
    struct suite_program *p = &s->r->suite->program[program];
    char *argv[SUITE_WORDS_MAX];
    struct measure_result result;
    memcpy(argv, p->argv, sizeof argv);
    argv[2] = (char *)"prepare";
    struct measure_order order = {.argv = argv,
                                  .dir = s->work,
                                  .preload = "",
                                  .is_script = true,
                                  .out = s->out,
                                  .err = s->err,
                                  .limit = s->r->limit};
    empty(s->err);
    int e = measure_run(&order, &result);
    if (e < 0)
        return e;
    if (result.status == 0)
        return 0;
    s->skip[program] = true;
    if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == EXIT_SKIP)
        say(s->r->c, "%s is left out: it is not installed.", p->name);
    else
        tell_errors(s, p->name, "no allocator", "its inputs could not be made");
    return 0;
}

// The user's program once, unmeasured, on the first allocator: it warms the page cache, a wrong
// command ends here, and a status that is not 0 (a grep that finds nothing) is known from then on.
static int try_program(struct state *s)
{
    struct measure_order order = order_for(s, 0, 0);
    struct measure_result result;
    int e = measure_run(&order, &result);
    s->usual_status = result.status;
    if (e >= 0 && result.status != 0)
        say(s->r->c, "'%s' ends with %s %d; runs that end so count as good.", s->r->argv[0],
            WIFSIGNALED(result.status) ? "signal" : "exit status",
            WIFSIGNALED(result.status) ? WTERMSIG(result.status) : WEXITSTATUS(result.status));
    if (e >= 0 || e == -EINTR)
        return e;
    say(s->r->c, "cannot execute '%s': %s.", s->r->argv[0], strerror(-e));
    return e == -ENOENT ? EXIT_NOT_FOUND : EXIT_NO_EXEC;
}

static int prepare(struct state *s)
{
    if (s->r->suite == NULL)
        return try_program(s);
    for (u32 p = 0; p < s->r->suite->count; p++) {
        int e = s->r->suite->program[p].is_script ? prepare_script(s, p) : 0;
        if (e < 0)
            return e;
    }
    return 0;
}

static int name_all(struct rounds *r)
{
    bool full = false;
    for (u32 i = 0; i < r->peers->count; i++)
        full |= trials_allocator(r->trials, r->peers->peer[i].name) != (int)i;
    if (r->suite == NULL)
        trials_program(r->trials, r->name, MEAN_BOTH);
    for (u32 i = 0; r->suite != NULL && i < r->suite->count; i++)
        full |= trials_program(r->trials, r->suite->program[i].name, r->suite->program[i].mean) !=
                (int)i;
    if (full)
        say(r->c, "two programs have one name.");
    return full ? EXIT_LOAM : 0;
}

static int open_all(struct state *s)
{
    struct rounds *r = s->r;
    s->err = memfd_create("err", MFD_CLOEXEC);
    s->out = r->suite == NULL ? open("/dev/null", O_WRONLY | O_CLOEXEC)
                              : memfd_create("out", MFD_CLOEXEC);
    if (r->suite != NULL) {
        snprintf(s->work, sizeof s->work, "%s/work", r->dir);
        if (mkdir(s->work, 0777) != 0 && errno != EEXIST) {
            say(r->c, "%s cannot be made: %s.", s->work, strerror(errno));
            return EXIT_LOAM;
        }
        setenv("BENCH_WORK", s->work, 1);
    }
    return s->err < 0 || s->out < 0 ? EXIT_LOAM : 0;
}

int rounds_run(struct rounds *r)
{
    struct state s = {.r = r, .out = -1, .err = -1};
    int e = name_all(r);
    if (e == 0)
        e = open_all(&s);
    if (e == 0 && r->csv != NULL)
        trials_write_head(r->trials, r->csv);
    if (e == 0)
        e = prepare(&s);
    if (e == 0)
        e = all_rounds(&s);
    if (isatty(2))
        fputs("\r\033[K", stderr);
    close(s.out);
    close(s.err);
    return e;
}
