// package.c: the index, and a .dwo file built from its stretches.

#include "inspect/package.h"

#include <dwarf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS_MAX 8

// Section kinds of an index; version 2 (GNU, with DWARF 4) and version 5 number some otherwise.
static const char *column_name(u32 version, u32 kind)
{
    static const char *const two[] = {NULL,
                                      ".debug_info.dwo",
                                      ".debug_types.dwo",
                                      ".debug_abbrev.dwo",
                                      ".debug_line.dwo",
                                      ".debug_loc.dwo",
                                      ".debug_str_offsets.dwo",
                                      ".debug_macinfo.dwo",
                                      ".debug_macro.dwo"};
    static const char *const five[] = {NULL,
                                       ".debug_info.dwo",
                                       NULL,
                                       ".debug_abbrev.dwo",
                                       ".debug_line.dwo",
                                       ".debug_loclists.dwo",
                                       ".debug_str_offsets.dwo",
                                       ".debug_macro.dwo",
                                       ".debug_rnglists.dwo"};
    return kind >= countof(two) ? NULL : version == 2 ? two[kind] : five[kind];
}

struct package {
    Elf *elf;
    const u8 *index; // a header of 16 bytes, a hash table, rows of offsets, rows of sizes
    size_t index_size;
    u32 version, columns, units, slots;
    Elf_Data *sections[COLUMNS_MAX]; // by column
    const char *names[COLUMNS_MAX];
    Elf_Data *strings;
};

static Elf_Data *section_named(Elf *elf, const char *wanted)
{
    size_t names;
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    while ((scn = elf_nextscn(elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) == NULL ? NULL : elf_strptr(elf, names, h.sh_name);
        if (name != NULL && strcmp(name, wanted) == 0)
            return elf_rawdata(scn, NULL);
    }
    return NULL;
}

static u32 word(const u8 *at)
{
    u32 v;
    memcpy(&v, at, sizeof v);
    return v;
}

// Check an index's header against its size; after this its rows can be read.
static bool read_index(struct package *p, const char *name)
{
    Elf_Data *d = section_named(p->elf, name);
    if (d == NULL || d->d_buf == NULL || d->d_size < 16)
        return false;
    p->index = d->d_buf;
    p->index_size = d->d_size;
    p->version = word(p->index) & 0xffff; // version 5 is 16 bits and padding
    p->columns = word(p->index + 4);
    p->units = word(p->index + 8);
    p->slots = word(p->index + 12);
    u64 need = 16 + (u64)p->slots * 12 + (u64)p->columns * 4 * (1 + 2 * (u64)p->units);
    if ((p->version != 2 && p->version != 5) || p->columns == 0 || p->columns > COLUMNS_MAX ||
        need > p->index_size)
        return false;
    const u8 *kinds = p->index + 16 + (u64)p->slots * 12;
    for (u32 i = 0; i < p->columns; i++) {
        p->names[i] = column_name(p->version, word(kinds + 4 * i));
        p->sections[i] = p->names[i] == NULL ? NULL : section_named(p->elf, p->names[i]);
    }
    p->strings = section_named(p->elf, ".debug_str.dwo");
    return true;
}

// ---------------------------------------------------------------- a .dwo file again

struct piece {
    const char *name;
    const void *bytes;
    size_t size;
};

// The stretches of one unit; how many.
static u32 pieces_of(const struct package *p, u32 unit, struct piece out[COLUMNS_MAX + 1])
{
    const u8 *offsets = p->index + 16 + (u64)p->slots * 12 + 4 * (u64)p->columns;
    const u8 *sizes = offsets + 4 * (u64)p->columns * p->units;
    u32 n = 0;
    for (u32 i = 0; i < p->columns; i++) {
        u64 at = word(offsets + 4 * ((u64)unit * p->columns + i));
        u64 size = word(sizes + 4 * ((u64)unit * p->columns + i));
        const Elf_Data *d = p->sections[i];
        if (d != NULL && d->d_buf != NULL && size > 0 && at <= d->d_size && size <= d->d_size - at)
            out[n++] = (struct piece){p->names[i], (const u8 *)d->d_buf + at, size};
    }
    if (p->strings != NULL && p->strings->d_buf != NULL)
        out[n++] = (struct piece){".debug_str.dwo", p->strings->d_buf, p->strings->d_size};
    return n;
}

// An ELF file with these sections: header, contents, names, section headers. NULL without memory.
static char *build(const struct piece *pieces, u32 count, size_t *ret_size)
{
    char names[512] = "";
    size_t names_size = 1, size = sizeof(Elf64_Ehdr);
    Elf64_Shdr headers[COLUMNS_MAX + 3] = {0};
    for (u32 i = 0; i < count; i++) {
        headers[i + 1] = (Elf64_Shdr){.sh_name = (u32)names_size,
                                      .sh_type = SHT_PROGBITS,
                                      .sh_offset = size,
                                      .sh_size = pieces[i].size,
                                      .sh_addralign = 1};
        names_size +=
            (size_t)snprintf(names + names_size, sizeof names - names_size, "%s", pieces[i].name) +
            1;
        size = round_up(size + pieces[i].size, 8);
    }
    u32 total = count + 2;
    size_t table = round_up(size + names_size, 8);
    headers[count + 1] =
        (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = size, .sh_size = names_size};
    *ret_size = table + total * sizeof *headers;
    char *file = calloc(1, *ret_size);
    if (file == NULL)
        return NULL;
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_REL,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_shoff = table,
                    .e_ehsize = sizeof e,
                    .e_shentsize = sizeof *headers,
                    .e_shnum = (u16)total,
                    .e_shstrndx = (u16)(count + 1)};
    memcpy(file, &e, sizeof e);
    for (u32 i = 0; i < count; i++)
        memcpy(file + headers[i + 1].sh_offset, pieces[i].bytes, pieces[i].size);
    memcpy(file + size, names, names_size);
    memcpy(file + table, headers, total * sizeof *headers);
    return file;
}

static int each_unit(char *file, size_t size, int (*each)(void *ctx, Dwarf_Die *unit), void *ctx)
{
    Elf *elf = elf_memory(file, size);
    Dwarf *dwarf = elf == NULL ? NULL : dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    Dwarf_CU *cu = NULL;
    Dwarf_Half version;
    u8 type;
    Dwarf_Die die, body;
    int r = 0;
    while (r == 0 && dwarf != NULL &&
           dwarf_get_units(dwarf, cu, &cu, &version, &type, &die, &body) == 0)
        r = each(ctx, &die);
    if (dwarf != NULL)
        dwarf_end(dwarf);
    if (elf != NULL)
        elf_end(elf);
    return r;
}

static int each_in(struct package *p, const char *index, int (*each)(void *, Dwarf_Die *),
                   void *ctx)
{
    int r = 0;
    if (!read_index(p, index))
        return 0;
    for (u32 i = 0; r == 0 && i < p->units; i++) {
        struct piece pieces[COLUMNS_MAX + 1];
        size_t size;
        char *file = build(pieces, pieces_of(p, i, pieces), &size);
        if (file == NULL)
            break;
        r = each_unit(file, size, each, ctx);
        free(file);
    }
    return r;
}

bool package_each(struct image *im, int (*each)(void *ctx, Dwarf_Die *unit), void *ctx,
                  int *ret_result)
{
    char *path;
    struct package p = {0};
    if (asprintf(&path, "%s.dwp", im->path) < 0)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(path);
    if (fd < 0)
        return false;
    p.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (p.elf != NULL && elf_kind(p.elf) == ELF_K_ELF) {
        *ret_result = each_in(&p, ".debug_cu_index", each, ctx);
        if (*ret_result == 0)
            *ret_result = each_in(&p, ".debug_tu_index", each, ctx);
    }
    if (p.elf != NULL)
        elf_end(p.elf);
    close(fd);
    return true;
}
