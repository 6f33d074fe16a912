// admit.h: which new stacks get a record of their own when there is little room left.
//
// A program with a million stacks fills its recording, most of it with stacks that were met once.
// Who comes first would have a place, and a stack that takes a gigabyte later would have none. So
// the last sixteenth of the room is for stacks that show that they matter: one has to have asked
// for so many bytes before it gets a record, and twice as many with each 256th of the room that
// goes. What it asked for before that is counted in "other", as is all of those that never do.
//
// Under the lock of sites.h.
#pragma once

#include "base/base.h"

// May the stack of this hash, which asks for `bytes` now, have a record? `left` of `all` blocks of
// the recording are free. *ret_new: it is turned away for the first time, as far as is remembered.
bool admit(u64 hash, u64 bytes, u32 left, u32 all, bool *ret_new);
// Forget all: another process begins.
void admit_clear(void);
