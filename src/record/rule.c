// rule.c: learning rules from the tables, and the cache of them.
#include "record/rule.h"

#include "os/os.h"
#include "os/share.h"
#include "record/module.h"

#include <string.h>

#define ROWS_MAX 4096 // signal frames, realigned stacks: a program has a few dozen

struct rule_slot rule_near[1 << RULE_NEAR_BITS];
_Atomic u64 rule_generation;

static struct {
    struct lock rows_lock; // over rows_count and what is added
    _Atomic bool bare;     // there are rules for code of no module
    u32 rows_count;
    struct cfi_row rows[ROWS_MAX];
    struct rule_slot far[1 << RULE_FAR_BITS];
} the;

static const u8 saved_regs[] = {CFI_RBP, CFI_RBX, CFI_R12, 13, 14, 15};

// ---------------------------------------------------------------- packing

// Words below the CFA, or 0 when that cannot be told in four bits. A register whose slot lies below
// the stack pointer was popped already, so it has the caller's value.
static u64 saved_words(const struct cfi_place *p, const struct cfi_place *cfa)
{
    if (p->how == CFI_SAME)
        return 1;
    int64_t words = -(int64_t)p->off / RULE_UNIT;
    if (p->how != CFI_AT || p->base != CFI_CFA || p->off % RULE_UNIT != 0 || words < 2 ||
        words > 15)
        return 0;
    bool popped = cfa->base == CFI_RSP && words * RULE_UNIT > cfa->off;
    return popped ? 1 : (u64)words;
}

static bool pack_saved(const struct cfi_row *row, u64 *rule)
{
    for (unsigned n = 0; n < countof(saved_regs); n++) {
        u64 words = saved_words(&row->reg[saved_regs[n]], &row->cfa);
        if (words == 0)
            return false;
        *rule |= words << (27 + 4 * n);
    }
    return true;
}

static bool pack(const struct cfi_row *row, u64 *ret_rule)
{
    const struct cfi_place *cfa = &row->cfa, *ra = &row->reg[CFI_PC], *sp = &row->reg[CFI_RSP];
    u64 words = (u64)cfa->off / RULE_UNIT;
    if (row->signal || cfa->how != CFI_VALUE || cfa->off < 0 || cfa->off % RULE_UNIT != 0 ||
        words > 0xfffff || sp->how != CFI_SAME)
        return false;
    if (ra->how != CFI_AT || ra->base != CFI_CFA || ra->off != -RULE_UNIT)
        return false;
    u64 rule = RULE_PACKED | 4 | (u64)cfa->base << 3 | words << 7;
    if (!pack_saved(row, &rule))
        return false;
    *ret_rule = rule;
    return true;
}

static u32 rows_find(const struct cfi_row *row, u32 count)
{
    u32 i = 0;
    while (i < count && memcmp(&the.rows[i], row, sizeof *row) != 0)
        i++;
    return i;
}

// The number of a row like this one: what is learned again, after code was unloaded, takes no more
// room. 0 when there are too many, or in a signal handler that interrupted us.
static u64 keep_row(const struct cfi_row *row)
{
    if (!lock_take(&the.rows_lock))
        return 0;
    u32 i = rows_find(row, the.rows_count);
    if (i == the.rows_count && i < ROWS_MAX) {
        the.rows[i] = *row;
        the.rows_count++;
    }
    lock_give(&the.rows_lock);
    return i < ROWS_MAX ? RULE_WIDE | 4 | (u64)i << 3 : 0;
}

// Beside the constructors: elsewhere it would bring in 64 KiB of code that nothing else uses.
__attribute__((section(".text.startup"))) void rule_undumped(void)
{
    os_undumped(&the, sizeof the);
}

void rule_fork_child(void)
{
    lock_break(&the.rows_lock);
}

const struct cfi_row *rule_row(u64 rule)
{
    return &the.rows[rule >> 3 & 0xffffff];
}

static u64 rule_of(const struct cfi_row *row)
{
    u64 rule;
    if (row->reg[CFI_PC].how == CFI_UNDEFINED)
        return RULE_END | 4;
    if (row->cfa.how == CFI_UNKNOWN || row->reg[CFI_PC].how == CFI_UNKNOWN)
        return RULE_NONE | 4;
    return pack(row, &rule) ? rule : keep_row(row);
}

// ---------------------------------------------------------------- the cache

static struct rule_slot *far_slot(u64 key)
{
    return &the.far[(key * RULE_MIX) >> (64 - RULE_FAR_BITS)];
}

static void keep(struct rule_slot *s, u64 key, u64 rule)
{
    // Release: a row of its own is written before its number can be seen. A reader depends on the
    // number for the row's address, so its relaxed load suffices on every machine we run on.
    atomic_store_explicit(&s->rule, rule, memory_order_release);
    atomic_store_explicit(&s->check, key ^ rule * RULE_MIX, memory_order_release);
}

// Whether the instruction before pc is a call, as far as bytes can tell: e8 and an offset, or ff
// with 2 in the middle of its second byte, in one of its lengths. Of random bytes 1 in 8 passes; of
// the words on a stack far fewer lead to code at all.
static unsanitized_ bool follows_call(u64 pc)
{
    static const u8 lengths[] = {2, 3, 4, 6, 7};
    const u8 *end = (const u8 *)(uintptr_t)pc;
    if (!os_readable((const void *)(uintptr_t)((pc - 8) & ~(u64)3)) ||
        !os_readable((const void *)(uintptr_t)((pc - 1) & ~(u64)3)))
        return false;
    if (end[-5] == 0xe8)
        return true;
    for (size_t i = 0; i < countof(lengths); i++)
        if (end[-lengths[i]] == 0xff && (end[1 - lengths[i]] & 0x38) == 0x10)
            return true;
    return false;
}

// What a signal handler could not find out, because it interrupted the holder of a lock, or what
// finds no room among the rows, is not kept.
static cold_ u64 work_out(u64 key)
{
    struct cfi_module m = {0};
    struct cfi_row row;
    int index = module_find(key, &m);
    if (index < 0)
        return RULE_UNKNOWN;
    if (index == 0)
        atomic_store_explicit(&the.bare, true, memory_order_relaxed);
    u64 module = (u64)index << RULE_MODULE;
    u64 rule;
    if (cfi_find(&m, key, &row))
        rule = rule_of(&row);
    else
        rule = RULE_NONE | 4 | (follows_call(key + 1) ? RULE_AFTER_CALL : 0);
    if (rule == 0)
        return RULE_UNKNOWN;
    keep(far_slot(key), key, rule | module);
    keep(rule_slot(key), key, rule | module);
    return rule | module;
}

noinline_ u64 rule_learn(u64 key)
{
    u64 rule;
    if (!rule_hit(far_slot(key), key, &rule))
        return work_out(key);
    keep(rule_slot(key), key, rule);
    return rule;
}

static void flush(struct rule_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (atomic_load_explicit(&slots[i].check, memory_order_relaxed) == 0)
            continue; // leave OS pages that were never used untouched
        atomic_store_explicit(&slots[i].rule, 0, memory_order_relaxed);
        atomic_store_explicit(&slots[i].check, 0, memory_order_relaxed);
    }
}

void rule_flush(void)
{
    flush(the.far, countof(the.far));
    flush(rule_near, countof(rule_near));
    // Release, and last: who sees the new number finds no old rule.
    atomic_fetch_add_explicit(&rule_generation, 1, memory_order_release);
}

void rule_module_came(void)
{
    if (atomic_exchange_explicit(&the.bare, false, memory_order_relaxed))
        rule_flush();
}
