// here.c: backtraces for the layers that cannot unwind (heap/trace.h), and names for their frames.
//
// Names come from a module's own symbol table, read from its file: the dynamic linker knows only
// exported ones. That opens a file, so names are asked for when something is being told, and not
// while the program runs well.
#include "heap/trace.h"
#include "os/file.h"
#include "record/module.h"
#include "record/unwind.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PC_MASK (((u64)1 << UNWIND_MODULE_SHIFT) - 1)

static void begin(void)
{
    u64 start, end;
    module_self(&start, &end);
    unwind_init(start, end);
}

static u32 here(u64 *ret_pc, u32 max)
{
    struct unwind_start at;
    unwind_capture(&at);
    u32 n = unwind_frames(&at, ret_pc, max);
    for (u32 i = 0; i < n; i++)
        ret_pc[i] &= PC_MASK;
    return n;
}

// ---------------------------------------------------------------- names

struct symbol {
    const char *name; // in the mapped file; NULL: none found
    size_t max;       // bytes in which it ends
    u64 offset;       // of the address, in the function
};

// The bytes of a section, NULL if the file does not hold them all.
static const void *section_at(const u8 *file, u64 size, const Elf64_Shdr *s)
{
    return s->sh_type != SHT_NOBITS && s->sh_offset <= size && s->sh_size <= size - s->sh_offset
               ? file + s->sh_offset
               : NULL;
}

// The function that holds `addr`, an address as the file counts them.
static void look_in(const u8 *file, u64 size, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                    u64 addr, struct symbol *ret)
{
    const Elf64_Sym *s = section_at(file, size, table);
    const char *text = section_at(file, size, strings);
    if (s == NULL || text == NULL || table->sh_offset % 8 != 0)
        return;
    for (u64 i = 0; i < table->sh_size / sizeof *s; i++) {
        bool code = ELF64_ST_TYPE(s[i].st_info) == STT_FUNC;
        if (code && addr >= s[i].st_value && addr - s[i].st_value < s[i].st_size &&
            s[i].st_name < strings->sh_size) {
            *ret = (struct symbol){text + s[i].st_name, strings->sh_size - s[i].st_name,
                                   addr - s[i].st_value};
            return;
        }
    }
}

// Trusts nothing: the file may have been replaced since it was loaded.
static void look_up(const u8 *file, u64 size, u64 addr, struct symbol *ret)
{
    const Elf64_Ehdr *h = (const void *)file;
    if (size < sizeof *h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_shoff % 8 != 0 ||
        h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff > size ||
        h->e_shnum > (size - h->e_shoff) / sizeof(Elf64_Shdr))
        return;
    const Elf64_Shdr *s = (const void *)(file + h->e_shoff);
    for (unsigned i = 0; i < h->e_shnum && ret->name == NULL; i++)
        if ((s[i].sh_type == SHT_SYMTAB || s[i].sh_type == SHT_DYNSYM) && s[i].sh_link < h->e_shnum)
            look_in(file, size, &s[i], &s[s[i].sh_link], addr, ret);
}

struct text {
    char *at;
    size_t len, max;
};

static void put(struct text *t, const char *s, size_t max)
{
    for (size_t i = 0; i < max && s[i] != 0 && t->len + 1 < t->max; i++)
        t->at[t->len++] = s[i];
    t->at[t->len] = 0;
}

static void put_hex(struct text *t, u64 v)
{
    char digits[16];
    unsigned n = 0;
    do
        digits[n++] = "0123456789abcdef"[v & 15];
    while ((v >>= 4) != 0);
    put(t, "0x", 2);
    while (n != 0)
        put(t, &digits[--n], 1);
}

static void put_function(struct text *t, const char *path, u64 addr)
{
    u64 size;
    int fd = os_file_open(path, false);
    if (fd < 0)
        return;
    if (os_file_size(fd, &size) == 0 && size != 0) {
        void *file = os_file_map(fd, size);
        struct symbol s = {0};
        if (file != NULL) {
            look_up(file, size, addr, &s);
            if (s.name != NULL) {
                put(t, s.name, s.max);
                put(t, "+", 1);
                put_hex(t, s.offset);
                put(t, " ", 1);
            }
            os_file_unmap(file, size);
        }
    }
    os_file_close(fd);
}

static size_t program_path(char *ret, size_t size)
{
    int saved = errno;
    ssize_t n = readlink("/proc/self/exe", ret, size);
    errno = saved;
    return n < 0 ? 0 : (size_t)n;
}

// `pc` is a return address: the call stands before it.
static void name(u64 pc, char *ret, size_t size)
{
    struct text t = {ret, 0, size};
    char path[MODULE_PATH_MAX + 1];
    struct cfi_module cfi;
    int index = module_find(pc - 1, &cfi);
    if (index <= 0) {
        put_hex(&t, pc);
        return;
    }
    const struct module *m = module_at((u32)index);
    size_t n = m->map == NULL ? 0 : module_path(m, path);
    if (n == 0) // the program itself
        n = program_path(path, MODULE_PATH_MAX);
    path[n] = 0;
    put_function(&t, path, pc - 1 - m->bias);
    const char *base = strrchr(path, '/');
    put(&t, "(", 1);
    put(&t, base == NULL ? path : base + 1, n);
    put(&t, "+", 1);
    put_hex(&t, pc - m->bias);
    put(&t, ")", 1);
}

static const struct trace_source ours = {begin, here, name};

// Before those who look whether they are to be asked (own/debug.c).
__attribute__((constructor(101))) static void here_start(void)
{
    trace_set_source(&ours);
}
