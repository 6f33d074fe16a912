// trees: gravity among 12,000 bodies by an octree that is built and thrown away at every step
// (after Barnes and Hut, 1986; a workload of Hoard's suite).
//
// Cells and leaves of two sizes are taken in the order of the bodies and walked in the order of
// space. How the allocator laid them out decides how many cache lines the walk needs.

#include "bench.h"

#include <math.h>

struct vec {
    double x, y, z;
};

struct node {
    double mass;
    struct vec center; // of mass, once the tree is complete; of a leaf: where it is
    bool leaf;
};

struct cell {
    struct node node;
    struct node *child[8];
};

struct body {
    struct vec at, speed;
    double mass;
};

static struct node *leaf_new(const struct body *b)
{
    struct node *n = take(sizeof *n);
    *n = (struct node){.mass = b->mass, .center = b->at, .leaf = true};
    return n;
}

// The octant of `at` around `middle`; moves the middle to that of the octant.
static unsigned octant(struct vec *middle, double half, struct vec at)
{
    unsigned o =
        (at.x > middle->x) | (unsigned)(at.y > middle->y) << 1 | (unsigned)(at.z > middle->z) << 2;
    middle->x += o & 1 ? half / 2 : -half / 2;
    middle->y += o & 2 ? half / 2 : -half / 2;
    middle->z += o & 4 ? half / 2 : -half / 2;
    return o;
}

// Put a leaf where it belongs; two that meet are pushed down into new cells until they part.
static void insert(struct cell *root, struct node *leaf, double half)
{
    struct cell *c = root;
    struct vec middle = {0, 0, 0};
    for (int depth = 0;; half /= 2, depth++) {
        struct node **at = &c->child[octant(&middle, half, leaf->center)];
        if (*at == NULL) {
            *at = leaf;
            return;
        }
        if ((*at)->leaf) {
            check(depth < 60);
            struct node *other = *at;
            struct cell *deeper = calloc(1, sizeof *deeper);
            check(deeper != NULL);
            struct vec inner = middle;
            deeper->child[octant(&inner, half / 2, other->center)] = other;
            *at = &deeper->node;
        }
        c = (struct cell *)*at;
    }
}

static void weigh(struct cell *c)
{
    struct vec sum = {0, 0, 0};
    for (size_t i = 0; i < 8; i++) {
        struct node *n = c->child[i];
        if (n == NULL)
            continue;
        if (!n->leaf)
            weigh((struct cell *)n);
        c->node.mass += n->mass;
        sum.x += n->mass * n->center.x;
        sum.y += n->mass * n->center.y;
        sum.z += n->mass * n->center.z;
    }
    double m = c->node.mass;
    c->node.center = (struct vec){sum.x / m, sum.y / m, sum.z / m};
}

static void pull(struct body *b, const struct node *n, double half)
{
    double x = n->center.x - b->at.x, y = n->center.y - b->at.y, z = n->center.z - b->at.z;
    double square = x * x + y * y + z * z + 1e-3;
    if (n->leaf || 4 * half * half < square) { // seen under a small angle: one mass
        double f = n->mass / (square * sqrt(square)) * 1e-4;
        b->speed.x += f * x;
        b->speed.y += f * y;
        b->speed.z += f * z;
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        const struct node *child = ((const struct cell *)n)->child[i];
        if (child != NULL)
            pull(b, child, half / 2);
    }
}

static void tree_free(struct node *n)
{
    for (size_t i = 0; !n->leaf && i < 8; i++) {
        struct node *child = ((struct cell *)n)->child[i];
        if (child != NULL)
            tree_free(child);
    }
    free(n);
}

static double extent(struct body *const *body, size_t n)
{
    double half = 0;
    for (size_t i = 0; i < n; i++)
        half =
            fmax(half, fmax(fabs(body[i]->at.x), fmax(fabs(body[i]->at.y), fabs(body[i]->at.z))));
    return half * 1.01;
}

static void step(struct body *const *body, size_t n)
{
    double half = extent(body, n);
    struct cell *root = calloc(1, sizeof *root);
    check(root != NULL);
    for (size_t i = 0; i < n; i++)
        insert(root, leaf_new(body[i]), half);
    weigh(root);
    check(fabs(root->node.mass - (double)n) < 1e-6 * (double)n); // no body was lost
    for (size_t i = 0; i < n; i++) {
        struct body *b = body[i];
        pull(b, &root->node, half);
        b->at.x += b->speed.x;
        b->at.y += b->speed.y;
        b->at.z += b->speed.z;
    }
    tree_free(&root->node);
}

int main(int argc, char **argv)
{
    enum { BODIES = 12000 };
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct rng r = rng_seeded(71);
    static struct body *body[BODIES];
    for (size_t i = 0; i < BODIES; i++) {
        body[i] = calloc(1, sizeof *body[i]);
        check(body[i] != NULL);
        double *at[] = {&body[i]->at.x, &body[i]->at.y, &body[i]->at.z};
        for (size_t k = 0; k < 3; k++)
            *at[k] = (double)rng_below(&r, 2000001) / 1e6 - 1;
        body[i]->mass = 1;
    }
    for (size_t i = 0, n = scaled(&b, 28); i < n; i++)
        step(body, BODIES);
    for (size_t i = 0; i < BODIES; i++)
        free(body[i]);
    puts("no mass was lost");
    return 0;
}
