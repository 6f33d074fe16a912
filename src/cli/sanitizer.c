// sanitizer.c: needed libraries and dynamic symbols, read by libelf.

#include "cli/sanitizer.h"

#include "base/base.h"

#include <gelf.h>
#include <string.h>

static const struct {
    const char *library, *symbol, *name;
} sanitizers[] = {
    {"libasan.so", "__asan_init", "AddressSanitizer"},
    {"libhwasan.so", "__hwasan_init", "HWAddressSanitizer"},
    {"libtsan.so", "__tsan_init", "ThreadSanitizer"},
    {"liblsan.so", "__lsan_init", "LeakSanitizer"},
    {"libmsan.so", "__msan_init", "MemorySanitizer"},
};

static const char *by_library(const char *library)
{
    for (size_t i = 0; library != NULL && i < countof(sanitizers); i++) {
        if (strncmp(library, sanitizers[i].library, strlen(sanitizers[i].library)) == 0)
            return sanitizers[i].name;
    }
    return NULL;
}

static const char *by_symbol(const char *symbol)
{
    for (size_t i = 0; symbol != NULL && i < countof(sanitizers); i++) {
        if (strcmp(symbol, sanitizers[i].symbol) == 0)
            return sanitizers[i].name;
    }
    return NULL;
}

static const char *in_needed(Elf *elf, Elf_Data *data, const GElf_Shdr *sh)
{
    GElf_Dyn dyn;
    for (int i = 0; gelf_getdyn(data, i, &dyn) != NULL && dyn.d_tag != DT_NULL; i++) {
        if (dyn.d_tag != DT_NEEDED)
            continue;
        const char *found = by_library(elf_strptr(elf, sh->sh_link, dyn.d_un.d_val));
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const char *in_symbols(Elf *elf, Elf_Data *data, const GElf_Shdr *sh)
{
    GElf_Sym sym;
    for (int i = 0; gelf_getsym(data, i, &sym) != NULL; i++) {
        const char *found = by_symbol(elf_strptr(elf, sh->sh_link, sym.st_name));
        if (found != NULL)
            return found;
    }
    return NULL;
}

const char *sanitizer_of(int fd)
{
    const char *found = NULL;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Elf_Scn *scn = NULL;
    while (elf != NULL && found == NULL && (scn = elf_nextscn(elf, scn)) != NULL) {
        GElf_Shdr sh;
        if (gelf_getshdr(scn, &sh) == NULL)
            continue;
        Elf_Data *data = NULL;
        if (sh.sh_type == SHT_DYNAMIC || sh.sh_type == SHT_DYNSYM)
            data = elf_getdata(scn, NULL);
        if (data != NULL)
            found =
                sh.sh_type == SHT_DYNAMIC ? in_needed(elf, data, &sh) : in_symbols(elf, data, &sh);
    }
    elf_end(elf);
    return found;
}
