// unwind.c: the calling thread's backtrace.
//
// The loop in walk() handles a packed rule in some 20 instructions; its speed is the latency of
// pc -> slot -> CFA -> return address, two loads and a multiply. It restores rsp, rbp and pc only.
// The other callee-saved registers matter to one frame in thousands (a CFA based on rbx, say), and
// then the walk is done again with all of them restored.
#include "record/unwind.h"

#include "format/recording.h"
#include "record/rule.h"
#include "record/stack.h"

static struct {
    u64 skip_start, skip_size;
} the;

enum walk_end { WALK_ON, WALK_COMPLETE, WALK_CUT, WALK_NEEDS_ALL };

struct walk {
    u64 reg[CFI_REGS];
    u32 known; // bit r: reg[r] is the value that the current frame had
    struct stack_view view;
};

#define BIT(r)       (1u << (r))
#define ALWAYS_KNOWN (BIT(CFI_RSP) | BIT(CFI_RBP) | BIT(CFI_PC))
#define CALLEE_SAVED (ALWAYS_KNOWN | BIT(CFI_RBX) | BIT(12) | BIT(13) | BIT(14) | BIT(15))

void unwind_init(u64 skip_start, u64 skip_end)
{
    the.skip_start = skip_start;
    the.skip_size = skip_end - skip_start;
    stack_init();
}

static always_inline_ u64 word_at(u64 at)
{
    return *(const u64 *)(uintptr_t)at;
}

// ---------------------------------------------------------------- rare steps

// The word at `at`, if it lies above the stack pointer and can be read.
static bool load(struct walk *w, u64 at, u64 *ret)
{
    if (at < w->reg[CFI_RSP] || at > UINT64_MAX - 8 || !stack_stretch(&w->view, at + 8))
        return false;
    *ret = word_at(at);
    return true;
}

static bool base_value(struct walk *w, unsigned base, u64 cfa, u64 *ret)
{
    if (base == CFI_CFA) {
        *ret = cfa;
        return true;
    }
    *ret = w->reg[base];
    return (w->known & BIT(base)) != 0;
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
    bool have = (w->known & BIT(r)) != 0;
    if (p->how == CFI_AT || p->how == CFI_VALUE) {
        have = base_value(w, p->base, cfa, &v);
        v += (u64)(int64_t)p->off;
        if (have && p->how == CFI_AT)
            have = load(w, v, &v);
    } else if (p->how != CFI_SAME) {
        have = false;
    }
    *known = have ? *known | BIT(r) : *known & ~BIT(r);
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
        known |= BIT(CFI_RSP);
    }
    if ((known & ALWAYS_KNOWN) != ALWAYS_KNOWN)
        return WALK_NEEDS_ALL;
    if (!change_stack(w, next[CFI_RSP], row->signal != 0))
        return WALK_CUT;
    for (unsigned r = 0; r < CFI_REGS; r++)
        w->reg[r] = next[r];
    w->known = row->signal != 0 ? known : known & CALLEE_SAVED;
    return next[CFI_PC] == 0 ? WALK_COMPLETE : WALK_ON;
}

// Packed, but the CFA is based on another register than rsp or rbp.
static enum walk_end step_based(struct walk *w, u64 rule)
{
    unsigned base = rule_base(rule);
    if ((w->known & BIT(base)) == 0)
        return WALK_NEEDS_ALL;
    u64 cfa = w->reg[base] + rule_offset(rule);
    u64 next[CFI_REGS];
    static const u8 saved[] = {CFI_RBP, CFI_RBX, CFI_R12, 13, 14, 15};
    u32 known = w->known & CALLEE_SAVED;
    if (cfa - w->reg[CFI_RSP] < 8 || !load(w, cfa - 8, &next[CFI_PC]))
        return WALK_CUT;
    for (unsigned n = 0; n < countof(saved); n++)
        if (rule_saved(rule, n) != 0 && load(w, cfa - 8 * rule_saved(rule, n), &w->reg[saved[n]]))
            known |= BIT(saved[n]);
    w->reg[CFI_RSP] = cfa;
    w->reg[CFI_PC] = next[CFI_PC];
    w->known = known;
    return w->reg[CFI_PC] == 0 ? WALK_COMPLETE : WALK_ON;
}

// Code without a description: JIT compilers keep rbp, and so does much hand-written assembly. The
// guess must end in code that is described, or in other code made at run time.
static enum walk_end step_frame_pointer(struct walk *w)
{
    u64 rbp = w->reg[CFI_RBP], caller, pc;
    if (rbp % 8 != 0 || !load(w, rbp, &caller) || !load(w, rbp + 8, &pc))
        return WALK_CUT;
    if (pc == 0)
        return WALK_COMPLETE;
    u64 rule = rule_find(pc - 1);
    if (rule_kind(rule) == RULE_NONE && rule_module(rule) != 0)
        return WALK_CUT;
    w->reg[CFI_RBP] = caller;
    w->reg[CFI_RSP] = rbp + 16;
    w->reg[CFI_PC] = pc;
    w->known = ALWAYS_KNOWN;
    return WALK_ON;
}

// Sets *ret_exact when the next pc is where a signal struck, not a return address.
static noinline_ enum walk_end step_rare(struct walk *w, u64 rule, bool *ret_exact)
{
    *ret_exact = false;
    switch (rule_kind(rule)) {
    case RULE_END:
        return WALK_COMPLETE;
    case RULE_NONE:
        return step_frame_pointer(w);
    case RULE_PACKED:
        return step_based(w, rule);
    case RULE_WIDE:
        *ret_exact = rule_row(rule)->signal != 0;
        return step_wide(w, rule_row(rule));
    }
    __builtin_unreachable();
}

// ---------------------------------------------------------------- the walk

static always_inline_ u64 mix(u64 hash, u64 frame)
{
    hash = (hash ^ frame) * RULE_MIX;
    return hash ^ hash >> 32;
}

static void load_start(struct walk *w, const struct unwind_start *s)
{
    *w = (struct walk){.known = CALLEE_SAVED};
    w->reg[CFI_PC] = s->pc;
    w->reg[CFI_RSP] = s->rsp;
    w->reg[CFI_RBP] = s->rbp;
    w->reg[CFI_RBX] = s->rbx;
    w->reg[12] = s->r12;
    w->reg[13] = s->r13;
    w->reg[14] = s->r14;
    w->reg[15] = s->r15;
}

// The caller's rbx and r12 to r15, as a packed rule says. `sp` is the frame's.
static always_inline_ void restore_others(struct walk *w, u64 rule, u64 sp, u64 cfa)
{
    static const u8 saved[] = {CFI_RBP, CFI_RBX, CFI_R12, 13, 14, 15};
    for (unsigned n = 1; n < countof(saved); n++) {
        u64 slot = cfa - 8 * rule_saved(rule, n);
        if (slot != cfa && slot >= sp) {
            w->reg[saved[n]] = word_at(slot);
            w->known |= BIT(saved[n]);
        }
    }
}

// One walk. `frames` NULL: hash only. `all`: restore every callee-saved register on the way.
static always_inline_ enum walk_end walk(const struct unwind_start *start, bool all, u64 *frames,
                                         u32 max, struct unwind_trace *t)
{
    struct walk w;
    load_start(&w, start);
    u64 pc = start->pc, sp = start->rsp, rbp = start->rbp;
    u64 back = 0; // 1: pc is a return address
    *t = (struct unwind_trace){0};
    if (!stack_enter(&w.view, sp, true))
        return WALK_CUT;
    for (;;) {
        u64 key = pc - back;
        u64 rule = rule_find(key);
        if (t->count != 0 || key - the.skip_start >= the.skip_size) {
            if (t->count == max)
                return WALK_CUT;
            u64 frame = rule_module(rule) << UNWIND_MODULE_SHIFT | (key + 1);
            if (frames != NULL)
                frames[t->count] = frame;
            else
                t->hash = mix(t->hash, frame);
            t->count++;
        }
        unsigned base = rule_base(rule);
        if (likely(rule_kind(rule) == RULE_PACKED && (base | 1) == CFI_RSP)) {
            u64 cfa = (base == CFI_RBP ? rbp : sp) + rule_offset(rule);
            if (unlikely(cfa > w.view.hi || cfa - sp < 8 || cfa < sp)) {
                w.reg[CFI_RSP] = sp;
                if (cfa < sp || cfa - sp < 8 || !stack_stretch(&w.view, cfa))
                    return WALK_CUT;
            }
            pc = word_at(cfa - 8);
            u64 slot = cfa - 8 * rule_saved(rule, 0);
            if (slot != cfa && slot >= sp) // else: popped already, and rbp is the caller's
                rbp = word_at(slot);
            if (all)
                restore_others(&w, rule, sp, cfa);
            else
                w.known = ALWAYS_KNOWN;
            sp = cfa;
            back = 1;
            if (pc == 0)
                return WALK_COMPLETE;
            continue;
        }
        w.reg[CFI_PC] = pc;
        w.reg[CFI_RSP] = sp;
        w.reg[CFI_RBP] = rbp;
        bool exact;
        enum walk_end end = step_rare(&w, rule, &exact);
        if (end != WALK_ON)
            return end;
        pc = w.reg[CFI_PC];
        sp = w.reg[CFI_RSP];
        rbp = w.reg[CFI_RBP];
        back = !exact;
    }
}

// The two rare variants, out of line: each is a whole copy of the loop.
static noinline_ enum walk_end walk_all(const struct unwind_start *start, struct unwind_trace *t)
{
    return walk(start, true, NULL, RECORDING_FRAMES, t);
}

struct unwind_trace unwind_hash(const struct unwind_start *start)
{
    struct unwind_trace t;
    enum walk_end end = walk(start, false, NULL, RECORDING_FRAMES, &t);
    if (unlikely(end == WALK_NEEDS_ALL))
        end = walk_all(start, &t);
    t.truncated = end != WALK_COMPLETE;
    return t;
}

noinline_ u32 unwind_frames(const struct unwind_start *start, u64 *ret_frames, u32 max)
{
    struct unwind_trace t;
    walk(start, true, ret_frames, max, &t);
    return t.count;
}
