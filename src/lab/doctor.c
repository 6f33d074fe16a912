// doctor.c: each thing that experiments need: is it here, and what is lost without it.

#include "lab/doctor.h"

#include "lab/lab.h"
#include "lab/noise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct finding {
    bool good;
    char what[80], seen[160];
    const char *without; // what cannot be measured without it; what to do
};

enum { FINDINGS = 24 };

struct findings {
    struct finding list[FINDINGS];
    u32 count;
};

__attribute__((format(printf, 5, 6))) static void
add(struct findings *f, bool good, const char *what, const char *without, const char *seen, ...)
{
    if (f->count == FINDINGS)
        return;
    struct finding *one = &f->list[f->count++];
    va_list args;
    one->good = good;
    one->without = without;
    snprintf(one->what, sizeof one->what, "%s", what);
    va_start(args, seen);
    vsnprintf(one->seen, sizeof one->seen, seen, args);
    va_end(args);
}

static void processors(struct findings *f, const struct machine *m)
{
    add(f, m->cpu_count >= 2, "two processors",
        "what two threads do to each other (false sharing, lost updates, locks): take a machine or "
        "an affinity mask with two",
        "%u may be used", m->cpu_count);
    add(f, m->smt, "SMT siblings", "how siblings slow each other (D11)", "%s",
        m->smt ? "two processors share a core" : "none are listed");
    add(f, strcmp(m->hypervisor, "none") == 0, "bare metal",
        "nothing; but page walks go through two tables, and caches may be smaller than told", "%s",
        strcmp(m->hypervisor, "none") == 0 ? "no hypervisor" : "a guest of a hypervisor");
    add(f, m->pmu, "hardware counters",
        "counts of TLB and cache misses: only their time is seen. sysctl "
        "kernel.perf_event_paranoid=2, or a host that passes them on",
        "%s", m->pmu ? "perf_event_open works" : "perf_event_open does not work");
}

static void clocks(struct findings *f, const struct machine *m)
{
    struct rng rng = {1};
    struct noise n = noise_measure(&rng);
    add(f, n.grade != 'C', "quiet", "timings: verdicts that would differ are inconclusive now",
        "grade %c: the sentinel spreads by %.1f %%, %.0f %% of it was disturbed", n.grade,
        n.spread * 100, n.rejected * 100);
    double before = clock_core_ghz(), after = clock_core_ghz();
    add(f, fabs(after / before - 1) < 0.02, "steady clock",
        "cycles: blocks in which the clock moves are measured twice; set the governor to "
        "performance",
        "%.2f GHz, then %.2f GHz", before, after);
    add(f, m->timer_ns < 100, "cheap timer", "single events: the timer hides what is shorter",
        "%.0f ns a reading", m->timer_ns);
}

static void memory(struct findings *f, const struct machine *m)
{
    add(f, m->room >= 512 * MiB, "memory", "large working sets", "%llu MiB may be taken",
        (unsigned long long)(m->room >> 20));
    add(f, strcmp(m->thp, "never") != 0 && strcmp(m->thp, "none") != 0, "huge pages",
        "what huge pages gain (B15), and latencies without the TLB: echo madvise "
        ">/sys/kernel/mm/transparent_hugepage/enabled",
        "transparent huge pages: %s", m->thp);
    add(f, m->pagemap, "page frames",
        "where pages are in physical memory (B6): run as root, or with CAP_SYS_ADMIN", "%s",
        m->pagemap ? "/proc/self/pagemap shows them" : "/proc/self/pagemap hides them");
    char line[256];
    bool swap = false;
    FILE *s = fopen("/proc/swaps", "re");
    while (s != NULL && fgets(line, sizeof line, s) != NULL)
        swap |= line[0] == '/';
    if (s != NULL)
        fclose(s);
    add(f, swap || m->root, "swap",
        "major faults from swap, thrashing (B10, B11): as root, the lab "
        "makes a swap file of its own",
        "%s",
        swap      ? "there is some"
        : m->root ? "there is none, but root can make some"
                  : "there is none");
    add(f, m->root && strcmp(m->cgroup, "none") != 0, "memory cgroups",
        "experiments under a memory limit (B10, B11): run as root", "cgroup %s, %s", m->cgroup,
        m->root ? "root" : "not root");
}

static void programs(struct findings *f)
{
    static const struct {
        const char *name, *without;
    } list[] = {
        {"gcc", "the same C for other targets, compiled guards (A10): apt-get install gcc"},
        {"clang", "code for ARM and RISC-V (A10, A18): apt-get install clang"},
        {"rustc", "what the Rust originals do (A12, chapter G): apt-get install rustc"},
        {"python3", "the exercises of the essay, run as written (B21): apt-get install python3"},
        {"node", "pauses of another collector (G10): apt-get install nodejs"},
        {"readelf", "readelf and objdump beside loam's own (A20): apt-get install binutils"},
    };
    for (size_t i = 0; i < countof(list); i++) {
        bool has = lab_has(list[i].name);
        add(f, has, list[i].name, list[i].without, "%s", has ? "installed" : "not installed");
    }
}

static void examine(struct findings *f, const struct machine *m)
{
    processors(f, m);
    clocks(f, m);
    memory(f, m);
    programs(f);
}

void doctor_print(struct ink *k, const struct machine *m)
{
    struct findings f = {.count = 0};
    u32 bad = 0;
    examine(&f, m);
    ink(k, INK_BOLD, "%s", m->cpu);
    ink(k, INK_PLAIN, ", Linux %s", m->kernel);
    ink_line(k);
    for (u32 i = 0; i < f.count; i++) {
        const struct finding *one = &f.list[i];
        ink(k, one->good ? INK_GOOD : INK_BAD, "  %-4s", one->good ? "yes" : "no");
        ink(k, INK_PLAIN, "%s", one->what);
        ink_to(k, 25);
        ink_wrap(k, INK_DIM, one->seen);
        if (!one->good) {
            ink_to(k, 25);
            ink_wrap(k, INK_PLAIN, one->without);
        }
        bad += !one->good;
    }
    ink_line(k);
    ink(k, INK_PLAIN, "%s Next: loam lab run all",
        bad == 0 ? "Everything can be measured here."
                 : "Experiments that lack something say CANNOT, and why.");
    ink_line(k);
}

json_t *doctor_json(const struct machine *m)
{
    struct findings f = {.count = 0};
    examine(&f, m);
    json_t *list = json_array();
    for (u32 i = 0; i < f.count; i++) {
        const struct finding *one = &f.list[i];
        json_array_append_new(list, json_pack("{ss sb ss ss*}", "what", one->what, "here",
                                              one->good, "seen", one->seen, "without",
                                              one->good ? NULL : one->without));
    }
    return json_pack("{ss so so}", "schema", "lab-doctor/1", "env", machine_json(m), "findings",
                     list);
}
