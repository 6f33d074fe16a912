// A binary tree of 127 nodes, grown by recursion; the root is lost.
// total: 3048 bytes
#include "leak.h"

struct node {
    struct node *left, *right;
    long key;
};

static apart struct node *grow(int depth)
{
    if (depth == 0)
        return NULL;
    struct node *n = malloc(sizeof *n); // lost
    n->key = depth;
    n->left = grow(depth - 1);
    n->right = grow(depth - 1);
    return n;
}

int main(void)
{
    opaque(grow(7));
    scrub();
    return 0;
}
