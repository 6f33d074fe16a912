// apr.c: APR's pools and arrays at the operations of the table.
#include "toolkit.h"

#include <apr_pools.h>
#include <apr_tables.h>

static apr_pool_t *pool;

static void arena(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = apr_palloc(pool, sizeof *o);
        *o = (struct object){.a = i};
        use(o);
    }
    apr_pool_clear(pool);
}
static void arena_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        struct object *o = apr_palloc(pool, sizeof *o);
        *o = (struct object){.a = i};
        use(o);
    }
}
static void push(void)
{
    apr_array_header_t *a = apr_array_make(pool, 1, sizeof(int));
    for (int i = 0; i < 100000; i++)
        APR_ARRAY_PUSH(a, int) = i;
    apr_pool_clear(pool);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    measure("arena", "apr", arena, OBJECTS);
    measure("push", "apr", push, 100000);
    weigh("arena_weight", "apr", arena_million);
    return 0;
}
