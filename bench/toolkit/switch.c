// switch.c: loam's bare switch of stacks, inline as its tasks have it: there and back.
#include "toolkit.h"

#undef KiB // both have them
#undef MiB
#undef GiB
#include "os/context.h"

#define SWITCHES 1000000

static struct context here, there;
static char stack[65536] __attribute__((aligned(64)));

static void other(void)
{
    context_arrived();
    for (;;)
        context_switch(&there, &here, false);
}

static void around(void)
{
    for (int i = 0; i < SWITCHES; i++)
        context_switch(&here, &there, false);
}

int main(void)
{
    context_adopt(&here);
    context_make(&there, stack, sizeof stack, other);
    around();
    measure("bare_switch", "loam", around, 2.0 * SWITCHES);
    return 0;
}
