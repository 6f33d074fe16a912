// drawn.h: a stack on a terminal: a function a line, and where it stands.
#pragma once

#include "report/ink.h"
#include "report/symbol.h"

struct drawn {
    struct ink *k;
    struct store *store;
    struct symbols *symbols;
    bool whole;     // every frame and every name in full, however long
    bool addresses; // functions without source lines are told by their address as well
};

// At most `lines` lines of a site's stack, each ended.
void drawn_stack(const struct drawn *d, const struct site *site, u32 lines);
// The first line of the same, where the rest stands further up already.
void drawn_again(const struct drawn *d, const struct site *site, u32 lines);
