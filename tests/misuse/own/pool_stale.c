// A handle is used after its object was freed, and its slot is in use again.
// debug: pool: a stale handle
// first: frees_it
// then: asks_for_it
#include <loam/pool.h>
struct conn {
    int fd;
};
LOAM_POOL(conns, struct conn)
__attribute__((noipa)) static void frees_it(conns *all, conns_handle h)
{
    conns_free(all, h);
}
__attribute__((noipa)) static struct conn *asks_for_it(conns *all, conns_handle h)
{
    return conns_get(all, h);
}
int main(void)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h, other;
    if (conns_new(&all, &h) == NULL)
        return 1;
    frees_it(&all, h);
    for (int i = 0; i < 64; i++)
        if (conns_new(&all, &other) == NULL)
            return 1;
    if (asks_for_it(&all, h) != NULL)
        return 1;
    conns_done(&all);
    return 0;
}
