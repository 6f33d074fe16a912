// rule.h: what to do at a pc to get to the caller, in 64 bits, kept for the next time.
//
// Nearly every frame has one of few shapes: the CFA is rsp or rbp plus a small number, the return
// address lies right below it, and callee-saved registers within 15 words of it. Such a rule is a
// word; the rest are rows as cfi.h has them, in a table of their own.
//
//     62      51 50 47     34 31 30 27 26        7 6    3  2  1  0
//     [ module ] [r15] ... [rbx] [rbp] [cfa off / 8] [base] [1][kind]
//
// A saved register is told as its distance below the CFA in words; 0 says it was not saved.
// For RULE_WIDE bits 3..26 are the number of the row.
//
// The cache is shared by all threads and has no locks. A slot holds the rule and the key (a pc)
// xored with a hash of the rule: a slot that two threads wrote at once fits no key.
#pragma once

#include "record/cfi.h"

#include <stdatomic.h>

enum rule_kind {
    RULE_NONE = 0, // nothing is known: follow the frame pointer, if there is one
    RULE_PACKED,
    RULE_WIDE,
    RULE_END, // this frame has no caller
};

#define RULE_BITS   15 // 32,768 slots, 512 KiB; touched as they are needed
#define RULE_MIX    0x9e3779b97f4a7c15u
#define RULE_UNIT   8
#define RULE_MODULE 51

struct rule_slot {
    _Atomic u64 check, rule;
};
extern struct rule_slot rule_slots[1 << RULE_BITS];

// Work out the rule for key and keep it.
u64 rule_learn(u64 key);
// Forget everything: code was unloaded.
void rule_flush(void);
const struct cfi_row *rule_row(u64 rule);

// The rule for the code at `key`: the pc itself if it is known to be exact, else the byte before a
// return address, because a call that does not return may be its function's last instruction.
static inline u64 rule_find(u64 key)
{
    struct rule_slot *s = &rule_slots[(key * RULE_MIX) >> (64 - RULE_BITS)];
    u64 rule = atomic_load_explicit(&s->rule, memory_order_relaxed);
    u64 check = atomic_load_explicit(&s->check, memory_order_relaxed);
    if (likely((check ^ rule * RULE_MIX) == key))
        return rule;
    return rule_learn(key);
}

static inline enum rule_kind rule_kind(u64 rule)
{
    return rule & 3;
}

static inline unsigned rule_base(u64 rule)
{
    return rule >> 3 & 15;
}

static inline u64 rule_offset(u64 rule)
{
    return (rule >> 7 & 0xfffff) * RULE_UNIT;
}

// Words below the CFA at which the n-th saved register lies: rbp, rbx, r12, r13, r14, r15.
static inline unsigned rule_saved(u64 rule, unsigned n)
{
    return rule >> (27 + 4 * n) & 15;
}

static inline u64 rule_module(u64 rule)
{
    return rule >> RULE_MODULE & 0xfff;
}
