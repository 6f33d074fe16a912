// trace.c: backtraces that are remembered, and proven before they are used again.
#include "record/trace.h"

#include "format/recording.h"
#include "record/walk.h"

#include <emmintrin.h>

// In the key of legs in the recorder's own code, before the first frame that counts.
#define SKIPPING ((u64)1 << 63)

// Where a LEG_FIXED leads, in place of its last two words.
#define FIXED_CHECKS (LEG_CHECKS - 2)
#define FIXED_KEY    FIXED_CHECKS
#define FIXED_RBP    (FIXED_CHECKS + 1)
static_assert(FIXED_CHECKS <= WALK_LOADS, "a step's log says all");

#define FRAMES_MAX (LEG_CHECKS + 1) // of a leg: one more than return addresses between them

#define PATIENCE   8 // of a new leg

// Where the walk stands.
struct place {
    u64 key, sp, rbp;
    struct walk_sum sum;
    u32 count;
    u32 truncated;
    struct stack_view view;
};

#define B WALK_BASE
static const u64 powers[FRAMES_MAX + 1] = {
    // WALK_BASE to the power of a leg's frames
    1,
    B,
    B *B,
    B *B *B,
    B *B *B *B,
    B *B *B *B *B,
    B *B *B *B *B *B,
    B *B *B *B *B *B *B,
    B *B *B *B *B *B *B *B,
    B *B *B *B *B *B *B *B *B,
};
#undef B

static always_inline_ struct leg *leg_for(struct trace_cache *c, u64 key, u64 sp)
{
    u64 hash = (key ^ sp << 20) * RULE_MIX;
    return &c->legs[hash >> 40 & c->mask];
}

static always_inline_ bool same_place(const struct leg *l, u64 key, u64 sp, u64 rbp)
{
    return l->key == key && l->sp == sp && (!(l->flags & LEG_RBP) || l->rbp == rbp);
}

// The words at check n and n + 1, next to what they were.
static always_inline_ __m128i differ(const struct leg *l, u64 sp, unsigned n)
{
    __m128i now = _mm_set_epi64x((long long)walk_word(sp + (u64)l->at[n + 1] * 8),
                                 (long long)walk_word(sp + (u64)l->at[n] * 8));
    return _mm_xor_si128(now, _mm_load_si128((const __m128i *)(const void *)&l->word[n]));
}

// L1, with as few branches that could be guessed wrong as there can be: all checks count, because
// those that are not used ask for something again (fill_checks). All words are readable.
static always_inline_ bool unchanged(const struct leg *l, u64 sp)
{
    if (l->checks == 0)
        return true;
    __m128i last = l->flags & LEG_FIXED ? _mm_setzero_si128() : differ(l, sp, FIXED_CHECKS);
    __m128i all = _mm_or_si128(_mm_or_si128(differ(l, sp, 0), differ(l, sp, 2)),
                               _mm_or_si128(differ(l, sp, 4), last));
    return _mm_movemask_epi8(_mm_cmpeq_epi32(all, _mm_setzero_si128())) == 0xffff;
}

// The first check that fails. There is one.
static unsigned differs(const struct leg *l)
{
    unsigned n = 0;
    while (walk_word(l->sp + (u64)l->at[n] * 8) == l->word[n])
        n++;
    return n;
}

// ---------------------------------------------------------------- making a leg

struct maker {
    struct leg leg;
    struct walk_sum sum;
    u64 sp, rbp;      // of the frame it has come to
    u64 rbp_slot;     // where that rbp was read from; 0: it is still the first one
    bool rbp_checked; // it is among the checks
};

static bool add_check(struct leg *l, u64 at, u64 word)
{
    u64 words = (at - l->sp) / 8;
    if (l->checks == LEG_CHECKS || words >= UINT16_MAX || (at - l->sp) % 8 != 0)
        return false;
    l->at[l->checks] = (u16)words;
    l->word[l->checks] = word;
    l->checks++;
    if (l->reach <= words)
        l->reach = (u16)(words + 1);
    return true;
}

// What is not used asks for the first word again.
static void fill_checks(struct leg *l)
{
    for (unsigned n = l->checks; n < LEG_CHECKS; n++) {
        l->at[n] = l->at[0];
        l->word[n] = l->word[0];
    }
}

// The way on depends on rbp.
static bool depend_on_rbp(struct maker *m)
{
    if (m->rbp_slot == 0) {
        m->leg.flags |= LEG_RBP;
        return true;
    }
    m->rbp_checked = m->rbp_checked || add_check(&m->leg, m->rbp_slot, m->rbp);
    return m->rbp_checked;
}

static void add_frame(struct maker *m, u64 rule, u64 key)
{
    if (m->leg.key & SKIPPING)
        return;
    walk_add(&m->sum, walk_frame(rule, key));
    m->leg.frames++;
}

// One simple frame more, read as run() in unwind.c does. False: the leg must end before it.
static bool extend(struct maker *m, u64 key, u64 rule, u64 hi, u64 *ret_next)
{
    u64 cfa = (rule_from_rsp(rule) ? m->sp : m->rbp) + rule_offset(rule);
    u64 saved = rule_saved(rule, 0), up = cfa - m->leg.sp;
    if (!rule_simple(rule) || cfa > hi || cfa - m->sp < saved || cfa < m->sp ||
        up / 8 > UINT16_MAX || up % 8 != 0)
        return false;
    if (!rule_from_rsp(rule) && !depend_on_rbp(m))
        return false;
    if (saved != RULE_UNIT) {
        m->rbp_slot = cfa - saved;
        m->rbp = walk_word(m->rbp_slot);
        m->rbp_checked = false;
    }
    add_frame(m, rule, key);
    m->sp = cfa;
    *ret_next = walk_word(cfa - 8);
    return true;
}

// Whether the leg ends in front of the frame at (key, m->sp), which a return address told.
static bool ends_before(const struct trace_cache *c, const struct maker *m, u64 key, u64 split)
{
    if (m->leg.key & SKIPPING)
        return !walk_is_skipped(key);
    const struct leg *known = leg_for((struct trace_cache *)c, key, m->sp);
    return m->leg.frames == FRAMES_MAX || m->sp > split ||
           (known->key == key && known->sp == m->sp);
}

static bool close_leg(struct maker *m, u8 flags, struct leg *ret)
{
    struct leg *l = &m->leg;
    if (m->sp == l->sp && !(flags & LEG_LAST))
        return false;
    l->sum = m->sum.sum;
    l->flags |= flags;
    l->flags |= l->key & SKIPPING ? LEG_SKIPS : 0;
    l->up = (u16)((m->sp - l->sp) / 8);
    l->reach = l->reach > l->up ? l->reach : l->up;
    if (m->rbp_slot != 0) {
        l->flags |= LEG_SAVES;
        l->rbp_at = (u16)((m->rbp_slot - l->sp) / 8);
    }
    fill_checks(l);
    *ret = *l;
    return true;
}

// A leg from p on, of simple frames, that does not depend on words at `split` and above. False when
// there is none.
static bool make_leg(const struct trace_cache *c, const struct place *p, u64 split, struct leg *ret)
{
    struct maker m = {
        .leg = {.key = p->key, .sp = p->sp, .rbp = p->rbp},
        .sum = WALK_SUM_EMPTY,
        .sp = p->sp,
        .rbp = p->rbp,
    };
    u64 key = p->key & ~SKIPPING, next;
    for (;;) {
        u64 rule = rule_find(key);
        if (rule_kind(rule) == RULE_END && !(p->key & SKIPPING)) {
            add_frame(&m, rule, key);
            return close_leg(&m, LEG_LAST, ret);
        }
        if (!extend(&m, key, rule, p->view.hi, &next))
            return !(p->key & SKIPPING) && close_leg(&m, 0, ret);
        if (next == 0)
            return add_check(&m.leg, m.sp - 8, next) && close_leg(&m, LEG_LAST, ret);
        key = next - 1;
        if (!walk_is_address(key))
            return false;
        if (ends_before(c, &m, key, split))
            return close_leg(&m, 0, ret);
        if (!add_check(&m.leg, m.sp - 8, next))
            return !(p->key & SKIPPING) && close_leg(&m, 0, ret);
    }
}

// ---------------------------------------------------------------- steps that need care

// A leg of one frame that was stepped over with care: all that the step read is checked.
static bool make_fixed(const struct place *from, const struct place *to, const struct walk_log *log,
                       enum walk_end end, struct leg *ret)
{
    struct leg l = {
        .key = from->key,
        .sp = from->sp,
        .rbp = from->rbp,
        .frames = 1,
        .flags =
            LEG_RBP | LEG_FIXED | (end != WALK_ON ? LEG_LAST : 0) | (end == WALK_CUT ? LEG_CUT : 0),
    };
    u64 up = to->sp - from->sp;
    if (log->count > FIXED_CHECKS || from->view.own != to->view.own || to->sp < from->sp ||
        up % 8 != 0 || up / 8 > UINT16_MAX)
        return false;
    for (u32 i = 0; i < log->count; i++)
        if (!add_check(&l, log->at[i], log->word[i]))
            return false;
    l.up = (u16)(up / 8);
    l.reach = l.reach > l.up ? l.reach : l.up;
    fill_checks(&l);
    l.word[FIXED_KEY] = to->key;
    l.word[FIXED_RBP] = to->rbp;
    *ret = l;
    return true;
}

// Step over one frame. *ret_leg can stand for the step if *ret_made.
static enum walk_end step_aside(struct place *p, struct leg *ret_leg, bool *ret_made)
{
    struct walk_log log = {0};
    struct walk w = {.view = p->view, .known = WALK_ALWAYS_KNOWN, .log = &log};
    u64 rule = rule_find(p->key);
    struct place to = *p;
    w.reg[CFI_RSP] = p->sp;
    w.reg[CFI_RBP] = p->rbp;
    w.reg[CFI_PC] = p->key; // of use to no rule but the end
    enum walk_end end = walk_step(&w, rule);
    if (end == WALK_NEEDS_ALL)
        return end;
    struct walk_sum frame = WALK_SUM_EMPTY;
    walk_add(&frame, walk_frame(rule, p->key));
    to.view = w.view;
    if (end == WALK_ON) {
        to.sp = w.reg[CFI_RSP];
        to.rbp = w.reg[CFI_RBP];
        to.key = w.reg[CFI_PC] - w.back;
    }
    to.truncated = end == WALK_CUT;
    to.sum = (struct walk_sum){p->sum.sum + p->sum.scale * frame.sum, p->sum.scale * frame.scale};
    to.count++;
    *ret_made = rule != RULE_UNKNOWN && make_fixed(p, &to, &log, end, ret_leg);
    ret_leg->sum = frame.sum;
    *p = to;
    return end;
}

// ---------------------------------------------------------------- two legs become one

static bool append_checks(struct leg *l, const struct leg *next)
{
    for (unsigned n = 0; n < next->checks; n++)
        if (!add_check(l, next->sp + (u64)next->at[n] * 8, next->word[n]))
            return false;
    return true;
}

// `next` came behind l so often that l is made to lead where next does. What next can be reached by
// is checked, too: the return address, and rbp if it matters. False when it does not fit.
static bool join(struct leg *l, const struct leg *next)
{
    struct leg j = *l, n = *next;
    u64 rbp_slot = l->sp + (u64)l->rbp_at * 8;
    if (((l->flags | n.flags) & LEG_FIXED) || (l->key & SKIPPING) ||
        l->frames + n.frames > FRAMES_MAX || l->up + n.up > UINT16_MAX)
        return false;
    if (!add_check(&j, n.sp - 8, n.key + 1))
        return false;
    if ((n.flags & LEG_RBP) && (l->flags & LEG_SAVES) && !add_check(&j, rbp_slot, n.rbp))
        return false;
    if ((n.flags & LEG_RBP) && !(l->flags & LEG_SAVES)) {
        j.flags |= LEG_RBP;
        j.rbp = n.rbp;
    }
    if (!append_checks(&j, &n))
        return false;
    if (n.flags & LEG_SAVES)
        j.rbp_at = (u16)(l->up + n.rbp_at);
    j.flags |= n.flags & (LEG_SAVES | LEG_LAST);
    j.up = (u16)(l->up + n.up);
    j.reach = j.reach > j.up ? j.reach : j.up;
    j.sum = l->sum + powers[l->frames] * n.sum;
    j.frames = (u8)(l->frames + n.frames);
    j.next = n.next;
    fill_checks(&j);
    *l = j;
    return true;
}

// The guess what comes behind l was right `patience` times in a row.
static noinline_ void try_join(struct leg *l, const struct leg *next)
{
    bool joined = join(l, next);
    l->streak = 0;
    if (!joined)
        l->patience = 0;
}

// ---------------------------------------------------------------- the walk

// The leg behind l, where the walk stands at (key, sp). NULL if there is none.
static always_inline_ struct leg *after(struct trace_cache *c, struct leg *l, u64 key, u64 sp)
{
    struct leg *next = &c->legs[l->next];
    if (likely(next->key == key && next->sp == sp)) {
        if (unlikely(++l->streak == l->patience))
            try_join(l, next);
        return next;
    }
    next = leg_for(c, key, sp);
    l->next = (u16)(next - c->legs);
    l->streak = 0;
    return likely(next->key == key && next->sp == sp) ? next : NULL;
}

// Where a leg leads that is not like most. True when it is the last one.
static always_inline_ bool special(const struct leg *l, struct place *p, u64 *key, u64 *rbp)
{
    if (l->flags & LEG_LAST) {
        p->truncated = (l->flags & LEG_CUT) != 0;
        return true;
    }
    if (l->flags & LEG_FIXED) {
        *key = l->word[FIXED_KEY];
        *rbp = l->word[FIXED_RBP];
    } else if (walk_is_skipped(*key)) {
        *key |= SKIPPING; // operator new called malloc
    }
    return false;
}

// From p on as far as legs hold, beginning with l, whose key is p's. True when the walk is at its
// end.
static always_inline_ bool run(struct trace_cache *c, struct place *p, struct leg *l, bool own)
{
    u64 key = p->key, sp = p->sp, rbp = p->rbp, hi = p->view.hi;
    struct walk_sum sum = p->sum;
    u32 count = p->count;
    bool last = false;
    while (likely(l != NULL)) {
        u8 flags = l->flags;
        if ((unlikely(flags & LEG_RBP) && l->rbp != rbp) || (!own && (u64)l->reach * 8 > hi - sp) ||
            unlikely(!unchanged(l, sp)))
            break;
        sum.sum += sum.scale * l->sum;
        sum.scale *= powers[l->frames];
        count += l->frames;
        rbp = flags & LEG_SAVES ? walk_word(sp + (u64)l->rbp_at * 8) : rbp;
        sp += (u64)l->up * 8;
        key = walk_word(sp - 8) - 1;
        if (unlikely(flags & (LEG_LAST | LEG_FIXED | LEG_SKIPS)))
            last = special(l, p, &key, &rbp);
        if (last || unlikely(count > RECORDING_FRAMES))
            break;
        l = after(c, l, key, sp);
    }
    p->key = key;
    p->sp = sp;
    p->rbp = rbp;
    p->sum = sum;
    p->count = count;
    return last;
}

// L3
static cold_ void forget(struct trace_cache *c, u64 generation, u64 hi)
{
    c->hi = hi;
    c->mask = c->mask == 0 ? TRACE_LEGS_MIN - 1 : c->mask;
    for (u32 i = 0; i <= c->mask; i++)
        c->legs[i].key = 0;
    c->generation = generation;
}

static struct leg *keep(struct trace_cache *c, struct leg *slot, const struct leg *made)
{
    bool again = slot->key == made->key && slot->sp == made->sp;
    u16 next = slot->next;
    u8 patience = slot->patience;
    *slot = *made;
    slot->next = next;
    slot->patience = again && patience != 0 ? (u8)(2 * patience) : PATIENCE;
    if (++c->made > 4 * c->mask && c->mask + 1 < TRACE_LEGS_MAX) {
        c->mask = 2 * c->mask + 1;
        c->made = 0;
    }
    return slot;
}

// No leg holds at p: make one, or go a step without. *ret_leg is where to go on.
static noinline_ enum walk_end step(struct trace_cache *c, struct place *p, struct leg **ret_leg)
{
    struct leg *l = leg_for(c, p->key, p->sp), new;
    u64 split = UINT64_MAX;
    *ret_leg = l;
    if (same_place(l, p->key, p->sp, p->rbp)) {
        if (!stack_stretch(&p->view, p->sp + (u64)l->reach * 8))
            return WALK_NEEDS_ALL;
        if (unchanged(l, l->sp))
            return WALK_ON;
        split = l->sp + (u64)l->at[differs(l)] * 8;
    }
    if (make_leg(c, p, split, &new)) {
        keep(c, l, &new);
        return WALK_ON; // l, whose number may be another one from now on
    }
    bool made = false;
    if (p->key & SKIPPING)
        return WALK_NEEDS_ALL;
    enum walk_end end = step_aside(p, &new, &made);
    if (made)
        keep(c, l, &new);
    l = leg_for(c, p->key, p->sp);
    *ret_leg = same_place(l, p->key, p->sp, p->rbp) ? l : NULL;
    return end;
}

bool trace_hash(struct trace_cache *c, const struct unwind_caller *from, struct unwind_trace *ret)
{
    struct place p = {from->pc - 1, from->rsp, from->rbp, WALK_SUM_EMPTY, 0, 0, {0}};
    // Acquire: pairs with the release in rule_flush.
    u64 generation = atomic_load_explicit(&rule_generation, memory_order_acquire);
    // The return address lies on the stack for certain; what is behind it may not.
    if (unlikely(!stack_enter_quickly(&p.view, p.sp - 8)))
        return false;
    if (unlikely(c->generation != generation || (p.view.own && c->hi != p.view.hi)))
        forget(c, generation, p.view.own ? p.view.hi : c->hi);
    if (unlikely(walk_is_skipped(p.key)))
        p.key |= SKIPPING;
    struct leg *l = leg_for(c, p.key, p.sp);
    l = likely(l->key == p.key && l->sp == p.sp) ? l : NULL;
    enum walk_end end = WALK_ON;
    while (end == WALK_ON) {
        if (likely(p.view.own ? run(c, &p, l, true) : run(c, &p, l, false)))
            end = WALK_COMPLETE;
        else if (p.count <= RECORDING_FRAMES)
            end = step(c, &p, &l);
        else
            return false;
    }
    *ret = (struct unwind_trace){p.sum.sum, p.count, p.truncated};
    return end != WALK_NEEDS_ALL && p.count <= RECORDING_FRAMES;
}
