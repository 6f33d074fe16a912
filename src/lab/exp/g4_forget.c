// G4 forget: an owner lets go of an object without destroying it, on purpose.

#include "lab/lab.h"

#include <loam/box.h>
#include <stdlib.h>
#include <sys/wait.h>

struct page {
    char text[1000];
};
static u32 dropped;

static void page_drop(struct page *p)
{
    (void)p;
    dropped++;
}

__attribute__((noinline)) static void forget_block(void)
{
    char *p = calloc(1, 1000);
    UNKNOWN(p);
    KEEP(p); // the last pointer to it goes with this frame
}

static void witness(u32 which)
{
    (void)which;
    forget_block();
}

static void run(struct lab *l)
{
    struct lab_watched seen;
    loam_forgotten before = loam_box_forgotten();
    const struct page *kept;
    {
        loam_auto struct page *p = loam_box_new(struct page, page_drop, .text = "still here");
        kept = loam_forget(p);
    }
    loam_forgotten after = loam_box_forgotten();
    lab_exact(l, "destructor_runs", dropped, "times");
    lab_exact(l, "forgotten_bytes", (double)(after.bytes - before.bytes), "bytes");
    lab_check(l, "still_valid", kept != NULL && kept->text[0] == 's',
              "the object can be read after its scope: forgetting destroys nothing");
    if (lab_watch_witness(l, "G4", 0, &seen) != 0)
        return;
    bool well = WIFEXITED(seen.end.status) && WEXITSTATUS(seen.end.status) == 0;
    lab_exact(l, "leaked_bytes", (double)seen.leaked_bytes, "bytes");
    lab_check(l, "leak_is_safe", well, "the program that forgot %llu bytes ended well",
              (unsigned long long)seen.leaked_bytes);
    lab_check(l, "prevents_leaks", seen.leaked_bytes == 0,
              "one call to forget, which is no unsafe code, and %llu bytes are lost",
              (unsigned long long)seen.leaked_bytes);
    lab_note(l,
             "loam counts what was forgotten on purpose, so that it can be told from a leak: "
             "loam_box_forgotten says %zu box, %zu bytes.",
             after.boxes - before.boxes, after.bytes - before.bytes);
}

static const struct claim claims[] = {
    {S3, "topic 9", "mem::forget: the destructor", "does not run", "destructor_runs", 0, 0,
     "times"},
    {S3, "topic 9", "mem::forget: the memory", "leaks", "leaked_bytes", 1000, 1000, "bytes"},
    {S3, "topic 9", "a leak", "is safe", "leak_is_safe", 0, 0, NULL},
    {S4, NULL, "the borrow checker", "prevents leaks", "prevents_leaks", 0, 0, NULL},
    {S0, "5", "ownership", "prevents leaks", "prevents_leaks", 0, 0, NULL},
};

LAB_EXPERIMENT(G4) = {
    .question = "What becomes of an object that its owner forgets?",
    .prediction = "Nothing: it stays, its destructor never runs, and nobody is harmed but the "
                  "memory. Two of the texts say that ownership prevents this.",
    .method = "A box is let go with loam_forget, C's mem::forget; its destructor counts. A witness "
              "under 'loam run --leaks' forgets a block of 1,000 bytes in earnest.",
    .look = "No destructor, 1,000 bytes lost, a program that ends well: leaks are safe (G3 is the "
            "other way to one).",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
