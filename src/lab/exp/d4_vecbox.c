// D4 vecbox: an array of values, and an array of pointers to values.

#include "lab/lab.h"

enum { STEPS = 64 };

struct boxed {
    u64 value;
    char rest[56]; // what else the object holds, and the allocator's rounding
};

struct vec {
    const u64 *value;        // the values themselves
    struct boxed *const *at; // or where they are
    struct boxed *chase;     // or the next one in each
    u64 count, now, sum;
};

static void values(void *of, u64 rounds)
{
    struct vec *v = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < STEPS; k++) {
            v->sum += v->value[v->now + k];
            UNKNOWN(v->sum);
        }
        v->now = v->now + 2 * STEPS <= v->count ? v->now + STEPS : 0;
    }
}

static void boxes(void *of, u64 rounds)
{
    struct vec *v = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < STEPS; k++) {
            v->sum += v->at[v->now + k]->value;
            UNKNOWN(v->sum);
        }
        v->now = v->now + 2 * STEPS <= v->count ? v->now + STEPS : 0;
    }
}

// The same boxes, but each tells the next: what the array of pointers saves.
static void chain(void *of, u64 rounds)
{
    struct vec *v = of;
    struct boxed *b = v->chase;
    for (u64 i = 0; i < rounds * STEPS; i++)
        b = *(struct boxed **)b->rest;
    v->chase = b;
}

static void run(struct lab *l)
{
    u32 n = (u32)(lab_pick(l, 32, 128) * MiB / sizeof(struct boxed));
    struct boxed *box = lab_memory(l, n * sizeof *box, LAB_HUGE);
    struct boxed **at = lab_memory(l, n * sizeof *at, LAB_HUGE);
    u64 *value = lab_memory(l, n * sizeof *value, LAB_HUGE);
    u32 *order = lab_memory(l, n * sizeof *order, LAB_HUGE);
    if (box == NULL || at == NULL || value == NULL || order == NULL)
        return;
    rng_shuffle(&l->rng, order, n);
    for (u32 i = 0; i < n; i++) {
        value[i] = i;
        at[i] = &box[order[i]];
        at[i]->value = i;
        *(struct boxed **)at[i]->rest = &box[order[i + 1 < n ? i + 1 : 0]];
    }
    struct vec plain = {.value = value, .count = n}, boxed = {.at = at, .count = n};
    struct vec chained = {.chase = box, .count = n};
    struct arm arms[] = {
        {"values", .run = values, .of = &plain, .ops = STEPS},
        {"boxes", .run = boxes, .of = &boxed, .ops = STEPS},
        {"chain_of_boxes", .run = chain, .of = &chained, .ops = STEPS},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "boxes_over_values", &arms[1], &arms[0]);
    lab_ratio(l, "chain_over_boxes", &arms[2], &arms[1]);
    KEEP(plain.sum + boxed.sum);
}

static const struct claim claims[] = {
    {S3, "topic 4", "Vec<Box<T>> against Vec<T>", "terrible", "boxes_over_values", 3, INFINITY,
     "x"},
};

LAB_EXPERIMENT(D4) = {
    .question = "What does it cost to hold pointers to values instead of the values?",
    .prediction = "A cache miss for each element, once the boxes are scattered.",
    .method =
        "The sum of values in an array, and through an array of pointers to boxes of 64 bytes "
        "in random order, more than the caches hold. A third walk goes through the same boxes "
        "as a chain, where each address comes from the box before.",
    .look =
        "The boxes cost many times the values. Yet the array of pointers is far better than the "
        "chain: the addresses are known ahead, so that many misses overlap.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
