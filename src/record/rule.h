// rule.h: what to do at a pc to get to the caller, in 64 bits, kept for the next time.
//
// Nearly every frame has one of few shapes: the CFA is rsp or rbp plus a small number, the return
// address lies right below it, and callee-saved registers within 15 words of it. Such a rule is a
// word; the rest are rows as cfi.h has them, in a table of their own.
//
//     62      51 50 47     34 31 30 27 26        7 6    3  2  1  0
//     [ module ] [r15] ... [rbx] [rbp] [cfa off / 8] [base] [1][kind]
//
// A saved register is told as its distance below the CFA in words; 1, which is where the return
// address lies, says that it was not saved. For RULE_WIDE bits 3..26 are the number of the row.
//
// The cache is shared by all threads and has no locks. A slot holds the rule and the key (a pc)
// xored with a hash of the rule: a slot that two threads wrote at once fits no key. It has two
// levels, because a walk waits for each slot: the near one stays in the processor's closest caches,
// and what is evicted from it is still in the far one.
#pragma once

#include "record/cfi.h"

#include <stdatomic.h>

enum rule_kind {
    RULE_NONE = 0, // nothing is known: follow the frame pointer, if there is one
    RULE_PACKED,
    RULE_WIDE,
    RULE_END, // this frame has no caller
};

#define RULE_NEAR_BITS  12 // 64 KiB
#define RULE_FAR_BITS   15 // 512 KiB, touched as it is needed
#define RULE_MIX        0x9e3779b97f4a7c15u
#define RULE_UNIT       8
#define RULE_UNKNOWN    0 // as RULE_NONE, but found out in a hurry: not to be remembered
#define RULE_AFTER_CALL 8 // with RULE_NONE: the code before the return address is a call
#define RULE_MODULE     51

struct rule_slot {
    _Atomic u64 check, rule;
};
extern struct rule_slot rule_near[1 << RULE_NEAR_BITS];

// Forget everything: code was unloaded.
void rule_flush(void);
// A module is mapped where there may have been code of none.
void rule_module_came(void);
// Grows whenever rules were forgotten: what was concluded from older ones may no longer hold.
extern hidden_ _Atomic u64 rule_generation;
const struct cfi_row *rule_row(u64 rule);
// In a forked child: nobody else learns.
void rule_fork_child(void);
// Leave the tables, which can be learned again, out of core files. For the start of a program.
void rule_undumped(void);

// The low bits choose the slot: code is spread evenly enough, and a multiplication here would
// lengthen the chain of loads that the speed of a walk consists of.
static always_inline_ struct rule_slot *rule_slot(u64 key)
{
    return &rule_near[key & ((1 << RULE_NEAR_BITS) - 1)];
}

static always_inline_ bool rule_hit(struct rule_slot *s, u64 key, u64 *ret)
{
    u64 rule = atomic_load_explicit(&s->rule, memory_order_relaxed);
    *ret = rule;
    return (atomic_load_explicit(&s->check, memory_order_relaxed) ^ rule * RULE_MIX) == key;
}

// Look in the far level, else work the rule out; keep it in both.
u64 rule_learn(u64 key);

// The rule for the code at `key`: the pc itself if it is known to be exact, else the byte before a
// return address, because a call that does not return may be its function's last instruction.
static always_inline_ u64 rule_find(u64 key)
{
    u64 rule;
    if (likely(rule_hit(rule_slot(key), key, &rule)))
        return rule;
    return rule_learn(key);
}

// The common case, in one test: packed, and the CFA is told from rsp or rbp.
static always_inline_ bool rule_simple(u64 rule)
{
    return (rule & (3 | 14 << 3)) == (RULE_PACKED | (u64)CFI_RBP << 3);
}

static always_inline_ bool rule_from_rsp(u64 rule)
{
    return (rule & 8) != 0;
}
static_assert(CFI_RBP == 6 && CFI_RSP == 7, "they differ in one bit");

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

// Bytes below the CFA at which the n-th saved register lies: rbp, rbx, r12, r13, r14, r15.
static inline u64 rule_saved(u64 rule, unsigned n)
{
    return (rule >> (27 + 4 * n) & 15) * RULE_UNIT;
}

static inline u64 rule_module(u64 rule)
{
    return rule >> RULE_MODULE & 0xfff;
}
