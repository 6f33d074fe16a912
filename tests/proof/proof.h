// proof.h: what proof.c found out, in a file that all processes of a tree share.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

struct proof {
    _Atomic u64 traces, frames;      // compared with the full walk
    _Atomic u64 differ;              // of these
    _Atomic u64 truncated;           // of these: no way on was known
    _Atomic u64 asked, asked_frames; // compared with libgcc
    _Atomic u64 wrong;               // another frame than libgcc's
    _Atomic u64 shorter, longer;     // fewer, and more
};
