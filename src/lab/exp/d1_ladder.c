// D1 ladder: the memory hierarchy, one dependent load at a time.

#include "lab/lab.h"

#include <string.h>

enum { LINE = 64, UNROLL = 8 };

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

// Link the first `bytes` of `lines` into one random cycle.
static void link_cycle(struct lab *l, struct line *lines, u32 *order, u64 bytes)
{
    u32 n = (u32)(bytes / LINE);
    rng_shuffle(&l->rng, order, n);
    for (u32 i = 0; i < n; i++)
        lines[order[i]].next = &lines[order[i + 1 < n ? i + 1 : 0]];
}

static void chase(void *of, u64 rounds)
{
    struct line **at = of, *p = *at;
    for (u64 i = 0; i < rounds; i++) {
        p = p->next, p = p->next, p = p->next, p = p->next;
        p = p->next, p = p->next, p = p->next, p = p->next;
        __asm__ volatile("" : "+r"(p));
    }
    *at = p;
}

// A pass over everything first: else the sample finds in the caches what the linking left there.
static struct summary latency(struct lab *l, struct line *lines, u64 bytes)
{
    struct line *at = lines;
    u64 warm = bytes / LINE / UNROLL;
    chase(&at, warm < 100000 ? warm + 1 : 100000);
    struct arm arm = {"load",        .run = chase,           .of = &at,
                      .ops = UNROLL, .statistic = LAB_FLOOR, .in_cycles = true};
    lab_time_quietly(l, &arm, 1, l->full ? 0.12 : 0.008);
    samples_done(&arm.samples);
    return arm.got;
}

struct curve {
    u64 bytes[64];
    struct summary cycles[64];
    u32 count;
    struct line *lines; // for once more
    u32 *order;
};

// Sizes go up in half octaves: 4, 6, 8, 12, 16 ... KiB; in a quick run in whole ones where it is
// memory that is measured, and linking takes long.
static u64 next_size(const struct lab *l, u64 bytes)
{
    if (!l->full && bytes >= 16 * MiB)
        return bytes * 2;
    return is_pow2(bytes) ? bytes / 2 * 3 : bytes / 3 * 4;
}

static bool measure(struct lab *l, enum lab_pages pages, u64 most, struct curve *c)
{
    struct line *lines = lab_memory(l, most, pages);
    u32 *order = lab_memory(l, most / LINE * sizeof *order, LAB_HUGE);
    if (lines == NULL || order == NULL)
        return false;
    c->lines = lines;
    c->order = order;
    memset(lines, 0, most);
    if (pages == LAB_HUGE && lab_smaps(lines, "AnonHugePages") < most / 2) {
        lab_note(l, "huge pages were asked for and not given: that curve is of 4K pages");
    }
    u32 series = lab_series(l, pages == LAB_HUGE ? "2M pages" : "4K pages", "bytes", "cycles");
    for (u64 bytes = 4 * KiB; bytes <= most; bytes = next_size(l, bytes)) {
        link_cycle(l, lines, order, bytes);
        c->bytes[c->count] = bytes;
        c->cycles[c->count] = latency(l, lines, bytes);
        lab_point(l, series, (double)bytes, c->cycles[c->count++]);
    }
    return true;
}

// The point of the curve at `bytes`, measured once more: what a neighbour spoils for a moment is
// seldom spoiled twice, and the floor is the lower of the two.
static struct summary at_size(struct lab *l, const struct curve *c, u64 bytes)
{
    u32 i = 0;
    while (i + 1 < c->count && c->bytes[i + 1] <= bytes)
        i++;
    link_cycle(l, c->lines, c->order, c->bytes[i]);
    struct summary again = latency(l, c->lines, c->bytes[i]);
    return again.value < c->cycles[i].value ? again : c->cycles[i];
}

// The greatest size whose loads still cost about what those of the level cost: its capacity, as
// far as one can see it.
static u64 knee(const struct curve *c, double cycles, double tolerance)
{
    u64 bytes = 0;
    for (u32 i = 0; i < c->count && c->cycles[i].value <= cycles * tolerance; i++)
        bytes = c->bytes[i];
    return bytes;
}

static void capacities(struct lab *l, const struct curve *c, double l1, double l2, double l3)
{
    lab_measured(l, "l1_kib", stat_exact((double)knee(c, l1, 1.4) / 1024), "KiB");
    lab_measured(l, "l2_kib", stat_exact((double)knee(c, l2, 1.5) / 1024), "KiB");
    lab_measured(l, "l3_mib", stat_exact((double)knee(c, l3, 1.6) / 1048576), "MiB");
    u64 told = machine_cache(l->machine, 3);
    if (told == 0)
        lab_cannot(l, "l3_reported_mib", "this machine tells of no L3 cache");
    else
        lab_exact(l, "l3_reported_mib", (double)told / 1048576, "MiB");
}

static void levels(struct lab *l, struct curve *c, double ghz)
{
    u64 l1 = machine_cache(l->machine, 1), l2 = machine_cache(l->machine, 2);
    l1 = l1 == 0 ? 32 * KiB : l1;
    l2 = l2 == 0 ? 256 * KiB : l2;
    struct summary in_l1 = at_size(l, c, l1 / 2);
    struct summary in_l2 = at_size(l, c, l2 / 2 > 2 * l1 ? l2 / 2 : l2);
    struct summary in_l3 = at_size(l, c, 3 * l2), in_dram = c->cycles[c->count - 1];
    lab_measured(l, "l1_cycles", in_l1, "cycles");
    lab_measured(l, "l2_cycles", in_l2, "cycles");
    lab_measured(l, "l3_cycles", in_l3, "cycles");
    lab_measured(l, "dram_cycles", in_dram, "cycles");
    lab_measured(l, "dram_ns", stat_scale(in_dram, 1 / ghz), "ns");
    capacities(l, c, in_l1.value, in_l2.value, in_l3.value);
    lab_why(l, "dram_cycles", "%s",
            strcmp(l->machine->hypervisor, "none") != 0
                ? "a guest's page walks go through two tables, and servers' memory is far away"
                : "this machine's memory is at another distance");
}

static void run(struct lab *l)
{
    struct curve huge = {0}, small = {0};
    u64 most = l->full ? GiB / 2 : 128 * MiB;
    while (most + most / 8 + 8 * MiB > l->room / (l->full ? 1 : 2))
        most /= 2;
    double ghz = clock_core_ghz();
    lab_measured(l, "core_ghz", stat_exact(ghz), "GHz");
    lab_measured(l, "cycle_ns", stat_exact(1 / ghz), "ns");
    if (!measure(l, LAB_HUGE, most, &huge))
        return;
    levels(l, &huge, ghz);
    if (measure(l, LAB_4K, l->full ? most / 2 : 32 * MiB, &small))
        lab_note(l,
                 "with 4K pages the same loads cost %.0f cycles at %llu MiB: the TLB is too small",
                 small.cycles[small.count - 1].value,
                 (unsigned long long)(small.bytes[small.count - 1] >> 20));
}

static const struct claim claims[] = {
    {S3, "topic 7", "L1 latency", "~3-4 cycles", "l1_cycles", 2.5, 4.5, "cycles"},
    {S4, NULL, "L1 latency", "2-4 cycles", "l1_cycles", 1.5, 4.5, "cycles"},
    {S3, "topic 7", "L1 size", "32-64 KB", "l1_kib", 32, 64, "KiB"},
    {S4, NULL, "L1 size", "~32 KB", "l1_kib", 24, 48, "KiB"},
    {S3, "topic 7", "L2 latency", "~10-12 cycles", "l2_cycles", 9.5, 12.5, "cycles"},
    {S4, NULL, "L2 latency", "10-20 cycles", "l2_cycles", 9.5, 20.5, "cycles"},
    {S3, "topic 7", "L2 size", "256 KB-1 MB", "l2_kib", 256, 1024, "KiB"},
    {S4, NULL, "L2 size", "~256 KB", "l2_kib", 192, 384, "KiB"},
    {S3, "topic 7", "L3 latency", "~40-70 cycles", "l3_cycles", 39.5, 70.5, "cycles"},
    {S4, NULL, "L3 latency", "40-60 cycles", "l3_cycles", 39.5, 60.5, "cycles"},
    {S3, "topic 7", "L3 size, as observed", "10-64 MB and up", "l3_mib", 10, INFINITY, "MiB"},
    {S4, NULL, "L3 size, as observed", "~8 MB", "l3_mib", 6, 12, "MiB"},
    {S3, "topic 7", "L3 size, as reported", "10-64 MB and up", "l3_reported_mib", 10, INFINITY,
     "MiB"},
    {S4, NULL, "L3 size, as reported", "~8 MB", "l3_reported_mib", 6, 12, "MiB"},
    {S3, "topic 7", "memory latency in cycles", "200-300 cycles", "dram_cycles", 200, 300,
     "cycles"},
    {S3, "topic 7", "memory latency in time", "60-100 ns", "dram_ns", 60, 100, "ns"},
    {S4, NULL, "memory latency", "100+ cycles", "dram_cycles", 100, INFINITY, "cycles"},
    {S3, "topic 7", "core clock", "3-5 GHz", "core_ghz", 2.5, 5.5, "GHz"},
    {S3, "topic 7", "length of a cycle", "0.3 ns", "cycle_ns", 0.25, 0.35, "ns"},
};

LAB_EXPERIMENT(D1) = {
    .question = "How long does a load take, from each level of the memory?",
    .prediction = "A staircase: some 4 cycles while the data fits the first cache, a dozen in the "
                  "second, fifty in the third, and hundreds from memory. The texts agree on the "
                  "shape, and not on the figures.",
    .method = "One pointer in every cache line, all of them linked into one random cycle, so that "
              "each load needs the one before and no prefetcher can guess. The cycle grows from "
              "4 KiB in half octaves, on huge pages (where the TLB reaches) and on 4K pages. The "
              "figure is the minimum of short samples: noise only adds. Cycles are the core's, "
              "calibrated with a chain of additions, and not those of the time stamp counter. A "
              "level's latency is read well inside its reported size; its capacity is where the "
              "curve leaves it.",
    .look = "The steps, and where they are. The third cache is shared: a guest or a busy neighbour "
            "leaves you less of it than cpuid reports. Above the reach of the TLB the curve of 4K "
            "pages leaves that of 2M pages.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .seconds = 120,
};
