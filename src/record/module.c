// module.c: the mapped ELF files whose code was seen in a backtrace.
#include "record/module.h"

#include "os/os.h"
#include "os/share.h"
#include "record/rule.h"
#include "record/tags.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static struct {
    struct lock lock;
    u32 count; // highest index in use
    struct module list[MODULES_MAX];
    const char *program; // path of the executable
    char folder[1024];   // where relative paths start, or empty
} the;

// Beside the constructors, as rule_undumped is.
__attribute__((section(".text.startup"))) void module_undumped(void)
{
    os_undumped(&the, sizeof the);
}

// ---------------------------------------------------------------- build-ids

// Whether [at, at + size) lies in the module and is mapped: a module may have holes.
static bool within(const struct module *m, u64 at, u64 size)
{
    if (at < m->start || at >= m->end || size > m->end - at)
        return false;
    for (u64 page = at & ~(OS_PAGE - 1); page < at + size; page += OS_PAGE)
        if (!os_readable((const void *)(uintptr_t)page))
            return false;
    return true;
}

static bool read_note(struct module *m, const u8 *at, u64 size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) n;
        memcpy(&n, at, sizeof n);
        u64 name = round_up(n.n_namesz, 4), desc = round_up(n.n_descsz, 4);
        if (name + desc > size - sizeof n)
            return false;
        const u8 *text = at + sizeof n;
        if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && memcmp(text, "GNU", 4) == 0) {
            m->build_id_len = (u32)size_min(n.n_descsz, BUILD_ID_SIZE);
            memcpy(m->build_id, text + name, m->build_id_len);
            return true;
        }
        at = text + name + desc;
        size -= sizeof n + name + desc;
    }
    return false;
}

// The file's header is mapped at the module's start in everything that linkers make.
static void read_build_id(struct module *m)
{
    ElfW(Ehdr) e;
    if (!within(m, m->start, sizeof e))
        return;
    memcpy(&e, (const void *)(uintptr_t)m->start, sizeof e);
    u64 table = m->start + e.e_phoff;
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_phentsize != sizeof(ElfW(Phdr)) ||
        !within(m, table, e.e_phnum * sizeof(ElfW(Phdr))))
        return;
    const ElfW(Phdr) *p = (const ElfW(Phdr) *)(uintptr_t)table;
    for (u32 i = 0; i < e.e_phnum; i++) {
        u64 at = p[i].p_vaddr + m->bias;
        if (p[i].p_type == PT_NOTE && within(m, at, p[i].p_memsz) &&
            read_note(m, (const u8 *)(uintptr_t)at, p[i].p_memsz))
            return;
    }
}

// ---------------------------------------------------------------- the table

static bool same(const struct module *a, const struct module *b)
{
    return a->start == b->start && a->end == b->end && a->bias == b->bias && a->hdr == b->hdr &&
           a->build_id_len == b->build_id_len &&
           memcmp(a->build_id, b->build_id, a->build_id_len) == 0;
}

static int add(struct module *m)
{
    read_build_id(m);
    tags_watch(m->map); // descriptions made before recording began belong to no plug-in
    u32 i = 1;
    // A module that comes back to its place, as plug-ins do, is the one it was.
    while (i <= the.count && (the.list[i].map != NULL || !same(&the.list[i], m)))
        i++;
    if (i == MODULES_MAX)
        return 0;
    if (i > the.count) {
        the.list[i] = *m;
        the.count = i;
    }
    the.list[i].map = m->map;
    rule_module_came();
    return (int)i;
}

static int find(struct module *m)
{
    for (u32 i = 1; i <= the.count; i++)
        if (the.list[i].map == m->map && the.list[i].start == m->start)
            return (int)i;
    return add(m);
}

// glibc takes a program that the kernel mapped for scattered and knows only the segment of the pc.
// Its tables lie in another one.
static void widen_program(struct module *m)
{
    if (m->map->l_name[0] != 0)
        return;
    const ElfW(Phdr) *p = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    for (u64 i = 0; i < getauxval(AT_PHNUM); i++) {
        u64 start = p[i].p_vaddr + m->bias, end = start + p[i].p_memsz;
        if (p[i].p_type != PT_LOAD)
            continue;
        m->start = start < m->start ? start : m->start;
        m->end = end > m->end ? end : m->end;
    }
}

int module_find(u64 pc, struct cfi_module *ret_cfi)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0)
        return 0;
    struct module m = {
        .start = (u64)(uintptr_t)found.dlfo_map_start,
        .end = (u64)(uintptr_t)found.dlfo_map_end,
        .bias = found.dlfo_link_map->l_addr,
        .known = (u64)(uintptr_t)found.dlfo_map_start,
        .hdr = found.dlfo_eh_frame,
        .map = found.dlfo_link_map,
    };
    widen_program(&m);
    *ret_cfi = (struct cfi_module){(const u8 *)(uintptr_t)m.start, (const u8 *)(uintptr_t)m.end,
                                   found.dlfo_eh_frame};
    if (!lock_take(&the.lock))
        return -EAGAIN;
    int index = find(&m);
    lock_give(&the.lock);
    return index;
}

struct module *module_at(u32 index)
{
    return &the.list[index];
}

void module_init(const char *program)
{
    the.program = program;
    int saved = errno;
    if (getcwd(the.folder, sizeof the.folder) == NULL)
        the.folder[0] = 0;
    errno = saved;
}

size_t module_path(const struct module *m, char *ret)
{
    const char *name = m->map->l_name;
    if (name[0] == 0 && the.program != NULL)
        name = the.program;
    size_t folder = 0, len = strnlen(name, MODULE_PATH_MAX - sizeof the.folder);
    // "lib/x.so" was found from the folder the program was in; "linux-vdso.so.1" is no path.
    if (name[0] != '/' && strchr(name, '/') != NULL && the.folder[0] != 0)
        folder = strlen(the.folder) + 1;
    if (ret != NULL && folder != 0) {
        memcpy(ret, the.folder, folder - 1);
        ret[folder - 1] = '/';
    }
    if (ret != NULL)
        memcpy(ret + folder, name, len);
    return folder + len;
}

void module_gone(const void *p)
{
    if (!lock_take(&the.lock))
        return;
    for (u32 i = 1; i <= the.count; i++)
        if (the.list[i].map == p)
            the.list[i].map = NULL;
    lock_give(&the.lock);
    rule_flush();
}

// Another library at the same place would have to have its link_map and its tables there, too.
static bool is_there(const struct module *m)
{
    struct dl_find_object found;
    return _dl_find_object((void *)(uintptr_t)m->known, &found) == 0 &&
           found.dlfo_link_map == m->map && found.dlfo_eh_frame == m->hdr &&
           (u64)(uintptr_t)found.dlfo_map_start == m->known;
}

void module_verify(void)
{
    bool gone = false;
    if (!lock_take(&the.lock))
        return;
    for (u32 i = 1; i <= the.count; i++) {
        struct module *m = &the.list[i];
        if (m->map == NULL || is_there(m))
            continue;
        m->map = NULL;
        gone = true;
    }
    lock_give(&the.lock);
    if (gone)
        rule_flush();
}

void module_fork_child(void)
{
    lock_break(&the.lock);
}

// The linker sets them around the section in which libloam_malloc.a has its code (Makefile);
// libloam.so has no such section.
extern hidden_ __attribute__((weak)) const char __start_loam_text[], __stop_loam_text[];

void module_self(u64 *ret_start, u64 *ret_end)
{
    struct dl_find_object found;
    *ret_start = (u64)(uintptr_t)__start_loam_text;
    *ret_end = (u64)(uintptr_t)__stop_loam_text;
    if (*ret_start != 0 || _dl_find_object((void *)(uintptr_t)module_self, &found) != 0 ||
        found.dlfo_link_map->l_name[0] == 0) // the program, in tests
        return;
    *ret_start = (u64)(uintptr_t)found.dlfo_map_start;
    *ret_end = (u64)(uintptr_t)found.dlfo_map_end;
}
