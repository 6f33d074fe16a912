// loud.h: a signal that also reaches threads which block all signals.
//
// libc keeps signal 33 for setuid and its like, which must change every thread: a program cannot
// block it (sigprocmask and pthread_sigmask leave it out of every set; so do the sanitizers, Go and
// others that ask the kernel themselves, because setuid would hang), and cannot wait for it. So it
// reaches those that a program made deaf. What libc sends is passed on to libc's handler, which
// stood there before; what we send carries a value, which libc's never does, and libc's handler
// takes no notice of such a one where it should have come back.
#pragma once

#include "base/base.h"

#include <signal.h>

#define LOUD_SIGNAL 33

// Give it the same action as `model` has: handler, mask and flags. Cheap if it has it already.
// 0, or -EBUSY: the kernel says no.
int loud_claim(int model);
// In that handler, of a signal that is not ours: libc's turn.
void loud_pass(int number, siginfo_t *info, void *context);
