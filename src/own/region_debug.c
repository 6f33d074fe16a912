// region_debug.c: LOAM=debug=on: what lies where in a region, and who points into one that goes.
#include "heap/owner.h"
#include "own/debug.h"
#include "own/region.h"

#include <string.h>

#define LOOK_BYTES (16 * MiB) // of other regions, at each close; what is more is not looked at

void *region_debug_push(loam_region *r, size_t size, size_t align, const char *made)
{
    struct loam_region_object *o;
    if (r->block == NULL)
        return NULL;
    uintptr_t end = (uintptr_t)r->block + r->block->size, at = (uintptr_t)r->at;
    align = size_max(align, LOAM_ALIGNOF(struct loam_region_object));
    uintptr_t p = (at + sizeof *o + align - 1) & ~(align - 1);
    if (p > end || size > end - p)
        return NULL;
    o = (struct loam_region_object *)p - 1;
    *o = (struct loam_region_object){r->objects, size, made, debug_trace(), debug_thread()};
    r->objects = o;
    r->at = r->end = (char *)p + size;
    return (void *)p;
}

const struct loam_region_object *region_debug_object(const loam_region *r, const void *p)
{
    const struct loam_region_object *o = r->objects;
    while (o != NULL && (uintptr_t)p - (uintptr_t)(o + 1) >= o->size)
        o = o->older;
    return o;
}

struct going {
    const loam_region *region;
    const struct loam_region_block *blocks, *end;
    size_t left; // bytes that may still be looked at
    // The first pointer that was found.
    const void *const *from;
    const loam_region *holder;
    struct loam_region_object object;
};

static bool is_going(const struct going *g, const void *p)
{
    for (const struct loam_region_block *b = g->blocks; b != g->end; b = b->older)
        if ((uintptr_t)p - (uintptr_t)b < b->size)
            return true;
    return false;
}

// Other threads may write there meanwhile: a word is read whole, whatever it is.
static void look_at(struct going *g, const loam_region *r, const struct loam_region_object *o)
{
    const void *const *word = (const void *const *)(o + 1);
    size_t n = size_min(o->size, g->left) / sizeof *word;
    g->left -= n * sizeof *word;
    for (size_t i = 0; i < n && g->from == NULL; i++) {
        if (!is_going(g, __atomic_load_n(&word[i], __ATOMIC_RELAXED)))
            continue;
        g->from = &word[i];
        g->holder = r;
        g->object = *o;
    }
}

static void look_in(void *ctx, loam_owner_link *link)
{
    struct going *g = ctx;
    const loam_region *r = container_of(link, loam_region, owner);
    for (const struct loam_region_object *o = r->objects; o != NULL && g->from == NULL;
         o = o->older)
        if (r != g->region)
            look_at(g, r, o);
}

static void put_region(struct words *w, const loam_region *r)
{
    words_put(w, r->name == NULL ? "(unnamed)" : r->name);
    words_put(w, ", made at ");
    words_put(w, r->place == NULL ? "?" : r->place);
}

void region_debug_going(const loam_region *r, const struct loam_region_block *blocks,
                        const struct loam_region_block *end)
{
    struct going g = {.region = r, .blocks = blocks, .end = end, .left = LOOK_BYTES};
    char line[512];
    struct words w = {line, 0, sizeof line};
    if (blocks == end)
        return;
    owner_each(&region_owner, look_in, &g);
    if (g.from == NULL)
        return;
    words_put(&w, "region ");
    put_region(&w, g.holder);
    words_put(&w, ", points into region ");
    put_region(&w, r);
    struct note pushed = {
        .made = g.object.made, .trace = g.object.trace, .thread = g.object.thread};
    debug_tell(&(struct telling){"region: a region that lives longer points into one that goes",
                                 g.from, "what holds the pointer was pushed here",
                                 "what it points to goes here", &pushed, line});
}
