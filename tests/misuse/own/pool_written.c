// An object is written to after it was freed, and its slot is used again.
// debug: pool: a freed object was written to
// first: frees_it
// then: uses_again
#include <loam/pool.h>
struct conn {
    int fd;
};
LOAM_POOL(conns, struct conn)
__attribute__((noipa)) static void frees_it(conns *all, conns_handle h)
{
    conns_free(all, h);
}
__attribute__((noipa)) static struct conn *uses_again(conns *all)
{
    conns_handle h;
    return conns_new(all, &h);
}
int main(void)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h;
    struct conn *c = conns_new(&all, &h);
    if (c == NULL)
        return 1;
    frees_it(&all, h);
    c->fd = 7;
    for (int i = 0; i < 64; i++)
        if (uses_again(&all) == NULL)
            return 1;
    conns_done(&all);
    return 0;
}
