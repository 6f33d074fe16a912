// dynamic.c: see dynamic.h.

#include "inspect/dynamic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- the dynamic section

struct strings {
    const char *text;
    size_t size;
};

// A text in the dynamic string table, or NULL when it does not end in there.
static const char *string_at(struct facts *f, const struct strings *t, u64 at)
{
    if (t->text == NULL || at >= t->size)
        return NULL;
    size_t len = strnlen(t->text + at, t->size - at);
    return len < t->size - at ? facts_text(f, t->text + at, len) : NULL;
}

static u64 entry_of(Elf_Data *d, size_t count, int64_t tag)
{
    GElf_Dyn dyn;
    for (size_t i = 0; i < count && gelf_getdyn(d, (int)i, &dyn) != NULL; i++) {
        if (dyn.d_tag == tag)
            return dyn.d_un.d_val;
        if (dyn.d_tag == DT_NULL)
            break;
    }
    return 0;
}

static void take(struct facts *f, const struct strings *t, const GElf_Dyn *dyn)
{
    u64 v = dyn->d_un.d_val;
    switch (dyn->d_tag) {
    case DT_NEEDED:
        if (string_at(f, t, v) != NULL)
            f->needed[f->needed_count++] = string_at(f, t, v);
        else
            facts_trouble(f, "the name of a needed library lies outside of the string table");
        break;
    case DT_SONAME:
        f->soname = string_at(f, t, v);
        break;
    case DT_RPATH:
        f->rpath = string_at(f, t, v);
        break;
    case DT_RUNPATH:
        f->runpath = string_at(f, t, v);
        break;
    case DT_FLAGS:
        f->flags = v;
        break;
    case DT_FLAGS_1:
        f->flags_1 = v;
        break;
    case DT_BIND_NOW:
        f->bind_now = true;
        break;
    case DT_TEXTREL:
        f->text_relocs = true;
        break;
    }
}

static void load_dynamic(struct facts *f, struct image *im, const struct segment *s)
{
    Elf_Data *d = image_data(im, s->offset, s->file_size, ELF_T_DYN);
    if (d == NULL) {
        facts_trouble(f, "its dynamic section does not lie in the file");
        return;
    }
    size_t count = s->file_size / gelf_fsize(im->elf, ELF_T_DYN, 1, EV_CURRENT);
    u64 offset = image_offset(im, entry_of(d, count, DT_STRTAB));
    Elf_Data *t = image_data(im, offset, entry_of(d, count, DT_STRSZ), ELF_T_BYTE);
    struct strings strings = {t == NULL ? NULL : t->d_buf, t == NULL ? 0 : t->d_size};
    f->dynamic = true;
    f->needed = store_push(&f->store, (count + 1) * sizeof *f->needed);
    GElf_Dyn dyn;
    for (size_t i = 0; i < count && gelf_getdyn(d, (int)i, &dyn) != NULL; i++) {
        if (dyn.d_tag == DT_NULL)
            break;
        take(f, &strings, &dyn);
    }
    f->bind_now |= (f->flags & DF_BIND_NOW) != 0 || (f->flags_1 & DF_1_NOW) != 0;
    f->text_relocs |= (f->flags & DF_TEXTREL) != 0;
}

// ---------------------------------------------------------------- notes

// GNU_PROPERTY: entries of (u32 type, u32 size, data padded to the word).
static void take_properties(struct facts *f, const u8 *data, size_t size)
{
    u32 type, len;
    u32 wanted = f->machine == EM_AARCH64 ? 0xc0000000u : 0xc0000002u;
    for (size_t at = 0; at + 8 <= size; at += 8 + round_up(len, f->class_bits / 8)) {
        memcpy(&type, data + at, sizeof type);
        memcpy(&len, data + at + 4, sizeof len);
        if (len > size - at - 8)
            break;
        if (type == wanted && len == 4)
            memcpy(&f->cet, data + at + 8, 4);
    }
}

static void load_notes(struct facts *f, struct image *im, const struct segment *s)
{
    Elf_Data *d = image_data(im, s->offset, s->file_size, s->align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    GElf_Nhdr n;
    size_t name, desc, at = 0, next;
    while (d != NULL && (next = gelf_getnote(d, at, &n, &name, &desc)) > 0) {
        const u8 *bytes = d->d_buf;
        bool gnu = n.n_namesz == 4 && memcmp(bytes + name, "GNU", 4) == 0;
        if (gnu && n.n_type == NT_GNU_BUILD_ID && n.n_descsz <= FACTS_ID_MAX) {
            memcpy(f->id, bytes + desc, n.n_descsz);
            f->id_len = n.n_descsz;
        }
        if (gnu && n.n_type == NT_GNU_PROPERTY_TYPE_0 && !f->big_endian)
            take_properties(f, bytes + desc, n.n_descsz);
        at = next;
    }
}

// ---------------------------------------------------------------- relocations

static const char *reloc_name(u32 machine, u32 type)
{
    static const struct {
        u32 machine, type;
        const char *name;
    } names[] = {
        {EM_X86_64, R_X86_64_RELATIVE, "relative"},
        {EM_X86_64, R_X86_64_GLOB_DAT, "addresses of symbols"},
        {EM_X86_64, R_X86_64_64, "addresses of symbols"},
        {EM_X86_64, R_X86_64_JUMP_SLOT, "calls through the PLT"},
        {EM_X86_64, R_X86_64_COPY, "copied variables"},
        {EM_X86_64, R_X86_64_IRELATIVE, "chosen at start"},
        {EM_X86_64, R_X86_64_DTPMOD64, "thread-local"},
        {EM_X86_64, R_X86_64_DTPOFF64, "thread-local"},
        {EM_X86_64, R_X86_64_TPOFF64, "thread-local"},
        {EM_X86_64, R_X86_64_TLSDESC, "thread-local"},
        {EM_X86_64, R_X86_64_PC32, "32 bits, relative to the code"},
        {EM_X86_64, R_X86_64_PLT32, "calls"},
        {EM_X86_64, R_X86_64_32, "32 bits"},
        {EM_AARCH64, R_AARCH64_RELATIVE, "relative"},
        {EM_AARCH64, R_AARCH64_GLOB_DAT, "addresses of symbols"},
        {EM_AARCH64, R_AARCH64_ABS64, "addresses of symbols"},
        {EM_AARCH64, R_AARCH64_JUMP_SLOT, "calls through the PLT"},
        {EM_AARCH64, R_AARCH64_COPY, "copied variables"},
        {EM_AARCH64, R_AARCH64_IRELATIVE, "chosen at start"},
        {EM_AARCH64, R_AARCH64_TLSDESC, "thread-local"},
        {EM_AARCH64, R_AARCH64_TLS_TPREL, "thread-local"},
        {EM_AARCH64, R_AARCH64_CALL26, "calls"},
    };
    for (size_t i = 0; i < countof(names); i++) {
        if (names[i].machine == machine && names[i].type == type)
            return names[i].name;
    }
    return "of other kinds";
}

static void count_reloc(struct facts *f, const char *name, u64 n)
{
    u32 i = 0;
    while (i < f->relocs_count && strcmp(f->relocs[i].name, name) != 0)
        i++;
    if (i == countof(f->relocs))
        return;
    if (i == f->relocs_count)
        f->relocs[f->relocs_count++].name = name;
    f->relocs[i].count += n;
}

// RELR packs relative relocations: an address, then bitmaps of the words that follow it.
static void count_relr(struct facts *f, struct image *im, const struct section *s)
{
    size_t word = f->class_bits / 8;
    Elf_Data *d = image_data(im, s->offset, s->file_size, word == 8 ? ELF_T_XWORD : ELF_T_WORD);
    u64 n = 0;
    for (size_t at = 0; d != NULL && at + word <= d->d_size; at += word) {
        u64 v = 0;
        memcpy(&v, (const u8 *)d->d_buf + at, word);
        n += (v & 1) == 0 ? 1 : bits_in(v) - 1;
    }
    if (n > 0)
        count_reloc(f, "relative", n);
}

static void count_relocs(struct facts *f, struct image *im, const struct section *s)
{
    bool addend = s->type == SHT_RELA;
    Elf_Type type = addend ? ELF_T_RELA : ELF_T_REL;
    Elf_Data *d = image_data(im, s->offset, s->file_size, type);
    size_t each = gelf_fsize(im->elf, type, 1, EV_CURRENT);
    for (size_t i = 0; d != NULL && i < d->d_size / each; i++) {
        GElf_Rela rela;
        GElf_Rel rel;
        u64 info = 0;
        if (addend && gelf_getrela(d, (int)i, &rela) != NULL)
            info = rela.r_info;
        else if (!addend && gelf_getrel(d, (int)i, &rel) != NULL)
            info = rel.r_info;
        count_reloc(f, reloc_name(f->machine, (u32)GELF_R_TYPE(info)), 1);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct reloc_kind *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static void load_relocs(struct facts *f, struct image *im)
{
    for (u32 i = 0; i < f->sections_count; i++) {
        const struct section *s = &f->sections[i];
        if (s->type == SHT_RELA || s->type == SHT_REL)
            count_relocs(f, im, s);
        else if (s->type == 19) // SHT_RELR; elf.h of Debian 12 has it, older ones do not
            count_relr(f, im, s);
    }
    if (f->relocs_count > 0)
        qsort(f->relocs, f->relocs_count, sizeof *f->relocs, by_count);
}

// ---------------------------------------------------------------- the whole

static void load_interpreter(struct facts *f, struct image *im, const struct segment *s)
{
    Elf_Data *d = image_data(im, s->offset, s->file_size, ELF_T_BYTE);
    if (d != NULL && d->d_size < 4096)
        f->interpreter = facts_text(f, d->d_buf, strnlen(d->d_buf, d->d_size));
    else
        facts_trouble(f, "the name of its interpreter does not lie in the file");
}

void dynamic_load(struct facts *f, struct image *im)
{
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *s = &f->segments[i];
        if (s->type == PT_INTERP && f->interpreter == NULL)
            load_interpreter(f, im, s);
        else if (s->type == PT_DYNAMIC && !f->dynamic && f->type != ET_CORE && s->file_size > 0)
            load_dynamic(f, im, s);
        else if (s->type == PT_NOTE)
            load_notes(f, im, s);
    }
    load_relocs(f, im);
}

void dynamic_symbols(const struct facts *f, struct image *im,
                     void (*each)(void *ctx, const char *name, const GElf_Sym *sym), void *ctx)
{
    u32 wanted = f->dynamic && f->linking == LINKING_DYNAMIC ? SHT_DYNSYM : SHT_SYMTAB;
    Elf_Scn *scn = NULL;
    while ((scn = elf_nextscn(im->elf, scn)) != NULL) {
        GElf_Shdr h;
        Elf_Data *d;
        if (gelf_getshdr(scn, &h) == NULL || h.sh_type != wanted ||
            (d = elf_getdata(scn, NULL)) == NULL)
            continue;
        size_t count = d->d_size / gelf_fsize(im->elf, ELF_T_SYM, 1, EV_CURRENT);
        for (size_t i = 0; i < count; i++) {
            GElf_Sym sym;
            const char *name = gelf_getsym(d, (int)i, &sym) == NULL
                                   ? NULL
                                   : elf_strptr(im->elf, h.sh_link, sym.st_name);
            if (name != NULL && *name != 0)
                each(ctx, name, &sym);
        }
    }
}
