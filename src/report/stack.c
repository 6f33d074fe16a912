// stack.c: expand frames to functions, give each a role, keep the telling ones.

#include "report/stack.h"

#include "report/name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum role {
    ROLE_LIBRARY = 1,
    ROLE_USER = 2,
    ROLE_WRAPPER = 3,
    ROLE_START = 4,
    ROLE_MASK = 7,
    ROLE_IS_MAIN = 8,       // also: nothing of interest calls it
    ROLE_IS_OUTERMOST = 16, // nor lies at or outside of this
};

// Functions whose only work is to hand out memory. Exact names.
static const char *const wrappers[] = {
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "loam_malloc",
    "loam_calloc",
    "loam_realloc",
    "strdup",
    "strndup",
    "__strdup",
    "__strndup",
    "wcsdup",
    "asprintf",
    "vasprintf",
    "__asprintf",
    "__vasprintf",
    "xmalloc",
    "xcalloc",
    "xrealloc",
    "xstrdup",
    "xstrndup",
    "xzalloc",
    "xmemdup",
    "xnmalloc",
    "g_malloc",
    "g_malloc0",
    "g_realloc",
    "g_strdup",
    "g_slice_alloc",
    "g_malloc_n",
    "safemalloc",
    "PyMem_Malloc",
    "PyMem_RawMalloc",
    "PyMem_Calloc",
    "PyMem_Realloc",
    "PyMem_RawCalloc",
    "PyMem_RawRealloc",
    "PyObject_Malloc",
    "PyObject_Calloc",
    "PyObject_Realloc",
    "_PyMem_RawMalloc",
    "_PyMem_RawCalloc",
    "_PyMem_RawRealloc",
    "Perl_safesysmalloc",
    "Perl_safesyscalloc",
    "Perl_safesysrealloc",
    "sqlite3MemMalloc",
    "sqlite3Malloc",
};
static const char *const wrapper_starts[] = {
    "operator new", "std::",   "__gnu_cxx::", "void std::",   "void* std::",
    "std::__",      "alloc::", "<alloc::",    "__rust_alloc", "__rdl_alloc",
};
static const char *const plain_wrappers[] = {
    "malloc", "calloc", "realloc", "operator new", "loam_", "PyMem_", "PyObject_", "_PyMem_",
};
static const char *const starters[] = {
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "__libc_start_main_impl",
    "start_thread",
    "clone",
    "clone3",
    "__clone",
    "__clone3",
    "_dl_start",
    "_dl_start_user",
    "_dl_init",
    "call_init",
    "_dl_catch_exception",
    "__libc_start_main@@GLIBC_2.34",
};

// No frame of interest lies outside of these.
static const char *const outermost[] = {
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "__libc_start_main_impl",
    "start_thread",
    "clone3",
    "__clone3",
    "_dl_start_user",
};

static bool one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, list[i]) == 0)
            return true;
    }
    return false;
}

static bool starts_with_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(name, list[i], strlen(list[i])) == 0)
            return true;
    }
    return false;
}

static bool in_system(const char *path)
{
    static const char *const folders[] = {"/usr/",      "/lib/", "/lib64/", "[",
                                          "linux-vdso", "node:", "/rustc/"};
    return starts_with_one_of(path, folders, countof(folders));
}

static bool runtime_module(const struct module *m)
{
    static const char *const names[] = {"libc.so", "ld-linux", "libpthread.so", "libc-2"};
    return m != NULL && starts_with_one_of(m->name, names, countof(names));
}

// The insides of Rust's own containers, as those of std:: are for C++.
static bool rust_alloc(const char *file)
{
    const char *library = strncmp(file, "/rustc/", 7) == 0 ? strstr(file, "/library/") : NULL;
    return library != NULL && strncmp(library, "/library/alloc/", 15) == 0;
}

static enum role role_judged(const struct stack_line *l)
{
    const char *name = l->symbol->function;
    if (l->module != NULL && strncmp(l->module->name, "libloam", 7) == 0)
        return ROLE_WRAPPER;
    if (l->symbol->named && one_of(name, starters, countof(starters)))
        return ROLE_START;
    if (l->symbol->named && (one_of(name, wrappers, countof(wrappers)) ||
                             starts_with_one_of(name, wrapper_starts, countof(wrapper_starts))))
        return ROLE_WRAPPER;
    if (l->symbol->file != NULL && rust_alloc(l->symbol->file))
        return ROLE_WRAPPER;
    if (!l->symbol->named && runtime_module(l->module))
        return ROLE_START; // only counts at the outer end: stripped libc between clone and main
    bool user = l->symbol->file != NULL && !in_system(l->symbol->file) && l->module != NULL &&
                !in_system(l->module->path);
    return user ? ROLE_USER : ROLE_LIBRARY;
}

static u8 flags_judged(const struct symbol *s)
{
    if (!s->named)
        return 0;
    if (strcmp(s->function, "main") == 0)
        return ROLE_IS_MAIN;
    return one_of(s->function, outermost, countof(outermost)) ? ROLE_IS_OUTERMOST : 0;
}

// Judged once: a page asks for 50,000 stacks of 60 lines, which are 2,000 symbols.
static u8 role_and_flags(const struct stack_line *l)
{
    if (l->symbol->role == 0)
        ((struct symbol *)l->symbol)->role = (u8)role_judged(l) | flags_judged(l->symbol);
    return l->symbol->role;
}

static enum role role_of(const struct stack_line *l)
{
    return role_and_flags(l) & ROLE_MASK;
}

bool stack_is_own(const struct stack_line *line)
{
    return role_of(line) == ROLE_USER;
}

// ---------------------------------------------------------------- cutting

// All functions of a stack, inlined ones included.
static struct stack_line *expand(struct symbols *symbols, struct store *store,
                                 const struct site *site, u32 *ret_count)
{
    u32 count = 0, at = 0;
    size_t n;
    for (u32 i = 0; i < site->frames_count; i++) {
        symbols_of(symbols, site_frame(site, i), &n);
        count += (u32)n;
    }
    struct stack_line *lines = store_push(store, count * sizeof *lines);
    for (u32 i = 0; i < site->frames_count; i++) {
        const struct frame f = site_frame(site, i);
        const struct symbol *s = symbols_of(symbols, f, &n);
        for (size_t j = 0; j < n; j++)
            lines[at++] =
                (struct stack_line){.symbol = &s[j], .module = f.module, .offset = f.offset};
    }
    *ret_count = count;
    return lines;
}

// Drop start-up code behind main, or behind a thread's first function.
static u32 outer_end(const struct stack_line *lines, u32 count)
{
    u32 end = count;
    for (u32 i = 0; i < end; i++) {
        u8 flags = role_and_flags(&lines[i]);
        if ((flags & ROLE_IS_MAIN) != 0)
            return i + 1;
        if (i > 0 && (flags & ROLE_IS_OUTERMOST) != 0)
            end = i;
    }
    while (end > 1 && role_of(&lines[end - 1]) == ROLE_START)
        end--;
    return end;
}

// The first frame that is no wrapper; but a stack of wrappers alone keeps its last.
static u32 inner_start(const struct stack_line *lines, u32 end)
{
    u32 start = 0;
    while (start + 1 < end && role_of(&lines[start]) == ROLE_WRAPPER)
        start++;
    return start;
}

static const char *telling(struct store *store, const char *wrapper)
{
    if (starts_with_one_of(wrapper, plain_wrappers, countof(plain_wrappers)))
        return NULL;
    return name_fit(store, name_short(store, wrapper), 40);
}

// A recursive function tells nothing by its second line.
static bool repeats(const struct stack_line *lines, u32 i, const bool *keep)
{
    for (u32 j = 0; j < i; j++) {
        if (keep[j] && strcmp(lines[j].symbol->function, lines[i].symbol->function) == 0)
            return true;
    }
    return false;
}

// Which of `count` lines stay when there is room for `room`: the innermost and the outermost, then
// the user's own from the inside, then others, and last repeated ones.
static void choose(const struct stack_line *lines, u32 count, u32 room, bool *keep)
{
    u32 kept = 0;
    for (u32 i = 0; i < count; i++) {
        keep[i] = count <= room || i == 0 || i + 1 == count;
        kept += keep[i];
    }
    for (int pass = 0; pass < 3; pass++) {
        for (u32 i = 0; i < count && kept < room; i++) {
            bool wanted = pass == 2 || ((pass == 1 || role_of(&lines[i]) == ROLE_USER) &&
                                        !repeats(lines, i, keep));
            if (wanted && !keep[i]) {
                keep[i] = true;
                kept++;
            }
        }
    }
    // "1 more" would take the line that the frame itself can have.
    for (u32 i = 1; i + 1 < count; i++)
        keep[i] |= keep[i - 1] && keep[i + 1];
}

static void mark_mine(struct stack *s)
{
    u32 i = 0;
    while (i < s->lines_count && role_of(&s->lines[i]) != ROLE_USER)
        i++;
    if (s->lines_count > 0)
        s->lines[i < s->lines_count ? i : 0].mine = true;
}

struct stack stack_cut(struct symbols *symbols, struct store *store, const struct site *site,
                       u32 lines_max)
{
    u32 count;
    struct stack_line *lines = expand(symbols, store, site, &count);
    struct stack out = {.lines = lines, .lines_count = count};
    if (lines_max == 0 || count == 0) {
        mark_mine(&out);
        return out;
    }
    u32 end = outer_end(lines, count), start = inner_start(lines, end), n = end - start;
    bool *keep = store_push(store, n);
    choose(lines + start, n, lines_max, keep);
    if (start > 0)
        out.via = telling(store, lines[start - 1].symbol->function);
    out.lines_count = 0;
    u32 hidden = 0;
    for (u32 i = 0; i < n; i++) {
        struct stack_line line = lines[start + i];
        line.hidden = hidden;
        hidden = keep[i] ? 0 : hidden + 1;
        if (keep[i])
            lines[out.lines_count++] = line; // never ahead of what is still to be read
    }
    out.hidden_last = hidden;
    mark_mine(&out);
    return out;
}

const char *stack_where(struct store *store, const struct stack_line *line)
{
    const struct symbol *s = line->symbol;
    if (s->file != NULL) {
        size_t size = strlen(s->file) + 16;
        char *path = store_text(store, s->file, size), *text = store_push(store, size);
        const char *near = name_near_path(path);
        if (s->line == 0)
            return near;
        snprintf(text, size, "%s:%u", near, s->line);
        return text;
    }
    if (!s->named && s->start != 0) {
        char *text = store_push(store, 64);
        snprintf(text, 64, "in function +0x%llx", (unsigned long long)s->start);
        return text;
    }
    return s->named && line->module != NULL ? line->module->name : "";
}
