// C15 lazyseq: a million numbers at once, or one at a time.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

// Peak memory of a Python one-liner, in bytes; 0: it did not work.
static u64 peak_of(struct lab *l, const char *code)
{
    char *argv[] = {"python3", "-c", (char *)code, NULL};
    struct lab_end end;
    return lab_program(l, argv, 15, &end) == 0 && end.status == 0 ? end.peak_bytes : 0;
}

static void in_python(struct lab *l)
{
    if (!lab_has("python3")) {
        lab_cannot(l, "realised", "python3 is not installed");
        lab_cannot(l, "lazy", "python3 is not installed");
        return;
    }
    u64 nothing = peak_of(l, "pass");
    u64 list = peak_of(l, "print(sum(list(range(1000000))))");
    u64 lazy = peak_of(l, "print(sum(range(1000000)))");
    if (nothing == 0 || list <= nothing || lazy == 0) {
        lab_cannot(l, "realised", "python3 does not work here");
        lab_cannot(l, "lazy", "python3 does not work here");
        return;
    }
    double extra = (double)(lazy > nothing ? lazy - nothing : 0) / 1e6;
    lab_exact(l, "realised", (double)(list - nothing) / 1e6, "MB");
    lab_exact(l, "lazy", extra, "MB");
    lab_table(l, "Python's peak above that of an empty program", "program|MB");
    lab_row(l, "sum(list(range(1000000)))|%.1f", (double)(list - nothing) / 1e6);
    lab_row(l, "sum(range(1000000))|%.1f", extra);
}

// A function that copies its argument to be safe, called by one that already did.
enum { NUMBERS = 1000, DEPTH = 5 };
static u64 copied;

static u64 careful(const u64 *of, u32 depth)
{
    u64 *own = malloc(NUMBERS * sizeof *own);
    if (own == NULL)
        return 0;
    memcpy(own, of, NUMBERS * sizeof *own);
    copied += NUMBERS * sizeof *own;
    u64 sum = depth > 1 ? careful(own, depth - 1) : own[NUMBERS - 1];
    free(own);
    return sum;
}

static void run(struct lab *l)
{
    static u64 numbers[NUMBERS];
    in_python(l);
    KEEP(careful(numbers, DEPTH));
    lab_exact(l, "defensive_copies", (double)copied / sizeof numbers, "x");
    lab_note(l,
             "Five functions that each copy their argument to be safe copied %llu bytes of an "
             "array of %zu; a const view copies none.",
             (unsigned long long)copied, sizeof numbers);
}

static const struct claim claims[] = {
    {S4, NULL, "a million numbers, realised", "much memory", "realised", 8, INFINITY, "MB"},
    {S4, NULL, "one at a time", "next to nothing", "lazy", 0, 2, "MB"},
    {S4, NULL, "defensive copies, five deep", "waste", "defensive_copies", 5, 5, "x"},
};

LAB_EXPERIMENT(C15) = {
    .question = "What does it cost to have all numbers of a sequence at once?",
    .prediction = "A list holds a pointer and an object for each number, some 36 MB for a million "
                  "in Python. A range makes one number at a time.",
    .method = "Both are summed by python3; the peak of an empty program is subtracted. Then "
              "functions that copy their argument defensively call each other.",
    .look = "The lazy sum stays within what Python's own start-up scatters.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
