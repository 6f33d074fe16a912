// top_screen.h: `loam top` on a terminal.
#pragma once

#include "cli/top.h"

// Until the reader leaves. Returns the exit status; the terminal is as it was.
int top_screen(const struct command *c, struct top_view *t, u32 interval);
