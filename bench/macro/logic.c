// logic: minimising boolean functions (the kind of espresso).
//
// A function of ten variables, given by its points, is covered by cubes: points with some variables
// set free. Two cubes that differ in one bit merge into a larger one; what cannot merge is prime.
// Small blocks are made in great numbers, live for one pass, and die in another order; sets of them
// stand in tables that grow.

#include "bench.h"

enum { VARIABLES = 10, POINTS = 1 << VARIABLES, BUCKETS = 1024 };

struct cube {
    struct cube *next;
    uint16_t value; // the bits of the variables that count
    uint16_t open;  // variables that do not count
    bool merged;
};

// All cubes of one pass: those with the same number of open variables.
struct pass {
    struct cube **bucket;
    size_t count;
};

static struct pass *pass_new(void)
{
    struct pass *pass = take(sizeof *pass);
    pass->bucket = calloc(BUCKETS, sizeof *pass->bucket);
    check(pass->bucket != NULL);
    pass->count = 0;
    return pass;
}

static void pass_free(struct pass *pass)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct cube *c = pass->bucket[i], *next; c != NULL; c = next) {
            next = c->next;
            free(c);
        }
    }
    free(pass->bucket);
    free(pass);
}

static struct cube **place(const struct pass *pass, uint16_t value, uint16_t open)
{
    uint32_t hash = ((uint32_t)value << 16 | open) * 0x9e3779b1u;
    struct cube **at = &pass->bucket[hash >> 22];
    while (*at != NULL && ((*at)->value != value || (*at)->open != open))
        at = &(*at)->next;
    return at;
}

static void pass_add(struct pass *pass, uint16_t value, uint16_t open)
{
    struct cube **at = place(pass, value, open);
    if (*at != NULL)
        return;
    struct cube *c = take(sizeof *c);
    *c = (struct cube){.value = value, .open = open};
    *at = c;
    pass->count++;
}

// Merge each cube with its neighbours across every variable that still counts.
static struct pass *merge(const struct pass *pass)
{
    struct pass *next = pass_new();
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct cube *c = pass->bucket[i]; c != NULL; c = c->next) {
            for (unsigned v = 0; v < VARIABLES; v++) {
                uint16_t bit = (uint16_t)(1u << v);
                struct cube *other = c->open & bit ? NULL : *place(pass, c->value ^ bit, c->open);
                if (other == NULL)
                    continue;
                c->merged = other->merged = true;
                pass_add(next, c->value & (uint16_t)~bit, c->open | bit);
            }
        }
    }
    return next;
}

// Mark the points of a prime cube: all of them must belong to the function.
static size_t cover(const struct cube *c, const bool *function, bool *covered)
{
    size_t points = 0;
    for (uint16_t open = c->open;; open = (uint16_t)(open - 1) & c->open) {
        check(function[c->value | open]);
        covered[c->value | open] = true;
        points++;
        if (open == 0)
            return points;
    }
}

static size_t cover_primes(const struct pass *pass, const bool *function, bool *covered)
{
    size_t points = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct cube *c = pass->bucket[i]; c != NULL; c = c->next) {
            if (!c->merged)
                points += cover(c, function, covered);
        }
    }
    return points;
}

static size_t minimise(const bool *function)
{
    bool covered[POINTS] = {false};
    size_t sum = 0;
    struct pass *pass = pass_new();
    for (unsigned i = 0; i < POINTS; i++) {
        if (function[i])
            pass_add(pass, (uint16_t)i, 0);
    }
    while (pass->count > 0) {
        struct pass *next = merge(pass);
        sum += cover_primes(pass, function, covered);
        pass_free(pass);
        pass = next;
    }
    pass_free(pass);
    check(memcmp(covered, function, sizeof covered) == 0);
    return sum;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct rng r = rng_seeded(2);
    size_t sum = 0;
    for (size_t i = 0, n = scaled(&b, 280); i < n; i++) {
        bool function[POINTS];
        size_t share = rng_between(&r, 50, 85);
        for (size_t k = 0; k < POINTS; k++)
            function[k] = rng_below(&r, 100) < share;
        sum += minimise(function);
    }
    printf("%zu points in prime cubes\n", sum);
    return 0;
}
