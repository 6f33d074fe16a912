// code.c: capstone reads the bytes; this file finds them, and what they mean.

#include "inspect/code.h"

#include "inspect/kind.h"
#include "inspect/symbols.h"
#include "report/unit.h"
#include "report/utf8.h"

#include <capstone/capstone.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSNS_MAX 50000u
#define BLIND     256u // bytes to show at an address that nothing tells the size of

struct reader {
    struct code *c;
    struct image *im;
    struct names names;
    struct found f;
    csh capstone;
    struct units units;
    Elf_Scn *section; // of an object file: where the function is
};

// ---------------------------------------------------------------- the bytes

// In an object file addresses count from a section's start.
static const u8 *section_bytes(struct reader *r, u64 *size)
{
    GElf_Shdr h;
    GElf_Addr start = 0;
    r->section = elf_getscn(r->im->elf, r->f.section);
    Elf_Data *d = r->section == NULL ? NULL : elf_rawdata(r->section, NULL);
    if (d == NULL || d->d_buf == NULL || gelf_getshdr(r->section, &h) == NULL)
        return NULL;
    // libdwfl gave each section an address; the symbol's counts with it.
    GElf_Addr address = r->f.at + r->im->bias;
    if (dwfl_module_relocate_address(r->im->mod, &address) < 0)
        return NULL;
    start = address;
    if (start >= d->d_size)
        return NULL;
    *size = *size < d->d_size - start ? *size : d->d_size - start;
    return (const u8 *)d->d_buf + start;
}

static const u8 *bytes_of(struct reader *r, u64 *size)
{
    if (r->im->head.e_type == ET_REL)
        return section_bytes(r, size);
    u64 offset = image_offset(r->im, r->f.at);
    if (offset >= r->im->size)
        return NULL;
    *size = *size < r->im->size - offset ? *size : r->im->size - offset;
    Elf_Data *d = image_data(r->im, offset, *size, ELF_T_BYTE);
    return d == NULL ? NULL : d->d_buf;
}

// An address instead of a name: the symbol around it, else what the unwind table says.
static int at_address(struct reader *r, const char *text, char why[IMAGE_WHY])
{
    char *end;
    u64 at = strtoull(text, &end, 16);
    Dwfl_Module *mod = image_module(r->im);
    GElf_Off off = 0;
    GElf_Sym sym;
    Dwarf_Addr bias, start, stop;
    Dwarf_Frame *frame = NULL;
    bool signal;
    if (*end != 0 || image_offset(r->im, at) == UINT64_MAX) {
        snprintf(why, IMAGE_WHY, "%.100s is no address that %.300s loads anything at", text,
                 r->im->path);
        return -1;
    }
    const char *name =
        mod == NULL ? NULL
                    : dwfl_module_addrinfo(mod, at + r->im->bias, &off, &sym, NULL, NULL, NULL);
    r->f = (struct found){text, at, BLIND, 0};
    if (name != NULL && off < sym.st_size) {
        r->f = (struct found){name, at - off, sym.st_size, 0};
        return 0;
    }
    Dwarf_CFI *cfi = mod == NULL ? NULL : dwfl_module_eh_cfi(mod, &bias);
    if (cfi != NULL && dwarf_cfi_addrframe(cfi, at + r->im->bias - bias, &frame) == 0) {
        dwarf_frame_info(frame, &start, &stop, &signal);
        free(frame);
        if (start <= at && at < stop)
            r->f = (struct found){text, start, stop - start, 0};
    }
    return 0;
}

// ---------------------------------------------------------------- source and relocations

static void set_line(struct reader *r, struct insn *i)
{
    int line = 0;
    Dwarf_Addr bias, at = i->at + r->c->shift + r->im->bias;
    Dwarf_Attribute attr;
    Dwarf_Die *cu = r->im->mod == NULL ? NULL : units_find(&r->units, r->im->mod, at, &bias);
    Dwarf_Line *l = cu == NULL ? NULL : dwarf_getsrc_die(cu, at - bias);
    const char *file = l == NULL ? NULL : dwarf_linesrc(l, NULL, NULL);
    if (file == NULL || dwarf_lineno(l, &line) != 0 || line <= 0)
        return;
    const char *dir =
        file[0] == '/' ? NULL : dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
    char path[4096];
    snprintf(path, sizeof path, "%s%s%s", dir == NULL ? "" : dir, dir == NULL ? "" : "/", file);
    i->line = (u32)line;
    // Neighbours have the same file as a rule.
    const struct insn *before = i > r->c->insns ? i - 1 : NULL;
    utf8_clean(path);
    i->file = before != NULL && before->file != NULL && strcmp(before->file, path) == 0
                  ? before->file
                  : store_text(&r->c->store, path, strlen(path));
}

// What an instruction of an object file will refer to, once it is linked.
struct reference {
    const char *name; // NULL: a section, not a symbol
    u32 section;
    u64 offset; // in that section
};

static void fill_reference(struct reader *r, const GElf_Rela *rela, Elf_Data *table, size_t strings,
                           struct reference *ret)
{
    GElf_Sym sym;
    if (gelf_getsym(table, (int)GELF_R_SYM(rela->r_info), &sym) == NULL)
        return;
    const char *name = sym.st_name == 0 ? NULL : elf_strptr(r->im->elf, strings, sym.st_name);
    // x86 counts from the end of the instruction, whose last four bytes this is.
    u64 bias = r->im->head.e_machine == EM_AARCH64 ? 0 : 4;
    ret->name = name == NULL ? NULL : names_readable(&r->names, name);
    ret->section = sym.st_shndx;
    ret->offset = sym.st_value + (u64)rela->r_addend + bias;
}

// In an object file the linker's work is still to be done: its notes tell what will be called.
static struct reference refers(struct reader *r, u32 section, u64 from, u32 size)
{
    struct reference ret = {0};
    Elf_Scn *scn = NULL;
    GElf_Shdr h, symbols;
    GElf_Rela rela;
    while ((scn = elf_nextscn(r->im->elf, scn)) != NULL) {
        if (gelf_getshdr(scn, &h) == NULL || h.sh_type != SHT_RELA || h.sh_info != section)
            continue;
        Elf_Data *d = elf_rawdata(scn, NULL);
        Elf_Scn *table = elf_getscn(r->im->elf, h.sh_link);
        Elf_Data *t = table == NULL ? NULL : elf_rawdata(table, NULL);
        if (d == NULL || t == NULL || gelf_getshdr(table, &symbols) == NULL)
            continue;
        for (int i = 0; gelf_getrela(d, i, &rela) != NULL; i++) {
            if (rela.r_offset >= from && rela.r_offset < from + size)
                fill_reference(r, &rela, t, symbols.sh_link, &ret);
        }
    }
    return ret;
}

// ---------------------------------------------------------------- branches that leave the function

// A place outside of the function, where gcc puts what hardly ever happens: foo.cold.
struct elsewhere {
    const u8 *bytes;
    size_t size;
    u64 at;
    u32 section; // of an object file
};

static struct elsewhere elsewhere_of(struct reader *r, const struct insn *i)
{
    struct elsewhere e = {.at = i->target};
    Elf_Data *d = NULL;
    if (r->section == NULL) {
        u64 offset = image_offset(r->im, i->target);
        u64 room = offset < r->im->size ? r->im->size - offset : 0;
        d = image_data(r->im, offset, room < 64 ? room : 64, ELF_T_BYTE);
        e.bytes = d == NULL ? NULL : d->d_buf;
        e.size = d == NULL ? 0 : d->d_size;
        return e;
    }
    struct reference to = refers(r, r->f.section, i->at, i->size);
    Elf_Scn *scn = to.section == 0 ? NULL : elf_getscn(r->im->elf, to.section);
    d = scn == NULL ? NULL : elf_rawdata(scn, NULL);
    if (d == NULL || d->d_buf == NULL || to.offset >= d->d_size)
        return e;
    e.section = to.section;
    e.at = to.offset;
    e.bytes = (const u8 *)d->d_buf + to.offset;
    e.size = d->d_size - to.offset;
    return e;
}

// Whether a branch out of the function leads to what ends the program.
static bool ends_elsewhere(struct reader *r, const struct insn *i)
{
    struct elsewhere e = elsewhere_of(r, i);
    cs_insn *raw = cs_malloc(r->capstone);
    bool ends = false, open = raw != NULL && e.bytes != NULL;
    for (u32 n = 0; open && n < 12; n++) {
        u64 at = e.at;
        if (!cs_disasm_iter(r->capstone, &e.bytes, &e.size, &e.at, raw))
            break;
        enum code_kind kind = kind_of(r->capstone, r->im->head.e_machine, raw);
        const char *name = NULL;
        if (kind == CODE_CALL)
            name = r->section != NULL
                       ? refers(r, e.section, at, raw->size).name
                       : names_at(&r->names, kind_target(r->im->head.e_machine, raw));
        ends = kind == CODE_TRAP || kind_leads_out(name);
        open = !ends && (kind == CODE_PLAIN || kind == CODE_VECTOR);
    }
    if (raw != NULL)
        cs_free(raw, 1);
    return ends;
}

static void set_remark(struct reader *r, struct insn *i, const cs_insn *raw)
{
    if (r->section != NULL) {
        i->remark = refers(r, r->f.section, i->at, i->size).name;
        if (i->remark != NULL)
            i->target = UINT64_MAX;
        return;
    }
    bool outside = i->target < r->c->at || i->target >= r->c->at + r->c->size;
    u64 at = kind_pointed(r->im->head.e_machine, raw);
    if (i->target != UINT64_MAX && outside)
        i->remark = names_at(&r->names, i->target);
    else if (i->kind == CODE_CALL && at != 0)
        i->remark = names_slot(&r->names, at);
    else if (at != 0)
        i->remark = names_at(&r->names, at);
    if (i->remark == NULL && at != 0)
        i->remark = names_text(&r->names, at);
}

// ---------------------------------------------------------------- all of them

static void add(struct reader *r, const cs_insn *raw)
{
    struct code *c = r->c;
    struct insn *i = &c->insns[c->count++];
    *i = (struct insn){
        .at = raw->address,
        .size = raw->size,
        .kind = kind_of(r->capstone, r->im->head.e_machine, raw),
        .name = store_text(&c->store, raw->mnemonic, strlen(raw->mnemonic)),
        .operands = store_text(&c->store, raw->op_str, strlen(raw->op_str)),
        .target = UINT64_MAX,
        .goes_to = CODE_OUTSIDE,
    };
    if (i->kind == CODE_JUMP || i->kind == CODE_BRANCH || i->kind == CODE_CALL)
        i->target = kind_target(r->im->head.e_machine, raw);
    set_remark(r, i, raw);
    if (i->kind == CODE_CALL && kind_ends(i->remark))
        i->kind = CODE_TRAP;
    bool inside = i->target != UINT64_MAX && i->target >= r->c->at &&
                  i->target - r->c->at < r->c->size &&
                  (r->section == NULL || refers(r, r->f.section, i->at, i->size).section == 0);
    if (i->kind == CODE_BRANCH && !inside && ends_elsewhere(r, i))
        i->kind = CODE_CHECK;
    set_line(r, i);
    // The first time that the stack pointer moves by a constant.
    const char *comma = strchr(i->operands, ',');
    if (c->frame == 0 && strcmp(i->name, "sub") == 0 && comma != NULL &&
        (strncmp(i->operands, "rsp", 3) == 0 || strncmp(i->operands, "sp", 2) == 0))
        c->frame = strtoull(comma + 1 + strspn(comma + 1, " #sp,"), NULL, 0);
}

// Data among the code, or an instruction that capstone does not know. Returns its bytes.
static u32 add_data(struct reader *r, const u8 *p, size_t left, u64 at)
{
    struct code *c = r->c;
    char text[16];
    u32 word = 0, step = r->im->head.e_machine == EM_AARCH64 && left >= 4 ? 4 : 1;
    memcpy(&word, p, step);
    snprintf(text, sizeof text, "0x%0*x", 2 * (int)step, word);
    struct insn *i = &c->insns[c->count++];
    *i = (struct insn){.at = at,
                       .size = step,
                       .name = step == 4 ? ".word" : ".byte",
                       .operands = store_text(&c->store, text, strlen(text)),
                       .target = UINT64_MAX,
                       .goes_to = CODE_OUTSIDE};
    set_line(r, i);
    return step;
}

static void read_all(struct reader *r, const u8 *p, u64 size)
{
    struct code *c = r->c;
    cs_insn *raw = cs_malloc(r->capstone);
    u64 at = r->f.at, room = size / (r->im->head.e_machine == EM_AARCH64 ? 4 : 1) + 4;
    GElf_Addr in_section = r->f.at + r->im->bias;
    if (r->section != NULL && dwfl_module_relocate_address(r->im->mod, &in_section) >= 0) {
        c->shift = at - in_section;
        c->at = at = in_section;
    }
    room = room < INSNS_MAX ? room : INSNS_MAX;
    c->insns = store_push(&c->store, room * sizeof *c->insns);
    for (size_t left = size; raw != NULL && left > 0 && !c->cut; c->cut = c->count == room) {
        const u8 *before = p;
        u64 now = at;
        if (cs_disasm_iter(r->capstone, &p, &left, &at, raw)) {
            add(r, raw);
        } else {
            u32 step = add_data(r, before, left, now);
            p = before + step;
            at = now + step;
            left -= step;
        }
    }
    if (raw != NULL)
        cs_free(raw, 1);
}

static u32 index_of(const struct code *c, u64 at)
{
    u32 low = 0, high = c->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (c->insns[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->count && c->insns[low].at == at ? low : CODE_OUTSIDE;
}

// Whether the code from here on soon ends the program.
static bool leads_to_trap(const struct code *c, u32 from)
{
    for (u32 i = from; i < c->count && i < from + 12; i++) {
        enum code_kind kind = c->insns[i].kind;
        if (kind == CODE_TRAP || (kind == CODE_CALL && kind_leads_out(c->insns[i].remark)))
            return true;
        if (kind == CODE_RETURN || kind == CODE_JUMP || kind == CODE_BRANCH || kind == CODE_CALL)
            return false;
    }
    return false;
}

static void connect(struct code *c)
{
    for (u32 i = 0; i < c->count; i++) {
        struct insn *n = &c->insns[i];
        bool jumps = n->kind == CODE_JUMP || n->kind == CODE_BRANCH;
        if (jumps && n->target != UINT64_MAX)
            n->goes_to = index_of(c, n->target);
        if (n->kind == CODE_BRANCH && n->goes_to != CODE_OUTSIDE && leads_to_trap(c, n->goes_to))
            n->kind = CODE_CHECK;
        c->loops += jumps && n->goes_to <= i;
        c->of_kind[n->kind]++;
    }
}

static int open_capstone(struct reader *r, struct code_options o, char why[IMAGE_WHY])
{
    u32 machine = r->im->head.e_machine;
    cs_arch arch = machine == EM_AARCH64 ? CS_ARCH_ARM64 : CS_ARCH_X86;
    cs_mode mode = machine == EM_X86_64 ? CS_MODE_64 : machine == EM_386 ? CS_MODE_32 : 0;
    if (machine != EM_X86_64 && machine != EM_386 && machine != EM_AARCH64) {
        snprintf(why, IMAGE_WHY,
                 "%.300s is for a machine whose code is not known here (x86-64, "
                 "i386 and aarch64 are)",
                 r->im->path);
        return -1;
    }
    if (cs_open(arch, mode, &r->capstone) != CS_ERR_OK) {
        snprintf(why, IMAGE_WHY, "the disassembler (capstone) does not start");
        return -1;
    }
    cs_option(r->capstone, CS_OPT_DETAIL, CS_OPT_ON);
    if (o.att && arch == CS_ARCH_X86)
        cs_option(r->capstone, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    return 0;
}

static int load(struct reader *r, const char *name, char why[IMAGE_WHY])
{
    struct code *c = r->c;
    bool address = strncmp(name, "0x", 2) == 0;
    if ((address ? at_address(r, name, why) : names_find(&r->names, name, &r->f, why)) != 0)
        return -1;
    u64 size = r->f.size == 0 ? BLIND : r->f.size;
    const u8 *bytes = bytes_of(r, &size);
    if (bytes == NULL) {
        snprintf(why, IMAGE_WHY, "the code of '%.100s' does not lie in %.300s", name, r->im->path);
        return -1;
    }
    c->path = store_text(&c->store, r->im->path, strlen(r->im->path));
    char *symbol = store_text(&c->store, r->f.name, strlen(r->f.name));
    utf8_clean(symbol);
    c->symbol = symbol;
    c->at = r->f.at;
    c->size = size;
    read_all(r, bytes, size);
    connect(c);
    return 0;
}

int code_load(struct code *c, struct image *im, const char *name, struct code_options o,
              char why[IMAGE_WHY])
{
    struct reader r = {.c = c, .im = im};
    *c = (struct code){0};
    if (open_capstone(&r, o, why) != 0)
        return -1;
    names_open(&r.names, im, &c->store);
    int e = load(&r, name, why);
    names_close(&r.names);
    units_done(&r.units);
    cs_close(&r.capstone);
    if (e != 0)
        code_done(c);
    return e;
}

void code_done(struct code *c)
{
    store_done(&c->store);
    *c = (struct code){0};
}

const char *code_kind_word(enum code_kind kind)
{
    switch (kind) {
    case CODE_PLAIN:
        return "";
    case CODE_JUMP:
        return "jump";
    case CODE_BRANCH:
        return "branch";
    case CODE_CHECK:
        return "check";
    case CODE_CALL:
        return "call";
    case CODE_RETURN:
        return "return";
    case CODE_VECTOR:
        return "vector";
    case CODE_TRAP:
        return "trap";
    }
    return "";
}
