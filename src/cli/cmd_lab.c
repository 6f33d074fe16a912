// cmd_lab.c: `loam lab`: measure what a memory course claims, on this machine.

#include "cli/opt.h"
#include "lab/allocators.h"
#include "lab/card.h"
#include "lab/compare.h"
#include "lab/doctor.h"
#include "lab/registry.h"
#include "lab/rt.h"
#include "lab/run.h"
#include "lab/state.h"
#include "lab/text.h"
#include "report/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lab_options {
    bool quick, full, details, rt;
    const char *json, *html, *seed;
};

static const struct option options[] = {
    {"quick", 'q', NULL, OPT_FLAG, offsetof(struct lab_options, quick),
     "few samples, small sizes; this is the default"},
    {"full", 'f', NULL, OPT_FLAG, offsetof(struct lab_options, full),
     "many samples, sizes up to a gigabyte"},
    {"details", 'd', NULL, OPT_FLAG, offsetof(struct lab_options, details),
     "metrics, curves and tables, however many experiments"},
    {"json", 'j', "FILE", OPT_TEXT, offsetof(struct lab_options, json),
     "write the results as JSON into FILE; - is stdout"},
    {"html", 0, "FILE", OPT_TEXT, offsetof(struct lab_options, html),
     "write one page with plots into FILE"},
    {"rt", 0, NULL, OPT_FLAG, offsetof(struct lab_options, rt),
     "as root: samples at real-time priority, in bursts"},
    {"seed", 0, "N", OPT_TEXT, offsetof(struct lab_options, seed),
     "start of the random numbers, as in an earlier JSON"},
};

enum { WHOLE_UP_TO = 3 }; // experiments that are shown with all details

// ---------------------------------------------------------------- choosing

static int unknown(const struct command *c, const char *word)
{
    const struct entry *near = registry_near(word);
    if (near != NULL)
        say(c, "there is no experiment '%s'. Did you mean '%s' (%s)? 'loam lab list' has all.",
            word, near->name, near->id);
    else
        say(c, "there is no experiment '%s'. 'loam lab list' has all.", word);
    return EXIT_USAGE;
}

// Those that any of the words chooses; all of them without words. -1: a word chooses none.
static int choose(const struct command *c, int n, char **words, const struct entry **chosen)
{
    int count = 0;
    for (int w = 0; w < n; w++) {
        size_t i = 0;
        while (i < registry_count && !registry_chosen(&registry[i], words[w]))
            i++;
        if (i == registry_count) {
            unknown(c, words[w]);
            return -1;
        }
    }
    for (size_t i = 0; i < registry_count; i++) {
        bool wanted = n == 0;
        for (int w = 0; w < n; w++)
            wanted |= registry_chosen(&registry[i], words[w]);
        if (wanted)
            chosen[count++] = &registry[i];
    }
    return count;
}

// ---------------------------------------------------------------- run

static struct {
    struct ink ink;
    bool talk, quiet, whole;
} view;

static void progress(const struct entry *e, u32 index, u32 count, const json_t *done)
{
    if (view.talk && done == NULL)
        fprintf(stderr, "\r\033[K%u of %u: %s %s ", index + 1, count, e->id, e->name);
    if (done == NULL)
        return;
    if (view.talk)
        fprintf(stderr, "\r\033[K");
    if (!view.quiet) {
        text_experiment(&view.ink, done, view.whole);
        fflush(stdout);
    }
}

static int write_json(const struct command *c, const json_t *d, const char *path)
{
    bool out = strcmp(path, "-") == 0;
    FILE *f = out ? stdout : fopen(path, "we");
    bool bad = f == NULL || json_dumpf(d, f, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0;
    if (f != NULL)
        fputc('\n', f);
    if (f != NULL && !out)
        bad |= fclose(f) != 0;
    if (!bad)
        return 0;
    say(c, "%s cannot be written: %s.", path, strerror(errno));
    return EXIT_LOAM;
}

static int write_html(const struct command *c, const json_t *d, const char *path)
{
    FILE *f = fopen(path, "we");
    bool bad = f == NULL || page_write(f, PAGE_LAB, d) != 0;
    if (f != NULL)
        bad |= fclose(f) != 0;
    if (!bad)
        return 0;
    say(c, "%s cannot be written: %s.", path, strerror(errno));
    return EXIT_LOAM;
}

static u64 seed_of(const struct lab_options *o)
{
    return o->seed == NULL ? clock_ns() & 0xffffffff : strtoull(o->seed, NULL, 10);
}

static int lab_run(const struct command *c, const struct lab_options *o, int n, char **words)
{
    const struct entry **chosen = calloc(registry_count + 1, sizeof *chosen);
    int count = chosen == NULL ? -1 : choose(c, n, words, chosen);
    if (count < 0) {
        free(chosen);
        return EXIT_USAGE;
    }
    int r = state_open();
    if (r < 0)
        say(c, "what a killed lab leaves behind cannot be remembered: %s.", strerror(-r));
    int real_time = o->rt ? rt_open() : 0;
    if (real_time < 0)
        say(c, "no real-time priority: %s. Samples are taken without.",
            real_time == -EBUSY   ? "another lab has it"
            : real_time == -EPERM ? "it is not permitted (run as root)"
                                  : strerror(-real_time));
    view.ink = ink_on(stdout);
    view.talk = isatty(2);
    view.quiet = o->json != NULL && strcmp(o->json, "-") == 0;
    view.whole = o->details || count <= WHOLE_UP_TO;
    json_t *d = run_all(chosen, (u32)count, &(struct run_options){o->full, seed_of(o), progress});
    rt_close();
    state_close();
    r = 0;
    if (!view.quiet) {
        text_summary(&view.ink, d);
        if (count == 1)
            printf("Why, and how: loam lab explain %s; its source: loam lab source %s\n",
                   chosen[0]->id, chosen[0]->id);
    }
    if (o->json != NULL)
        r = write_json(c, d, o->json);
    if (o->html != NULL && write_html(c, d, o->html) != 0)
        r = EXIT_LOAM;
    json_decref(d);
    free(chosen);
    return r != 0 ? r : run_interrupted() ? 128 + 2 : 0;
}

// ---------------------------------------------------------------- the other words

static int lab_list(const struct command *c, const struct lab_options *o, int n, char **words)
{
    (void)o;
    struct ink k = ink_on(stdout);
    const struct entry **any = calloc(registry_count + 1, sizeof *any);
    int chosen = any == NULL ? -1 : choose(c, n, words, any);
    free(any);
    if (chosen < 0)
        return EXIT_USAGE;
    for (int w = 0; w < (n == 0 ? 1 : n); w++)
        text_list(&k, n == 0 ? "all" : words[w]);
    return 0;
}

static int each(const struct command *c, int n, char **words, void (*show)(const struct entry *e))
{
    if (n == 0) {
        say(c, "of which experiment? 'loam lab list' has them.");
        return EXIT_USAGE;
    }
    for (int w = 0; w < n; w++) {
        const struct entry *e = registry_find(words[w]);
        if (e == NULL)
            return unknown(c, words[w]);
        if (w > 0)
            putchar('\n');
        show(e);
    }
    return 0;
}

static void explain_one(const struct entry *e)
{
    struct ink k = ink_on(stdout);
    text_explain(&k, e);
}

static int lab_explain(const struct command *c, const struct lab_options *o, int n, char **words)
{
    (void)o;
    return each(c, n, words, explain_one);
}

// An exercise is a program of its own; the experiment around it comes with --details.
static void source_one(const struct entry *e)
{
    const char *exercise = e->experiment->exercise;
    if (exercise != NULL)
        fputs(exercise, stdout);
    if (exercise == NULL || view.whole)
        fputs(e->code, stdout);
}

static int lab_source(const struct command *c, const struct lab_options *o, int n, char **words)
{
    view.whole = o->details;
    return each(c, n, words, source_one);
}

static int lab_compare(const struct command *c, const struct lab_options *o, int n, char **words)
{
    (void)o;
    json_t *d[2] = {NULL, NULL};
    char why[1024];
    if (n != 2) {
        say(c, "compare two files that 'loam lab run --json FILE' wrote.");
        return EXIT_USAGE;
    }
    for (int i = 0; i < 2; i++) {
        d[i] = compare_load(words[i], why, sizeof why);
        if (d[i] == NULL) {
            say(c, "%s.", why);
            json_decref(d[0]);
            return EXIT_BAD_FILE;
        }
    }
    struct ink k = ink_on(stdout);
    compare_print(&k, d[0], d[1]);
    json_decref(d[0]);
    json_decref(d[1]);
    return 0;
}

static int lab_doctor(const struct command *c, const struct lab_options *o, int n, char **words)
{
    (void)words;
    if (n != 0) {
        say(c, "'doctor' takes no operand.");
        return EXIT_USAGE;
    }
    struct machine m;
    machine_read(&m);
    if (o->json != NULL) {
        json_t *j = doctor_json(&m);
        int r = write_json(c, j, o->json);
        json_decref(j);
        return r;
    }
    struct ink k = ink_on(stdout);
    doctor_print(&k, &m);
    return 0;
}

// From a file, or by measuring what it needs.
static int lab_card(const struct command *c, const struct lab_options *o, int n, char **words)
{
    const struct entry *chosen[16];
    char why[1024];
    json_t *d = NULL;
    if (n > 1) {
        say(c, "'card' takes one file, or none.");
        return EXIT_USAGE;
    }
    if (n == 1) {
        d = compare_load(words[0], why, sizeof why);
        if (d == NULL) {
            say(c, "%s.", why);
            return EXIT_BAD_FILE;
        }
    } else {
        state_open();
        view.talk = isatty(2);
        view.quiet = true;
        d = run_all(chosen, card_experiments(chosen, countof(chosen)),
                    &(struct run_options){o->full, seed_of(o), progress});
        state_close();
    }
    struct ink k = ink_on(stdout);
    card_print(&k, d);
    json_decref(d);
    return 0;
}

static int lab_cleanup(const struct command *c, const struct lab_options *o, int n, char **words)
{
    (void)o;
    (void)words;
    if (n != 0) {
        say(c, "'cleanup' takes no operand.");
        return EXIT_USAGE;
    }
    int r = state_clean();
    if (r < 0) {
        say(c, "the list of what is left cannot be read: %s.", strerror(-r));
        return EXIT_LOAM;
    }
    printf(r == 0 ? "Nothing was left behind.\n"
                  : "Removed %d thing%s that a killed lab had left.\n",
           r, r == 1 ? "" : "s");
    return 0;
}

// What an experiment lets loam watch, in a process of its own; not for people.
static int lab_witness_only(const struct command *c, const struct lab_options *o, int n,
                            char **words)
{
    (void)o;
    const struct entry *e = n == 2 ? registry_find(words[0]) : NULL;
    if (e == NULL || e->experiment->witness == NULL) {
        say(c, "'witness' is what experiments call. 'loam lab run' runs them.");
        return EXIT_USAGE;
    }
    e->experiment->witness((u32)strtoul(words[1], NULL, 10));
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const struct command *c, const struct lab_options *o, int n, char **words);
} verbs[] = {
    {"list", lab_list},     {"run", lab_run},         {"explain", lab_explain},
    {"source", lab_source}, {"cleanup", lab_cleanup}, {"compare", lab_compare},
    {"doctor", lab_doctor}, {"card", lab_card},       {"witness", lab_witness_only},
};

static int lab(const struct command *c, int argc, char **argv)
{
    struct lab_options o = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "run") == 0) {
            allocators_make_room(argv + 1); // before the words are put in order
            break;
        }
    }
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (o.quick && o.full) {
        say(c, "--quick or --full, not both.");
        return EXIT_USAGE;
    }
    char **words = argv + argc - n;
    if (n == 0)
        return lab_list(c, &o, 0, words);
    for (size_t i = 0; i < countof(verbs); i++) {
        if (strcmp(words[0], verbs[i].name) == 0)
            return verbs[i].run(c, &o, n - 1, words + 1);
    }
    say(c, "there is no 'loam lab %s'. Try 'loam lab -h'.", words[0]);
    return EXIT_USAGE;
}

const struct command command_lab = {
    .name = "lab",
    .group = "learn",
    .summary = "measure what memory courses claim, on this machine",
    .synopsis = "[options] [list | run | explain | source] [WHAT]... |\n      "
                "          compare A.json B.json | doctor | card [FILE.json] | cleanup",
    .examples = {{"loam lab run ladder", "the memory hierarchy of this machine"},
                 {"loam lab run all --html lab.html", "every experiment, as a page with plots"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "Five texts on memory make claims: L1 takes 3 to 4 cycles, false sharing costs 10 to 50\n"
        "times. Each experiment puts claim, source, measured value and verdict side by side.\n"
        "\n"
        "'list' prints one experiment a line. 'run' runs those that are named by ID, name or\n"
        "chapter (A to G), or all. 'explain' tells an experiment's question, prediction, method "
        "and\n"
        "what to look for; 'source' prints its C file. 'compare' tells which verdicts of two runs\n"
        "agree. 'doctor' tells what this machine can measure and what it lacks. 'card' is one "
        "screen\n"
        "to keep: the memory hierarchy of the texts beside this machine's.\n"
        "\n"
        "A verdict is HOLDS, PARTLY (the condition is told), DIFFERS (by a factor), CANNOT (the\n"
        "reason is told) or INCONCLUSIVE (the machine is too noisy now). It never changes the "
        "exit\n"
        "status. Experiments run one at a time, each in a process of its own, pinned to one\n"
        "processor, with limits on time and memory. What a killed lab left behind is removed by "
        "the\n"
        "next one, or by 'cleanup'.\n\n"
        "Exit status: 0, whatever the verdicts are; 1 if a FILE cannot be read as results; 2 for\n"
        "wrong usage; 125 if the results could not be written; 130 when interrupted.\n",
    .run = lab,
};
