// leaks.h: the live blocks that nothing reaches, and who is to blame among them.
//
// Leaked blocks point to each other, and only some of them are the ones a programmer lost. Every
// live block gets exactly one kind:
//
//     reached    a root reaches it
//     direct     leaked, and no other leaked block points to it: this pointer was lost
//     indirect   leaked, and a chain of pointers from a direct block leads to it: freeing the
//                direct block's tree properly would free it too
//     cycle      leaked, and no such chain: it stands in a ring of blocks, or behind one, and no
//                direct block leads to that ring
//
// L1  direct + indirect + cycle = live - reached, in blocks and in bytes. That sum is memcheck's
//     "definitely lost" plus "indirectly lost" (which splits it otherwise: there one block of each
//     ring counts as definitely lost), see docs/mark.md.
// A block's pointers to itself say nothing. All of it is linear in the leaked blocks and their
// words: one look at each marks who is pointed to, and one mark starts from those that are not.
#pragma once

#include "scan/mark.h"

enum leak_kind { LEAK_REACHED, LEAK_DIRECT, LEAK_INDIRECT, LEAK_CYCLE };

struct leaks {
    const struct blocks *blocks;
    u64 *lost;    // bitmaps over slots: not reached
    u64 *pointed; // another lost block points to it
    u64 *cycle;   // lost, and not reached from a direct block
};

// What is told of one live block.
struct leak {
    enum leak_kind kind;
    u64 addr;
    u64 asked; // bytes
    u64 tag;   // as the target stores it
};

// From a mark whose roots have all been marked and run; m is used up (further blocks get marked).
// 0 or -ENOMEM.
int leaks_find(struct leaks *l, struct mark *m);
// Every live block, in order of address within the arena, then those outside.
void leaks_each(const struct leaks *l, void (*each)(void *ctx, const struct leak *leak), void *ctx);
void leaks_done(struct leaks *l);
