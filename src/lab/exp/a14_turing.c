// A14 turing: the machine that all the others are held against.
//
// A table of rules, a head, and a tape that never ends: here one that grows in a region of loam's
// toolkit, at both sides, whenever the head leaves what there is.

#include "lab/lab.h"

#include <loam/region.h>
#include <string.h>

struct rule {
    u8 write;  // symbol
    int move;  // -1 or +1
    char next; // state; 'H' halts
};

struct machine_rules {
    const char *name;
    struct rule rule[5][2]; // state, symbol that is read
};

// The busy beavers: of all machines with so many states that halt, those that run longest.
static const struct machine_rules beaver4 = {
    "busy beaver, 4 states",
    {{{1, +1, 'B'}, {1, -1, 'B'}},
     {{1, -1, 'A'}, {0, -1, 'C'}},
     {{1, +1, 'H'}, {1, -1, 'D'}},
     {{1, +1, 'D'}, {0, +1, 'A'}}},
};
static const struct machine_rules beaver5 = {
    "busy beaver, 5 states",
    {{{1, +1, 'B'}, {1, -1, 'C'}},
     {{1, +1, 'C'}, {1, +1, 'B'}},
     {{1, +1, 'D'}, {0, -1, 'E'}},
     {{1, -1, 'A'}, {1, -1, 'D'}},
     {{1, +1, 'H'}, {0, -1, 'A'}}},
};

struct tape {
    loam_region region;
    u8 *cell;
    u64 count, grown;
};

// Twice as long, with what there was in the middle. The old one stays in the region: it is freed
// with all the rest, at the end. Returns the head's new place.
static u64 tape_grow(struct tape *t, u64 head)
{
    u64 more = t->count * 2, shift = t->count / 2;
    u8 *cell = loam_new_array(&t->region, u8, more);
    if (cell == NULL)
        return UINT64_MAX;
    memcpy(cell + shift, t->cell, t->count);
    t->cell = cell;
    t->count = more;
    t->grown++;
    return head + shift;
}

struct outcome {
    u64 steps, ones, cells, grown, bytes;
    bool halted;
};

static struct outcome turing(const struct machine_rules *m, u64 most)
{
    struct tape t = {.count = 16};
    struct outcome o = {0};
    t.cell = loam_new_array(&t.region, u8, t.count);
    u64 head = t.count / 2;
    char state = 'A';
    while (t.cell != NULL && state != 'H' && o.steps < most) {
        if (head == 0 || head + 1 == t.count) {
            head = tape_grow(&t, head);
            if (head == UINT64_MAX)
                break;
        }
        const struct rule *r = &m->rule[state - 'A'][t.cell[head]];
        t.cell[head] = r->write;
        head += (u64)(long)r->move;
        state = r->next;
        o.steps++;
    }
    for (u64 i = 0; t.cell != NULL && i < t.count; i++)
        o.ones += t.cell[i];
    o.halted = state == 'H';
    o.cells = t.count;
    o.grown = t.grown;
    o.bytes = t.region.held;
    loam_region_done(&t.region);
    return o;
}

static void run(struct lab *l)
{
    struct outcome four = turing(&beaver4, 1000);
    u64 start = clock_ns();
    struct outcome five = turing(&beaver5, 100000000);
    double ns = (double)(clock_ns() - start);
    lab_table(l, "from an empty tape", "machine|steps|ones left|cells|grown|memory");
    lab_row(l, "%s|%llu|%llu|%llu|%llu times|%llu bytes", beaver4.name,
            (unsigned long long)four.steps, (unsigned long long)four.ones,
            (unsigned long long)four.cells, (unsigned long long)four.grown,
            (unsigned long long)four.bytes);
    lab_row(l, "%s|%llu|%llu|%llu|%llu times|%llu bytes", beaver5.name,
            (unsigned long long)five.steps, (unsigned long long)five.ones,
            (unsigned long long)five.cells, (unsigned long long)five.grown,
            (unsigned long long)five.bytes);
    lab_exact(l, "steps_4", (double)four.steps, "steps");
    lab_exact(l, "steps_5", (double)five.steps, "steps");
    lab_exact(l, "ones_5", (double)five.ones, "ones");
    lab_check(l, "halted", four.halted && five.halted, "both machines halt");
    lab_measured(l, "ns_a_step", stat_exact(ns / (double)five.steps), "ns");
    lab_check(l, "tape_without_end", false,
              "the tape grew %llu times, and would end with the memory",
              (unsigned long long)five.grown);
    lab_partly(l, "tape_without_end", "it grows as long as there is memory");
}

static const struct claim claims[] = {
    {S3, "topic 1", "the tape", "infinite", "tape_without_end", 0, 0, NULL},
    {S3, "topic 1", "4 states, longest run", "107 steps (known value)", "steps_4", 107, 107,
     "steps"},
    {S3, "topic 1", "5 states, longest run", "47,176,870 (known value)", "steps_5", 47176870,
     47176870, "steps"},
};

LAB_EXPERIMENT(A14) = {
    .question = "What can a machine do that has only a tape, a head and five states?",
    .prediction =
        "Everything that can be computed, if the tape is long enough: Turing's machine is "
        "the limit that the other models are held against. The longest-running ones of 4 "
        "and 5 states halt after 107 and 47,176,870 steps.",
    .method =
        "An interpreter of a dozen lines runs both from an empty tape. The tape is an array in "
        "a region of loam's toolkit; when the head leaves it, one twice as long is pushed, and "
        "all of them are freed at once in the end.",
    .look =
        "The exact number of steps; how little tape five states need for 47 million of them; and "
        "that a real machine differs from Turing's in one thing: its tape ends.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
