// background.h: an optional thread that gives free memory back while the program rests.
//
// B1  at most one such thread a process. It takes the page heap's lock, nothing else, and never
//     allocates. A child of fork has none; background_revive, asked whenever pages are given back,
//     makes one there if the parent had one.
#pragma once

#include "base/base.h"

// False: the kernel gives no thread. Starting twice is starting once.
bool background_start(void);
bool background_stop(void);
void background_forked(void); // in the child of a fork
void background_revive(void);
