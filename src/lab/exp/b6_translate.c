// B6 translate: virtual addresses, and the frames behind them.

#include "lab/lab.h"
#include "lab/pages.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 1024, STRIP = 64 };

// What a child saw of the same address, before and after it wrote there.
struct seen {
    char *at;
    u64 before, after, faults;
    char value;
};

static void copy_on_write(void *of)
{
    struct seen *s = of;
    KEEP(*(volatile char *)s->at);
    s->before = pages_frame(s->at);
    u64 faults = pages_minor_faults();
    *(volatile char *)s->at = 'c';
    s->faults = pages_minor_faults() - faults;
    s->after = pages_frame(s->at);
    s->value = *s->at;
}

// Frames that follow each other as their pages do.
static void frames(struct lab *l, char *at, size_t page)
{
    u64 frame[PAGES];
    u32 follow = 0, runs = 1;
    for (u32 i = 0; i < PAGES; i++)
        frame[i] = pages_frame(at + i * page);
    for (u32 i = 1; i < PAGES; i++)
        follow += frame[i] == frame[i - 1] + 1;
    runs = PAGES - follow;
    char strip[STRIP + 1] = "";
    for (u32 i = 0; i < STRIP; i++)
        strip[i] = i > 0 && frame[i] == frame[i - 1] + 1 ? '-' : '|';
    lab_picture(l, "64 pages in a row; | begins a new run of frames");
    lab_line(l, "%s", strip);
    lab_exact(l, "runs_of_frames", runs, "runs");
    lab_check(l, "scattered", runs > 1, "%d pages in a row lie in %u runs of frames", PAGES, runs);
    lab_why(l, "scattered", "the machine is fresh: its free memory is in one piece");
    lab_check(l, "differs", frame[0] != (u64)(uintptr_t)at / page, "page %#llx is in frame %#llx",
              (unsigned long long)(uintptr_t)at / page, (unsigned long long)frame[0]);
}

static void run(struct lab *l)
{
    size_t page = l->machine->page;
    char *at = lab_memory(l, PAGES * page, LAB_4K);
    struct seen *s = lab_shared(l, sizeof *s);
    struct lab_end end;
    if (at == NULL || s == NULL)
        return;
    // In random order, as programs do: in order, frames would come in order too.
    u32 order[PAGES];
    rng_shuffle(&l->rng, order, PAGES);
    for (u32 i = 0; i < PAGES; i++)
        at[order[i] * page] = 'p';
    s->at = at;
    if (lab_child(l, copy_on_write, s, 0, &end) != 0)
        return;
    lab_check(l, "own_copy", *at == 'p' && s->value == 'c' && s->faults == 1,
              "the child reads '%c', this process '%c' at %p; its write took %llu fault", s->value,
              *at, (void *)at, (unsigned long long)s->faults);
    if (!l->machine->pagemap) {
        lab_cannot(l, NULL, "the numbers of frames are shown to root only (CAP_SYS_ADMIN)");
        return;
    }
    u64 here = pages_frame(at);
    lab_check(l, "shared_then_copied", s->before == here && s->after != here,
              "frame %#llx in both, %#llx in the child after its write", (unsigned long long)here,
              (unsigned long long)s->after);
    frames(l, at, page);
    if (*l->machine->hypervisor != 0)
        lab_note(l, "Under a hypervisor these frames are virtual once more: the guest's, not the "
                    "host's.");
}

static const struct claim claims[] = {
    {S0, NULL, "a virtual address is the physical one", "it is not: translated", "differs", 0, 0,
     NULL},
    {S3, "topic 3", "pages in a row, frames", "scattered in RAM", "scattered", 0, 0, NULL},
    {S4, NULL, "pages in a row, frames", "need not be in a row", "scattered", 0, 0, NULL},
    {S4, NULL, "one address in two processes", "two places in memory", "own_copy", 0, 0, NULL},
    {S3, "topic 3", "after fork", "same frame until a write", "shared_then_copied", 0, 0, NULL},
};

LAB_EXPERIMENT(B6) = {
    .question = "What is behind an address?",
    .prediction = "A frame with another number; neighbours in virtual memory need not be "
                  "neighbours in RAM, and two processes have different frames at one address.",
    .method = "The pages of 4 MiB are touched in random order, and /proc/self/pagemap tells their "
              "frames. A forked child looks at the first page's frame, writes, and looks again. "
              "Touched in order, the pages of a fresh machine would get frames in order.",
    .look = "Pointer arithmetic walks along the pages as if nothing were; the strip shows how "
            "often the memory behind it is somewhere else. After fork both have the same frame, "
            "until one of them writes.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
