// An object of a pool is freed twice: the second time has no effect, and debug tells.
// debug: pool: a stale handle
// first: frees_it
// then: frees_again
#include <loam/pool.h>
struct conn {
    int fd;
};
LOAM_POOL(conns, struct conn)
__attribute__((noipa)) static void frees_it(conns *all, conns_handle h)
{
    conns_free(all, h);
}
__attribute__((noipa)) static bool frees_again(conns *all, conns_handle h)
{
    return conns_free(all, h);
}
int main(void)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h;
    if (conns_new(&all, &h) == NULL)
        return 1;
    frees_it(&all, h);
    if (frees_again(&all, h))
        return 1;
    conns_done(&all);
    return 0;
}
