// tasks.h: what the tests of tasks share: a log of letters, and short ways to start.
#pragma once

#include "base/compiler.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/task.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static _Atomic char log_[256];
static _Atomic unsigned log_length;
static unused_ void say(char c)
{
    unsigned n = atomic_fetch_add(&log_length, 1);
    CHECK(n + 1 < sizeof log_);
    log_[n] = c;
}
static unused_ bool said(const char *what)
{
    for (unsigned i = 0; i <= strlen(what); i++)
        if (log_[i] != what[i])
            return false;
    return true;
}

static unused_ uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#define MS ((uint64_t)1000000)

static unused_ void run(void (*fn)(void *), void *arg)
{
    CHECK(loam_task_run(NULL, fn, arg) == 0);
}

static unused_ loam_task go(void (*fn)(void *), void *arg)
{
    loam_task t = {0, 0};
    CHECK(loam_go("test", fn, arg, &t) == 0);
    CHECK(t.generation != 0);
    return t;
}

static unused_ void on(unsigned workers, void (*fn)(void *), void *arg)
{
    CHECK(loam_task_run(&(loam_task_options){.workers = workers}, fn, arg) == 0);
}
