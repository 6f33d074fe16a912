// room.h: how much memory the tool may take without driving the machine into its OOM killer,
// which might pick the very program that is looked at.
#pragma once

#include "base/base.h"

#include <sys/types.h>

// Whether `bytes` more fit, a quarter of what is available being left for others. Asks the system
// and the control groups that the tool lives in; true when neither tells.
bool room_for(size_t bytes);
// Bytes of RAM that a process occupies.
size_t room_resident(pid_t tid);
