// C9 vecgrow: how often a growing array is copied.

#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

enum { PUSHES = 1000000, STEP = 1000 };

enum policy { DOUBLE, HALF_MORE, FIXED, RESERVED };

struct growth {
    enum policy policy;
    bool by_hand; // malloc, copy and free instead of realloc
    u64 moves, copied;
};

static u64 next_capacity(const struct growth *g, u64 capacity)
{
    switch (g->policy) {
    case DOUBLE:
        return capacity == 0 ? 4 : capacity * 2;
    case HALF_MORE:
        return capacity < 4 ? 4 : capacity + capacity / 2;
    case FIXED:
        return capacity + STEP;
    case RESERVED:
        break;
    }
    return PUSHES;
}

static u64 *grow(struct growth *g, u64 *at, u64 len, u64 capacity)
{
    if (!g->by_hand) {
        u64 *to = realloc(at, capacity * sizeof *at);
        g->moves += to != at && at != NULL;
        return to;
    }
    u64 *to = malloc(capacity * sizeof *at);
    if (to != NULL && at != NULL) {
        memcpy(to, at, len * sizeof *at);
        g->moves++;
        g->copied += len;
    }
    free(at);
    return to;
}

static void push_all(void *of, u64 rounds)
{
    struct growth *g = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 *at = NULL;
        u64 len = 0, capacity = 0;
        g->moves = g->copied = 0;
        for (u64 i = 0; i < PUSHES; i++) {
            if (len == capacity) {
                capacity = next_capacity(g, capacity);
                at = grow(g, at, len, capacity);
                if (at == NULL)
                    return;
            }
            at[len++] = i;
            UNKNOWN(at);
        }
        free(at);
    }
}

static void run(struct lab *l)
{
    struct growth twice = {DOUBLE, true, 0, 0}, half = {HALF_MORE, true, 0, 0};
    struct growth fixed = {FIXED, true, 0, 0}, by_realloc = {DOUBLE, false, 0, 0};
    struct growth reserved = {RESERVED, true, 0, 0};
    struct arm arms[] = {
        {"times_2", .run = push_all, .of = &twice, .ops = PUSHES, .rounds = 1},
        {"times_1.5", .run = push_all, .of = &half, .ops = PUSHES, .rounds = 1},
        {"times_2_by_realloc", .run = push_all, .of = &by_realloc, .ops = PUSHES, .rounds = 1},
        {"reserved", .run = push_all, .of = &reserved, .ops = PUSHES, .rounds = 1},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "growing_over_reserved", &arms[0], &arms[3]);
    push_all(&fixed, 1); // a thousand copies: counted, not timed
    lab_table(l, "a million pushes", "growth|moves|elements copied|copies a push");
    const struct growth *all[] = {&twice, &half, &fixed, &by_realloc, &reserved};
    const char *name[] = {"x 2", "x 1.5", "+ 1000", "x 2, by realloc", "reserved"};
    for (u32 i = 0; i < countof(all); i++)
        if (all[i]->by_hand)
            lab_row(l, "%s|%llu|%llu|%.2f", name[i], (unsigned long long)all[i]->moves,
                    (unsigned long long)all[i]->copied, (double)all[i]->copied / PUSHES);
        else
            lab_row(l, "%s|%llu|the heap's affair|", name[i], (unsigned long long)all[i]->moves);
    lab_exact(l, "copies_a_push", (double)twice.copied / PUSHES, "copies");
    lab_exact(l, "copies_a_push_fixed", (double)fixed.copied / PUSHES, "copies");
    lab_exact(l, "moves_reserved", (double)reserved.moves, "moves");
    lab_partly(l, "copies_a_push_fixed",
               "a single growth copies all, but with a factor it is one copy a push in the long "
               "run; only growth by a fixed step is O(n) each time");
}

static const struct claim claims[] = {
    {S3, "topic 4", "growing by a factor, copies a push", "amortised", "copies_a_push", 0, 3,
     "copies"},
    {S3, "topic 4", "growth is heavy", "O(n)", "copies_a_push_fixed", 3, INFINITY, "copies"},
    {S3, "topic 4", "with_capacity, moves", "no reallocation", "moves_reserved", 0, 0, "moves"},
};

LAB_EXPERIMENT(C9) = {
    .question = "What does it cost that a growing array is copied?",
    .prediction = "Doubling copies each element about once, however long the array becomes; a "
                  "fixed step copies everything again and again.",
    .method = "A million pushes of 8 bytes: by a factor of 2 and of 1.5, by a thousand elements, "
              "with room reserved, and with realloc in the place of malloc, copy and free. Copies "
              "are counted, the first ones also timed.",
    .look = "Reserving saves little time: the copies are sequential and cheap, and realloc moves "
            "pages of a large array without copying them at all.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
