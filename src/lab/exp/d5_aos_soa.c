// D5 aos-soa: an array of structs, a struct of arrays.

#include "lab/lab.h"

enum { STEPS = 64 };

struct particle { // 64 bytes, one cache line
    float x, y, z, vx, vy, vz, mass;
    u32 id;
    float rest[8];
};

struct walk {
    const struct particle *structs;
    const float *x;
    u64 count, now;
    float sum;
};

static void structs(void *of, u64 rounds)
{
    struct walk *w = of;
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (u64 i = 0; i < rounds; i++) {
        const struct particle *p = &w->structs[w->now];
        for (u32 k = 0; k < STEPS; k += 4)
            s0 += p[k].x, s1 += p[k + 1].x, s2 += p[k + 2].x, s3 += p[k + 3].x;
        w->now = w->now + 2 * STEPS <= w->count ? w->now + STEPS : 0;
    }
    w->sum = s0 + s1 + s2 + s3;
    KEEP(w->sum);
}

static void arrays(void *of, u64 rounds)
{
    struct walk *w = of;
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (u64 i = 0; i < rounds; i++) {
        const float *x = &w->x[w->now];
        for (u32 k = 0; k < STEPS; k += 4)
            s0 += x[k], s1 += x[k + 1], s2 += x[k + 2], s3 += x[k + 3];
        w->now = w->now + 2 * STEPS <= w->count ? w->now + STEPS : 0;
    }
    w->sum = s0 + s1 + s2 + s3;
    KEEP(w->sum);
}

static void run(struct lab *l)
{
    u64 n = lab_pick(l, 64, 256) * MiB / sizeof(struct particle);
    struct particle *particles = lab_memory(l, n * sizeof *particles, LAB_HUGE);
    float *x = lab_memory(l, n * sizeof *x, LAB_HUGE);
    if (particles == NULL || x == NULL)
        return;
    for (u64 i = 0; i < n; i++)
        particles[i].x = x[i] = 1;
    struct walk of_structs = {.structs = particles, .count = n}, of_arrays = {.x = x, .count = n};
    struct arm arms[] = {
        {"array_of_structs", .run = structs, .of = &of_structs, .ops = STEPS},
        {"struct_of_arrays", .run = arrays, .of = &of_arrays, .ops = STEPS},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "structs_over_arrays", &arms[0], &arms[1]);
    lab_exact(l, "bytes_fetched_for_4", sizeof(struct particle), "bytes");
}

static const struct claim claims[] = {
    {S3, "topic 7", "data laid out for its use", "data-oriented design pays", "structs_over_arrays",
     2, INFINITY, "x"},
};

LAB_EXPERIMENT(D5) = {
    .question = "Does it matter where the fields lie that one loop needs?",
    .prediction =
        "A loop over one float of a struct of 64 bytes fetches sixteen times what it needs.",
    .method =
        "The sum of one field over an array of structs of one cache line each, and over an "
        "array of that field alone. Both are read in order, so that prefetchers do their best.",
    .look = "The ratio: up to sixteen, the bytes fetched against the bytes used.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
