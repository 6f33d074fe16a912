// Regions, pools, counted references, vecs and mutexes: nothing to say.
#include <loam/loam.h>
struct node {
    int x;
    struct node *next;
};
LOAM_POOL(nodes, struct node)
struct config {
    int level;
};
static loam_mutex(struct config) shared;
int region(int n)
{
    loam_scratch(tmp);
    struct node *first = NULL;
    for (int i = 0; i < n; i++) {
        struct node *it = loam_new(&tmp, struct node, .x = i, .next = first);
        if (it == NULL)
            return -1;
        first = it;
    }
    return first == NULL ? 0 : first->x;
}
int pool(void)
{
    nodes all = nodes_make(LOAM_HERE);
    nodes_handle h;
    struct node *n = nodes_new(&all, &h);
    if (n != NULL)
        n->x = 3;
    nodes_free(&all, h);
    nodes_done(&all);
    return 0;
}
int counted(void)
{
    loam_auto_rc struct config *c = loam_rc_new(struct config, NULL, .level = 3);
    loam_auto_rc struct config *mine = loam_rc_ref(c);
    return mine == NULL ? -1 : mine->level;
}
int vec(void)
{
    loam_vec(int) v = {0};
    int sum = 0;
    for (int i = 0; i < 10; i++)
        if (!loam_vec_push(&v, i))
            break;
    for (size_t i = 0; i < v.len; i++)
        sum += v.at[i];
    loam_vec_done(&v);
    return sum;
}
int locked(int n)
{
    loam_with (&shared, c)
        c->level += n;
    loam_with (&shared, c) {
        if (c->level > 5)
            return c->level;
    }
    return 0;
}
