// D3 list: an array, a list in memory order, and a list that was shuffled.

#include "lab/lab.h"

enum { STEPS = 64 };

struct node {
    struct node *next;
    u64 value;
    char rest[48];
};

struct list {
    struct node *at;
    u64 sum;
};

static void walk_list(void *of, u64 rounds)
{
    struct list *list = of;
    struct node *n = list->at;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < STEPS; k++, n = n->next)
            list->sum += n->value;
    }
    list->at = n;
}

struct array {
    const u64 *value;
    u64 count, at, sum;
};

static void walk_array(void *of, u64 rounds)
{
    struct array *a = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < STEPS; k++) {
            a->sum += a->value[a->at + k];
            UNKNOWN(a->sum);
        }
        a->at = a->at + 2 * STEPS <= a->count ? a->at + STEPS : 0;
    }
}

static void run(struct lab *l)
{
    u32 n = (u32)(lab_pick(l, 32, 128) * MiB / sizeof(struct node));
    struct node *in_order = lab_memory(l, n * sizeof *in_order, LAB_HUGE);
    struct node *shuffled = lab_memory(l, n * sizeof *shuffled, LAB_HUGE);
    u64 *values = lab_memory(l, n * sizeof *values, LAB_HUGE);
    u32 *next = lab_memory(l, n * sizeof *next, LAB_HUGE);
    if (in_order == NULL || shuffled == NULL || values == NULL || next == NULL)
        return;
    rng_cycle(&l->rng, next, n);
    for (u32 i = 0; i < n; i++) {
        values[i] = i;
        in_order[i] = (struct node){.next = &in_order[i + 1 < n ? i + 1 : 0], .value = i};
        shuffled[i] = (struct node){.next = &shuffled[next[i]], .value = i};
    }
    struct list ordered = {in_order, 0}, scattered = {shuffled, 0};
    struct array array = {values, n, 0, 0};
    struct arm arms[] = {
        {"array", .run = walk_array, .of = &array, .ops = STEPS},
        {"list_in_order", .run = walk_list, .of = &ordered, .ops = STEPS},
        {"list_shuffled", .run = walk_list, .of = &scattered, .ops = STEPS},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "shuffled_over_array", &arms[2], &arms[0]);
    lab_ratio(l, "in_order_over_array", &arms[1], &arms[0]);
    lab_ratio(l, "in_order_over_shuffled", &arms[1], &arms[2]);
    lab_why(l, "in_order_over_shuffled",
            "nodes that lie in the order of the list are fetched ahead; only a shuffled list pays");
    KEEP(ordered.sum + scattered.sum + array.sum);
}

static const struct claim claims[] = {
    {S3, "topic 7", "shuffled list against array", "a linked list is slow", "shuffled_over_array",
     10, INFINITY, "x"},
    {S4, NULL, "shuffled list against array", "pointer chasing kills", "shuffled_over_array", 2,
     INFINITY, "x"},
    {S3, "topic 7", "list in order against array", "a linked list is slow", "in_order_over_array",
     2, INFINITY, "x"},
    {S3, "topic 7", "list in order: each node a miss", "every node in RAM",
     "in_order_over_shuffled", 0.5, 1.5, "x"},
};

LAB_EXPERIMENT(D3) = {
    .question = "How much slower than an array is a linked list?",
    .prediction = "Far slower: each node is a trip to memory, and the next cannot begin before it "
                  "has returned.",
    .method = "Nodes of 64 bytes, far more than the caches hold, linked once in the order of their "
              "addresses and once in a random cycle; and an array of the values. Each sum is taken "
              "in short samples that go on where the last one stopped.",
    .look = "The list in order is several times slower than the array (it moves eight times the "
            "bytes), but the shuffled one is slower by another order of magnitude: what kills is "
            "not the pointer, it is the unforeseeable address.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
