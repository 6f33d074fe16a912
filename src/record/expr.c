// expr.c: DWARF expressions, run on symbols instead of on registers.
//
// Only what compilers and the authors of assembly use in frame descriptions. A PLT's expression
// looks complicated, but depends on the pc alone, which is known here: it comes out as rsp plus a
// constant.
#include "record/expr.h"

#include "record/cfi.h"

#define EXPR_STACK 8
struct machine {
    struct symbol stack[EXPR_STACK];
    unsigned depth;
    bool bad;
};

static void push(struct machine *e, struct symbol s)
{
    if (e->depth == EXPR_STACK)
        e->bad = true;
    else
        e->stack[e->depth++] = s;
}

static struct symbol pop(struct machine *e)
{
    if (e->depth == 0) {
        e->bad = true;
        return (struct symbol){0};
    }
    return e->stack[--e->depth];
}

static void push_const(struct machine *e, int64_t v)
{
    push(e, (struct symbol){.kind = SYM_CONST, .off = v});
}

static void push_reg(struct machine *e, u64 reg, int64_t off, u64 pc)
{
    if (reg == CFI_PC) // known here and now: this is how the table of a PLT tells its two halves
        push_const(e, (int64_t)(pc + (u64)off));
    else if (reg < CFI_PC)
        push(e, (struct symbol){.kind = SYM_LINEAR, .base = (u8)reg, .off = off});
    else
        e->bad = true;
}

// Unsigned: constants of a damaged expression may overflow.
static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((u64)a + (u64)b);
}

static struct symbol plus(struct machine *e, struct symbol a, struct symbol b)
{
    if (a.kind == SYM_CONST) {
        struct symbol t = a;
        a = b;
        b = t;
    }
    if (b.kind != SYM_CONST)
        e->bad = true;
    if (a.kind == SYM_LOADED)
        a.add = sum(a.add, b.off);
    else
        a.off = sum(a.off, b.off);
    return a;
}

static struct symbol load(struct machine *e, struct symbol a)
{
    if (a.kind != SYM_LINEAR)
        e->bad = true;
    a.kind = SYM_LOADED;
    return a;
}

enum {
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_GE = 0x2a,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
    OP_BREGX = 0x92,
};

static void binary(struct machine *e, u8 op)
{
    struct symbol b = pop(e), a = pop(e);
    if (op == OP_PLUS) {
        push(e, plus(e, a, b));
        return;
    }
    if (op == OP_MINUS && b.kind == SYM_CONST) {
        b.off = sum(~b.off, 1);
        push(e, plus(e, a, b));
        return;
    }
    if (a.kind != SYM_CONST || b.kind != SYM_CONST)
        e->bad = true;
    if (op == OP_AND)
        push_const(e, a.off & b.off);
    else if (op == OP_GE)
        push_const(e, a.off >= b.off);
    else if (op == OP_SHL && (u64)b.off < 64)
        push_const(e, (int64_t)((u64)a.off << b.off));
    else
        e->bad = true;
}

static void expr_op(struct machine *e, struct bytes *b, u64 pc)
{
    u8 op = (u8)take(b, 1);
    if (op >= OP_LIT0 && op <= OP_LIT31) {
        push_const(e, op - OP_LIT0);
        return;
    }
    if (op >= OP_BREG0 && op <= OP_BREG31) {
        push_reg(e, op - OP_BREG0, take_sleb(b), pc);
        return;
    }
    switch (op) {
    case OP_BREGX: {
        u64 reg = take_uleb(b);
        push_reg(e, reg, take_sleb(b), pc);
        break;
    }
    case OP_CONST1U:
        push_const(e, (u8)take(b, 1));
        break;
    case OP_CONST1S:
        push_const(e, (int8_t)take(b, 1));
        break;
    case OP_CONST2U:
        push_const(e, (u16)take(b, 2));
        break;
    case OP_CONST2S:
        push_const(e, (int16_t)take(b, 2));
        break;
    case OP_CONST4U:
        push_const(e, (u32)take(b, 4));
        break;
    case OP_CONST4S:
        push_const(e, (int32_t)take(b, 4));
        break;
    case OP_PLUS_UCONST:
        push_const(e, (int64_t)take_uleb(b));
        push(e, plus(e, pop(e), pop(e)));
        break;
    case OP_DEREF:
        push(e, load(e, pop(e)));
        break;
    default:
        binary(e, op);
    }
}

bool expr_run(struct bytes *b, u64 pc, bool with_cfa, struct symbol *ret)
{
    u64 size = take_uleb(b);
    if (b->bad || size > (size_t)(b->end - b->at)) {
        b->bad = true;
        return false;
    }
    struct bytes code = {b->at, b->at + size, false};
    b->at += size;
    struct machine e = {.depth = 0};
    if (with_cfa)
        push(&e, (struct symbol){.kind = SYM_LINEAR, .base = CFI_CFA});
    while (code.at < code.end && !e.bad && !code.bad)
        expr_op(&e, &code, pc);
    *ret = pop(&e);
    return !e.bad && !code.bad && expr_fits(ret->off) && expr_fits(ret->add) &&
           ret->kind != SYM_CONST;
}
