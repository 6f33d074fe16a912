// litmus.h: two threads do two things at the same moment, many times over.
//
// Threads that shake hands before each round are never at the same place at the same time: the
// handshake orders them. Here both wait for the same tick of the time counter, which takes no
// memory that they share, so that their stores and loads really meet.
#pragma once

#include "lab/lab.h"

enum { LITMUS_ROUNDS = 20000 };

// What a round works on; each variable has a line of its own.
struct litmus {
    _Alignas(64) volatile u32 x;
    _Alignas(64) volatile u32 y;
    _Alignas(64) u32 seen[2]; // what the two read
    u32 also;                 // a second thing that the second one read
};

// Run `left` and `right` at the same ticks, once for each of LITMUS_ROUNDS, and return how many
// rounds `odd` says yes to. -1: not possible here, and it was said why.
long litmus_run(struct lab *l, void (*left)(struct litmus *), void (*right)(struct litmus *),
                bool (*odd)(const struct litmus *));
