// kind.h: what an instruction is, by what capstone says of it.
#pragma once

#include "inspect/code.h"

#include <capstone/capstone.h>

enum code_kind kind_of(csh capstone, u32 machine, const cs_insn *i);
// The constant that a jump or a call goes to; UINT64_MAX: it is none.
u64 kind_target(u32 machine, const cs_insn *i);
// What an operand relative to the instruction points to, or 0.
u64 kind_pointed(u32 machine, const cs_insn *i);
// Whether a function of that name does not come back: a branch that leads to one is a check.
bool kind_ends(const char *name);
// The same, or the first call on the way to a throw.
bool kind_leads_out(const char *name);
