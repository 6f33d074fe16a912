// target.h: what the scan looks at, and through what.
//
// The scan never asks the kernel. It asks a target: the process whose tables and memory are read.
// Today that is another process, stopped (src/target/); a core file, a forked copy and the process
// itself can be one too, because the scan needs only the calls below. Addresses in the target are
// u64, never pointers, so that nobody follows one by accident.
#pragma once

#include "base/base.h"

struct piece {
    u64 from;    // address in the target
    void *to;    // ours; at least `size` zeroed bytes
    size_t size; // bytes
};

struct target {
    // Copy every piece. What cannot be read stays zero, OS page by OS page: a page that is gone
    // must not cost the rest. Memory that the target never touched need not be touched for us.
    // 0, or -errno when nothing can be read at all any more (-ESRCH: the target is gone).
    int (*read)(struct target *t, const struct piece *pieces, size_t count);
    // Zeroed memory for tables and copies, RAM taken as it is touched; NULL when there is none.
    void *(*map)(struct target *t, size_t size);
    void (*unmap)(struct target *t, void *at, size_t size);
};

static inline int target_read(struct target *t, u64 from, void *to, size_t size)
{
    struct piece p = {from, to, size};
    return t->read(t, &p, 1);
}
