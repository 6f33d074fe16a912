// G7 leak100: 100 bytes that nobody points at any more.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

// The classic of every leak checker's manual.
__attribute__((noinline)) static void forgetful(void)
{
    char *p = malloc(100);
    UNKNOWN(p); // or the compiler leaves the call out
    if (p != NULL)
        memcpy(p, "nobody will free me", 20);
    KEEP(p);
}

static void witness(u32 which)
{
    if (which == 0)
        forgetful();
}

static void run(struct lab *l)
{
    struct lab_watched with, without;
    if (lab_watch_witness(l, "G7", 0, &with) != 0 || lab_watch_witness(l, "G7", 1, &without) != 0)
        return;
    lab_exact(l, "leaked_bytes", (double)with.leaked_bytes, "bytes");
    lab_exact(l, "leaked_blocks", (double)with.direct_blocks, "blocks");
    lab_exact(l, "leaked_without", (double)without.leaked_bytes, "bytes");
    lab_check(l, "place_named", strstr(with.place, "forgetful g7_leak100.c:") != NULL,
              "loam names %s", with.place);
    lab_note(l, "loam run --leaks: %llu bytes in %llu block, allocated in %s.",
             (unsigned long long)with.leaked_bytes, (unsigned long long)with.direct_blocks,
             with.place);
}

static const struct claim claims[] = {
    {S4, NULL, "what is lost", "100 bytes in 1 blocks", "leaked_bytes", 100, 100, "bytes"},
    {S4, NULL, "in how many blocks", "in 1 blocks are definitely lost", "leaked_blocks", 1, 1,
     "blocks"},
    {S4, NULL, "where it was allocated", "function and line", "place_named", 0, 0, NULL},
};

LAB_EXPERIMENT(G7) = {
    .question = "Does a leak checker find 100 bytes, and who allocated them?",
    .prediction =
        "Yes: at the end of the program nothing points at them, and the stack of the call "
        "was kept.",
    .method = "This program starts itself once more under 'loam run --leaks', to do nothing but "
              "allocate 100 bytes and forget them; and again, to do nothing.",
    .look = "100 bytes, not the 112 of the slot they lie in, with function, file and line. "
            "Without the forgetful function: nothing.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
