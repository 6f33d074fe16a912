// measure.h: one run of a program, and what it cost.
//
// CPU time is what wait4(2) tells: the program and all children that it waited for. Peak memory is
// VmHWM, read while each process ends: it stands under ptrace(2) for that, which stops it when it
// forks, gets a signal or ends, and at no other time. (ru_maxrss would not do: it survives exec, so
// that a small program would be told as large as the tool that started it.)
#pragma once

#include "base/base.h"

#include <limits.h>

struct measure_order {
    char *const *argv;
    const char *dir;     // to run in; NULL: where we are
    const char *preload; // of LD_PRELOAD; "": none
    // A script is itself run without the allocator and finds it in BENCH_PRELOAD.
    bool is_script;
    int out, err; // descriptors for its stdout and stderr
    u32 limit;    // seconds, after which it is killed
};

struct measure_result {
    double user, sys, wall; // seconds
    u64 peak;               // bytes
    u64 faults;             // minor
    int status;             // as wait4 tells
    bool timed_out;
    bool preloaded; // the library was seen in one of its processes
    bool traced;    // false: ptrace is not allowed here; peak and preloaded are not reliable
};

// Run it and wait until it and all processes that it left behind have ended: those are killed.
// 0; -errno if it could not be started; -EINTR if we were interrupted: then it was killed.
int measure_run(const struct measure_order *order, struct measure_result *ret_result);
// Has ^C come since the tool began to measure?
bool measure_interrupted(void);
