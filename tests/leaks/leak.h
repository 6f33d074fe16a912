// leak.h: how the programs here lose blocks for certain.
//
// A leak test is only as good as its leak: a forgotten copy of a pointer in a dead stack slot or
// in a register keeps a block alive for one tool and not for the other. So blocks are lost inside
// functions that are never inlined, through pointers that the compiler cannot see through, and
// scrub() writes over the stack that these functions left behind.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define apart  __attribute__((noinline, noclone))
#define unused __attribute__((unused))

// The same pointer, as far as the machine is concerned; a stranger's, as far as the compiler is.
static inline void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

// Forget a block: fill it, so that nothing in it looks like a pointer, and drop it.
static inline void lose(void *p, size_t size)
{
    memset(opaque(p), 1, size);
}

// Overwrite the dead stack below the caller, where frames of returned functions still lie.
unused static apart void scrub(void)
{
    char dead[32768];
    memset(dead, 0, sizeof dead);
    opaque(dead);
}
