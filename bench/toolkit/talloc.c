// talloc.c: talloc, where every object is a parent, at the operations of the table.
#include "toolkit.h"

#include <talloc.h>

static void arena(void)
{
    void *parent = talloc_new(NULL);
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = talloc(parent, struct object);
        check(o != NULL);
        *o = (struct object){.a = i};
    }
    talloc_free(parent);
}
static void arena_pool(void)
{
    void *parent = talloc_pool(NULL, 200 * OBJECTS);
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = talloc(parent, struct object);
        check(o != NULL);
        *o = (struct object){.a = i};
    }
    talloc_free(parent);
}
static void owned(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = talloc(NULL, struct object);
        check(o != NULL);
        *o = (struct object){.a = i};
        talloc_free(o);
    }
}
static void owned_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        struct object *o = talloc(NULL, struct object);
        check(o != NULL);
        *o = (struct object){.a = i};
        use(o);
    }
}

int main(void)
{
    measure("arena", "talloc", arena, OBJECTS);
    measure("arena", "talloc_pool", arena_pool, OBJECTS);
    measure("owned", "talloc", owned, OBJECTS);
    weigh("owned_weight", "talloc", owned_million);
    return 0;
}
