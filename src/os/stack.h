// stack.h: stacks for code that runs beside a thread's own, many in one reservation.
//
// Addresses are reserved once; memory comes in steps, and RAM when touched. Below each stack lies a
// guard that faults:
//
//     base                                                       base + max * slot
//     [guard|  stack 0 ^][guard|  stack 1 ^][guard| ..            no access yet    ]
//
// K1  stacks below `ready` have their guard and can be used; all others have no access.
// K2  unlike all else that this folder maps, nothing here stands in the chunk record: the record
//     tells which memory is loam's own and holds no pointers of the program, and stacks do.
#pragma once

#include "base/base.h"

struct stacks {
    char *base;
    size_t slot;   // bytes from one stack to the next: guard + stack
    size_t guard;  // bytes that fault
    u32 max;       // stacks that there is room for
    u32 ready;     // K1
    bool by_pages; // guards are pages without access, for kernels without MADV_GUARD_INSTALL
};

// Reserve room for `max` stacks of at least `size` bytes; for fewer where so many addresses are
// not to be had (ulimit -v). 0 or -ENOMEM.
int stacks_reserve(struct stacks *s, u32 max, size_t size);
void stacks_release(struct stacks *s);
// Make stack `i`, which is ready or the first one that is not, usable. 0 or -ENOMEM.
int stacks_prepare(struct stacks *s, u32 i);
// True when p lies in the guard of a stack; that one is *ret.
bool stacks_in_guard(const struct stacks *s, const void *p, u32 *ret);
// Bytes at the top of stack i that were ever touched, to an OS page. 0 if the kernel will not say.
size_t stacks_touched(const struct stacks *s, u32 i);

static inline char *stacks_low(const struct stacks *s, u32 i)
{
    return s->base + i * s->slot + s->guard;
}
static inline size_t stacks_size(const struct stacks *s)
{
    return s->slot - s->guard;
}

// Zeroed memory that may hold the program's pointers; takes RAM when touched. K2. NULL: none.
void *stack_table(size_t size);
void stack_table_free(void *p, size_t size);
