// C16 rawptr: a part of an array, as a copy and as a view.

#include "lab/lab.h"

#include <loam/slice.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 4096 };
typedef loam_slice(u64) numbers;

struct part {
    u64 *from;
    u64 sum;
};

static u64 sum_of(const u64 *at, size_t n)
{
    u64 sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += at[i];
    return sum;
}

static void by_copy(void *of, u64 rounds)
{
    struct part *p = of;
    for (u64 i = 0; i < rounds; i++) {
        u64 *copy = malloc(COUNT / 2 * sizeof *copy);
        if (copy == NULL)
            return;
        memcpy(copy, p->from + COUNT / 4, COUNT / 2 * sizeof *copy);
        KEEP(copy);
        p->sum += sum_of(copy, COUNT / 2);
        free(copy);
    }
}

static void by_view(void *of, u64 rounds)
{
    struct part *p = of;
    for (u64 i = 0; i < rounds; i++) {
        numbers all = {p->from, COUNT}, half;
        loam_slice_cut(&half, all, COUNT / 4, 3 * COUNT / 4);
        KEEP(half.at);
        p->sum += sum_of(half.at, half.len);
    }
}

static void run(struct lab *l)
{
    u64 *a = lab_memory(l, COUNT * sizeof *a, LAB_4K);
    if (a == NULL)
        return;
    for (u32 i = 0; i < COUNT; i++)
        a[i] = i;
    const u64 *third = a + 3;
    lab_exact(l, "step", (double)((const char *)(a + 1) - (const char *)a), "bytes");
    lab_check(l, "arithmetic", *third == 3 && third - a == 3 && &a[3] == third,
              "a + 3 points 24 bytes on, and the difference is 3 again");
    numbers all = {a, COUNT}, half;
    loam_slice_cut(&half, all, COUNT / 4, 3 * COUNT / 4);
    lab_check(l, "same_memory", half.at == a + COUNT / 4 && half.len == COUNT / 2,
              "the view begins at element %td of the array itself", half.at - a);
    struct part copied = {a, 0}, viewed = {a, 0};
    struct arm arms[] = {
        {"copy_and_sum", .run = by_copy, .of = &copied, .ops = COUNT / 2},
        {"view_and_sum", .run = by_view, .of = &viewed, .ops = COUNT / 2},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "copy_over_view", &arms[0], &arms[1]);
}

static const struct claim claims[] = {
    {S0, NULL, "a pointer plus one", "moves by the element's size", "step", 8, 8, "bytes"},
    {S2, NULL, "raw pointers", "offset and difference", "arithmetic", 0, 0, NULL},
    {S2, NULL, "a slice", "zero-copy", "same_memory", 0, 0, NULL},
    {S2, NULL, "copying first", "slower", "copy_over_view", 1.05, INFINITY, "x"},
};

LAB_EXPERIMENT(C16) = {
    .question = "What does a view of a part of an array save?",
    .prediction = "A view is a pointer and a length: nothing is allocated and nothing copied.",
    .method = "The middle half of 4,096 numbers is summed: after copying it into a block of its "
              "own, and through a slice of the array. Pointer arithmetic is shown on the way.",
    .look = "Both sums read the same bytes; the copy reads and writes them once more before.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
