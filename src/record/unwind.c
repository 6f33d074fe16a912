// unwind.c: the calling thread's backtrace.
//
// The loop in run() handles a frame in some 25 instructions; its speed is the latency of
// pc -> slot -> CFA -> return address, two loads and little else. It restores rsp, rbp and pc only.
// The other callee-saved registers matter to one frame in thousands (a CFA based on rbx, say), and
// then the walk is done again with all of them restored.
#include "record/unwind.h"

#include "format/recording.h"
#include "record/walk.h"

struct walk_skip walk_skip;

static struct {
    struct {
        u64 start, end;
    } exit[2];
} the;

void unwind_init(u64 skip_start, u64 skip_end)
{
    walk_skip = (struct walk_skip){skip_start, skip_end - skip_start};
    stack_init();
}

// ---------------------------------------------------------------- the walk

static void walk_init(struct walk *w, const struct unwind_start *s)
{
    *w = (struct walk){.known = WALK_CALLEE_SAVED};
    w->reg[CFI_PC] = s->pc;
    w->reg[CFI_RSP] = s->rsp;
    w->reg[CFI_RBP] = s->rbp;
    w->reg[CFI_RBX] = s->rbx;
    w->reg[12] = s->r12;
    w->reg[13] = s->r13;
    w->reg[14] = s->r14;
    w->reg[15] = s->r15;
}

static struct unwind_start start_at(const struct walk *w)
{
    return (struct unwind_start){
        .pc = w->reg[CFI_PC],
        .rsp = w->reg[CFI_RSP],
        .rbp = w->reg[CFI_RBP],
        .rbx = w->reg[CFI_RBX],
        .r12 = w->reg[12],
        .r13 = w->reg[13],
        .r14 = w->reg[14],
        .r15 = w->reg[15],
    };
}

noinline_ struct unwind_trace unwind_full(const struct unwind_start *start, u64 *frames, u32 max)
{
    struct unwind_trace t = {0};
    struct walk_sum sum = WALK_SUM_EMPTY;
    struct walk w;
    enum walk_end end = WALK_ON;
    walk_init(&w, start);
    if (!stack_enter(&w.view, start->rsp, true))
        return t;
    while (end == WALK_ON) {
        u64 key = w.reg[CFI_PC] - w.back;
        u64 rule = rule_find(key);
        if (t.count != 0 || !walk_is_skipped(key)) {
            if (t.count == max)
                break;
            u64 frame = walk_frame(rule, key);
            walk_add(&sum, frame);
            if (frames != NULL)
                frames[t.count] = frame;
            t.count++;
        }
        end = walk_step(&w, rule);
    }
    t.hash = sum.sum;
    t.truncated = end != WALK_COMPLETE;
    return t;
}

// Where the fast walk stands: enough for frames whose CFA is told from rsp or rbp.
struct fast {
    u64 key, sp, rbp;
    u64 rule; // at key
    struct walk_sum sum;
};

// Follow simple rules; sum the frames up unless `skip`, in which case stop at the first one that is
// not to be skipped. Returns WALK_ON at a rule that is not simple or needs care; its frame is
// counted already.
static always_inline_ enum walk_end run(struct fast *f, u64 hi, bool skip, u64 *frames, u32 max,
                                        struct unwind_trace *t)
{
    u64 key = f->key, sp = f->sp, rbp = f->rbp, rule;
    struct walk_sum sum = f->sum;
    u32 count = t->count;
    enum walk_end end = WALK_ON;
    for (;;) {
        rule = rule_find(key);
        if (skip) {
            if (!walk_is_skipped(key))
                break;
        } else if (unlikely(count == max)) {
            end = WALK_CUT;
            break;
        } else {
            u64 frame = walk_frame(rule, key);
            walk_add(&sum, frame);
            if (frames != NULL)
                frames[count] = frame;
            count++;
        }
        u64 cfa = (rule_from_rsp(rule) ? sp : rbp) + rule_offset(rule);
        u64 saved = rule_saved(rule, 0); // at least 8: the return address
        if (unlikely(!rule_simple(rule) || cfa > hi || cfa - sp < saved || cfa < sp))
            break;
        u64 old = walk_word(cfa - saved);
        rbp = saved == RULE_UNIT ? rbp : old;
        key = walk_word(cfa - 8) - 1;
        sp = cfa;
        if (unlikely(!walk_is_address(key))) {
            end = key == UINT64_MAX ? WALK_COMPLETE : WALK_CUT;
            break;
        }
    }
    *f = (struct fast){key, sp, rbp, rule, sum};
    t->hash = sum.sum;
    t->count = count;
    return end;
}

// One frame that run() left to us. It may change the stack, and so what may be read.
static noinline_ enum walk_end step_with_care(struct fast *f, struct stack_view *view)
{
    struct walk w = {.view = *view, .known = WALK_ALWAYS_KNOWN};
    w.reg[CFI_RSP] = f->sp;
    w.reg[CFI_RBP] = f->rbp;
    w.reg[CFI_PC] = f->key; // of use to no rule but the end
    enum walk_end end = walk_step(&w, f->rule);
    *view = w.view;
    f->sp = w.reg[CFI_RSP];
    f->rbp = w.reg[CFI_RBP];
    f->key = w.reg[CFI_PC] - w.back;
    return end;
}

// The fast walk; `frames` are written unless NULL.
static always_inline_ struct unwind_trace walk(const struct unwind_start *start, u64 *frames,
                                               u32 max)
{
    struct unwind_trace t = {0};
    struct stack_view view;
    struct fast f = {.key = start->pc, .sp = start->rsp, .rbp = start->rbp, .sum = WALK_SUM_EMPTY};
    if (unlikely(!stack_enter(&view, f.sp, true)))
        return t;
    enum walk_end end = WALK_ON;
    while (end == WALK_ON && walk_is_skipped(f.key)) {
        end = run(&f, view.hi, true, NULL, max, &t);
        if (end == WALK_ON && walk_is_skipped(f.key))
            end = step_with_care(&f, &view);
    }
    if (end == WALK_ON)
        end = run(&f, view.hi, false, frames, max, &t);
    while (end == WALK_ON) {
        if (likely(rule_kind(f.rule) == RULE_END))
            return t;
        end = step_with_care(&f, &view);
        if (end == WALK_ON)
            end = run(&f, view.hi, false, frames, max, &t);
    }
    if (unlikely(end == WALK_NEEDS_ALL))
        return unwind_full(start, frames, max);
    t.truncated = end != WALK_COMPLETE;
    return t;
}

struct unwind_trace unwind_hash(const struct unwind_start *start)
{
    return walk(start, NULL, RECORDING_FRAMES);
}

u32 unwind_frames(const struct unwind_start *start, u64 *ret_frames, u32 max)
{
    return walk(start, ret_frames, max).count;
}

bool unwind_out(struct unwind_start *at, u64 rsp)
{
    struct walk w;
    walk_init(&w, at);
    if (!stack_enter(&w.view, at->rsp, true))
        return false;
    while (w.reg[CFI_RSP] < rsp)
        if (walk_step(&w, rule_find(w.reg[CFI_PC] - w.back)) != WALK_ON)
            return false;
    *at = start_at(&w);
    at->pc -= w.back;
    return at->rsp == rsp;
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
        if (!walk_is_skipped(w.reg[CFI_PC] - w.back)) {
            out = depth++ == 0 ? w : out;
        }
        if (walk_step(&w, rule_find(w.reg[CFI_PC] - w.back)) != WALK_ON)
            break;
        if (last) {
            out = w;
            break;
        }
    }
    *at = start_at(&out);
    return at->rsp != 0;
}
