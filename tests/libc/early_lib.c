// The library of early.c.
#include <stdlib.h>
#include <string.h>

char *early_constructed(void);
char *early_fresh(void);
int early_resolved(void);

static char *made;
static __thread char *mine;

__attribute__((constructor)) static void construct(void)
{
    made = strdup("made by a constructor");
}

__attribute__((destructor)) static void destruct(void)
{
    for (int i = 0; i < 100; i++)
        free(malloc(100));
}

char *early_constructed(void)
{
    char *p = made;
    made = NULL;
    return p;
}

char *early_fresh(void)
{
    mine = strdup("made on request");
    free(realloc(malloc(10), 10000));
    return mine;
}

static int resolved(void)
{
    return 42;
}

// Runs while the dynamic linker still relocates: malloc is the first thing of libloam that is
// called at all, if its own relocations are done.
static int (*resolver(void))(void)
{
    return resolved;
}

int early_resolved(void) __attribute__((ifunc("resolver")));
