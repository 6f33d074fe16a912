// A handle of another pool does not compile.
//
// prints: alive
// prints: stale
#include <loam/pool.h>
#include <stdio.h>

struct conn {
    int fd;
};
struct user {
    int id;
};
LOAM_POOL(conns, struct conn)
LOAM_POOL(users, struct user)

int main(void)
{
    conns all = conns_make(LOAM_HERE);
    users people = users_make(LOAM_HERE);
    conns_handle c;
    users_handle u;
    if (conns_new(&all, &c) == NULL || users_new(&people, &u) == NULL)
        return 1;
    printf("%s\n", conns_get(&all, c) != NULL ? "alive" : "stale");
    conns_free(&all, c);
    printf("%s\n", conns_get(&all, c) != NULL ? "alive" : "stale");
#ifdef WRONG_1
    printf("%p\n", (void *)conns_get(&all, u)); // error: incompatible type
#endif
#ifdef WRONG_2
    conns_free(&people, c); // error: incompatible pointer
#endif
#ifdef WRONG_3
    conns_new(&all, &c); // error: unused|ignoring return value
#endif
    conns_done(&all);
    users_done(&people);
    return 0;
}
