// symbols.c: the symbol tables by way of libdwfl, the PLT by hand.

#include "inspect/symbols.h"

#include "report/utf8.h"

#include <ctype.h>
#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void names_open(struct names *n, struct image *im, struct store *store)
{
    *n = (struct names){.im = im, .store = store, .library = dlopen("libstdc++.so.6", RTLD_LAZY)};
    if (n->library != NULL)
        *(void **)&n->demangle = dlsym(n->library, "__cxa_demangle");
    image_module(im);
}

void names_close(struct names *n)
{
    if (n->library != NULL)
        dlclose(n->library);
    *n = (struct names){0};
}

static const char *kept(struct names *n, const char *text)
{
    char *copy = store_text(n->store, text, strlen(text));
    utf8_clean(copy);
    return copy;
}

const char *names_readable(struct names *n, const char *name)
{
    int status = -1;
    size_t len = strcspn(name, "@"); // a symbol's version follows
    char *bare = store_text(n->store, name, len == 0 ? strlen(name) : len);
    char *plain = n->demangle == NULL || strncmp(bare, "_Z", 2) != 0
                      ? NULL
                      : n->demangle(bare, NULL, NULL, &status);
    const char *out = kept(n, status == 0 && plain != NULL ? plain : bare);
    free(plain);
    return out;
}

// ---------------------------------------------------------------- by name

// How well a name fits what was asked for; 0: not at all.
static u32 fit(const char *raw, const char *plain, const char *wanted)
{
    size_t len = strlen(wanted);
    if (strcmp(raw, wanted) == 0 || strcmp(plain, wanted) == 0)
        return 4;
    // What gcc cuts off a function: foo.cold, foo.part.0.
    if (strstr(raw, ".cold") != NULL)
        return 0;
    if (strstr(plain, " [clone ") != NULL)
        return strncmp(plain, wanted, len) == 0 && (plain[len] == '(' || plain[len] == ' ');
    if (strncmp(plain, wanted, len) == 0 && (plain[len] == '(' || plain[len] == '<'))
        return 3;
    for (const char *at = strstr(plain, "::"); at != NULL; at = strstr(at + 2, "::")) {
        const char *end = at + 2 + len;
        if (strncmp(at + 2, wanted, len) == 0 && (*end == 0 || *end == '(' || *end == '<'))
            return 2;
    }
    // What gcc calls its clones: foo.constprop.0, foo.isra.0, foo.part.0.
    return strncmp(raw, wanted, len) == 0 && raw[len] == '.';
}

static bool is_code(const GElf_Sym *sym)
{
    int type = GELF_ST_TYPE(sym->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
           sym->st_shndx != SHN_UNDEF;
}

// The identifier that every mangled name of `wanted` has in it: "get" of "net::Box<int>::get(int)".
// "" when there is none: then all names are taken apart.
static void identifier_of(const char *wanted, char out[128])
{
    size_t end = strcspn(wanted, "(<"), start;
    for (const char *at; (at = strstr(wanted, "::")) != NULL && at < wanted + end;)
        end -= (size_t)(at + 2 - wanted), wanted = at + 2;
    for (start = 0; start < end && (isalnum((u8)wanted[start]) || wanted[start] == '_'); start++)
        continue;
    bool all = start == end && end > 0 && end < 128 && strncmp(wanted, "operator", 8) != 0;
    snprintf(out, 128, "%.*s", all ? (int)end : 0, wanted);
}

static int not_found(const char *wanted, const char *near, struct names *n, char why[IMAGE_WHY])
{
    if (near != NULL)
        snprintf(why, IMAGE_WHY, "there is no function '%.100s' in %.200s; the nearest is '%.100s'",
                 wanted, n->im->path, near);
    else
        snprintf(why, IMAGE_WHY,
                 "there is no function '%.100s' in %.200s: was it inlined, or the file stripped? "
                 "An address does, too: 0x1234",
                 wanted, n->im->path);
    return -1;
}

int names_find(struct names *n, const char *wanted, struct found *ret_found, char why[IMAGE_WHY])
{
    Dwfl_Module *mod = image_module(n->im);
    int count = mod == NULL ? 0 : dwfl_module_getsymtab(mod);
    u32 best = 0;
    const char *near = NULL;
    char identifier[128];
    identifier_of(wanted, identifier);
    for (int i = 0; i < count; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        GElf_Word section;
        const char *raw = dwfl_module_getsym_info(mod, i, &sym, &at, &section, NULL, NULL);
        if (raw == NULL || *raw == 0 || !is_code(&sym))
            continue;
        if (strstr(raw, identifier) == NULL)
            continue;
        const char *plain = raw[0] == '_' && raw[1] == 'Z' ? names_readable(n, raw) : raw;
        u32 fits = fit(raw, plain, wanted);
        if (near == NULL && strlen(wanted) > 2 && strstr(plain, wanted) != NULL)
            near = kept(n, plain);
        if (fits > best || (fits == best && fits > 0 && ret_found->size == 0)) {
            best = fits;
            *ret_found = (struct found){kept(n, plain), at - n->im->bias, sym.st_size, section};
        }
    }
    return best > 0 ? 0 : not_found(wanted, near, n, why);
}

// ---------------------------------------------------------------- by address

static u32 word_at(const u8 *p)
{
    u32 v;
    memcpy(&v, p, sizeof v);
    return v;
}

// The slot that a PLT entry jumps through: x86-64's "jmp *disp(%rip)", aarch64's adrp and ldr.
static u64 plt_slot(const struct image *im, u64 address)
{
    Elf_Data *d = image_data(im, image_offset(im, address), 16, ELF_T_BYTE);
    if (d == NULL)
        return 0;
    const u8 *p = d->d_buf;
    if (im->head.e_machine == EM_X86_64) {
        for (u32 i = 0; i + 6 <= 16; i++) {
            if (p[i] == 0xff && p[i + 1] == 0x25)
                return address + i + 6 + (u64)(int64_t)(int32_t)word_at(p + i + 2);
        }
    }
    if (im->head.e_machine == EM_AARCH64) {
        u32 i = word_at(p) == 0xd503245f ? 4 : 0; // bti c
        u32 adrp = word_at(p + i), ldr = word_at(p + i + 4);
        u64 page = (u64)(adrp >> 29 & 3) | (u64)(adrp >> 5 & 0x7ffff) << 2;
        if ((adrp & 0x9f00001f) == 0x90000010 && (ldr & 0xffc003ff) == 0xf9400211)
            return (address & ~0xfffull) + (u64)((int64_t)(page << 43) >> 31) +
                   (ldr >> 10 & 0xfff) * 8;
    }
    return 0;
}

// The symbol whose address the loader puts into a slot.
static const char *slot_name(const struct image *im, u64 slot)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr h, symbols;
    GElf_Rela rela;
    GElf_Sym sym;
    while ((scn = elf_nextscn(im->elf, scn)) != NULL) {
        if (gelf_getshdr(scn, &h) == NULL || h.sh_type != SHT_RELA)
            continue;
        Elf_Data *d = elf_getdata(scn, NULL);
        Elf_Scn *table = elf_getscn(im->elf, h.sh_link);
        if (d == NULL || table == NULL || gelf_getshdr(table, &symbols) == NULL)
            continue;
        for (int i = 0; gelf_getrela(d, i, &rela) != NULL; i++) {
            if (rela.r_offset != slot)
                continue;
            Elf_Data *names = elf_getdata(table, NULL);
            if (names != NULL && gelf_getsym(names, (int)GELF_R_SYM(rela.r_info), &sym) != NULL &&
                sym.st_name != 0)
                return elf_strptr(im->elf, symbols.sh_link, sym.st_name);
        }
    }
    return NULL;
}

const char *names_at(struct names *n, u64 address)
{
    Dwfl_Module *mod = image_module(n->im);
    GElf_Off off;
    GElf_Sym sym;
    if (mod == NULL || n->im->head.e_type == ET_REL)
        return NULL;
    const char *name =
        dwfl_module_addrinfo(mod, address + n->im->bias, &off, &sym, NULL, NULL, NULL);
    if (name != NULL && *name != 0 && (off == 0 || off < sym.st_size)) {
        char text[512];
        if (off == 0)
            return names_readable(n, name);
        snprintf(text, sizeof text, "%.480s+0x%llx", names_readable(n, name),
                 (unsigned long long)off);
        return kept(n, text);
    }
    u64 slot = plt_slot(n->im, address);
    name = slot == 0 ? NULL : slot_name(n->im, slot);
    return name == NULL ? NULL : names_readable(n, name);
}

const char *names_slot(struct names *n, u64 slot)
{
    const char *name = slot_name(n->im, slot);
    return name == NULL ? NULL : names_readable(n, name);
}

const char *names_text(struct names *n, u64 address)
{
    char text[40];
    u64 offset = image_offset(n->im, address);
    u64 room = offset < n->im->size ? n->im->size - offset : 0;
    Elf_Data *d = image_data(n->im, offset, room < 64 ? room : 64, ELF_T_BYTE);
    if (d == NULL)
        return NULL;
    const char *p = d->d_buf;
    size_t len = strnlen(p, d->d_size), shown = 0;
    for (size_t i = 0; i < len; i++) {
        if (!isprint((u8)p[i]) && p[i] != '\n' && p[i] != '\t')
            return NULL;
    }
    if (len < 3)
        return NULL;
    text[shown++] = '"';
    for (size_t i = 0; i < len && shown < 32; i++) {
        bool escape = p[i] == '\n' || p[i] == '\t';
        if (escape)
            text[shown++] = '\\';
        text[shown++] = p[i] == '\n' ? 'n' : p[i] == '\t' ? 't' : p[i];
    }
    snprintf(text + shown, sizeof text - shown, "%s", shown >= 32 ? "…" : "\"");
    return store_text(n->store, text, strlen(text));
}
