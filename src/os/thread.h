// thread.h: threads of loam's own, and waiting for a word until a moment.
#pragma once

#include "base/base.h"

#include <pthread.h>
#include <stdatomic.h>

// Start a thread that takes no signals of the program but those that its own faults raise. 0 or
// -errno. Libc takes memory for it.
int thread_start(pthread_t *ret, void *(*fn)(void *), void *arg);

#define PARK_FOREVER UINT64_MAX
// Wait while *word == value, until `deadline` on the clock of os_monotonic_ns. May return early.
void park(_Atomic u32 *word, u32 value, u64 deadline);
// Wake at most n of those that wait on the word. Whoever calls it changed the word before.
void unpark(_Atomic u32 *word, u32 n);
