// kernel.h: words that the kernel keeps for a program and hands back to it later.
//
// Event loops store the address of a connection in epoll's data and nowhere else, and a timer's
// value (sigev_value) comes back with its signal. /proc shows both. What io_uring holds is not
// shown.
#pragma once

#include "scan/mark.h"

#include <sys/types.h>

void kernel_mark(pid_t tid, struct mark *m);
