// A4 harvard: one memory for code and data, two caches.

#include "lab/lab.h"

#include <string.h>
#include <sys/mman.h>

enum { LINE = 64 };

// How much one access to memory per cycle would allow, and what is done.
static void four_loads(void *of, u64 rounds)
{
    const volatile u64 *at = of;
    for (u64 i = 0; i < rounds; i++) {
        (void)at[0], (void)at[1], (void)at[2], (void)at[3];
        (void)at[4], (void)at[5], (void)at[6], (void)at[7];
    }
}

static void reported(struct lab *l)
{
    const struct machine *m = l->machine;
    double code = 0, data = 0;
    for (u32 i = 0; i < m->cache_count; i++) {
        if (m->cache[i].level == 1 && m->cache[i].type == 'i')
            code = (double)m->cache[i].bytes;
        else if (m->cache[i].level == 1 && m->cache[i].type == 'd')
            data = (double)m->cache[i].bytes;
    }
    if (m->cache_count == 0) {
        lab_cannot(l, "split_l1", "this machine does not tell of its caches");
        return;
    }
    lab_exact(l, "l1i_kib", code / 1024, "KiB");
    lab_exact(l, "l1d_kib", data / 1024, "KiB");
    lab_check(l, "split_l1", code > 0 && data > 0, "%.0f KiB for code and %.0f KiB for data",
              code / 1024, data / 1024);
}

#if defined(__x86_64__)
struct program {
    u8 *at;
};

static void run_code(void *of, u64 rounds)
{
    const struct program *p = of;
    void (*f)(void);
    memcpy(&f, &p->at, sizeof f);
    for (u64 i = 0; i < rounds; i++)
        f();
}

// Lines of code, one jump each, visited in random order: no prefetcher knows the next line, and
// the decoded instructions of so few bytes a line are no help, for each line is another place.
static void put_code(struct lab *l, u8 *at, u32 *order, u32 lines)
{
    rng_shuffle(&l->rng, order + 1, lines - 1); // the first line stays the entry
    for (u32 i = 1; i < lines; i++)
        order[i]++;
    order[0] = 0;
    for (u32 i = 0; i < lines; i++) {
        u8 *here = at + (u64)order[i] * LINE;
        memset(here, 0x90, LINE);
        if (i + 1 == lines) {
            here[0] = 0xc3; // ret
            break;
        }
        int distance = (int)((order[i + 1] - (long)order[i]) * LINE - 5);
        here[0] = 0xe9; // jmp
        memcpy(here + 1, &distance, 4);
    }
}

static void code_curve(struct lab *l)
{
    u64 most = 1 * MiB;
    u8 *at =
        mmap(NULL, most, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u32 *order = lab_memory(l, most / LINE * sizeof *order, LAB_4K);
    if (at == MAP_FAILED || order == NULL) {
        lab_note(l, "Code cannot be written here, so that there is no curve of it.");
        return;
    }
    u32 series = lab_series(l, "lines of code", "bytes", "cycles");
    for (u64 bytes = 4 * KiB; bytes <= most; bytes *= 2) {
        put_code(l, at, order, (u32)(bytes / LINE));
        struct program p = {at};
        struct arm arm = {"code",
                          .run = run_code,
                          .of = &p,
                          .ops = (double)(bytes / LINE),
                          .in_cycles = true,
                          .statistic = LAB_FLOOR};
        lab_time_quietly(l, &arm, 1, l->full ? 0.1 : 0.02);
        lab_point(l, series, (double)bytes, arm.got);
        samples_done(&arm.samples);
    }
    munmap(at, most);
}
#else
static void code_curve(struct lab *l)
{
    lab_note(l, "The curve of code is drawn on x86-64 only.");
}
#endif

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

static void chase(void *of, u64 rounds)
{
    struct line **at = of, *p = *at;
    for (u64 i = 0; i < rounds; i++) {
        p = p->next, p = p->next, p = p->next, p = p->next;
        UNKNOWN(p);
    }
    *at = p;
}

static void data_curve(struct lab *l)
{
    struct line *lines = lab_memory(l, MiB, LAB_4K);
    u32 *next = lab_memory(l, MiB / LINE * sizeof *next, LAB_4K);
    if (lines == NULL || next == NULL)
        return;
    u32 series = lab_series(l, "lines of data", "bytes", "cycles");
    for (u64 bytes = 4 * KiB; bytes <= MiB; bytes *= 2) {
        rng_cycle(&l->rng, next, (u32)(bytes / LINE));
        for (u32 i = 0; i < bytes / LINE; i++)
            lines[i].next = &lines[next[i]];
        struct line *at = lines;
        struct arm arm = {"data",   .run = chase,      .of = &at,
                          .ops = 4, .in_cycles = true, .statistic = LAB_FLOOR};
        lab_time_quietly(l, &arm, 1, l->full ? 0.1 : 0.02);
        lab_point(l, series, (double)bytes, arm.got);
        samples_done(&arm.samples);
    }
}

static void run(struct lab *l)
{
    reported(l);
    u64 *words = lab_memory(l, 4096, LAB_4K);
    if (words == NULL)
        return;
    struct arm arm = {"cycles_a_load", .run = four_loads, .of = words,
                      .ops = 8,        .in_cycles = true, .statistic = LAB_FLOOR};
    lab_time(l, &arm, 1);
    lab_measured(l, "loads_a_cycle", stat_exact(1 / arm.got.value), "loads");
    lab_why(l, "loads_a_cycle", "besides the instructions, which come from their own cache");
    code_curve(l);
    data_curve(l);
}

static const struct claim claims[] = {
    {S3, "topic 1", "two first-level caches", "modified Harvard", "split_l1", 0, 0, NULL},
    {S3, "topic 1", "accesses in a cycle, over one bus", "cannot read both at once",
     "loads_a_cycle", 0, 0.99, "loads"},
};

LAB_EXPERIMENT(A4) = {
    .question = "Do code and data share their way to the core?",
    .prediction =
        "One memory for both (von Neumann), but a cache for each next to the core: modified "
        "Harvard. With one bus, an instruction and its data could not come at once.",
    .method =
        "What the machine reports; then how many loads are done in one cycle, while the "
        "instructions that load must come in the same cycles. Two curves: jumps through lines "
        "of generated code in random order, and loads through lines of data in random order, "
        "for growing sizes.",
    .look = "Both curves leave their floor near the size of their own cache. More than one load a "
            "cycle, with the instructions beside: inside the core there is no one bus.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
