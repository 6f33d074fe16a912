// G5 uaf: writing where one's memory used to be.

#include "lab/lab.h"

#include <loam/pool.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct conn {
    int fd;
};
LOAM_POOL(conns, struct conn)

static u32 *victim; // what the new owner finds in its memory; shared with the child

// free(p); *p = 10, and the next one who asks gets the same memory.
static void dangling(void *of)
{
    (void)of;
    u32 *p = malloc(64);
    UNKNOWN(p);
    *p = 1;
    u32 *stale = p;
    UNKNOWN(stale); // the compiler must not see what we do
    free(p);
    u32 *next = malloc(64);
    UNKNOWN(next);
    *next = 7;
    *stale = 10;
    victim[0] = *(volatile u32 *)next;
    victim[1] = stale == next;
}

static void into_nothing(void *of)
{
    munmap(of, 4096);
    *(volatile u32 *)of = 10;
}

static bool stale_handle_gives_null(void)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle old, new;
    struct conn *c = conns_new(&all, &old);
    if (c == NULL)
        return false;
    conns_free(&all, old);
    struct conn *again = conns_new(&all, &new);
    bool same_slot = again == c, refused = conns_get(&all, old) == NULL;
    bool right = conns_get(&all, new) == again;
    conns_done(&all);
    return same_slot && refused && right;
}

static void run(struct lab *l)
{
    struct lab_end end;
    struct lab_fault fault = {0};
    victim = lab_shared(l, 4096);
    void *page = lab_memory(l, 4096, LAB_4K);
    if (victim == NULL || page == NULL || lab_child(l, dangling, NULL, 0, &end) != 0)
        return;
    lab_check(l, "corrupts", victim[1] == 1 && victim[0] == 10,
              "its new owner wrote 7 and reads %u", victim[0]);
    if (lab_fault(l, into_nothing, page, &fault) == 0)
        lab_check(l, "unmapped_faults", fault.signal == SIGSEGV, "%s",
                  fault.signal == 0 ? "nothing happened" : strsignal(fault.signal));
    bool stale = stale_handle_gives_null();
    lab_check(l, "handle_told", stale,
              "a stale handle of loam_pool gives %s, though its slot is in "
              "use again",
              stale ? "NULL" : "an object");
    lab_picture(l, "one piece of memory");
    lab_line(l, "p = malloc(64)      [ 1 . . . ]   p");
    lab_line(l, "free(p)             [ . . . . ]   p dangles");
    lab_line(l, "q = malloc(64)      [ 7 . . . ]   p and q: the same address");
    lab_line(l, "*p = 10             [10 . . . ]   q's owner never wrote that");
}

static const struct claim claims[] = {
    {S4, NULL, "free(p); *p = 10", "corrupts memory", "corrupts", 0, 0, NULL},
    {S4, NULL, "the same, when the page is gone", "may crash", "unmapped_faults", 0, 0, NULL},
};

LAB_EXPERIMENT(G5) = {
    .question = "What does a write through a pointer to freed memory do?",
    .prediction = "Nothing that is seen at once. The memory belongs to somebody else soon.",
    .method =
        "A child frees a block and keeps the pointer; the next request of that size gets the "
        "same block, as allocators like it warm; then the old pointer writes. The same with a "
        "page that was given back to the kernel, and with a handle of loam's pool, which "
        "knows the generation of its slot.",
    .look = "The new owner reads a 10 that it never wrote, and no tool said a word. Only memory "
            "that is really gone faults. A handle is told: NULL.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
