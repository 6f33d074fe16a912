// measure.c: several ways of doing a thing, timed fairly against each other.
//
// A sample is long against the timer (200 times what reading it costs) and short against a
// scheduler's slice (2 ms). Arms take turns in random order, so that what drifts (clock, caches,
// neighbours) falls on all of them alike. A sample is thrown away when we were preempted or moved
// in it, a whole turn when the hypervisor took time; the whole block is measured once more when
// the core's clock moved by more than 2 % from before to after it.

#include "lab/result.h"
#include "lab/rt.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    SAMPLE_NS = 200000, // what a sample is to take
    SAMPLE_NS_MAX = 2000000,
    SAMPLES_QUICK = 100,
    SAMPLES_FULL = 400,
    SAMPLES_LEAST = 15,
    ARMS_MAX = 64,
};

// Times at which the kernel took the processor from us.
static long switches(int whose)
{
    struct rusage r;
    getrusage(whose, &r);
    return r.ru_nivcsw;
}

// ---------------------------------------------------------------- one run of a team

struct team {
    const struct arm *arm;
    u64 rounds;
    u32 who, cpu;
    u64 ns;
    bool disturbed;
    atomic_uint *ready, *failed;
    u32 all;
};

// All wait until all are there and pinned; in the wait they give way, so that one processor fewer
// than promised is slow, and not a deadlock.
static void *team_body(void *of)
{
    struct team *t = of;
    if (!lab_pin(t->cpu))
        atomic_fetch_add(t->failed, 1);
    atomic_fetch_add(t->ready, 1);
    for (u32 spins = 0; atomic_load(t->ready) < t->all; spins++) {
        if (spins > 2000)
            sched_yield();
    }
    long before = switches(RUSAGE_THREAD);
    u64 start = clock_ns();
    t->arm->team(t->arm->of, t->rounds, t->who);
    t->ns = clock_ns() - start;
    t->disturbed = switches(RUSAGE_THREAD) != before;
    return NULL;
}

// One run: its time, and whether it was ours alone.
struct once {
    u64 ns;
    bool disturbed;
};

// The slowest member's time.
static struct once run_team(struct lab *l, const struct arm *a, u64 rounds)
{
    struct team team[ARMS_MAX];
    pthread_t thread[ARMS_MAX];
    atomic_uint ready = 0, failed = 0;
    struct once once = {0, false};
    for (u32 i = 0; i < a->threads; i++) {
        team[i] = (struct team){.arm = a,
                                .rounds = rounds,
                                .who = i,
                                .cpu = a->on != NULL ? a->on[i] : l->machine->cpus[i],
                                .ready = &ready,
                                .failed = &failed,
                                .all = a->threads};
        if (pthread_create(&thread[i], NULL, team_body, &team[i]) != 0)
            die("lab: no thread could be started", NULL);
    }
    for (u32 i = 0; i < a->threads; i++) {
        pthread_join(thread[i], NULL);
        once.ns = team[i].ns > once.ns ? team[i].ns : once.ns;
        once.disturbed |= team[i].disturbed && !a->gives_way;
    }
    once.disturbed |= failed != 0;
    return once;
}

static struct once run_once(struct lab *l, const struct arm *a, u64 rounds)
{
    if (a->team != NULL)
        return run_team(l, a, rounds);
    rt_begin();
    long before = switches(RUSAGE_SELF);
    int cpu = sched_getcpu();
    u64 start = clock_ns();
    a->run(a->of, rounds);
    u64 ns = clock_ns() - start;
    bool disturbed = switches(RUSAGE_SELF) != before || sched_getcpu() != cpu;
    disturbed &= !a->gives_way;
    rt_end();
    return (struct once){ns, disturbed};
}

// ---------------------------------------------------------------- a block of samples

static void prepare(struct arm *a)
{
    if (a->before != NULL)
        a->before(a->of);
}

// The least of three: a trial in which we were preempted, or that met everything cold, must not
// make samples so short that what surrounds a round decides.
static double trial(struct lab *l, struct arm *a, u64 rounds)
{
    double least = 0;
    for (u32 i = 0; i < 3; i++) {
        prepare(a);
        double took = (double)run_once(l, a, rounds).ns;
        least = i == 0 || took < least ? took : least;
        if (i == 0 && took > SAMPLE_NS_MAX * 10)
            break; // no preemption lasts that long: it really is slow
    }
    return least;
}

// Rounds that take SAMPLE_NS; the trial also warms up.
static void find_rounds(struct lab *l, struct arm *a)
{
    double least = 200 * l->machine->timer_ns;
    double want = SAMPLE_NS > least ? SAMPLE_NS : least;
    if (a->before != NULL && a->rounds == 0)
        a->rounds = 1;
    if (a->rounds != 0) {
        prepare(a);
        run_once(l, a, a->rounds);
        return;
    }
    for (u64 rounds = 1;; rounds *= 2) {
        prepare(a);
        double took = (double)run_once(l, a, rounds).ns;
        if (took < want / 4 && rounds < 1ull << 40)
            continue;
        took = trial(l, a, rounds);
        if (took < want / 4 && rounds < 1ull << 40)
            continue;
        double fit = (double)rounds * want / (took < 1 ? 1 : took);
        a->rounds = fit < 1 ? 1 : (u64)fit;
        return;
    }
}

static void one_sample(struct lab *l, struct arm *a)
{
    prepare(a);
    struct once once = run_once(l, a, a->rounds);
    if (once.disturbed)
        a->samples.rejected++;
    else
        samples_add(&a->samples, (double)once.ns / (double)a->rounds / (a->ops == 0 ? 1 : a->ops));
}

// Every arm once, in random order; undone if the hypervisor took time meanwhile.
static void one_turn(struct lab *l, struct arm *arms, u32 count)
{
    u32 order[ARMS_MAX], kept[ARMS_MAX];
    rng_shuffle(&l->rng, order, count);
    for (u32 i = 0; i < count; i++)
        kept[i] = arms[i].samples.count;
    u64 steal = machine_steal();
    for (u32 i = 0; i < count; i++)
        one_sample(l, &arms[order[i]]);
    if (machine_steal() == steal)
        return;
    for (u32 i = 0; i < count; i++) {
        arms[i].samples.rejected += arms[i].samples.count - kept[i];
        arms[i].samples.count = kept[i];
    }
}

static u32 fewest(const struct arm *arms, u32 count)
{
    u32 n = arms[0].samples.count;
    for (u32 i = 1; i < count; i++)
        n = arms[i].samples.count < n ? arms[i].samples.count : n;
    return n;
}

// Until there are enough samples or the time is up; thrice the time for the first few, so that a
// disturbed machine gives few samples and not none.
static void block(struct lab *l, struct arm *arms, u32 count, double seconds)
{
    u64 start = clock_ns(), budget = (u64)(seconds * 1e9);
    u32 most = l->full ? SAMPLES_FULL : SAMPLES_QUICK;
    for (;;) {
        u64 took = clock_ns() - start;
        u32 n = fewest(arms, count);
        if (n >= most || took > 3 * budget || (took > budget && n >= SAMPLES_LEAST))
            return;
        one_turn(l, arms, count);
    }
}

static bool clock_moved(double before, double after)
{
    double by = after / before;
    return by < 0.98 || by > 1.02;
}

bool lab_time_quietly(struct lab *l, struct arm *arms, size_t count, double seconds)
{
    for (size_t i = 0; i < count; i++) {
        if (arms[i].team != NULL && arms[i].threads > l->machine->cpu_count) {
            lab_cannot(l, NULL, "it takes %u processors, and there are %u", arms[i].threads,
                       l->machine->cpu_count);
            return false;
        }
    }
    if (count == 0 || count > ARMS_MAX)
        die("lab: too many arms", NULL);
    if (seconds == 0)
        seconds = l->full ? 1.5 : 0.3;
    for (size_t i = 0; i < count; i++)
        find_rounds(l, &arms[i]);
    double ghz = 0;
    for (u32 attempt = 0; attempt < 2; attempt++) {
        for (size_t i = 0; i < count; i++)
            samples_clear(&arms[i].samples);
        double before = clock_core_ghz();
        block(l, arms, (u32)count, seconds);
        double after = clock_core_ghz();
        ghz = (before + after) / 2;
        if (!clock_moved(before, after))
            break;
        l->to->clock_moved += attempt;
    }
    for (size_t i = 0; i < count; i++) {
        struct arm *a = &arms[i];
        a->got = stat_summary(&a->samples, a->statistic == LAB_FLOOR);
        if (a->in_cycles)
            a->got = stat_scale(a->got, ghz);
        l->to->kept += a->got.count;
        l->to->rejected += a->got.rejected;
    }
    return true;
}

bool lab_time(struct lab *l, struct arm *arms, size_t count)
{
    if (!lab_time_quietly(l, arms, count, 0))
        return false;
    for (size_t i = 0; i < count; i++)
        lab_measured(l, arms[i].name, arms[i].got, arms[i].in_cycles ? "cycles" : "ns");
    result_bars(l->to, count);
    return true;
}

double lab_ratio(struct lab *l, const char *key, const struct arm *a, const struct arm *b)
{
    bool floor = a->statistic == LAB_FLOOR && b->statistic == LAB_FLOOR;
    struct summary r = stat_ratio(&a->samples, &b->samples, floor, &l->rng);
    lab_measured(l, key, r, "x");
    return r.value;
}
