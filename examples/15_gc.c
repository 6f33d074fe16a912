// 15_gc.c: nobody frees: a graph whose owners nobody could name, in a collected heap.
//
// A tiny interpreter's data: pairs, symbols, closures that point at each other. Rings are no
// matter; a table of symbols holds them weakly, so it does not grow for ever; a file that an object
// holds is closed by its finalizer. At the end: what the collector did, and how long it stopped us.
#include <loam/gc.h>
#include <stdio.h>
#include <stdlib.h>

struct pair {
    struct pair *first, *rest;
    long number;
};

static loam_gc *gc;

static struct pair *cons(struct pair *first, struct pair *rest, long number)
{
    struct pair *p = loam_gc_make(gc, struct pair, .first = first, .rest = rest, .number = number);
    if (p == NULL)
        abort();
    return p;
}

// ---- a table that does not keep what is in it

enum { SYMBOLS = 1000 };
static loam_gc_weak symbol[SYMBOLS];

static char *intern(unsigned i)
{
    char *name = loam_gc_weak_get(gc, symbol[i]);
    if (name != NULL)
        return name;
    loam_gc_weak_remove(gc, symbol[i]);
    name = loam_gc_alloc_leaf(gc, 32); // text: nothing to look for in there
    if (name == NULL || loam_gc_weak_add(gc, name, &symbol[i]) < 0)
        abort();
    snprintf(name, 32, "symbol-%u", i);
    return name;
}

static unsigned symbols_alive(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SYMBOLS; i++)
        n += loam_gc_weak_get(gc, symbol[i]) != NULL;
    return n;
}

// ---- what has to be closed

static int closed;
static void close_it(void *object, void *arg)
{
    (void)object;
    (void)arg;
    closed++;
}

// In functions of their own, so that no variable of main keeps what they made.
__attribute__((noinline)) static void make_rings(void)
{
    for (long i = 0; i < 200000; i++) {
        struct pair *a = cons(NULL, NULL, i), *b = cons(a, NULL, i);
        a->first = b; // a ring of two, and nobody else knows it
        if (i % 1000 == 0 && loam_gc_finalizer_add(gc, a, close_it, NULL) < 0)
            abort();
    }
    for (unsigned i = 0; i < SYMBOLS; i++)
        intern(i);
}

__attribute__((noinline)) static long sum(const struct pair *list)
{
    long s = 0;
    for (; list != NULL; list = list->rest)
        s += list->number;
    return s;
}

static struct pair *kept; // a global: the collector looks there

int main(void)
{
    gc = loam_gc_new("interpreter", NULL);
    if (gc == NULL)
        return 1;
    for (long i = 1; i <= 1000; i++)
        kept = cons(NULL, kept, i);
    char *name = intern(7);
    make_rings();
    if (loam_gc_collect(gc) < 0) // also by itself, as memory is asked for
        return 1;
    printf("the list still sums to %ld\n", sum(kept));
    printf("%s is still %s\n", name, intern(7) == name ? "itself" : "another");
    printf("%s of %d other symbols are left\n", symbols_alive() < SYMBOLS / 10 ? "few" : "many",
           SYMBOLS - 1);
    printf("%s of 200 finalizers ran\n", closed > 190 ? "nearly all" : "some");

    loam_owner_info owner;
    if (loam_owner_find(kept, &owner))
        printf("the list lies in %s %s\n", owner.kind, owner.name);
    loam_gc_stats s = loam_gc_usage(gc);
    printf("%zu collections freed %zu objects; %zu KiB are live\n", s.collections, s.freed_objects,
           s.live_bytes / 1024);
    printf("the longest pause took %.2f ms\n", (double)s.pause_ns_max / 1e6);
    gc = loam_gc_free(gc);
    return 0;
}
