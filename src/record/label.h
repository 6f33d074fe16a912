// label.h: giving a name to this moment, from inside the program.
#pragma once

#include "base/base.h"

// Have the tool note the moment under `name`, and wait until it has: a second at most, and not at
// all for a tool that has gone. 0; -ENOENT when nothing is recorded; -ETIMEDOUT; -EBUSY when others
// wait already.
int label_set(const char *name);
