// G3 cycle: two that hold each other, and are held by nobody.

#include "lab/lab.h"

#include <loam/rc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct person {
    char name[24];
    struct person *friend;         // counted
    loam_weak(struct person) from; // or not
};
static u32 gone;

static void person_drop(struct person *p)
{
    gone++;
    loam_rc_drop(p->friend);
    loam_weak_clear(&p->from);
}

// Two friends, and our own references to them let go. How many of the two died?
static u32 friends(bool weak)
{
    struct person *a = loam_rc_new(struct person, person_drop, .name = "Ada");
    struct person *b = loam_rc_new(struct person, person_drop, .name = "Bob");
    if (a == NULL || b == NULL)
        return 0;
    gone = 0;
    a->friend = loam_rc_ref(b);
    if (weak)
        loam_weak_set(&b->from, a);
    else
        b->friend = loam_rc_ref(a);
    loam_rc_drop(a);
    loam_rc_drop(b);
    return gone;
}

// The same with nothing but malloc and counts by hand, so that any leak checker can judge it.
struct counted {
    struct counted *other;
    u32 count;
};

__attribute__((noinline)) static void counted_pair(void)
{
    struct counted *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    if (a == NULL || b == NULL)
        exit(1);
    *a = (struct counted){b, 2};
    *b = (struct counted){a, 2};
    if (--a->count == 0)
        free(a);
    if (--b->count == 0)
        free(b);
    KEEP(a);
    KEEP(b);
}

static void witness(u32 which)
{
    if (which == 0)
        counted_pair();
    else
        friends(which == 2);
}

static void run(struct lab *l)
{
    struct lab_end end;
    struct lab_watched seen;
    u32 strong = friends(false), weak = friends(true);
    lab_exact(l, "left_strong", 2 - strong, "objects");
    lab_exact(l, "left_weak", 2 - weak, "objects");
    lab_check(l, "prevents_leaks", strong == 2,
              "every reference was let go by its owner, and %u objects are left", 2 - strong);
    if (lab_watch_witness(l, "G3", 0, &seen) == 0) {
        bool safe = WIFEXITED(seen.end.status) && WEXITSTATUS(seen.end.status) == 0;
        lab_check(l, "leak_is_safe", safe && seen.leaked_bytes > 0,
                  "the program that leaks ends well, with %llu bytes lost",
                  (unsigned long long)seen.leaked_bytes);
        lab_exact(l, "cycle_found",
                  (double)(seen.cycle_blocks + seen.indirect_blocks + seen.direct_blocks),
                  "blocks");
        lab_note(l, "loam run --leaks finds the circle, allocated in %s.", seen.place);
    }
    if (lab_witness(l, "G3", 1, "debug=on", &end) == 0) {
        lab_check(l, "way_told", strstr(end.said, "rc:") != NULL, "LOAM=debug=on tells the way");
        lab_picture(l, "LOAM=debug=on, at the end of the program");
        char *rest = end.said;
        for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;)
            lab_line(l, "%.76s", line);
    }
}

static const struct claim claims[] = {
    {S3, "topic 9", "a circle of Rc", "leaks", "left_strong", 2, 2, "objects"},
    {S3, "topic 9", "with a Weak in it", "is cured", "left_weak", 0, 0, "objects"},
    {S3, "topic 9", "a leak", "is safe", "leak_is_safe", 0, 0, NULL},
    {S4, NULL, "the borrow checker", "prevents leaks", "prevents_leaks", 0, 0, NULL},
    {S0, "5", "ownership", "prevents leaks", "prevents_leaks", 0, 0, NULL},
};

LAB_EXPERIMENT(G3) = {
    .question = "Do two objects that count references to each other ever die?",
    .prediction =
        "The texts contradict each other: one says that a circle leaks and that a leak is "
        "safe, two say that ownership prevents leaks.",
    .method =
        "Ada and Bob refer to each other with loam_rc, which is Rust's Rc in C, and we let go "
        "of both; destructors count themselves. Then one reference is weak. The circle once "
        "more by hand over malloc, under 'loam run --leaks'; and with LOAM=debug=on, which "
        "tells the way around.",
    .look = "Every owner did its duty, and two objects are left, which nobody can reach. This "
            "decides for S3: ownership prevents forgetting, not circles.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
