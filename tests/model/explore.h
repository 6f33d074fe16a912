// explore.h: visit every state that a small system of processes can reach.
//
// A model supplies `struct sys` (plain bytes, no pointers, no padding), the number of moves, and
//
//     bool explore_can(const struct sys *s, int move)   false when a glance shows that it cannot
//     bool explore_move(struct sys *s, int move)    do it; false when the move is not possible
//     void explore_check(const struct sys *s)       what must hold in this state
//     void explore_stuck(const struct sys *s)       no move is possible: is that the end?
//     void explore_name(const struct sys *s, int move)   print the move, on one line
//
// Either reports a violation through explore_bad(). The search is breadth first, so the trace of
// the first violation is a shortest one. Of a visited state only a 64-bit hash is kept (with ten
// million states, one of two different states is mistaken for the other with chance 1 : 300,000),
// beside its parent and move, from which the trace is replayed.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct explore_node {
    uint32_t parent;
    uint32_t move;
};

static struct {
    const char *bad; // the violation found, or NULL
    uint64_t *seen;  // open addressing; 0 = free
    size_t seen_max; // a power of two
    struct explore_node *nodes;
    struct sys *queue; // states that wait, a ring
    size_t queue_max;
    size_t count; // states found
} explore;

static bool explore_can(const struct sys *s, int move);
static void explore_stuck(const struct sys *s);
static bool explore_move(struct sys *s, int move);
static void explore_check(const struct sys *s);
static void explore_name(const struct sys *s, int move);

static void explore_bad(const char *what)
{
    if (explore.bad == NULL)
        explore.bad = what;
}

static void *explore_alloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p == NULL) {
        fprintf(stderr, "explore: out of memory\n");
        exit(2);
    }
    return p;
}

static void explore_init(size_t states_max, size_t queue_max)
{
    explore.queue_max = queue_max;
    explore.seen_max = 1;
    while (explore.seen_max < 2 * states_max)
        explore.seen_max *= 2;
    explore.seen = explore_alloc(explore.seen_max, sizeof *explore.seen);
    explore.nodes = explore_alloc(states_max + 1, sizeof *explore.nodes);
    explore.queue = explore_alloc(queue_max, sizeof *explore.queue);
}

static uint64_t explore_hash(const struct sys *s)
{
    uint64_t h = 0x9e3779b97f4a7c15;
    const char *p = (const char *)s;
    for (size_t i = 0; i < sizeof *s; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        h = (h ^ w) * 0xff51afd7ed558ccd;
        h ^= h >> 32;
    }
    h *= 0xc4ceb9fe1a85ec53;
    h ^= h >> 29;
    return h != 0 ? h : 1;
}

// True when the state was not there yet.
static bool explore_add(uint64_t h)
{
    size_t i = h & (explore.seen_max - 1);
    while (explore.seen[i] != 0) {
        if (explore.seen[i] == h)
            return false;
        i = (i + 1) & (explore.seen_max - 1);
    }
    explore.seen[i] = h;
    return true;
}

static void explore_trace(const struct sys *start, uint32_t node, int last)
{
    static uint32_t path[4096];
    int n = 0;
    path[n++] = (uint32_t)last;
    for (; node != 0 && n < 4096; node = explore.nodes[node].parent)
        path[n++] = explore.nodes[node].move;
    struct sys s = *start;
    const char *bad = explore.bad;
    while (n-- > 0) {
        explore_name(&s, (int)path[n]);
        explore_move(&s, (int)path[n]);
    }
    explore.bad = bad;
}

// Search from `start` over states_max states at most. Returns the violation found or NULL; *ret
// is the number of states. Prints the trace if `loud`.
static const char *explore_run(const struct sys *start, int moves, size_t states_max, bool loud,
                               size_t *ret_states)
{
    explore.bad = NULL;
    explore.count = 1; // state n is node n: both are numbered in the order of the queue
    memset(explore.seen, 0, explore.seen_max * sizeof *explore.seen);
    explore.queue[0] = *start;
    explore_add(explore_hash(start));
    for (size_t head = 0; head < explore.count; head++) {
        struct sys at = explore.queue[head % explore.queue_max];
        int made = 0;
        for (int m = 0; m < moves; m++) {
            if (!explore_can(&at, m))
                continue;
            struct sys s = at;
            if (!explore_move(&s, m))
                continue;
            made++;
            if (explore.bad == NULL && explore_add(explore_hash(&s))) {
                explore_check(&s);
                if (explore.count == states_max || explore.count - head == explore.queue_max)
                    explore_bad("the search outgrew its bounds");
                explore.nodes[explore.count] = (struct explore_node){(uint32_t)head, (uint32_t)m};
                explore.queue[explore.count++ % explore.queue_max] = s;
            }
            if (explore.bad != NULL) {
                if (loud)
                    explore_trace(start, (uint32_t)head, m);
                *ret_states = explore.count;
                return explore.bad;
            }
        }
        if (made == 0)
            explore_stuck(&at);
    }
    *ret_states = explore.count;
    return explore.bad;
}
