// rc.h: what a counted reference looks like, for who looks for circles of them.
#pragma once

#include "base/base.h"

#include <loam/rc.h>
#include <stdatomic.h>

// X1  strong is the number of references; the destructor runs when it becomes 0, and it never
//     grows from 0 again.
// X2  weak is the number of weak references, and one more as long as strong is not 0 or the
//     destructor runs. The memory goes when it becomes 0.
// X3  both counts of a freed rc stay 0 until its memory is used again, by which a reference that
//     was let go too often is told.
struct rc {
    void (*drop)(void *object);
    union {
        struct {
            _Atomic u32 strong;
            _Atomic u32 weak; // and the bit ATOMIC, which never changes
        };
        _Atomic u64 both; // for a look at the two at one moment
    };
};
static_assert(sizeof(struct rc) == 16, "keeps an object aligned as malloc would");

static inline struct rc *rc_of(const void *object)
{
    return (struct rc *)object - 1;
}
