// A13b iter: a loop with an index, and one that walks.

#include "lab/lab.h"

#include <stdlib.h>

enum { COUNT = 4096 };

struct slice {
    const u32 *at;
    u64 count;
};

// Each access asks, as an indexed loop does in a language that checks and a compiler that cannot
// prove: the bound is read anew, since it might have changed.
static void by_index(void *of, u64 rounds)
{
    const struct slice *s = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u64 i = 0; i < COUNT; i++) {
            if (i >= *(const volatile u64 *)&s->count)
                abort();
            sum += s->at[i];
            UNKNOWN(sum);
        }
        KEEP(sum);
    }
}

static void by_index_hoisted(void *of, u64 rounds)
{
    const struct slice *s = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0, count = s->count;
        for (u64 i = 0; i < count; i++) {
            if (i >= count)
                abort(); // the compiler sees that this cannot be
            sum += s->at[i];
            UNKNOWN(sum);
        }
        KEEP(sum);
    }
}

static void by_iterator(void *of, u64 rounds)
{
    const struct slice *s = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (const u32 *p = s->at, *end = p + s->count; p < end; p++) {
            sum += *p;
            UNKNOWN(sum);
        }
        KEEP(sum);
    }
}

static void run(struct lab *l)
{
    u32 *at = lab_memory(l, COUNT * sizeof *at, LAB_4K);
    if (at == NULL)
        return;
    struct slice slice = {at, COUNT};
    struct arm arms[] = {
        {"index_checked", .run = by_index, .of = &slice, .ops = COUNT, .in_cycles = true},
        {"index_proved", .run = by_index_hoisted, .of = &slice, .ops = COUNT, .in_cycles = true},
        {"iterator", .run = by_iterator, .of = &slice, .ops = COUNT, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "index_over_iterator", &arms[0], &arms[2]);
    lab_ratio(l, "proved_over_iterator", &arms[1], &arms[2]);
    lab_why(l, "index_over_iterator", "the check is guessed right and runs beside the sum");
    lab_why(l, "proved_over_iterator", "a check that is proved away costs nothing");
}

static const struct claim claims[] = {
    {S3, "topic 9", "index that is checked, iterator", "iterators are faster",
     "index_over_iterator", 1.05, INFINITY, "x"},
    {S3, "topic 9", "index that is proved, iterator", "iterators are faster",
     "proved_over_iterator", 1.05, INFINITY, "x"},
};

LAB_EXPERIMENT(A13b) = {
    .question = "Are iterators faster than a loop with an index?",
    .prediction = "Yes, since they need no bounds check.",
    .method = "The sum of an array in the first cache: with an index that is checked each time "
              "against a bound that may change, with one whose check the compiler can prove away, "
              "and with a pointer that walks to the end, as an iterator does. No vectors in any.",
    .look = "Whether the check matters at all, and whether there is anything left to gain when the "
            "compiler has proved it needless.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
