// gc.h: what the tests of the collected heap share: nodes, lists of them, heaps with exact roots.
#pragma once

#include "base/compiler.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/gc.h>
#include <loam/heap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

struct node {
    struct node *left, *right;
    size_t number;
};

static unused_ const loam_gc_options exact = {.explicit_roots = true};

// With exact roots nothing on the stack counts, so what is gone is certain.
static unused_ loam_gc *exact_heap(void *root, size_t size)
{
    loam_gc *gc = loam_gc_new("exact", &exact);
    CHECK(gc != NULL);
    if (root != NULL)
        CHECK(loam_gc_root_add(gc, root, size) == 0);
    return gc;
}

static unused_ size_t live(loam_gc *gc)
{
    CHECK(loam_gc_collect(gc) == 0);
    return loam_gc_usage(gc).live_objects;
}

static noinline_ unused_ void make_some(loam_gc *gc, struct node **where, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *where = loam_gc_make(gc, struct node, .left = *where, .number = i);
}

static unused_ size_t length(const struct node *n)
{
    size_t count = 0;
    for (; n != NULL; n = n->left)
        count++;
    return count;
}
