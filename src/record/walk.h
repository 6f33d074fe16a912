// walk.h: one step from a frame to its caller, and the sum that tells stacks apart.
//
// What unwind.c (the plain walk) and trace.c (the remembered one) share.
#pragma once

#include "record/rule.h"
#include "record/stack.h"
#include "record/unwind.h"

#include <string.h>

enum walk_end {
    WALK_ON,
    WALK_COMPLETE,  // a frame that was called by nobody
    WALK_CUT,       // no way on is known
    WALK_NEEDS_ALL, // the frame is told from a register that the fast walk does not follow
};

// Words that a step read, for who wants to know what it stood on.
#define WALK_LOADS 6
struct walk_log {
    u32 count; // more than WALK_LOADS: it does not say all
    u64 at[WALK_LOADS], word[WALK_LOADS];
};

struct walk {
    u64 reg[CFI_REGS];
    u32 known; // bit r: reg[r] is the value that the current frame had
    u32 back;  // 1: reg[CFI_PC] is a return address; 0: it is exact
    struct stack_view view;
    struct walk_log *log; // NULL: nobody wants to know
};

#define WALK_BIT(r)       (1u << (r))
#define WALK_ALWAYS_KNOWN (WALK_BIT(CFI_RSP) | WALK_BIT(CFI_RBP) | WALK_BIT(CFI_PC))
#define WALK_CALLEE_SAVED                                                                 \
    (WALK_ALWAYS_KNOWN | WALK_BIT(CFI_RBX) | WALK_BIT(12) | WALK_BIT(13) | WALK_BIT(14) | \
     WALK_BIT(15))

// From the frame at which `rule` holds to its caller. Reads only what w->view proves, and what it
// can be stretched to.
enum walk_end walk_step(struct walk *w, u64 rule);

// The word at `at`, which is proven readable. Garbage need not be aligned.
static always_inline_ u64 walk_word(u64 at)
{
    u64 word;
    memcpy(&word, (const void *)(uintptr_t)at, sizeof word);
    return word;
}

// Whether a word can be an address of the program at all. A frame's upper bits name its module, so
// a word that was taken for a return address by mistake must not reach them.
static always_inline_ bool walk_is_address(u64 word)
{
    return word >> 47 == 0;
}

// The recorder's own code, whose frames are left out as long as no other one has been met.
struct walk_skip {
    u64 start, size;
};
extern hidden_ struct walk_skip walk_skip;

static always_inline_ bool walk_is_skipped(u64 key)
{
    return key - walk_skip.start < walk_skip.size;
}

// As unwind.h tells frames.
static always_inline_ u64 walk_frame(u64 rule, u64 key)
{
    return rule_module(rule) << UNWIND_MODULE_SHIFT | (key + 1);
}

// The identity of a stack is a polynomial over its frames, frame 0 being innermost:
//
//     hash = sum of scramble(frame i) * WALK_BASE^i, modulo 2^64
//
// so that the sum of a run of frames, worked out once, can be used wherever the run stands. Frames
// are scrambled first: addresses are anything but random, and the base's powers differ from one
// another by multiples of high powers of two, which plain addresses would meet.
#define WALK_BASE 0xd1342543de82ef95u

struct walk_sum {
    u64 sum, scale; // scale: WALK_BASE^frames
};
#define WALK_SUM_EMPTY ((struct walk_sum){0, 1})

static always_inline_ u64 walk_scramble(u64 frame)
{
    frame *= 0xff51afd7ed558ccdu;
    frame = (frame ^ frame >> 32) * 0xc4ceb9fe1a85ec53u;
    return frame ^ frame >> 29;
}

static always_inline_ void walk_add(struct walk_sum *s, u64 frame)
{
    s->sum += s->scale * walk_scramble(frame);
    s->scale *= WALK_BASE;
}
