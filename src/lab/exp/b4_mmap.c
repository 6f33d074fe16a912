// B4 mmap: a mapping comes, is used and goes.

#include "lab/exercise.h"
#include "lab/lab.h"
#include "lab/pages.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

LAB_EXERCISE(B4, "examples/03_mmap.c");

enum { PAGES = 16 };

static void read_at(void *of)
{
    (void)*(volatile char *)of;
}

// What is known of the mapping at a moment: one line of the timeline.
static long moment(struct lab *l, const char *call, char *at, size_t bytes)
{
    char strip[PAGES + 1] = "";
    size_t page = bytes / PAGES;
    long present = pages_present(at, bytes);
    for (u32 i = 0; i < PAGES; i++)
        strip[i] = pages_present(at + i * page, page) > 0 ? '#' : '.';
    lab_line(l, "%-28s [%s] %ld of %d pages have a frame", call, strip, present, PAGES);
    return present;
}

static void run(struct lab *l)
{
    size_t bytes = PAGES * l->machine->page;
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        lab_cannot(l, NULL, "mmap is refused");
        return;
    }
    madvise(at, bytes, MADV_NOHUGEPAGE);
    lab_picture(l, "a mapping's life");
    long fresh = moment(l, "mmap 16 pages", at, bytes);
    strcpy(at, "written");
    at[bytes - 1] = 'x';
    long used = moment(l, "write to the first and last", at, bytes);
    bool same = strcmp(at, "written") == 0 && at[bytes - 1] == 'x';
    bool zero = at[bytes / 2] == 0;
    moment(l, "read one in the middle", at, bytes);
    munmap(at, bytes);
    struct lab_fault f = {0};
    int r = lab_fault(l, read_at, at, &f);
    lab_line(l, "%-28s a read ends with %s", "munmap", strsignal(f.signal));
    lab_check(l, "works", same && zero, "what was written is read; the rest is zero");
    if (fresh >= 0)
        lab_check(l, "lazy", fresh == 0 && used == 2,
                  "%ld frames before the first write, %ld after "
                  "two",
                  fresh, used);
    else
        lab_cannot(l, "lazy", "/proc/self/pagemap cannot be read");
    if (r == 0)
        lab_check(l, "gone", f.signal == SIGSEGV && f.address == (u64)(uintptr_t)at,
                  "the read after munmap ends with %s", strsignal(f.signal));
    struct lab_end end;
    if (exercise_run(l, "as_written", lab_exercise_B4, "-pie", &end)) {
        lab_picture(l, "the exercise prints");
        exercise_print(l, end.said);
        lab_check(l, "as_written", exercise_ok(&end), "it ends with status %d", end.status);
    }
}

static const struct claim claims[] = {
    {S1, "exercise 3", "mmap, write, read", "works", "works", 0, 0, NULL},
    {S1, "exercise 3", "memory of a fresh mapping", "comes with the first write", "lazy", 0, 0,
     NULL},
    {S1, "exercise 3", "a read after munmap", "segmentation fault", "gone", 0, 0, NULL},
    {S1, "exercise 3", "the exercise, run as written", "works", "as_written", 0, 0, NULL},
};

LAB_EXPERIMENT(B4) = {
    .question = "What happens from mmap to munmap?",
    .prediction = "Addresses come at once, memory with the first touch, and both go with munmap.",
    .method = "Sixteen pages are mapped; before and after each step /proc/self/pagemap tells which "
              "of them have a frame. A child reads there after munmap. Small pages are asked for: "
              "a huge page would come whole.",
    .look = "The strip: a dot is an address without memory. A page that is only read gets the "
            "kernel's page of zeroes, which counts as present though it costs nothing.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .exercise = lab_exercise_B4,
};
