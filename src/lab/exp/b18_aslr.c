// B18 aslr: where things are, from run to run.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

enum { REGIONS = 5, MOST = 1200 };
static const char *const region[REGIONS] = {"program", "[heap]", "libc", "[vdso]", "[stack]"};

// The start of the first mapping of each region, of what `cat /proc/self/maps` printed.
static void parse(const char *maps, u64 at[REGIONS])
{
    for (u32 i = 0; i < REGIONS; i++)
        at[i] = 0;
    at[0] = strtoull(maps, NULL, 16); // the lowest is the program itself
    while (maps != NULL && *maps != 0) {
        const char *end = strchr(maps, '\n');
        size_t n = end == NULL ? strlen(maps) : (size_t)(end - maps);
        for (u32 i = 1; i < REGIONS; i++)
            if (at[i] == 0 && memmem(maps, n, region[i], strlen(region[i])) != NULL)
                at[i] = strtoull(maps, NULL, 16);
        maps = end == NULL ? NULL : end + 1;
    }
}

static int by_value(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return (x > y) - (x < y);
}

// The logarithm of the distance between the extremes, in pages: with few runs, a little too small.
static double bits_of(u64 *sorted, u32 n, u64 page, u32 *ret_distinct)
{
    *ret_distinct = 1;
    for (u32 i = 1; i < n; i++)
        *ret_distinct += sorted[i] != sorted[i - 1];
    double span = (double)(sorted[n - 1] - sorted[0]) / (double)page;
    return span > 1 ? log2(span) : 0;
}

static u32 collect(struct lab *l, char *const argv[], u32 runs, u64 (*at)[MOST])
{
    u64 one[REGIONS];
    struct lab_end end;
    u32 n = 0;
    for (; n < runs; n++) {
        if (lab_program(l, argv, 5, &end) != 0 || end.status != 0)
            break;
        parse(end.said, one);
        for (u32 i = 0; i < REGIONS; i++)
            at[i][n] = one[i];
    }
    return n;
}

static void run(struct lab *l)
{
    static u64 at[REGIONS][MOST];
    char *argv[] = {"cat", "/proc/self/maps", NULL};
    char *fixed[] = {"setarch", "-R", "cat", "/proc/self/maps", NULL};
    u32 n = collect(l, argv, (u32)lab_pick(l, 150, MOST), at), all = 0;
    if (n < 2) {
        lab_cannot(l, NULL, "cat could not be run");
        return;
    }
    lab_table(l, "addresses from run to run", "region|distinct|of|bits|");
    for (u32 i = 0; i < REGIONS; i++) {
        u32 distinct;
        qsort(at[i], n, sizeof at[i][0], by_value);
        double bits = bits_of(at[i], n, l->machine->page, &distinct);
        char bar[41] = "";
        memset(bar, '#', bits < 40 ? (size_t)bits : 40);
        lab_row(l, "%s|%u|%u|%.0f|%s", region[i], distinct, n, bits, bar);
        all += distinct > n - n / 10;
    }
    lab_check(l, "random", all == REGIONS, "%u of %d regions are elsewhere in almost every run",
              all, REGIONS);
    lab_why(l, "random", "randomisation is switched off, in part or all of it");
    u32 again = collect(l, fixed, 4, at), same = 0;
    for (u32 i = 0; again == 4 && i < REGIONS; i++)
        same += at[i][0] == at[i][1] && at[i][1] == at[i][2] && at[i][2] == at[i][3];
    if (again == 4)
        lab_check(l, "fixed_without", same == REGIONS, "with setarch -R %u of %d regions stay",
                  same, REGIONS);
    else
        lab_cannot(l, "fixed_without", "setarch -R cannot be run here");
}

static const struct claim claims[] = {
    {S3, "topic 3", "addresses from run to run", "different each time", "random", 0, 0, NULL},
    {S3, "topic 3", "the same, with randomisation off", "the same each time", "fixed_without", 0, 0,
     NULL},
};

LAB_EXPERIMENT(B18) = {
    .question = "Are addresses the same in the next run?",
    .prediction = "No: program, heap, libraries and stack are put at random places.",
    .method = "A program that prints its own map is started over and over, and the places of five "
              "regions are collected. As a control it runs with randomisation off (setarch -R). "
              "Bits are those of the widest distance, in pages, that was seen: a floor, since few "
              "runs do not meet the extremes.",
    .look = "Distinct places in every run, and many bits of chance: an attacker who guesses needs "
            "as many tries as two to that power. The stack has fewer bits in pages, and some more "
            "within its page. The control shows no chance at all.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
