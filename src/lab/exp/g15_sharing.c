// G15 sharing: a thousand versions of a map.

#include "lab/lab.h"

#include <loam/region.h>

enum { KEYS = 1024, VERSIONS = 1000, DEPTH = 10 };

// A persistent map: a tree over the bits of the key. A change copies the path to it, and no more.
struct node {
    union {
        const struct node *child[2];
        u64 value;
    };
};

static const struct node *changed(loam_region *r, const struct node *n, u32 key, u32 bit, u64 value)
{
    struct node *copy = loam_new(r, struct node, .value = value);
    if (copy == NULL)
        die("lab: out of memory", NULL);
    if (bit == 0)
        return copy;
    u32 side = key >> (bit - 1) & 1;
    copy->child[0] = n == NULL ? NULL : n->child[0];
    copy->child[1] = n == NULL ? NULL : n->child[1];
    copy->child[side] = changed(r, copy->child[side], key, bit - 1, value);
    return copy;
}

static u64 get(const struct node *n, u32 key)
{
    for (u32 bit = DEPTH; bit > 0 && n != NULL; bit--)
        n = n->child[key >> (bit - 1) & 1];
    return n == NULL ? 0 : n->value;
}

static const struct node *versions[VERSIONS];

static void run(struct lab *l)
{
    loam_scratch(shared);
    loam_scratch(copied);
    const struct node *map = NULL;
    for (u32 k = 0; k < KEYS; k++)
        map = changed(&shared, map, k, DEPTH, k);
    loam_region first;
    loam_region_init(&first, "versions");
    u64 *table = NULL;
    for (u32 v = 0; v < VERSIONS; v++) {
        map = changed(&first, map, v % KEYS, DEPTH, 1000000 + v);
        versions[v] = map;
        u64 *next = loam_new_array(&copied, u64, KEYS);
        if (next == NULL)
            die("lab: out of memory", NULL);
        for (u32 k = 0; k < KEYS; k++)
            next[k] = table == NULL ? k : table[k];
        next[v % KEYS] = 1000000 + v;
        table = next;
    }
    bool right = true;
    for (u32 k = 0; k < KEYS; k++)
        right &= get(map, k) == table[k];
    right &= get(versions[0], 500) == 500 && get(versions[500], 500) == 1000500;
    double by_sharing = (double)loam_region_used(&first);
    double by_copying = (double)loam_region_used(&copied);
    lab_exact(l, "shared_bytes", by_sharing, "bytes");
    lab_exact(l, "copied_bytes", by_copying, "bytes");
    lab_exact(l, "copied_over_shared", by_copying / by_sharing, "x");
    lab_check(l, "versions_kept", right, "every version still reads as it was");
    loam_region_done(&first);
}

static const struct claim claims[] = {
    {S4, NULL, "persistent structures", "share structure", "copied_over_shared", 2, INFINITY, "x"},
    {S4, NULL, "old versions", "stay as they were", "versions_kept", 0, 0, NULL},
};

LAB_EXPERIMENT(G15) = {
    .question = "What do a thousand versions of a map take?",
    .prediction = "Copied, a thousand times the map. With shared structure, only what changed: the "
                  "path to one leaf for each version.",
    .method = "A map of 1,024 keys gets 1,000 changes, and every version is kept: as an array that "
              "is copied each time, and as a tree whose changes copy the path from the root. Both "
              "live in regions, which know how much they handed out. Old versions are read again.",
    .look = "8 KiB a version against 176 bytes: eleven nodes of 16. For a map of this size the "
            "tree costs ten loads for each read instead of one.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
