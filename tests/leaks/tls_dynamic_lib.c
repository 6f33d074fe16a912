// The library of tls_dynamic.c.
#include "leak.h"

void hold(size_t size);
static __thread struct {
    char big[4096]; // too big for the room that libc keeps for late libraries
    void *mine;
} late;

void hold(size_t size)
{
    late.mine = malloc(size);
    memset(late.mine, 1, size);
    opaque(&late);
}
