// facts.c: headers, segments, sections, entry; dynamic.c reads what the loader reads.

#include "inspect/facts.h"

#include "inspect/dynamic.h"
#include "report/utf8.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECTIONS_MAX 65536u // more in an object file with a section a function; told as trouble

void facts_trouble(struct facts *f, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (f->trouble_count < countof(f->trouble))
        f->trouble[f->trouble_count++] = facts_text(f, text, strlen(text));
}

const char *facts_text(struct facts *f, const char *text, size_t len)
{
    char *copy = store_text(&f->store, text, len);
    utf8_clean(copy);
    return copy;
}

// ---------------------------------------------------------------- segments and sections

static void load_segments(struct facts *f, struct image *im)
{
    size_t count = 0;
    if (elf_getphdrnum(im->elf, &count) != 0 || count > SECTIONS_MAX) {
        facts_trouble(f, "its program headers do not lie in the file");
        return;
    }
    f->segments = store_push(&f->store, (count + 1) * sizeof *f->segments);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        if (gelf_getphdr(im->elf, (int)i, &p) == NULL) {
            facts_trouble(f, "its program headers do not lie in the file");
            break;
        }
        f->segments[f->segments_count++] = (struct segment){
            .type = p.p_type,
            .flags = p.p_flags,
            .offset = p.p_offset,
            .file_size = p.p_filesz,
            .address = p.p_vaddr,
            .mem_size = p.p_memsz,
            .align = p.p_align,
        };
        if (p.p_type == PT_LOAD && (p.p_offset > im->size || p.p_filesz > im->size - p.p_offset))
            facts_trouble(f, "segment %zu ends past the end of the file: the file is cut short", i);
        if (p.p_type == PT_LOAD && p.p_filesz > p.p_memsz)
            facts_trouble(f, "segment %zu is larger in the file than in memory", i);
    }
}

// The loaded segment that holds a section.
static u32 segment_of(const struct facts *f, const struct section *s)
{
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *g = &f->segments[i];
        if (g->type == PT_LOAD && s->address >= g->address &&
            s->address - g->address < g->mem_size + (s->size == 0))
            return i;
    }
    return FACTS_NONE;
}

static void add_section(struct facts *f, struct image *im, Elf_Scn *scn, size_t names)
{
    GElf_Shdr h;
    if (gelf_getshdr(scn, &h) == NULL || h.sh_type == SHT_NULL)
        return;
    const char *name = elf_strptr(im->elf, names, h.sh_name);
    struct section *s = &f->sections[f->sections_count++];
    *s = (struct section){
        .name = name == NULL ? "?" : facts_text(f, name, strlen(name)),
        .type = h.sh_type,
        .flags = h.sh_flags,
        .address = h.sh_addr,
        .offset = h.sh_offset,
        .size = h.sh_size,
        .file_size = h.sh_type == SHT_NOBITS ? 0 : h.sh_size,
        .segment = FACTS_NONE,
    };
    // Thread-local .tbss has an address but takes no room there: it is a template's tail.
    if ((h.sh_flags & SHF_ALLOC) != 0 && !((h.sh_flags & SHF_TLS) && h.sh_type == SHT_NOBITS))
        s->segment = segment_of(f, s);
    if (s->file_size > 0 && (s->offset > im->size || s->file_size > im->size - s->offset))
        facts_trouble(f, "section %.40s ends past the end of the file", s->name);
}

static void load_sections(struct facts *f, struct image *im)
{
    size_t count = 0, names = 0;
    if (elf_getshdrnum(im->elf, &count) != 0 || elf_getshdrstrndx(im->elf, &names) != 0) {
        facts_trouble(f, "its section headers do not lie in the file");
        return;
    }
    if (count > SECTIONS_MAX) {
        facts_trouble(f, "of %zu sections only %u are looked at", count, SECTIONS_MAX);
        count = SECTIONS_MAX;
    }
    f->sections = store_push(&f->store, (count + 1) * sizeof *f->sections);
    Elf_Scn *scn = NULL;
    while (f->sections_count < count && (scn = elf_nextscn(im->elf, scn)) != NULL)
        add_section(f, im, scn, names);
}

const struct section *facts_section(const struct facts *f, const char *name)
{
    for (u32 i = 0; i < f->sections_count; i++) {
        if (strcmp(f->sections[i].name, name) == 0)
            return &f->sections[i];
    }
    return NULL;
}

// ---------------------------------------------------------------- debug information

static void load_debug(struct facts *f, struct image *im)
{
    for (u32 i = 0; i < f->sections_count; i++) {
        const struct section *s = &f->sections[i];
        if (strncmp(s->name, ".debug_", 7) == 0 || strncmp(s->name, ".zdebug_", 8) == 0)
            f->debug_size += s->file_size;
        f->symbols |= s->type == SHT_SYMTAB;
    }
    if (f->debug_size == 0)
        return;
    Dwarf *dwarf = dwarf_begin_elf(im->elf, DWARF_C_READ, NULL);
    Dwarf_CU *cu = NULL;
    Dwarf_Half version = 0;
    u8 type = 0;
    Dwarf_Die die, sub;
    if (dwarf != NULL && dwarf_get_units(dwarf, NULL, &cu, &version, &type, &die, &sub) == 0) {
        f->dwarf = version;
        f->split = type == DW_UT_skeleton;
    }
    if (dwarf != NULL)
        dwarf_end(dwarf);
}

static void load_text_section(struct facts *f, struct image *im, const char *name, const char **ret)
{
    const struct section *s = facts_section(f, name);
    Elf_Data *d = s == NULL ? NULL : image_data(im, s->offset, s->file_size, ELF_T_BYTE);
    // Clang's .comment begins with an empty text.
    const char *at = d == NULL ? NULL : d->d_buf;
    size_t left = d == NULL ? 0 : d->d_size;
    for (; left > 0 && *at == 0; at++)
        left--;
    if (left > 0)
        *ret = facts_text(f, at, strnlen(at, left));
}

// Where Debian and others put debug files: by build-id.
static void find_debug_file(struct facts *f)
{
    char path[64 + 2 * FACTS_ID_MAX] = "/usr/lib/debug/.build-id/";
    size_t at = strlen(path);
    for (u32 i = 0; i < f->id_len; i++)
        at += (size_t)snprintf(path + at, sizeof path - at, i == 0 ? "%02x/" : "%02x", f->id[i]);
    snprintf(path + at, sizeof path - at, ".debug");
    if (f->id_len > 2 && access(path, R_OK) == 0)
        f->debug_file = facts_text(f, path, strlen(path));
}

// ---------------------------------------------------------------- the whole

static enum linking linking_of(const struct facts *f)
{
    if (f->type == ET_CORE)
        return LINKING_CORE;
    if (f->type == ET_REL)
        return LINKING_OBJECT;
    if (f->interpreter != NULL || (f->type == ET_DYN && (f->flags_1 & DF_1_PIE) == 0))
        return LINKING_DYNAMIC;
    return f->type == ET_DYN ? LINKING_STATIC_PIE : LINKING_STATIC;
}

static void load_entry(struct facts *f, struct image *im)
{
    f->entry = im->head.e_entry;
    Dwfl_Module *mod = f->entry == 0 ? NULL : image_module(im);
    GElf_Off off = 1;
    GElf_Sym sym;
    if (mod == NULL)
        return;
    const char *name = dwfl_module_addrinfo(mod, f->entry + im->bias, &off, &sym, NULL, NULL, NULL);
    if (name != NULL && off == 0)
        f->entry_name = facts_text(f, name, strlen(name));
}

static void load_header(struct facts *f, struct image *im)
{
    *f = (struct facts){
        .file_size = im->size,
        .class_bits = gelf_getclass(im->elf) == ELFCLASS32 ? 32 : 64,
        .big_endian = im->head.e_ident[EI_DATA] == ELFDATA2MSB,
        .machine = im->head.e_machine,
        .type = im->head.e_type,
    };
    f->path = facts_text(f, im->path, strlen(im->path));
    load_segments(f, im);
}

void facts_load_dynamic(struct facts *f, struct image *im)
{
    load_header(f, im);
    dynamic_load(f, im);
}

void facts_load(struct facts *f, struct image *im)
{
    load_header(f, im);
    load_sections(f, im);
    dynamic_load(f, im);
    f->linking = linking_of(f);
    load_debug(f, im);
    load_text_section(f, im, ".comment", &f->compiler);
    load_text_section(f, im, ".gnu_debuglink", &f->debug_link);
    load_text_section(f, im, ".gnu_debugaltlink", &f->debug_alt);
    find_debug_file(f);
    load_entry(f, im);
}

void facts_done(struct facts *f)
{
    store_done(&f->store);
    *f = (struct facts){0};
}

// ---------------------------------------------------------------- words

const char *facts_machine(u32 machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "aarch64";
    case EM_386:
        return "i386";
    case EM_ARM:
        return "ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC";
    case EM_S390:
        return "s390";
    case EM_BPF:
        return "BPF";
    }
    return "another machine";
}

const char *facts_kind(const struct facts *f)
{
    switch (f->linking) {
    case LINKING_CORE:
        return "core file";
    case LINKING_OBJECT:
        return "object file, not linked yet";
    case LINKING_STATIC:
        return "program, statically linked";
    case LINKING_STATIC_PIE:
        return "program, statically linked (static PIE)";
    case LINKING_DYNAMIC:
        break;
    }
    if (f->type == ET_EXEC)
        return "program at a fixed address";
    if ((f->flags_1 & DF_1_PIE) != 0 || (f->interpreter != NULL && f->soname == NULL))
        return "program (PIE)";
    return f->dynamic ? "shared library" : "shared object without a dynamic section";
}

u64 facts_disk_only(const struct facts *f)
{
    u64 loaded = 0;
    for (u32 i = 0; i < f->segments_count; i++)
        loaded += f->segments[i].type == PT_LOAD ? f->segments[i].file_size : 0;
    return loaded < f->file_size ? f->file_size - loaded : 0;
}

u64 facts_memory_only(const struct facts *f)
{
    u64 bytes = 0;
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *s = &f->segments[i];
        if (s->type == PT_LOAD && s->mem_size > s->file_size)
            bytes += s->mem_size - s->file_size;
    }
    return bytes;
}

const char *facts_rights(u32 flags)
{
    static const char *const rights[] = {"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"};
    return rights[flags & 7]; // PF_X 1, PF_W 2, PF_R 4
}

bool facts_native(const struct facts *f)
{
#if defined __x86_64__
    return f->machine == EM_X86_64;
#elif defined __aarch64__
    return f->machine == EM_AARCH64;
#else
    return f->machine == EM_NONE;
#endif
}
