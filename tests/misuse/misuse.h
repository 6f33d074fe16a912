// misuse.h: what the crimes here share. See misuse.t.
#pragma once

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The compiler must not know what it is about to do.
static inline void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

// Name the pointer that loam's line is to show, and hand it on. Does not allocate.
static inline void *accused(void *p)
{
    dprintf(1, "0x%lx\n", (unsigned long)(uintptr_t)p);
    return opaque(p);
}

// Run f(p) in a thread of its own.
__attribute__((unused)) static void in_thread(void *(*f)(void *), void *p)
{
    pthread_t t;
    pthread_create(&t, NULL, f, p);
    pthread_join(t, NULL);
}

__attribute__((unused)) static void *free_it(void *p)
{
    free(p);
    return NULL;
}
