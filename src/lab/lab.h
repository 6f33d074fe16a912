// lab.h: what an experiment is, and what it is given to measure with.
//
// An experiment is one file in exp/: an essay (question, prediction, method, what to look for), the
// claims of the texts that it decides, and a function that measures. The runner calls that function
// in a process of its own, pinned to one processor, with limits on time and memory; what it reports
// becomes JSON, and terminal, HTML and comparison are drawn from that. docs/lab.md tells how to
// write one.
//
//     static void run(struct lab *l)
//     {
//         struct arm arms[] = {{"list", .run = walk_list, .of = &data, .ops = NODES},
//                              {"array", .run = walk_array, .of = &data, .ops = NODES}};
//         lab_time(l, arms, countof(arms));              // metrics "list" and "array", in ns
//         lab_ratio(l, "slower", &arms[0], &arms[1]);    // a claim names one of these metrics
//     }
#pragma once

#include "lab/clock.h"
#include "lab/machine.h"
#include "lab/rng.h"
#include "lab/stat.h"

#include <math.h>

// ---------------------------------------------------------------- what a text claims

enum source { S0, S1, S2, S3, S4, SOURCES };
extern const char *const source_title[SOURCES];

// One claim of one text about one quantity. It HOLDS if the interval of its metric meets
// [low, high]. A yes/no claim has no unit: its metric comes from lab_check(), and yes is wanted.
struct claim {
    enum source source;
    const char *topic;  // where in the text, "topic 7"; NULL if it has no parts
    const char *what;   // the quantity: "L2 latency"
    const char *quote;  // the text's figure or its words, short
    const char *metric; // the key that decides
    double low, high;   // INFINITY: at least `low`
    const char *unit;   // "cycles", "ns", "x", "bytes", "%", ...; NULL: yes or no
};

struct lab;

struct experiment {
    const char *question;   // one sentence, ends in "?"
    const char *prediction; // what the texts, or reasoning, let us expect
    const char *method;     // what is done, and which pitfalls are avoided how
    const char *look;       // what to look for in the result
    const struct claim *claims;
    size_t claims_count;
    void (*run)(struct lab *l);
    u32 seconds; // killed after; 0: 20 s in a quick run, 90 s in a full one
    // An exercise of the lessons, as a whole program (LAB_EXERCISE); `loam lab source` prints it.
    const char *exercise;
    // Parts that loam is to watch from outside, in a process of their own: see lab_watch_witness().
    void (*witness)(u32 which);
};

// At the end of exp/d1_ladder.c:   LAB_EXPERIMENT(D1) = { .question = ..., .run = run };
// It also puts the file's own text into the program, for `loam lab source`.
#define LAB_EXPERIMENT(ID)                \
    LAB_EMBED("lab_code_" #ID, __FILE__); \
    const struct experiment lab_##ID
// Before it:   LAB_EXERCISE(B3, "examples/02_sbrk.c");   and in it   .exercise = lab_exercise_B3
#define LAB_EXERCISE(ID, file)            \
    LAB_EMBED("lab_exercise_" #ID, file); \
    extern const char lab_exercise_##ID[] __attribute__((visibility("hidden")))
// The bytes of `file`, with a terminator, at the symbol `name`.
#define LAB_EMBED(name, file)                                                                     \
    __asm__(".pushsection .rodata\n.globl " name "\n.hidden " name "\n" name ":\n.incbin \"" file \
            "\"\n.byte 0\n.popsection\n")

// ---------------------------------------------------------------- what an experiment is given

struct lab {
    const struct machine *machine;
    struct rng rng;    // seeded; the seed is in the JSON
    u64 room;          // bytes it may take: min(1 GiB, a quarter of what is free)
    bool full;         // --full: more points, more samples
    u32 cpu;           // where it is pinned
    struct result *to; // what has been reported so far
};

// More where there is time: lab_pick(l, 8, 64) is 8 in a quick run.
static inline u64 lab_pick(const struct lab *l, u64 quick, u64 full)
{
    return l->full ? full : quick;
}

// ---------------------------------------------------------------- timing

enum lab_statistic {
    LAB_MEDIAN, // costs with tails: the median
    LAB_FLOOR,  // latencies: the minimum, since all noise adds
};

// One of several ways that are timed against each other. Samples of all arms of a call are taken
// in turn, in random order, each at most 2 ms long; a sample in which we were preempted, moved to
// another processor or robbed by the hypervisor is thrown away and counted.
struct arm {
    const char *name; // the metric's key, and the bar's label
    void (*run)(void *of, u64 rounds);
    void *of;
    double ops;               // operations in a round; the result is the time of one. 0: 1
    void (*before)(void *of); // not timed, before each sample; then a sample is `rounds` or 1
    u64 rounds;               // 0: found by trial
    enum lab_statistic statistic;
    bool in_cycles; // report core cycles (by the calibrated clock) instead of ns
    bool gives_way; // gives the processor away on purpose: a switch does not spoil a sample
    // A team instead of `run`: `threads` threads, one a processor, all at once; `who` counts
    // from 0. The time is that of the slowest.
    void (*team)(void *of, u64 rounds, u32 who);
    u32 threads;
    const u32 *on; // the team's processors; NULL: the first ones of lab_cpus()
    // Results: samples in ns an operation, and what they come to, in the unit asked for.
    struct samples samples;
    struct summary got;
};

// Time them and report each as a metric. False: impossible here (more threads than processors):
// then the claims say CANNOT and why, and the experiment may go on or return.
bool lab_time(struct lab *l, struct arm *arms, size_t count);
// The same without reporting: for the points of a curve. `seconds` is for all arms together; 0:
// the usual share.
bool lab_time_quietly(struct lab *l, struct arm *arms, size_t count, double seconds);
// Metric "x": how many times `a` costs what `b` costs, with the bootstrap's interval.
double lab_ratio(struct lab *l, const char *key, const struct arm *a, const struct arm *b);

// ---------------------------------------------------------------- reporting

// An exact number (a count, a size): its interval is itself, and noise does not touch it.
void lab_exact(struct lab *l, const char *key, double value, const char *unit);
// A measured one.
void lab_measured(struct lab *l, const char *key, struct summary of, const char *unit);
// Yes or no, for yes/no claims; `seen` is the evidence in one sentence.
__attribute__((format(printf, 4, 5))) void lab_check(struct lab *l, const char *key, bool yes,
                                                     const char *seen, ...);
// Many single observations (latencies of faults): metrics KEY (median), KEY_p99, KEY_max, and a
// histogram on a logarithmic axis.
void lab_distribution(struct lab *l, const char *key, const double *values, size_t count,
                      const char *unit);
// Not possible here: claims on `key` (NULL: all that have no metric) say CANNOT, and why.
__attribute__((format(printf, 3, 4))) void lab_cannot(struct lab *l, const char *key,
                                                      const char *why, ...);
// The claim holds in part: say when. Claims on `key` that would HOLD or DIFFER say PARTLY.
__attribute__((format(printf, 3, 4))) void lab_partly(struct lab *l, const char *key,
                                                      const char *why, ...);
// Why, if it differs: a sentence beside those claims on `key` that do not hold.
__attribute__((format(printf, 3, 4))) void lab_why(struct lab *l, const char *key, const char *why,
                                                   ...);
// A sentence below the results.
__attribute__((format(printf, 2, 3))) void lab_note(struct lab *l, const char *fmt, ...);

// A curve. Axes are logarithmic; claims whose unit is `y` are drawn as bands. Returns its index.
u32 lab_series(struct lab *l, const char *name, const char *x, const char *y);
void lab_point(struct lab *l, u32 series, double x, struct summary y);
// A table: columns, then rows, cells separated by '|'.
void lab_table(struct lab *l, const char *title, const char *columns);
__attribute__((format(printf, 2, 3))) void lab_row(struct lab *l, const char *cells, ...);
// A picture in characters, line by line (address maps, stacks, blocks). At most 78 wide.
void lab_picture(struct lab *l, const char *title);
__attribute__((format(printf, 2, 3))) void lab_line(struct lab *l, const char *line, ...);
// A heat map; labels separated by '|'.
void lab_heat(struct lab *l, const char *title, const char *columns, const char *rows,
              const double *values, const char *unit);

// ---------------------------------------------------------------- memory, files, children

// Zeroed pages, freed at the experiment's end. NULL, and the claims say CANNOT, beyond l->room.
enum lab_pages { LAB_4K, LAB_HUGE, LAB_DEFAULT };
void *lab_memory(struct lab *l, size_t bytes, enum lab_pages pages);
// Bytes that /proc/self/smaps tells of the mapping at `at` under `key`: "Rss", or
// "AnonHugePages" (to ask for huge pages is not to get them).
u64 lab_smaps(const void *at, const char *key);
// Memory that children share with us, zeroed.
void *lab_shared(struct lab *l, size_t bytes);
// A folder on disk for the experiment's files, removed at its end, also after kill -9. NULL if
// there is none.
const char *lab_folder(struct lab *l);

struct lab_end {
    int status; // as waitpid(2) has it
    bool timed_out;
    double cpu_seconds;
    u64 peak_bytes;   // ru_maxrss
    char said[16384]; // the beginning of its stdout and stderr
};
// Run `body` in a child, which may crash, hang or corrupt itself: no core file, killed after
// `seconds` (0: 5), gone with us. 0, or -errno.
int lab_child(struct lab *l, void (*body)(void *of), void *of, u32 seconds,
              struct lab_end *ret_end);
// The same for a program; argv[0] is looked for in PATH. -ENOENT if it is not installed.
int lab_program(struct lab *l, char *const argv[], u32 seconds, struct lab_end *ret_end);
// Is there such a program?
bool lab_has(const char *program);

// What the processor says when `body` does something forbidden, in a child.
struct lab_fault {
    int signal; // 0: nothing happened
    int code;   // si_code
    u64 address, trap, error, pc;
};
int lab_fault(struct lab *l, void (*body)(void *of), void *of, struct lab_fault *ret_fault);

// What `loam run --leaks` says of a program.
struct lab_watched {
    struct lab_end end; // of `loam run`, which ends as the program did
    u64 leaked_bytes, direct_blocks, indirect_blocks, cycle_blocks;
    u64 reachable_bytes, peak_bytes;
    char place[128];       // where most of it was allocated: "function file.c:12"
    char recording[300];   // its file
    struct json_t *report; // all of it, as docs/report-json.md has it
};
// 0; or -errno, and the claims say CANNOT, and why. `seconds` 0: 10.
int lab_watch(struct lab *l, char *const argv[], u32 seconds, struct lab_watched *ret);
// The same for the `witness` of experiment `id`, called with `which` in a fresh process.
int lab_watch_witness(struct lab *l, const char *id, u32 which, struct lab_watched *ret);
// The witness alone, not recorded, with LOAM=options: "debug=on".
int lab_witness(struct lab *l, const char *id, u32 which, const char *options, struct lab_end *ret);
// The interpreter itself, not a script in front of it. NULL, and the claims say CANNOT.
const char *lab_python(struct lab *l);

// Processors that we may use, as many as `max`; returns how many.
u32 lab_cpus(struct lab *l, u32 *cpus, u32 max);
// Pin the calling thread. False if that is not allowed.
bool lab_pin(u32 cpu);
