// fault.h: hear of a fault before the program does, and let it hear of all that are not ours.
//
// While somebody watches, SIGSEGV goes first to `look`, on a stack of its own: a thread that ran
// over the end of its stack has none. What `look` returns from goes to the handler that was there
// before, or has the default effect. A handler that the program installs meanwhile replaces ours.
#pragma once

#include "base/base.h"

// Begin and end watching; nests, with the same `look` each time. 0 or -errno.
int fault_watch(void (*look)(const void *at));
void fault_unwatch(void);
// In the child of a fork, where nobody watches any more.
void fault_forked(void);

// Give the calling thread `size` bytes at `stack` as the stack for its handlers; false, and nothing
// changed, if it has one already. fault_stack_end takes them away again.
bool fault_stack(void *stack, size_t size);
void fault_stack_end(void *stack); // if it is still that one
