// unwind.c: the calling thread's backtrace.
//
// The loop in run() handles a frame in some 25 instructions; its speed is the latency of
// pc -> slot -> CFA -> return address, two loads and little else. It restores rsp, rbp and pc only.
// The other callee-saved registers matter to one frame in thousands (a CFA based on rbx, say), and
// then the walk is done again with all of them restored.
#include "record/unwind.h"

#include "format/recording.h"
#include "record/rule.h"
#include "record/stack.h"

#include <string.h>

static struct {
    u64 skip_start, skip_size;
    struct {
        u64 start, end;
    } exit[2];
} the;

enum walk_end { WALK_ON, WALK_COMPLETE, WALK_CUT, WALK_NEEDS_ALL };

struct walk {
    u64 reg[CFI_REGS];
    u32 known; // bit r: reg[r] is the value that the current frame had
    u32 back;  // 1: reg[CFI_PC] is a return address; 0: it is exact
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
    u64 word;
    memcpy(&word, (const void *)(uintptr_t)at, sizeof word); // garbage need not be aligned
    return word;
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

// Whether a word can be an address of the program at all. A frame's upper bits name its module, so
// a word that was taken for a return address by mistake must not reach them.
static always_inline_ bool is_address(u64 word)
{
    return word >> 47 == 0;
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
    if (!is_address(next[CFI_PC]) || !change_stack(w, next[CFI_RSP], row->signal != 0))
        return WALK_CUT;
    for (unsigned r = 0; r < CFI_REGS; r++)
        w->reg[r] = next[r];
    w->known = row->signal != 0 ? known : known & CALLEE_SAVED;
    return next[CFI_PC] == 0 ? WALK_COMPLETE : WALK_ON;
}

// A packed rule, with all registers that it restores, and with care.
static enum walk_end step_packed(struct walk *w, u64 rule)
{
    static const u8 saved[] = {CFI_RBP, CFI_RBX, CFI_R12, 13, 14, 15};
    unsigned base = rule_base(rule);
    u64 pc, sp = w->reg[CFI_RSP], cfa = w->reg[base] + rule_offset(rule);
    if ((w->known & BIT(base)) == 0)
        return WALK_NEEDS_ALL;
    if (cfa < sp || cfa - sp < 8 || !load(w, cfa - 8, &pc) || !is_address(pc))
        return WALK_CUT;
    w->known &= CALLEE_SAVED;
    for (unsigned n = 0; n < countof(saved); n++)
        if (rule_saved(rule, n) > RULE_UNIT &&
            load(w, cfa - rule_saved(rule, n), &w->reg[saved[n]]))
            w->known |= BIT(saved[n]);
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
    if (!is_address(pc))
        return WALK_CUT;
    u64 rule = rule_find(pc - 1);
    if (rule_kind(rule) == RULE_NONE && !(rule & RULE_AFTER_CALL))
        return WALK_CUT;
    w->reg[CFI_RBP] = caller;
    w->reg[CFI_RSP] = rbp + 16;
    w->reg[CFI_PC] = pc;
    w->known = ALWAYS_KNOWN;
    return WALK_ON;
}

static enum walk_end step(struct walk *w, u64 rule)
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

// ---------------------------------------------------------------- the walk

static void walk_init(struct walk *w, const struct unwind_start *s)
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

static always_inline_ u64 frame_of(u64 rule, u64 key)
{
    return rule_module(rule) << UNWIND_MODULE_SHIFT | (key + 1);
}

static always_inline_ u64 mix(u64 hash, u64 frame)
{
    hash = (hash ^ frame) * RULE_MIX;
    return hash ^ hash >> 32;
}

static bool is_skipped(u64 key)
{
    return key - the.skip_start < the.skip_size;
}

// The plain walk: every register followed, frames written unless `frames` is NULL.
static noinline_ struct unwind_trace walk_all(const struct unwind_start *start, u64 *frames,
                                              u32 max)
{
    struct unwind_trace t = {0};
    struct walk w;
    enum walk_end end = WALK_ON;
    walk_init(&w, start);
    if (!stack_enter(&w.view, start->rsp, true))
        return t;
    while (end == WALK_ON) {
        u64 key = w.reg[CFI_PC] - w.back;
        u64 rule = rule_find(key);
        if (t.count != 0 || !is_skipped(key)) {
            if (t.count == max)
                break;
            u64 frame = frame_of(rule, key);
            t.hash = mix(t.hash, frame);
            if (frames != NULL)
                frames[t.count] = frame;
            t.count++;
        }
        end = step(&w, rule);
    }
    t.truncated = end != WALK_COMPLETE;
    return t;
}

// Where the fast walk stands: enough for frames whose CFA is told from rsp or rbp.
struct fast {
    u64 key, sp, rbp;
    u64 rule; // at key
};

// Follow simple rules; hash the frames unless `skip`, in which case stop at the first one that is
// not to be skipped. Returns WALK_ON at a rule that is not simple or needs care; its frame is
// hashed already.
static always_inline_ enum walk_end run(struct fast *f, u64 hi, bool skip, struct unwind_trace *t)
{
    u64 key = f->key, sp = f->sp, rbp = f->rbp, rule, hash = t->hash;
    u32 count = t->count;
    enum walk_end end = WALK_ON;
    for (;;) {
        rule = rule_find(key);
        if (skip) {
            if (!is_skipped(key))
                break;
        } else if (unlikely(count == RECORDING_FRAMES)) {
            end = WALK_CUT;
            break;
        } else {
            hash = mix(hash, frame_of(rule, key));
            count++;
        }
        u64 cfa = (rule_from_rsp(rule) ? sp : rbp) + rule_offset(rule);
        u64 saved = rule_saved(rule, 0); // at least 8: the return address
        if (unlikely(!rule_simple(rule) || cfa > hi || cfa - sp < saved || cfa < sp))
            break;
        u64 old = word_at(cfa - saved);
        rbp = saved == RULE_UNIT ? rbp : old;
        key = word_at(cfa - 8) - 1;
        sp = cfa;
        if (unlikely(!is_address(key))) {
            end = key == UINT64_MAX ? WALK_COMPLETE : WALK_CUT;
            break;
        }
    }
    *f = (struct fast){key, sp, rbp, rule};
    t->hash = hash;
    t->count = count;
    return end;
}

// One frame that run() left to us. It may change the stack, and so what may be read.
static noinline_ enum walk_end step_with_care(struct fast *f, struct stack_view *view)
{
    struct walk w = {.view = *view, .known = ALWAYS_KNOWN};
    w.reg[CFI_RSP] = f->sp;
    w.reg[CFI_RBP] = f->rbp;
    w.reg[CFI_PC] = f->key; // of use to no rule but the end
    enum walk_end end = step(&w, f->rule);
    *view = w.view;
    f->sp = w.reg[CFI_RSP];
    f->rbp = w.reg[CFI_RBP];
    f->key = w.reg[CFI_PC] - w.back;
    return end;
}

struct unwind_trace unwind_hash(const struct unwind_start *start)
{
    struct unwind_trace t = {0};
    struct stack_view view;
    struct fast f = {.key = start->pc, .sp = start->rsp, .rbp = start->rbp};
    if (unlikely(!stack_enter(&view, f.sp, true)))
        return t;
    if (the.skip_size != 0)
        run(&f, view.hi, true, &t);
    enum walk_end end = run(&f, view.hi, false, &t);
    while (end == WALK_ON) {
        if (likely(rule_kind(f.rule) == RULE_END))
            return t;
        end = step_with_care(&f, &view);
        if (end == WALK_ON)
            end = run(&f, view.hi, false, &t);
    }
    if (unlikely(end == WALK_NEEDS_ALL))
        return walk_all(start, NULL, RECORDING_FRAMES);
    t.truncated = end != WALK_COMPLETE;
    return t;
}

// ---------------------------------------------------------------- the way out

void unwind_init_exit(u64 exit_start, u64 exit_end, u64 quick_start, u64 quick_end)
{
    the.exit[0].start = exit_start;
    the.exit[0].end = exit_end;
    the.exit[1].start = quick_start;
    the.exit[1].end = quick_end;
}

static bool in_exit(u64 pc)
{
    return (pc > the.exit[0].start && pc <= the.exit[0].end) ||
           (pc > the.exit[1].start && pc <= the.exit[1].end);
}

#define EXIT_DEPTH 6 // frames of libc between our handler and exit

bool unwind_leave(struct unwind_start *at)
{
    struct walk w;
    walk_init(&w, at);
    if (!stack_enter(&w.view, at->rsp, true))
        return false;
    struct walk out = {0}; // the first frame outside the library
    for (int depth = 0; depth < EXIT_DEPTH;) {
        bool last = in_exit(w.reg[CFI_PC]);
        if (!is_skipped(w.reg[CFI_PC] - w.back)) {
            out = depth++ == 0 ? w : out;
        }
        if (step(&w, rule_find(w.reg[CFI_PC] - w.back)) != WALK_ON)
            break;
        if (last) {
            out = w;
            break;
        }
    }
    *at = (struct unwind_start){
        .pc = out.reg[CFI_PC],
        .rsp = out.reg[CFI_RSP],
        .rbp = out.reg[CFI_RBP],
        .rbx = out.reg[CFI_RBX],
        .r12 = out.reg[12],
        .r13 = out.reg[13],
        .r14 = out.reg[14],
        .r15 = out.reg[15],
    };
    return at->rsp != 0;
}

u32 unwind_frames(const struct unwind_start *start, u64 *ret_frames, u32 max)
{
    return walk_all(start, ret_frames, max).count;
}
