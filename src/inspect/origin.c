// origin.c: see origin.h.

#include "inspect/origin.h"

#include "report/utf8.h"

#include <ctype.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kept(struct origin *o, const char *text)
{
    char *copy = store_text(&o->store, text, strlen(text));
    utf8_clean(copy);
    return copy;
}

// ---------------------------------------------------------------- addresses

static const Dwfl_Callbacks process_callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};
static const Dwfl_Callbacks core_callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

struct wanted {
    const char *name;
    size_t len;
    u64 at;
    bool found;
};

static int find_in(Dwfl_Module *mod, void **user, const char *file, Dwarf_Addr start, void *ctx)
{
    struct wanted *w = ctx;
    int count = dwfl_module_getsymtab(mod);
    (void)user, (void)file, (void)start;
    for (int i = 0; i < count; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *name = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        int type = GELF_ST_TYPE(sym.st_info);
        if (name == NULL || sym.st_shndx == SHN_UNDEF || type > STT_FUNC ||
            strncmp(name, w->name, w->len) != 0 || name[w->len] != 0)
            continue;
        w->at = at;
        w->found = true;
        return DWARF_CB_ABORT;
    }
    return DWARF_CB_OK;
}

static bool find_symbol(struct origin *o, const char *name, size_t len, u64 *ret_at)
{
    struct wanted w = {name, len, 0, false};
    Dwfl_Module *mod = o->kind == ORIGIN_ELF ? image_module(&o->im) : NULL;
    if (mod != NULL)
        find_in(mod, NULL, NULL, 0, &w);
    else if (o->dwfl != NULL)
        dwfl_getmodules(o->dwfl, find_in, &w, 0);
    *ret_at = mod != NULL ? w.at - o->im.bias : w.at;
    return w.found;
}

// 0x12, 18, 7ffe1234abcd, symbol, any of these +N.
static int parse_address(struct origin *o, const char *text, char why[IMAGE_WHY])
{
    size_t len = strcspn(text, "+");
    char *end;
    u64 plus = text[len] == '+' ? strtoull(text + len + 1, NULL, 0) : 0;
    o->at_given = true;
    o->at = strtoull(text, &end, 0) + plus;
    if (len > 0 && end == text + len)
        return 0;
    if (find_symbol(o, text, len, &o->at)) {
        o->at += plus;
        return 0;
    }
    o->at = strtoull(text, &end, 16) + plus;
    if (len > 0 && end == text + len)
        return 0;
    snprintf(why, IMAGE_WHY, "'%.100s' is neither an address nor a symbol of %.200s", text,
             o->name);
    return -1;
}

// ---------------------------------------------------------------- opening

static int open_process(struct origin *o, pid_t pid, char why[IMAGE_WHY])
{
    char path[64];
    o->kind = ORIGIN_PROCESS;
    o->pid = pid;
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    int e = o->fd < 0 ? -errno : space_load(&o->space, pid, SPACE_BLOCKS);
    if (e < 0) {
        if (e == -ENOENT || e == -ESRCH)
            snprintf(why, IMAGE_WHY, "there is no process %d", pid);
        else
            snprintf(why, IMAGE_WHY, "process %d cannot be read: %s%s", pid, strerror(-e),
                     e == -EACCES || e == -EPERM ? "; try again as root" : "");
        return -1;
    }
    o->has_space = true;
    snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    o->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    o->dwfl = dwfl_begin(&process_callbacks);
    if (o->dwfl != NULL && dwfl_linux_proc_report(o->dwfl, pid) == 0)
        dwfl_report_end(o->dwfl, NULL, NULL);
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    o->has_image = image_open(&o->im, path, why) == 0;
    return 0;
}

static void open_core(struct origin *o)
{
    o->kind = ORIGIN_CORE;
    o->dwfl = dwfl_begin(&core_callbacks);
    if (o->dwfl != NULL && dwfl_core_file_report(o->dwfl, o->im.elf, NULL) >= 0)
        dwfl_report_end(o->dwfl, NULL, NULL);
}

static int open_file(struct origin *o, const char *path, char why[IMAGE_WHY])
{
    struct stat st;
    o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (o->fd < 0 || fstat(o->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        snprintf(why, IMAGE_WHY, "%.300s cannot be read: %s", path,
                 o->fd < 0 ? strerror(errno) : "it is no file");
        return -1;
    }
    o->end = (u64)st.st_size;
    o->has_image = image_open(&o->im, path, why) == 0;
    if (o->has_image && o->im.head.e_type == ET_CORE)
        open_core(o);
    return 0;
}

// The part before the last ':' that is followed by an address; NULL: there is none.
static const char *split(const char *what)
{
    const char *colon = strrchr(what, ':');
    return colon == NULL || access(what, F_OK) == 0 ? NULL : colon;
}

int origin_open(struct origin *o, const char *what, char why[IMAGE_WHY])
{
    const char *colon = split(what);
    size_t len = colon == NULL ? strlen(what) : (size_t)(colon - what);
    *o = (struct origin){.fd = -1, .pagemap = -1, .im = {.fd = -1}};
    unsetenv("DEBUGINFOD_URLS");
    o->name = store_text(&o->store, what, len);
    bool number = len > 0 && len < 10 && strspn(o->name, "0123456789") == len;
    int e = number && colon != NULL ? open_process(o, (pid_t)atoi(o->name), why)
                                    : open_file(o, o->name, why);
    // With an address, an ELF file is what it would be in memory; without, it is bytes.
    if (e == 0 && o->kind == ORIGIN_FILE && colon != NULL && o->has_image)
        o->kind = ORIGIN_ELF;
    if (e == 0 && o->has_image)
        names_open(&o->names, &o->im, &o->store);
    if (e == 0 && colon != NULL)
        e = parse_address(o, colon + 1, why);
    if (e == 0 && colon == NULL && o->kind == ORIGIN_CORE)
        o->kind = ORIGIN_FILE;
    if (e != 0)
        origin_close(o);
    return e;
}

void origin_close(struct origin *o)
{
    if (o->has_image) {
        names_close(&o->names);
        image_done(&o->im);
    }
    if (o->dwfl != NULL)
        dwfl_end(o->dwfl);
    if (o->has_space)
        space_done(&o->space);
    if (o->fd >= 0)
        close(o->fd);
    if (o->pagemap >= 0)
        close(o->pagemap);
    store_done(&o->store);
    *o = (struct origin){.fd = -1, .pagemap = -1};
}

// ---------------------------------------------------------------- reading

// Whether a page of private memory was never touched: it reads as zeroes then.
static bool untouched(struct origin *o, u64 at, size_t page)
{
    u64 entry;
    const struct space_part *p = space_find(&o->space, at);
    const struct map *m = p == NULL ? NULL : &o->space.smaps.smap[p->mapping].map;
    return m != NULL && m->readable && maps_anonymous(m) && o->pagemap >= 0 &&
           pread(o->pagemap, &entry, sizeof entry, (off_t)(at / page * sizeof entry)) ==
               (ssize_t)sizeof entry &&
           entry >> 62 == 0;
}

static size_t read_process(struct origin *o, u64 at, u8 *buf, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), done = 0;
    while (done < size) {
        size_t n = size_min(size - done, page - (at + done) % page);
        if (untouched(o, at + done, page))
            memset(buf + done, 0, n);
        else if (pread(o->fd, buf + done, n, (off_t)(at + done)) != (ssize_t)n)
            break;
        done += n;
    }
    return done;
}

// Bytes of a core, or of the file that was mapped there when the core leaves it out.
static size_t read_loaded(struct origin *o, u64 at, u8 *buf, size_t size)
{
    size_t count = 0, done = 0;
    if (elf_getphdrnum(o->im.elf, &count) != 0)
        return 0;
    for (bool more = true; more && done < size;) {
        more = false;
        for (size_t i = 0; i < count && !more; i++) {
            GElf_Phdr p;
            u64 in = 0;
            if (gelf_getphdr(o->im.elf, (int)i, &p) == NULL || p.p_type != PT_LOAD ||
                (in = at + done - p.p_vaddr) >= p.p_memsz)
                continue;
            size_t n = size_min(size - done, (in < p.p_filesz ? p.p_filesz : p.p_memsz) - in);
            if (in < p.p_filesz) {
                ssize_t got = pread(o->fd, buf + done, n, (off_t)(p.p_offset + in));
                n = got > 0 ? (size_t)got : 0;
            } else if (o->kind == ORIGIN_CORE) {
                n = 0; // the core has left it out
            } else {
                memset(buf + done, 0, n);
            }
            done += n;
            more = n > 0;
        }
    }
    return done;
}

// A core leaves out what stands in files: read it there, if the file is the same one.
static size_t read_module(struct origin *o, u64 at, u8 *buf, size_t size)
{
    Dwfl_Module *mod = o->dwfl == NULL ? NULL : dwfl_addrmodule(o->dwfl, at);
    GElf_Addr bias;
    GElf_Phdr p;
    size_t count = 0;
    Elf *elf = mod == NULL ? NULL : dwfl_module_getelf(mod, &bias);
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(elf, (int)i, &p) == NULL || p.p_type != PT_LOAD ||
            (p.p_flags & PF_W) != 0 || at - bias - p.p_vaddr >= p.p_filesz)
            continue;
        u64 in = at - bias - p.p_vaddr;
        size_t n = size_min(size, p.p_filesz - in);
        Elf_Data *d = elf_getdata_rawchunk(elf, (int64_t)(p.p_offset + in), n, ELF_T_BYTE);
        if (d != NULL)
            memcpy(buf, d->d_buf, n);
        return d != NULL ? n : 0;
    }
    return 0;
}

size_t origin_read(struct origin *o, u64 at, void *buf, size_t size)
{
    ssize_t n;
    switch (o->kind) {
    case ORIGIN_FILE:
        n = pread(o->fd, buf, size, (off_t)at);
        return n > 0 ? (size_t)n : 0;
    case ORIGIN_ELF:
        return read_loaded(o, at, buf, size);
    case ORIGIN_CORE:
        n = (ssize_t)read_loaded(o, at, buf, size);
        return n > 0 ? (size_t)n : read_module(o, at, buf, size);
    case ORIGIN_PROCESS:
        return read_process(o, at, buf, size);
    }
    return 0;
}

// ---------------------------------------------------------------- names

// *ret_code: it is a function.
static const char *module_symbol(struct origin *o, u64 address, bool *ret_code)
{
    Dwfl_Module *mod = o->dwfl == NULL ? NULL : dwfl_addrmodule(o->dwfl, address);
    GElf_Off off;
    GElf_Sym sym;
    char text[600];
    const char *name =
        mod == NULL ? NULL : dwfl_module_addrinfo(mod, address, &off, &sym, NULL, NULL, NULL);
    if (name == NULL || *name == 0 || (off != 0 && off >= sym.st_size))
        return NULL;
    *ret_code = GELF_ST_TYPE(sym.st_info) == STT_FUNC;
    const char *plain = o->has_image ? names_readable(&o->names, name) : name;
    if (off == 0)
        return kept(o, plain);
    snprintf(text, sizeof text, "%.500s+0x%llx", plain, (unsigned long long)off);
    return kept(o, text);
}

static const char *heap_block(struct origin *o, u64 address)
{
    const struct blocks *b = &o->space.blocks;
    char text[128];
    u32 slot;
    const struct page *p = o->space.heap ? blocks_slot(b, address, &slot) : NULL;
    if (p == NULL)
        return NULL;
    const struct span *s = &b->span[p->span];
    u64 start = s->start + (slot - s->slot) * s->size;
    bool live = b->live[slot / 64] >> (slot & 63) & 1;
    snprintf(text, sizeof text, "%s block of %llu bytes", live ? "heap" : "free heap",
             (unsigned long long)(live ? blocks_asked(b, s, slot) : s->size));
    if (address != start)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", +%llu",
                 (unsigned long long)(address - start));
    return kept(o, text);
}

static const char *part_words(struct origin *o, const struct space_part *p, u64 address)
{
    char text[512];
    const char *slash = strrchr(p->name, '/');
    const char *name = slash == NULL ? p->name : slash + 1;
    if (p->kind == SPACE_STACK)
        snprintf(text, sizeof text, "stack of %.60s", *name == 0 ? "a thread" : name);
    else if (p->kind == SPACE_BRK)
        snprintf(text, sizeof text, "brk heap, +0x%llx", (unsigned long long)(address - p->start));
    else if (*name != 0)
        snprintf(text, sizeof text, "%.200s", name);
    else
        snprintf(text, sizeof text, "%s memory", space_kind_names[p->kind]);
    return kept(o, text);
}

static const char *process_what(struct origin *o, u64 address, const char **ret_kind)
{
    const struct space_part *p = space_find(&o->space, address);
    if (p == NULL || p->kind == SPACE_RESERVED)
        return NULL;
    const char *block = heap_block(o, address);
    if (block != NULL) {
        *ret_kind = "heap";
        return block;
    }
    bool file = p->kind == SPACE_PROGRAM || p->kind == SPACE_LIBRARY, code = false;
    bool heap = p->kind == SPACE_BRK || p->kind == SPACE_ARENA;
    const char *symbol = file ? module_symbol(o, address, &code) : NULL;
    *ret_kind = p->kind == SPACE_STACK ? "stack"
                : heap                 ? "heap"
                : code                 ? "code"
                : file                 ? "data"
                                       : "mapping";
    return symbol != NULL ? symbol : part_words(o, p, address);
}

static bool core_has(struct origin *o, u64 address)
{
    size_t count = 0;
    GElf_Phdr p;
    if (elf_getphdrnum(o->im.elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(o->im.elf, (int)i, &p) != NULL && p.p_type == PT_LOAD &&
            address - p.p_vaddr < p.p_memsz)
            return true;
    }
    return false;
}

static const char *core_what(struct origin *o, u64 address, const char **ret_kind)
{
    bool code = false;
    const char *symbol = module_symbol(o, address, &code);
    Dwfl_Module *mod = o->dwfl == NULL ? NULL : dwfl_addrmodule(o->dwfl, address);
    *ret_kind = code ? "code" : mod != NULL ? "data" : "mapping";
    if (symbol != NULL)
        return symbol;
    const char *path =
        mod == NULL ? NULL : dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    if (path != NULL)
        return kept(o, strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1);
    return core_has(o, address) ? "memory of the process" : NULL;
}

// In a file that nobody has loaded, only what has a name or is a text is certain to be a pointer.
static const char *file_what(struct origin *o, u64 address)
{
    if (address < 0x400 || image_offset(&o->im, address) == UINT64_MAX)
        return NULL;
    const char *symbol = names_at(&o->names, address);
    return symbol != NULL ? symbol : names_text(&o->names, address) != NULL ? "a text" : NULL;
}

const char *origin_what(struct origin *o, u64 address, const char **ret_kind)
{
    *ret_kind = "data";
    switch (o->kind) {
    case ORIGIN_FILE:
        return NULL;
    case ORIGIN_ELF:
        return file_what(o, address);
    case ORIGIN_CORE:
    case ORIGIN_PROCESS:
        // Small numbers are numbers: no program is mapped below this (vm.mmap_min_addr).
        if (address < 0x10000)
            return NULL;
        return o->kind == ORIGIN_CORE ? core_what(o, address, ret_kind)
                                      : process_what(o, address, ret_kind);
    }
    return NULL;
}

const char *origin_text(struct origin *o, u64 address)
{
    char buf[48], text[64];
    size_t n = address < 0x400 ? 0 : origin_read(o, address, buf, sizeof buf),
           len = strnlen(buf, n);
    for (size_t i = 0; i < len; i++) {
        if (!isprint((u8)buf[i]))
            return NULL;
    }
    if (len < 2 || n == 0)
        return NULL;
    int shown = (int)size_min(len, 40);
    snprintf(text, sizeof text, "\"%.*s%s", shown, buf, len < 40 ? "\"" : "…");
    return kept(o, text);
}

struct image *origin_image(struct origin *o)
{
    return o->has_image ? &o->im : NULL;
}
