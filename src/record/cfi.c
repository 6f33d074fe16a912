// cfi.c: find a function's description in .eh_frame and run it up to a pc.
//
// .eh_frame_hdr has a sorted table of (function, description) pairs, so the search is binary. A
// description (FDE) names what it shares with others (CIE). All lengths and offsets are checked
// against the module: a damaged file must not take the program down.
#include "record/cfi.h"

#include "record/expr.h"

// ---------------------------------------------------------------- the frame program

#define REMEMBER_MAX 3 // compilers nest these once

struct machine {
    const struct cfi_row *initial; // what the CIE said, for DW_CFA_restore; NULL while it runs
    struct cfi_row *row;
    u64 loc, pc; // run while loc <= pc
    u64 code_align;
    int64_t data_align;
    u8 encoding;
    u8 remembered;
    bool bad;
    struct cfi_row stack[REMEMBER_MAX];
};

static void set_reg(struct machine *m, u64 reg, u8 how, u8 base, int64_t off)
{
    if (!expr_fits(off))
        m->bad = true;
    else if (reg < CFI_REGS) // others are vector registers: not ours to follow
        m->row->reg[reg] = (struct cfi_place){.off = (int32_t)off, .how = how, .base = base};
}

// The caller's value is in another register: a vector register is none that we follow.
static void set_reg_same_as(struct machine *m, u64 reg, u64 other)
{
    if (other < CFI_REGS)
        set_reg(m, reg, CFI_VALUE, (u8)other, 0);
    else
        set_reg(m, reg, CFI_UNKNOWN, 0, 0);
}

static void set_cfa(struct machine *m, u64 reg, int64_t off)
{
    if (reg >= CFI_PC || !expr_fits(off))
        m->bad = true;
    else
        m->row->cfa = (struct cfi_place){.off = (int32_t)off, .how = CFI_VALUE, .base = (u8)reg};
}

static void set_cfa_expr(struct machine *m, struct bytes *b)
{
    struct symbol s;
    if (!expr_run(b, m->pc, false, &s)) {
        m->row->cfa.how = CFI_UNKNOWN; // matters only if this row is the one
        return;
    }
    u8 how = s.kind == SYM_LOADED ? CFI_AT : CFI_VALUE;
    m->row->cfa = (struct cfi_place){.off = (int32_t)s.off, .how = how, .base = s.base};
    m->row->cfa_add = (int32_t)s.add;
}

static void set_reg_expr(struct machine *m, struct bytes *b, u8 how)
{
    u64 reg = take_uleb(b);
    struct symbol s;
    if (expr_run(b, m->pc, true, &s) && s.kind == SYM_LINEAR)
        set_reg(m, reg, how, s.base, s.off);
    else
        set_reg(m, reg, CFI_UNKNOWN, 0, 0);
}

static void restore(struct machine *m, u64 reg)
{
    if (reg < CFI_REGS)
        m->row->reg[reg] = m->initial != NULL ? m->initial->reg[reg] : (struct cfi_place){0};
}

static void remember(struct machine *m)
{
    if (m->remembered == REMEMBER_MAX)
        m->bad = true;
    else
        m->stack[m->remembered++] = *m->row;
}

static void recall(struct machine *m)
{
    if (m->remembered == 0)
        m->bad = true;
    else
        *m->row = m->stack[--m->remembered];
}

// Offsets count in units of data_align. Unsigned: a damaged one may overflow.
static int64_t times(u64 n, const struct machine *m)
{
    return (int64_t)(n * (u64)m->data_align);
}

enum {
    CFA_NOP = 0x00,
    CFA_SET_LOC = 0x01,
    CFA_ADVANCE_LOC1 = 0x02,
    CFA_ADVANCE_LOC2 = 0x03,
    CFA_ADVANCE_LOC4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER_STATE = 0x0a,
    CFA_RESTORE_STATE = 0x0b,
    CFA_DEF_CFA = 0x0c,
    CFA_DEF_CFA_REGISTER = 0x0d,
    CFA_DEF_CFA_OFFSET = 0x0e,
    CFA_DEF_CFA_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_DEF_CFA_SF = 0x12,
    CFA_DEF_CFA_OFFSET_SF = 0x13,
    CFA_VAL_OFFSET = 0x14,
    CFA_VAL_OFFSET_SF = 0x15,
    CFA_VAL_EXPRESSION = 0x16,
    CFA_GNU_ARGS_SIZE = 0x2e,
    CFA_GNU_NEGATIVE_OFFSET = 0x2f,
    CFA_ADVANCE_LOC = 1, // in the two high bits, with an operand in the low six
    CFA_OFFSET = 2,
    CFA_RESTORE = 3,
};

// Instructions that set the CFA or move on.
static void op_cfa(struct machine *m, struct bytes *b, u8 op)
{
    u64 reg;
    switch (op) {
    case CFA_SET_LOC:
        m->loc = take_address(b, m->encoding);
        break;
    case CFA_ADVANCE_LOC1:
        m->loc += take(b, 1) * m->code_align;
        break;
    case CFA_ADVANCE_LOC2:
        m->loc += take(b, 2) * m->code_align;
        break;
    case CFA_ADVANCE_LOC4:
        m->loc += take(b, 4) * m->code_align;
        break;
    case CFA_DEF_CFA:
        reg = take_uleb(b);
        set_cfa(m, reg, (int64_t)take_uleb(b));
        break;
    case CFA_DEF_CFA_SF:
        reg = take_uleb(b);
        set_cfa(m, reg, times((u64)take_sleb(b), m));
        break;
    case CFA_DEF_CFA_REGISTER:
        set_cfa(m, take_uleb(b), m->row->cfa.off);
        break;
    case CFA_DEF_CFA_OFFSET:
        set_cfa(m, m->row->cfa.base, (int64_t)take_uleb(b));
        break;
    case CFA_DEF_CFA_OFFSET_SF:
        set_cfa(m, m->row->cfa.base, times((u64)take_sleb(b), m));
        break;
    case CFA_DEF_CFA_EXPRESSION:
        set_cfa_expr(m, b);
        break;
    case CFA_GNU_ARGS_SIZE:
        take_uleb(b);
        break;
    default:
        m->bad = true;
    }
}

static void op_reg(struct machine *m, struct bytes *b, u8 op)
{
    u64 reg;
    switch (op) {
    case CFA_NOP:
        break;
    case CFA_OFFSET_EXTENDED:
        reg = take_uleb(b);
        set_reg(m, reg, CFI_AT, CFI_CFA, times(take_uleb(b), m));
        break;
    case CFA_OFFSET_EXTENDED_SF:
        reg = take_uleb(b);
        set_reg(m, reg, CFI_AT, CFI_CFA, times((u64)take_sleb(b), m));
        break;
    case CFA_GNU_NEGATIVE_OFFSET:
        reg = take_uleb(b);
        set_reg(m, reg, CFI_AT, CFI_CFA, times(-take_uleb(b), m));
        break;
    case CFA_VAL_OFFSET:
        reg = take_uleb(b);
        set_reg(m, reg, CFI_VALUE, CFI_CFA, times(take_uleb(b), m));
        break;
    case CFA_VAL_OFFSET_SF:
        reg = take_uleb(b);
        set_reg(m, reg, CFI_VALUE, CFI_CFA, times((u64)take_sleb(b), m));
        break;
    case CFA_REGISTER:
        reg = take_uleb(b);
        set_reg_same_as(m, reg, take_uleb(b));
        break;
    case CFA_RESTORE_EXTENDED:
        restore(m, take_uleb(b));
        break;
    case CFA_UNDEFINED:
        set_reg(m, take_uleb(b), CFI_UNDEFINED, 0, 0);
        break;
    case CFA_SAME_VALUE:
        set_reg(m, take_uleb(b), CFI_SAME, 0, 0);
        break;
    case CFA_REMEMBER_STATE:
        remember(m);
        break;
    case CFA_RESTORE_STATE:
        recall(m);
        break;
    case CFA_EXPRESSION:
        set_reg_expr(m, b, CFI_AT);
        break;
    case CFA_VAL_EXPRESSION:
        set_reg_expr(m, b, CFI_VALUE);
        break;
    default:
        op_cfa(m, b, op);
    }
}

// Run until the code is at its end or has passed pc. False when it makes no sense.
static bool run(struct machine *m, struct bytes *b)
{
    while (b->at < b->end && !m->bad && !b->bad) {
        u8 op = (u8)take(b, 1);
        u8 low = op & 0x3f;
        switch (op >> 6) {
        case CFA_ADVANCE_LOC:
            m->loc += low * m->code_align;
            break;
        case CFA_OFFSET:
            set_reg(m, low, CFI_AT, CFI_CFA, times(take_uleb(b), m));
            break;
        case CFA_RESTORE:
            restore(m, low);
            break;
        default:
            op_reg(m, b, op);
        }
        if (m->loc > m->pc)
            break;
    }
    return !m->bad && !b->bad;
}

// ---------------------------------------------------------------- CIE and FDE

struct entry {
    u64 code_align;
    int64_t data_align;
    u8 encoding; // of addresses in the FDE
    bool sized;  // augmentation data has a length ('z')
    bool signal;
    struct bytes code; // what the CIE does before any FDE
};

// The bytes of the entry at `at`, without its length word.
static bool open_entry(const struct cfi_module *m, const u8 *at, struct bytes *ret)
{
    if (at < m->start || at >= m->end || m->end - at < 8)
        return false;
    struct bytes b = {at, m->end, false};
    u64 length = take(&b, 4);
    if (length == 0 || length == 0xffffffff || length > (size_t)(b.end - b.at))
        return false;
    *ret = (struct bytes){b.at, b.at + length, false};
    return true;
}

static bool take_augmentation(struct bytes *b, const u8 *text, struct entry *e)
{
    u64 length = take_uleb(b);
    if (b->bad || length > (size_t)(b->end - b->at))
        return false;
    const u8 *rest = b->at + length;
    for (; *text != 0; text++) {
        switch (*text) {
        case 'R':
            e->encoding = (u8)take(b, 1);
            break;
        case 'P':
            take_width(b, (u8)take(b, 1));
            break;
        case 'L':
            take(b, 1);
            break;
        case 'S':
            e->signal = true;
            break;
        default: // unknown letters end what we can read; their length is known
            b->at = rest;
            return !b->bad;
        }
    }
    b->at = rest;
    return !b->bad;
}

static bool parse_cie(struct bytes b, struct entry *e)
{
    u64 id = take(&b, 4), version = take(&b, 1);
    const u8 *text = b.at;
    while (take(&b, 1) != 0) {
    }
    if (b.bad || id != 0 || (version != 1 && version != 3))
        return false;
    e->code_align = take_uleb(&b);
    e->data_align = take_sleb(&b);
    u64 column = version == 1 ? take(&b, 1) : take_uleb(&b);
    if (column != CFI_PC)
        return false;
    if (*text == 'z') {
        e->sized = true;
        if (!take_augmentation(&b, text + 1, e))
            return false;
    } else if (*text != 0) {
        return false;
    }
    e->code = b;
    return !b.bad;
}

static bool run_fde(struct bytes b, struct entry *e, u64 start, u64 pc, struct cfi_row *row)
{
    if (e->sized) {
        u64 skip = take_uleb(&b);
        if (b.bad || skip > (size_t)(b.end - b.at))
            return false;
        b.at += skip;
    }
    struct machine m = {
        .row = row,
        .loc = start,
        .pc = pc,
        .code_align = e->code_align,
        .data_align = e->data_align,
        .encoding = e->encoding,
    };
    memset(row, 0, sizeof *row);
    row->signal = e->signal;
    if (!run(&m, &e->code))
        return false;
    struct cfi_row initial = *row;
    m.initial = &initial;
    return run(&m, &b);
}

static bool read_fde(const struct cfi_module *m, const u8 *at, u64 pc, struct cfi_row *row)
{
    struct bytes fde, cie;
    if (!open_entry(m, at, &fde))
        return false;
    const u8 *field = fde.at;
    u64 back = take(&fde, 4);
    struct entry e = {.encoding = PE_ABSOLUTE};
    if (back == 0 || back > (size_t)(field - m->start) || !open_entry(m, field - back, &cie) ||
        !parse_cie(cie, &e))
        return false;
    u64 start = take_address(&fde, e.encoding);
    u64 length = take_width(&fde, e.encoding & PE_WIDTH);
    if (fde.bad || pc < start || pc - start >= length)
        return false;
    return run_fde(fde, &e, start, pc, row);
}

// ---------------------------------------------------------------- the sorted table

struct table_row {
    int32_t start, fde; // from the header's address
};

// Last row that starts at or before pc, or NULL.
static const struct table_row *search(const struct table_row *rows, u64 count, const u8 *hdr,
                                      u64 pc)
{
    int64_t want = (int64_t)(pc - (u64)(uintptr_t)hdr);
    u64 low = 0, high = count; // rows before low start at or before pc
    while (low < high) {
        u64 mid = low + (high - low) / 2;
        if (rows[mid].start <= want)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 ? NULL : &rows[low - 1];
}

bool cfi_find(const struct cfi_module *m, u64 pc, struct cfi_row *ret_row)
{
    if (m->hdr == NULL || m->hdr < m->start || m->hdr >= m->end)
        return false;
    struct bytes b = {m->hdr, m->end, false};
    u64 version = take(&b, 1);
    u8 frame_encoding = (u8)take(&b, 1), count_encoding = (u8)take(&b, 1);
    u64 table_encoding = take(&b, 1);
    // 0x3b: offsets of 4 bytes from the header. All linkers write this.
    if (b.bad || version != 1 || table_encoding != 0x3b)
        return false;
    take_address(&b, frame_encoding);
    u64 count = take_address(&b, count_encoding);
    if (b.bad || count > (size_t)(b.end - b.at) / sizeof(struct table_row))
        return false;
    const struct table_row *row =
        search((const struct table_row *)(const void *)b.at, count, m->hdr, pc);
    return row != NULL && read_fde(m, m->hdr + row->fde, pc, ret_row);
}
