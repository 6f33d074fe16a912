// rc_cycle.c: LOAM=debug=on: objects that nobody holds but a circle of themselves.
//
// No root is looked for. Every object that is alive has a note; the references that stand in such
// objects are found by looking through them. An object with more references than were found is held
// from elsewhere: by a variable, a container, another thread. It is alive, and so is what it leads
// to. What then is left holds itself.
#include "heap/api.h"
#include "os/os.h"
#include "own/debug.h"
#include "own/rc.h"

#include <loam/heap.h>

// Y1  nodes are in order of address, so that an address is found by halving.
struct node {
    const void *object;
    const char *made;
    u32 age, trace;
    u32 strong;
    u32 inside; // references that stand in other nodes, or itself
    bool alive, told;
    // While a way around is looked for: how this node was reached.
    bool reached;
    u32 from;
    size_t offset; // of the reference, in `from`
};

struct graph {
    struct node *node;
    u32 count, max;
    u32 *todo; // [max]
};

// ---------------------------------------------------------------- nodes

static void count_one(void *ctx, const struct note *n unused_)
{
    ((struct graph *)ctx)->max++;
}

static void add_one(void *ctx, const struct note *n)
{
    struct graph *g = ctx;
    u32 strong = atomic_load_explicit(&rc_of(n->object)->strong, memory_order_relaxed);
    if (g->count < g->max && strong != 0)
        g->node[g->count++] = (struct node){.object = n->object,
                                            .made = n->made,
                                            .age = n->age,
                                            .trace = n->trace,
                                            .strong = strong};
}

static void swap(struct node *a, struct node *b)
{
    struct node t = *a;
    *a = *b;
    *b = t;
}

static void sift(struct node *n, u32 i, u32 count)
{
    for (u32 k; (k = 2 * i + 1) < count; i = k) {
        if (k + 1 < count && (uintptr_t)n[k].object < (uintptr_t)n[k + 1].object)
            k++;
        if ((uintptr_t)n[i].object >= (uintptr_t)n[k].object)
            return;
        swap(&n[i], &n[k]);
    }
}

// Y1. A heap sort: libc's qsort may allocate.
static void sort(struct graph *g)
{
    for (u32 i = g->count / 2; i-- > 0;)
        sift(g->node, i, g->count);
    for (u32 end = g->count; end > 1; end--) {
        swap(&g->node[0], &g->node[end - 1]);
        sift(g->node, 0, end - 1);
    }
}

static struct node *find(const struct graph *g, const void *object)
{
    u32 low = 0, high = g->count;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (g->node[mid].object == object)
            return &g->node[mid];
        if ((uintptr_t)g->node[mid].object < (uintptr_t)object)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

// ---------------------------------------------------------------- references

static size_t words_in(const struct node *n)
{
    return (loam_usable_size(rc_of(n->object)) - sizeof(struct rc)) / sizeof(void *);
}

// The node that word i of `n` refers to; NULL if none, or weakly.
static struct node *referred(const struct graph *g, const struct node *n, size_t i)
{
    struct note weak;
    void *const *word = (void *const *)n->object + i;
    struct node *to = find(g, *word);
    return to != NULL && !note_find(NOTE_WEAK, word, 0, &weak) ? to : NULL;
}

static void count_inside(struct graph *g)
{
    for (u32 k = 0; k < g->count; k++)
        for (size_t i = words_in(&g->node[k]); i-- > 0;) {
            struct node *to = referred(g, &g->node[k], i);
            if (to != NULL)
                to->inside++;
        }
}

// More found than there are: words that look like references. Then nothing can be said.
static bool held_from_elsewhere(const struct node *n)
{
    return n->strong != n->inside;
}

static void mark_alive(struct graph *g)
{
    u32 count = 0;
    for (u32 k = 0; k < g->count; k++) {
        g->node[k].alive = held_from_elsewhere(&g->node[k]);
        if (g->node[k].alive)
            g->todo[count++] = k;
    }
    while (count != 0) {
        struct node *n = &g->node[g->todo[--count]];
        for (size_t i = words_in(n); i-- > 0;) {
            struct node *to = referred(g, n, i);
            if (to == NULL || to->alive)
                continue;
            to->alive = true;
            g->todo[count++] = (u32)(to - g->node);
        }
    }
}

// ---------------------------------------------------------------- circles

// The shortest way from node `start` back to it. The last step is that from *ret_last at
// *ret_offset; the others stand in the nodes.
static bool find_way(struct graph *g, u32 start, u32 *ret_last, size_t *ret_offset)
{
    u32 head = 0, tail = 0;
    for (u32 k = 0; k < g->count; k++)
        g->node[k].reached = false;
    g->todo[tail++] = start;
    g->node[start].reached = true;
    while (head < tail) {
        u32 k = g->todo[head++];
        for (size_t i = 0; i < words_in(&g->node[k]); i++) {
            struct node *to = referred(g, &g->node[k], i);
            if (to == &g->node[start]) {
                *ret_last = k;
                *ret_offset = i * sizeof(void *);
                return true;
            }
            if (to == NULL || to->reached)
                continue;
            to->reached = true;
            to->from = k;
            to->offset = i * sizeof(void *);
            g->todo[tail++] = (u32)(to - g->node);
        }
    }
    return false;
}

static void put_step(const struct node *to, size_t offset, const char *and_back)
{
    debug_put("    +");
    debug_put_number(offset);
    debug_put(and_back);
    debug_put(to->made == NULL ? "(unknown)" : to->made);
    debug_put("\n");
}

// From `start` to `last`: the nodes know the way backwards, so it is turned around first.
static void put_way(struct graph *g, u32 start, u32 last, size_t offset)
{
    u32 count = 0;
    for (u32 k = last; k != start; k = g->node[k].from)
        g->todo[count++] = k;
    while (count-- > 0) {
        const struct node *n = &g->node[g->todo[count]];
        put_step(n, n->offset, " refers to ");
    }
    put_step(&g->node[start], offset, " refers back to ");
}

static void tell(struct graph *g, u32 start, u32 last, size_t offset)
{
    const struct node *n = &g->node[start];
    debug_put("loam: rc: a circle of references keeps itself alive: ");
    debug_put_hex((uintptr_t)n->object);
    debug_put("\n  it begins with a ");
    debug_put(n->made == NULL ? "(unknown)" : n->made);
    debug_put("\n");
    put_way(g, start, last, offset);
    debug_put("  make the reference at +");
    debug_put_number(offset);
    debug_put(" of the ");
    debug_put(g->node[last].made == NULL ? "(unknown)" : g->node[last].made);
    debug_put(" weak (loam_weak)\n  the first was made here:\n");
    debug_put_trace(n->trace);
    debug_flush();
}

// The oldest that is lost and not told yet: what was made first is the owner, as a rule, and the
// reference back to it the one to weaken.
static struct node *oldest(const struct graph *g)
{
    struct node *old = NULL;
    for (u32 k = 0; k < g->count; k++) {
        struct node *n = &g->node[k];
        if (!n->alive && !n->told && (old == NULL || n->age < old->age))
            old = n;
    }
    return old;
}

static void tell_all(struct graph *g)
{
    u32 last;
    size_t offset;
    struct node *n;
    while ((n = oldest(g)) != NULL) {
        u32 start = (u32)(n - g->node);
        n->told = true;
        if (!find_way(g, start, &last, &offset))
            continue; // it only leads to a circle
        tell(g, start, last, offset);
        for (u32 k = 0; k < g->count; k++) // what hangs on the circle is lost with it
            g->node[k].told |= g->node[k].reached;
    }
}

static size_t look(struct graph *g)
{
    size_t lost = 0;
    note_each(NOTE_RC_MADE, add_one, g);
    sort(g);
    count_inside(g);
    mark_alive(g);
    for (u32 k = 0; k < g->count; k++)
        lost += !g->node[k].alive;
    if (lost != 0)
        tell_all(g);
    return lost;
}

size_t loam_rc_cycles(void)
{
    struct graph g = {0};
    if (!debugging())
        return 0;
    note_each(NOTE_RC_MADE, count_one, &g);
    if (g.max == 0)
        return 0;
    size_t page = os_page_size(), nodes = round_up(g.max * sizeof *g.node, page);
    size_t todo = round_up((g.max + 1) * sizeof *g.todo, page), lost = 0;
    g.node = os_map(nodes);
    g.todo = os_map(todo);
    if (g.node != NULL && g.todo != NULL)
        lost = look(&g);
    if (g.node != NULL)
        os_unmap(g.node, nodes);
    if (g.todo != NULL)
        os_unmap(g.todo, todo);
    return lost;
}
