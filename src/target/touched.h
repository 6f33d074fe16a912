// touched.h: how much of a process's large blocks has ever been touched.
#pragma once

#include "format/recording.h"

#include <sys/types.h>

// Call `each` for every large block of the process whose record is `p` that is older than a quarter
// of a second (`clock`: now, in ticks): its site, the whole OS pages in it in bytes, and those that
// the process has touched. The process runs on and notices nothing. 0 or -errno.
int touched_each(pid_t pid, const struct record_process *p, u64 clock,
                 void (*each)(void *ctx, u32 site, u64 bytes, u64 touched), void *ctx);
