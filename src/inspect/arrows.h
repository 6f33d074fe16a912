// arrows.h: jumps drawn beside the code.
//
// Each jump inside the function takes a lane, the shortest ones the lanes next to the code, so that
// inner loops lie inside outer ones. What finds no lane is not drawn; its target is still named.
#pragma once

#include "inspect/code.h"
#include "report/ink.h"

#define ARROWS_LANES 6

struct arrow {
    u32 from, to; // instructions
    u32 lane;     // ARROWS_LANES: not drawn
};

struct arrows {
    struct arrow *items; // in the code's store
    u32 count;
    u32 lanes; // that are used
};

struct arrows arrows_of(struct store *store, const struct code *c);
// The columns of one instruction: a->lanes and two for the head.
void arrows_draw(struct ink *k, const struct arrows *a, u32 at);
// The lanes that pass between `at - 1` and `at`.
void arrows_pass(struct ink *k, const struct arrows *a, u32 at);
