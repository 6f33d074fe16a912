// D9 c2c: how long a store takes to be seen by another core.

#include "lab/lab.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { EXCHANGES = 2000, PATIENCE = 1 << 16 };

struct court {
    _Alignas(128) atomic_ulong ball;
    _Alignas(128) atomic_ulong back; // the second line, for the game with two
};

static void start(void *of)
{
    struct court *c = of;
    atomic_store(&c->ball, 0);
    atomic_store(&c->back, 0);
}

// Wait for a value; give way if it takes long: the other may not be running.
static void await(atomic_ulong *at, u64 value)
{
    for (u32 spins = 1; atomic_load_explicit(at, memory_order_acquire) != value; spins++) {
        if (spins % PATIENCE == 0)
            sched_yield();
    }
}

static void one_line(void *of, u64 rounds, u32 who)
{
    struct court *c = of;
    for (u64 i = 0; i < rounds; i++) {
        await(&c->ball, 2 * i + who);
        atomic_store_explicit(&c->ball, 2 * i + who + 1, memory_order_release);
    }
}

static void two_lines(void *of, u64 rounds, u32 who)
{
    struct court *c = of;
    for (u64 i = 1; i <= rounds; i++) {
        if (who == 0) {
            atomic_store_explicit(&c->ball, i, memory_order_release);
            await(&c->back, i);
        } else {
            await(&c->ball, i);
            atomic_store_explicit(&c->back, i, memory_order_release);
        }
    }
}

static void exchange(void *of, u64 rounds, u32 who)
{
    struct court *c = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 spins = 1;; spins++) {
            u64 expected = 2 * i + who;
            if (atomic_compare_exchange_weak(&c->ball, &expected, 2 * i + who + 1))
                break;
            if (spins % PATIENCE == 0)
                sched_yield();
        }
    }
}

static void alone(void *of, u64 rounds)
{
    struct court *c = of;
    for (u64 i = 0; i < rounds; i++) {
        atomic_store_explicit(&c->ball, i, memory_order_release);
        KEEP(atomic_load_explicit(&c->ball, memory_order_acquire));
    }
}

// Every pair of processors, up to eight of them, as a heat map: near and far cores.
static void all_pairs(struct lab *l, struct court *c)
{
    u32 cpu[8], n = lab_cpus(l, cpu, countof(cpu));
    double ns[countof(cpu) * countof(cpu)] = {0};
    char names[64] = "";
    for (u32 i = 0; i < n; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%u", i == 0 ? "" : "|", cpu[i]);
        for (u32 k = 0; k < i; k++) {
            u32 pair[2] = {cpu[i], cpu[k]};
            struct arm arm = {"pair",   .team = one_line,       .threads = 2,
                              .of = c,  .before = start,        .rounds = EXCHANGES,
                              .ops = 2, .statistic = LAB_FLOOR, .on = pair};
            lab_time_quietly(l, &arm, 1, l->full ? 0.1 : 0.02);
            ns[i * n + k] = ns[k * n + i] = arm.got.value;
            samples_done(&arm.samples);
        }
    }
    lab_heat(l, "one way, from processor to processor", names, names, ns, "ns");
}

static void run(struct lab *l)
{
    struct court *c = lab_memory(l, sizeof *c, LAB_4K);
    if (c == NULL)
        return;
    struct arm arms[] = {
        {"alone_ns", .run = alone, .of = c, .statistic = LAB_FLOOR},
        {"load_spin_one_line_ns", .team = one_line, .threads = 2, .of = c, .before = start,
         .rounds = EXCHANGES, .ops = 2, .statistic = LAB_FLOOR},
        {"load_spin_two_lines_ns", .team = two_lines, .threads = 2, .of = c, .before = start,
         .rounds = EXCHANGES, .ops = 2, .statistic = LAB_FLOOR},
        {"cas_spin_ns", .team = exchange, .threads = 2, .of = c, .before = start,
         .rounds = EXCHANGES, .ops = 2, .statistic = LAB_FLOOR},
    };
    if (!lab_time(l, arms, countof(arms)))
        return;
    lab_ratio(l, "other_core_over_own", &arms[1], &arms[0]);
    all_pairs(l, c);
}

static const struct claim claims[] = {
    {S3, "topic 7", "a line going back and forth", "MESI ping-pong is costly",
     "other_core_over_own", 5, INFINITY, "x"},
};

LAB_EXPERIMENT(D9) = {
    .question = "How long does a store take to be seen by another core?",
    .prediction =
        "Tens of nanoseconds: the line must be taken away from one cache and given to the "
        "other.",
    .method =
        "Two threads pass a number back and forth; the time is that of one way. The method is "
        "part of the name, for it decides the figure: one line and plain loads in the waiting "
        "loop; two lines, one for each direction; compare-and-swap in the loop, which takes "
        "the line away from the one who wants to write.",
    .look = "One line with loads is the floor. Waiting with compare-and-swap can cost three times "
            "that: waiters should only look.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
