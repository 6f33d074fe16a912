// An address in words: with LOAM=debug=on a region knows its objects; a pool always does.
//
// prints: region requests, owner.c:30, +1
// prints: pool conns, owner.c:14, +8 in struct conn
// prints: nobody
#include <loam/owner.h>
#include <loam/pool.h>
#include <loam/region.h>
#include <stdio.h>

struct conn {
    long fd, port;
};
LOAM_POOL(conns, struct conn)

static void tell(const void *p)
{
    char text[200];
    bool known = loam_owner_text(p, text, sizeof text);
    char *plus = known ? strrchr(text, '+') : NULL;
    if (plus != NULL && strstr(plus, " in ") == NULL)
        plus[2] = 0; // where in the block is nobody's business
    puts(known ? text : "nobody");
}

int main(void)
{
    loam_region r;
    // The line that counts:
    loam_region_init(&r, "requests");
    conns all = conns_make(LOAM_HERE);
    conns_handle h;
    char *p = loam_region_push(&r, 10000, 1);
    struct conn *c = conns_new(&all, &h);
    if (p == NULL || c == NULL)
        return 1;
    tell(p + 1000);
    tell(&c->port);
    tell(&r);
    loam_region_done(&r);
    conns_done(&all);
    return 0;
}
