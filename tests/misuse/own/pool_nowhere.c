// A handle from nowhere: it means no object, and debug tells.
// debug: pool: a handle that this pool never gave
// then: asks_for_it
#include <loam/pool.h>
struct conn {
    int fd;
};
LOAM_POOL(conns, struct conn)
__attribute__((noipa)) static struct conn *asks_for_it(conns *all, conns_handle h)
{
    return conns_get(all, h);
}
int main(void)
{
    conns all = conns_make(LOAM_HERE);
    conns_handle h, wild = {{12345, 77}};
    if (conns_new(&all, &h) == NULL || asks_for_it(&all, wild) != NULL)
        return 1;
    conns_done(&all);
    return 0;
}
