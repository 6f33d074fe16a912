// B21 rss: ten million elements in a list.

#include "lab/lab.h"

#include <string.h>
#include <sys/wait.h>

// The exercise, without its minute of sleep: the peak of a process's memory is told at its end.
static bool peak_of(struct lab *l, const char *python, const char *text, double *ret_bytes)
{
    char *argv[] = {(char *)python, "-c", (char *)text, NULL};
    struct lab_end end;
    if (lab_program(l, argv, 10, &end) != 0 || end.timed_out || end.status != 0) {
        lab_cannot(l, NULL, "python3 could not run the exercise");
        return false;
    }
    *ret_bytes = (double)end.peak_bytes;
    return true;
}

static void run(struct lab *l)
{
    const char *python = lab_python(l);
    double without, with;
    if (python == NULL || !peak_of(l, python, "import time", &without) ||
        !peak_of(l, python, "import time; x = [0] * 10000000", &with))
        return;
    lab_table(l, "resident memory at its peak", "program|MB|MiB");
    lab_row(l, "without the list|%.1f|%.1f", without / 1e6, without / (double)MiB);
    lab_row(l, "with it|%.1f|%.1f", with / 1e6, with / (double)MiB);
    lab_exact(l, "list_mb", (with - without) / 1e6, "MB");
    lab_exact(l, "element_bytes", (with - without) / 1e7, "bytes");
}

// Half a page of the interpreter's own, more or less, is in both: so not 80 and 8 sharp.
static const struct claim claims[] = {
    {S4, "exercise 1", "[0] * 10000000 in Python", "about 80 MB", "list_mb", 75, 85, "MB"},
    {S4, "exercise 1", "an element of it", "8 bytes", "element_bytes", 7.5, 8.5, "bytes"},
};

LAB_EXPERIMENT(B21) = {
    .question = "How much memory does a list of ten million zeroes take?",
    .prediction = "80 MB: eight bytes each.",
    .method = "Python runs the exercise's line and, beside it, the same line without the list; the "
              "kernel tells each one's peak of resident memory, and the difference is the list.",
    .look = "A list holds pointers, eight bytes each, and all of them point to one and the same 0. "
            "80 MB are 76 MiB: whoever reads MiB from a tool finds less than the text says.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
