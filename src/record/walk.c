// walk.c: steps that need care: every kind of rule, every register that a callee keeps.
#include "record/walk.h"

static void note(struct walk_log *log, u64 at, u64 word)
{
    if (log->count < WALK_LOADS) {
        log->at[log->count] = at;
        log->word[log->count] = word;
    }
    log->count++;
}

// The step depends on more than words: memory that may be readable tomorrow, a rule not found out.
static void in_haste(struct walk *w)
{
    if (w->log != NULL)
        w->log->count = WALK_LOADS + 1;
}

// The word at `at`, if it lies above the stack pointer and can be read.
static bool load(struct walk *w, u64 at, u64 *ret)
{
    if (at < w->reg[CFI_RSP] || at > UINT64_MAX - 8 || !stack_stretch(&w->view, at + 8)) {
        in_haste(w);
        return false;
    }
    *ret = walk_word(at);
    if (w->log != NULL)
        note(w->log, at, *ret);
    return true;
}

static bool base_value(struct walk *w, unsigned base, u64 cfa, u64 *ret)
{
    if (base == CFI_CFA) {
        *ret = cfa;
        return true;
    }
    *ret = w->reg[base];
    return (w->known & WALK_BIT(base)) != 0;
}

static bool wide_cfa(struct walk *w, const struct cfi_row *row, u64 *ret_cfa)
{
    u64 v;
    if (!base_value(w, row->cfa.base, 0, &v))
        return false;
    v += (u64)(int64_t)row->cfa.off;
    if (row->cfa.how == CFI_AT) {
        if (!load(w, v, &v))
            return false;
        v += (u64)(int64_t)row->cfa_add;
    }
    *ret_cfa = v;
    return true;
}

// The caller's value of one register. Clears its bit in *known if it cannot be had.
static u64 wide_reg(struct walk *w, const struct cfi_place *p, unsigned r, u64 cfa, u32 *known)
{
    u64 v = w->reg[r];
    bool have = (w->known & WALK_BIT(r)) != 0;
    if (p->how == CFI_AT || p->how == CFI_VALUE) {
        have = base_value(w, p->base, cfa, &v);
        v += (u64)(int64_t)p->off;
        if (have && p->how == CFI_AT)
            have = load(w, v, &v);
    } else if (p->how != CFI_SAME) {
        have = false;
    }
    *known = have ? *known | WALK_BIT(r) : *known & ~WALK_BIT(r);
    return v;
}

// A signal frame may lead to another stack; any other frame leads upwards on the same one.
static bool change_stack(struct walk *w, u64 sp, bool signal)
{
    if (sp > w->reg[CFI_RSP] && stack_stretch(&w->view, sp))
        return true;
    return signal && stack_enter(&w->view, sp, false);
}

static enum walk_end step_wide(struct walk *w, const struct cfi_row *row)
{
    u64 cfa, next[CFI_REGS];
    u32 known = 0;
    if (row->reg[CFI_PC].how == CFI_SAME || !wide_cfa(w, row, &cfa))
        return WALK_NEEDS_ALL;
    for (unsigned r = 0; r < CFI_REGS; r++)
        next[r] = wide_reg(w, &row->reg[r], r, cfa, &known);
    if (row->reg[CFI_RSP].how == CFI_SAME) {
        next[CFI_RSP] = cfa;
        known |= WALK_BIT(CFI_RSP);
    }
    if ((known & WALK_ALWAYS_KNOWN) != WALK_ALWAYS_KNOWN)
        return WALK_NEEDS_ALL;
    if (!walk_is_address(next[CFI_PC]) || !change_stack(w, next[CFI_RSP], row->signal != 0))
        return WALK_CUT;
    for (unsigned r = 0; r < CFI_REGS; r++)
        w->reg[r] = next[r];
    w->known = row->signal != 0 ? known : known & WALK_CALLEE_SAVED;
    return next[CFI_PC] == 0 ? WALK_COMPLETE : WALK_ON;
}

// A packed rule, with all registers that it restores, and with care.
static enum walk_end step_packed(struct walk *w, u64 rule)
{
    static const u8 saved[] = {CFI_RBP, CFI_RBX, CFI_R12, 13, 14, 15};
    unsigned base = rule_base(rule);
    u64 pc, sp = w->reg[CFI_RSP], cfa = w->reg[base] + rule_offset(rule);
    if ((w->known & WALK_BIT(base)) == 0)
        return WALK_NEEDS_ALL;
    if (cfa < sp || cfa - sp < 8 || !load(w, cfa - 8, &pc) || !walk_is_address(pc))
        return WALK_CUT;
    w->known &= WALK_CALLEE_SAVED;
    for (unsigned n = 0; n < countof(saved); n++)
        if (rule_saved(rule, n) > RULE_UNIT &&
            load(w, cfa - rule_saved(rule, n), &w->reg[saved[n]]))
            w->known |= WALK_BIT(saved[n]);
    w->reg[CFI_RSP] = cfa;
    w->reg[CFI_PC] = pc;
    return pc == 0 ? WALK_COMPLETE : WALK_ON;
}

// Code without a description: JIT compilers keep rbp, and so does much hand-written assembly. The
// guess must lead to code that is described, or to the byte behind a call.
static enum walk_end step_frame_pointer(struct walk *w)
{
    u64 rbp = w->reg[CFI_RBP], caller, pc;
    if (rbp % 8 != 0 || !load(w, rbp, &caller) || !load(w, rbp + 8, &pc))
        return WALK_CUT;
    if (pc == 0)
        return WALK_COMPLETE;
    if (!walk_is_address(pc))
        return WALK_CUT;
    u64 rule = rule_find(pc - 1);
    if (rule == RULE_UNKNOWN)
        in_haste(w);
    if (rule_kind(rule) == RULE_NONE && !(rule & RULE_AFTER_CALL))
        return WALK_CUT;
    w->reg[CFI_RBP] = caller;
    w->reg[CFI_RSP] = rbp + 16;
    w->reg[CFI_PC] = pc;
    w->known = WALK_ALWAYS_KNOWN;
    return WALK_ON;
}

enum walk_end walk_step(struct walk *w, u64 rule)
{
    w->back = 1;
    switch (rule_kind(rule)) {
    case RULE_END:
        return WALK_COMPLETE;
    case RULE_NONE:
        return stack_ends(w->reg[CFI_RSP]) ? WALK_COMPLETE : step_frame_pointer(w);
    case RULE_PACKED:
        return step_packed(w, rule);
    case RULE_WIDE:
        w->back = rule_row(rule)->signal == 0;
        return step_wide(w, rule_row(rule));
    }
    __builtin_unreachable();
}
