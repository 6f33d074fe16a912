// rt.h: real-time priority for samples, on request only, in short bursts.
//
// A program at real-time priority that does not sleep can stop a machine. So: only as root and
// when asked for; only while a single sample of one thread runs, which takes 2 ms and never more
// than 200 ms; as long a sleep after it; children do not inherit it; one lab at a time, by a lock;
// the kernel kills us after 200 ms of real time without a sleep (RLIMIT_RTTIME); and a watchdog
// process of higher priority kills the experiment at its deadline. Teams of threads never get it:
// a spinning thread that keeps the one it waits for from running would spin for ever.
#pragma once

#include "base/base.h"

#include <sys/types.h>

// 0, or -errno: not permitted (EPERM), another lab runs so (EBUSY).
int rt_open(void);
void rt_close(void);
// In an experiment's process, once: from now on the watchdog knows it.
void rt_enter(void);
// Around one sample. Nothing happens unless rt_open succeeded.
void rt_begin(void);
void rt_end(void);
