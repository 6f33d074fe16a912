// symbol.c: elfutils answers; this file asks, shortens and remembers.
//
// libdwfl finds the debug file of a module (by build-id, by debug link) and applies what
// relocations it needs; one session per module keeps addresses simple: a frame's offset is a
// link-time address of its module, so dwfl address = offset + what dwfl chose as bias.

#include "report/symbol.h"

#include "report/jit.h"
#include "report/rust.h"
#include "report/scope.h"
#include "report/symtab.h"
#include "report/unit.h"
#include "report/utf8.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INLINED_MAX 32

struct symbol_file {
    Dwfl *dwfl;
    Dwfl_Module *mod; // NULL: no symbols to be had
    struct jit *jit;  // instead: the module is a perf map
    Dwarf_Addr bias;  // dwfl address minus link-time address
    enum symbol_state state;
    bool opened;
    struct units units;
    struct symtab symtab;
    struct scopes scopes;
    u32 nameless;          // answers without a name
    struct module *module; // that points here
    struct symbol_file *next;
};

struct answer {
    size_t count;
    struct symbol symbols[];
};

struct symbols {
    struct store *store;
    struct table answers; // module number and offset -> struct answer
    struct symbol_file *files;
    char *(*demangle)(const char *, char *, size_t *, int *);
    void *libstdcxx;
};

static bool ask_servers;

bool symbols_asks_servers(void)
{
    return ask_servers;
}

void symbols_ask_servers(void)
{
    ask_servers = true;
}

struct symbols *symbols_new(struct store *store)
{
    struct symbols *s = calloc(1, sizeof *s);
    if (s == NULL)
        die("loam: no memory for the report", NULL);
    s->store = store;
    // elfutils asks by itself if this names a server.
    if (!ask_servers)
        unsetenv("DEBUGINFOD_URLS");
    // The one demangler that is on every Debian machine. Without it C++ names stay as they are.
    s->libstdcxx = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
    if (s->libstdcxx != NULL)
        *(void **)&s->demangle = dlsym(s->libstdcxx, "__cxa_demangle");
    return s;
}

struct symbols *symbols_free(struct symbols *s)
{
    if (s == NULL)
        return NULL;
    for (struct symbol_file *f = s->files; f != NULL; f = f->next) {
        units_done(&f->units);
        symtab_done(&f->symtab);
        scope_done(&f->scopes);
        jit_free(f->jit);
        if (f->dwfl != NULL)
            dwfl_end(f->dwfl);
        f->module->symbols = NULL; // a second report of the same model opens it anew
    }
    table_done(&s->answers);
    if (s->libstdcxx != NULL)
        dlclose(s->libstdcxx);
    free(s);
    return NULL;
}

// ---------------------------------------------------------------- opening a module

// The file that stands at the path now must be the one that was recorded. One that was recorded
// without a build-id is believed: there is nothing better.
static bool same_build(struct symbol_file *f, const struct module *m)
{
    const unsigned char *id = NULL;
    GElf_Addr at;
    int len = dwfl_module_build_id(f->mod, &id, &at);
    if (m->build_id_len == 0)
        return true;
    return len == (int)m->build_id_len && memcmp(id, m->build_id, m->build_id_len) == 0;
}

// Report one file to a fresh session. NULL when it is no ELF file.
static Dwfl_Module *report_module(struct symbol_file *f, const struct module *m)
{
    static const Dwfl_Callbacks callbacks = {
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    f->dwfl = dwfl_begin(&callbacks);
    if (f->dwfl == NULL)
        return NULL;
    Dwfl_Module *mod = dwfl_report_offline(f->dwfl, m->name, m->path, -1);
    dwfl_report_end(f->dwfl, NULL, NULL);
    return mod;
}

// A hostile recording may name a pipe, which would be waited for.
static bool plain_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

static void open_file(struct symbol_file *f, const struct module *m)
{
    f->state = SYMBOLS_GONE;
    if (jit_is_map(m->path)) {
        f->jit = jit_open(m->path);
        f->state = SYMBOLS_FULL; // what it does not name has no name anywhere
        return;
    }
    if (m->path[0] != '/' || !plain_file(m->path))
        return;
    f->mod = report_module(f, m);
    if (f->mod == NULL || dwfl_module_getelf(f->mod, &f->bias) == NULL) {
        f->mod = NULL;
        return;
    }
    if (!same_build(f, m)) {
        f->mod = NULL;
        f->state = SYMBOLS_CHANGED;
        return;
    }
    Dwarf_Addr bias;
    bool lines = dwfl_module_getdwarf(f->mod, &bias) != NULL;
    bool names = dwfl_module_getsymtab(f->mod) > 1;
    f->state = lines ? SYMBOLS_FULL : names ? SYMBOLS_NAMES : SYMBOLS_NONE;
}

static struct symbol_file *file_known(struct symbols *s, struct module *m)
{
    if (m->symbols == NULL) {
        m->symbols = store_push(s->store, sizeof *m->symbols);
        m->symbols->module = m;
        m->symbols->next = s->files;
        s->files = m->symbols;
    }
    return m->symbols;
}

static struct symbol_file *file_of(struct symbols *s, struct module *m)
{
    struct symbol_file *f = file_known(s, m);
    if (!f->opened)
        open_file(f, m);
    f->opened = true;
    return f;
}

enum symbol_state symbols_state(const struct module *m)
{
    return m->symbols == NULL ? SYMBOLS_FULL : m->symbols->state;
}

u32 symbols_nameless(const struct module *m)
{
    return m->symbols == NULL ? 0 : m->symbols->nameless;
}

void symbols_set_nameless(const struct module *m, u32 n)
{
    if (m->symbols != NULL)
        m->symbols->nameless = n;
}

// ---------------------------------------------------------------- names

static const char *keep(struct symbols *s, const char *text)
{
    char *copy = store_text(s->store, text, strlen(text));
    utf8_clean(copy);
    return copy;
}

static const char *demangled(struct symbols *s, const char *name)
{
    // glibc calls its own functions by another name, so that nobody can replace them.
    if (strncmp(name, "__GI_", 5) == 0)
        name += 5;
    char *plain = rust_demangle(name);
    int status;
    if (plain == NULL && s->demangle != NULL && strncmp(name, "_Z", 2) == 0) {
        plain = s->demangle(name, NULL, NULL, &status);
        if (plain != NULL)
            rust_unescape(plain);
    }
    const char *kept = keep(s, plain != NULL ? plain : name);
    free(plain);
    return kept;
}

static const char *die_name(Dwarf_Die *die)
{
    static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
    for (size_t i = 0; i < countof(names); i++) {
        Dwarf_Attribute attr;
        const char *name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &attr));
        if (name != NULL)
            return name;
    }
    return NULL;
}

// Where a stripped function begins, by its unwind table; 0 if even that is missing.
static u64 function_start(struct symbol_file *f, Dwarf_Addr at)
{
    Dwarf_Addr bias, start = 0, end;
    Dwarf_CFI *cfi = dwfl_module_eh_cfi(f->mod, &bias);
    Dwarf_Frame *frame = NULL;
    bool signal;
    if (cfi == NULL || dwarf_cfi_addrframe(cfi, at - bias, &frame) != 0)
        return 0;
    dwarf_frame_info(frame, &start, &end, &signal);
    free(frame);
    return start + bias - f->bias;
}

static const char *nameless(struct symbols *s, const struct module *m, u64 offset)
{
    char text[320];
    if (m == NULL || jit_is_map(m->path))
        snprintf(text, sizeof text, "0x%llx", (unsigned long long)offset);
    else
        snprintf(text, sizeof text, "%.256s+0x%llx", m->name, (unsigned long long)offset);
    return keep(s, text);
}

// ---------------------------------------------------------------- lines and inlined functions

static const char *joined(struct symbols *s, const char *dir, const char *name)
{
    if (dir == NULL || name[0] == '/')
        return keep(s, name);
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = store_push(s->store, size);
    snprintf(path, size, "%s/%s", dir, name);
    utf8_clean(path);
    return path;
}

static void set_line(struct symbols *s, struct symbol *sym, Dwarf_Die *cu, Dwarf_Addr pc)
{
    Dwarf_Attribute attr;
    int number = 0;
    Dwarf_Line *line = dwarf_getsrc_die(cu, pc);
    const char *file = line == NULL ? NULL : dwarf_linesrc(line, NULL, NULL);
    if (file == NULL || dwarf_lineno(line, &number) != 0)
        return;
    const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
    sym->file = joined(s, dir, file);
    sym->line = number > 0 ? (u32)number : 0; // 0: code that the compiler made up
}

// An inlined function's DIE says from which line of its caller it was called.
static void set_call_line(struct symbols *s, struct symbol *caller, Dwarf_Die *cu, Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    Dwarf_Word file, line;
    Dwarf_Files *files;
    size_t files_count;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &file) != 0 ||
        dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &line) != 0 ||
        dwarf_getsrcfiles(cu, &files, &files_count) != 0 || file >= files_count)
        return;
    const char *name = dwarf_filesrc(files, file, NULL, NULL);
    if (name == NULL)
        return;
    const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
    caller->file = joined(s, dir, name);
    caller->line = (u32)line;
}

// Where functions are told of a unit: in a split unit of its own (.dwo, .dwp), if there is one.
static Dwarf_Die *inner_unit(Dwarf_Die *cu, Dwarf_Die *split)
{
    uint8_t type;
    if (dwarf_cu_info(cu->cu, NULL, &type, NULL, split, NULL, NULL, NULL) != 0 ||
        (type != DW_UT_skeleton && type != DW_UT_split_compile) ||
        dwarf_tag(split) == DW_TAG_invalid)
        return cu;
    return split;
}

// Fill `out` from the debug information; the number of symbols, 0 if it does not know.
static size_t from_dwarf(struct symbols *s, struct symbol_file *f, Dwarf_Addr at,
                         struct symbol out[INLINED_MAX])
{
    Dwarf_Addr bias;
    Dwarf_Die *cu = units_find(&f->units, f->mod, at, &bias), split, scopes[INLINED_MAX];
    if (cu == NULL)
        return 0;
    size_t n = scope_find(&f->scopes, inner_unit(cu, &split), at - bias, scopes, INLINED_MAX);
    set_line(s, &out[0], cu, at - bias);
    for (size_t i = 0; i < n; i++) {
        const char *name = die_name(&scopes[i]);
        out[i].named = name != NULL;
        out[i].function = name == NULL ? "?" : demangled(s, name);
        out[i].inlined = dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine;
        if (out[i].inlined && i + 1 < n)
            set_call_line(s, &out[i + 1], cu, &scopes[i]);
    }
    return n;
}

// ---------------------------------------------------------------- code made while it ran

static char *part(struct symbols *s, const char *text, size_t size)
{
    char *copy = store_text(s->store, text, size);
    utf8_clean(copy);
    return copy;
}

static size_t from_map(struct symbols *s, const struct jit *jit, u64 pc, struct symbol *out)
{
    struct jit_name name;
    if (!jit_find(jit, pc - 1, &name))
        return 0;
    out->function = part(s, name.function, name.function_size);
    out->file = name.file == NULL ? NULL : part(s, name.file, name.file_size);
    out->line = name.line;
    out->named = true;
    return 1;
}

// ---------------------------------------------------------------- asking

static size_t ask(struct symbols *s, struct frame frame, struct symbol out[INLINED_MAX])
{
    struct symbol_file *f = frame.module == NULL ? NULL : file_of(s, frame.module);
    size_t count = 0;
    if (f != NULL && f->jit != NULL)
        count = from_map(s, f->jit, frame.offset, out);
    else if (f != NULL && f->mod != NULL) {
        // A frame holds the return address; the call is before it, and may be the last
        // instruction of its function.
        Dwarf_Addr at = frame.offset - 1 + f->bias;
        count = from_dwarf(s, f, at, out);
        const char *name = count == 0 ? symtab_find(&f->symtab, f->mod, at) : NULL;
        if (name != NULL) {
            out[0].function = demangled(s, name);
            out[0].named = true;
            count = 1;
        } else if (count == 0) {
            out[0].start = function_start(f, at);
        }
    }
    if (count == 0) {
        out[0].function = nameless(s, frame.module, frame.offset);
        if (f != NULL)
            f->nameless++;
        count = 1;
    }
    return count;
}

// ---------------------------------------------------------------- answers from elsewhere

void symbols_put(struct symbols *s, u64 frame, const struct symbol *symbols, size_t count)
{
    struct answer *a = store_push(s->store, sizeof *a + count * sizeof *symbols);
    a->count = count;
    memcpy(a->symbols, symbols, count * sizeof *symbols);
    table_put(&s->answers, frame, a);
}

void symbols_learn(struct symbols *s, struct module *m, const struct module *from)
{
    if (from != NULL && from->symbols == NULL)
        return; // it was not asked
    struct symbol_file *f = file_known(s, m);
    f->state = from == NULL ? SYMBOLS_FULL : from->symbols->state;
    f->nameless += from == NULL ? 0 : from->symbols->nameless;
}

void symbols_keep(struct symbols *s, struct store *answers)
{
    store_join(s->store, answers);
}

const struct symbol *symbols_of(struct symbols *s, struct frame f, size_t *ret_count)
{
    u64 key = (u64)(f.module == NULL ? 0 : f.module->number) << 48 | f.offset;
    struct answer *a = table_get(&s->answers, key);
    if (a == NULL) {
        struct symbol out[INLINED_MAX] = {0};
        size_t count = ask(s, f, out);
        a = store_push(s->store, sizeof *a + count * sizeof *out);
        a->count = count;
        memcpy(a->symbols, out, count * sizeof *out);
        table_put(&s->answers, key, a);
    }
    *ret_count = a->count;
    return a->symbols;
}
