// kind.c: mnemonics and operands, told apart.

#include "inspect/kind.h"

#include <string.h>

// x86: an SSE or AVX register, and not one number alone (names that end in ss or sd).
static bool packed_x86(const cs_insn *i)
{
    const char *name = i->mnemonic;
    size_t len = strlen(name);
    bool registers = strstr(i->op_str, "xmm") != NULL || strstr(i->op_str, "ymm") != NULL ||
                     strstr(i->op_str, "zmm") != NULL;
    bool scalar =
        len > 2 && (strcmp(name + len - 2, "ss") == 0 || strcmp(name + len - 2, "sd") == 0);
    bool convert = strstr(name, "cvt") != NULL && strstr(name, "2s") != NULL;
    bool moved = strcmp(name, "movd") == 0 || strcmp(name, "movq") == 0 ||
                 strcmp(name, "vmovd") == 0 || strcmp(name, "vmovq") == 0;
    return registers && !scalar && !convert && !moved;
}

// aarch64: registers with an arrangement, "v0.4s", or of the scalable kind, "z0.d".
static bool packed_arm(const cs_insn *i)
{
    for (const char *at = i->op_str; (at = strpbrk(at, "vz")) != NULL; at++) {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits > 0 && at[1 + digits] == '.')
            return true;
    }
    return false;
}

enum code_kind kind_of(csh capstone, u32 machine, const cs_insn *i)
{
    bool arm = machine == EM_AARCH64;
    const char *name = i->mnemonic;
    if (strcmp(name, "ud2") == 0 || strcmp(name, "brk") == 0 || strcmp(name, "hlt") == 0)
        return CODE_TRAP;
    if (cs_insn_group(capstone, i, CS_GRP_RET) || strcmp(name, "ret") == 0)
        return CODE_RETURN;
    if (cs_insn_group(capstone, i, CS_GRP_CALL) || strcmp(name, "bl") == 0 ||
        strcmp(name, "blr") == 0)
        return CODE_CALL;
    if (cs_insn_group(capstone, i, CS_GRP_JUMP) || (arm && strcmp(name, "b") == 0)) {
        bool always = arm ? strcmp(name, "b") == 0 || strcmp(name, "br") == 0
                          : strcmp(name, "jmp") == 0 || strcmp(name, "notrack jmp") == 0;
        return always ? CODE_JUMP : CODE_BRANCH;
    }
    return (arm ? packed_arm(i) : packed_x86(i)) ? CODE_VECTOR : CODE_PLAIN;
}

u64 kind_target(u32 machine, const cs_insn *i)
{
    const cs_detail *d = i->detail;
    if (machine == EM_AARCH64) {
        for (u8 n = d->arm64.op_count; n > 0; n--) {
            if (d->arm64.operands[n - 1].type == ARM64_OP_IMM)
                return (u64)d->arm64.operands[n - 1].imm;
        }
    } else if (d->x86.op_count == 1 && d->x86.operands[0].type == X86_OP_IMM) {
        return (u64)d->x86.operands[0].imm;
    }
    return UINT64_MAX;
}

u64 kind_pointed(u32 machine, const cs_insn *i)
{
    const cs_detail *d = i->detail;
    if (machine != EM_X86_64)
        return 0;
    for (u8 n = 0; n < d->x86.op_count; n++) {
        const cs_x86_op *op = &d->x86.operands[n];
        if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP)
            return i->address + i->size + (u64)op->mem.disp;
    }
    return 0;
}

bool kind_ends(const char *name)
{
    static const char *const names[] = {
        "abort", "__stack_chk_fail", "__chk_fail", "__fortify_fail", "__assert_fail", "exit",
        "_exit", "__cxa_throw",      "die",        "panic",
    };
    static const char *const parts[] = {"__throw_",      "panic_bounds_check",
                                        "panicking",     "handle_out_of_bounds",
                                        "assert_failed", "__ubsan_handle"};
    for (size_t i = 0; name != NULL && i < countof(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (size_t i = 0; name != NULL && i < countof(parts); i++) {
        if (strstr(name, parts[i]) != NULL)
            return true;
    }
    return false;
}

bool kind_leads_out(const char *name)
{
    return kind_ends(name) || (name != NULL && strcmp(name, "__cxa_allocate_exception") == 0);
}
