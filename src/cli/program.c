// program.c: PATH, "#!", the ELF header, and what makes the loader drop LD_PRELOAD.

#include "cli/program.h"

#include "cli/opt.h"
#include "cli/sanitizer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHECK_NEXT  (-1) // there is another file to look at
#define SCRIPTS_MAX 5    // a script's interpreter may be a script; the kernel allows five

#if defined __x86_64__
#define OUR_MACHINE EM_X86_64
#elif defined __aarch64__
#define OUR_MACHINE EM_AARCH64
#endif

struct program {
    const char *name; // as the user wrote it
    char path[PATH_MAX];
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct program *p, int status,
                                                        const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->why, p->why_size, fmt, args);
    va_end(args);
    return status;
}

// ---------------------------------------------------------------- finding

static bool executable(const char *path, struct stat *st)
{
    return stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0;
}

// Look through PATH. What is there but may not be executed is remembered, as execvp(3) does.
static int search(struct program *p)
{
    char standard[256];
    const char *at = getenv("PATH");
    bool denied = false;
    struct stat st = {0};
    if (at == NULL && confstr(_CS_PATH, standard, sizeof standard) > 0)
        at = standard;
    for (; at != NULL; at = *at == 0 ? NULL : at + 1) {
        size_t len = strcspn(at, ":");
        snprintf(p->path, sizeof p->path, "%.*s%s%s", (int)len, at, len == 0 ? "./" : "/", p->name);
        if (executable(p->path, &st))
            return 0;
        denied |= access(p->path, F_OK) == 0 && !S_ISDIR(st.st_mode);
        at += len;
    }
    if (denied)
        return refuse(p, EXIT_NO_EXEC, "'%s' is found in PATH, but you may not execute it.",
                      p->name);
    return refuse(p, EXIT_NOT_FOUND, "no such program: '%s'.", p->name);
}

static int find(struct program *p)
{
    struct stat st = {0};
    if (*p->name == 0)
        return refuse(p, EXIT_NOT_FOUND, "no such program: ''.");
    if (strchr(p->name, '/') == NULL)
        return search(p);
    snprintf(p->path, sizeof p->path, "%s", p->name);
    if (executable(p->path, &st))
        return 0;
    if (access(p->path, F_OK) != 0 && errno != EACCES)
        return refuse(p, EXIT_NOT_FOUND, "no such program: '%s'.", p->name);
    if (S_ISDIR(st.st_mode))
        return refuse(p, EXIT_NO_EXEC, "'%s' is a folder, not a program.", p->name);
    return refuse(p, EXIT_NO_EXEC, "'%s' may not be executed (see chmod(1)).", p->name);
}

// ---------------------------------------------------------------- privileges

// The loader drops LD_PRELOAD when the kernel says that a program runs with more rights than its
// caller (AT_SECURE).
static int check_privileges(struct program *p)
{
    struct stat st;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || stat(p->path, &st) != 0)
        return 0;
    bool user = (st.st_mode & S_ISUID) != 0 && st.st_uid != getuid();
    bool group = (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid();
    bool caps = getuid() != 0 && getxattr(p->path, "security.capability", NULL, 0) > 0;
    if (!user && !group && !caps)
        return 0;
    return refuse(p, EXIT_LOAM,
                  "'%s' is %s: the loader keeps libraries like loam's out of it. Run it as the "
                  "user it runs as.",
                  p->name,
                  user    ? "setuid"
                  : group ? "setgid"
                          : "given file capabilities");
}

// ---------------------------------------------------------------- ELF

struct elf {
    int fd;
    Elf64_Ehdr head;
    char interp[256];
    bool has_interp;
};

static bool read_at(int fd, void *to, size_t size, u64 at)
{
    return pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

static void read_headers(struct elf *e)
{
    for (u32 i = 0; i < e->head.e_phnum && i < 256; i++) {
        Elf64_Phdr ph;
        if (!read_at(e->fd, &ph, sizeof ph, e->head.e_phoff + (u64)i * sizeof ph))
            return;
        if (ph.p_type != PT_INTERP)
            continue;
        size_t size = size_min(ph.p_filesz, sizeof e->interp - 1);
        e->has_interp = read_at(e->fd, e->interp, size, ph.p_offset);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int check_interp(struct program *p, const struct elf *e)
{
    if (!e->has_interp && strncmp(base_name(p->path), "ld-linux", 8) == 0)
        return 0; // the loader itself, which will load a program and us
    if (!e->has_interp)
        return refuse(p, EXIT_LOAM,
                      "'%s' is a static binary: no loader would load libloam into it. Link it with "
                      "libloam_malloc.a instead.",
                      p->name);
    if (strstr(e->interp, "ld-musl") != NULL)
        return refuse(p, EXIT_LOAM, "'%s' is built for musl; libloam works with glibc only.",
                      p->name);
    if (access(e->interp, F_OK) != 0)
        return refuse(p, EXIT_NOT_FOUND, "'%s' needs the loader %s, which is not there.", p->name,
                      e->interp);
    return 0;
}

static int check_elf(struct program *p, int fd)
{
    struct elf e = {.fd = fd};
    if (!read_at(fd, &e.head, sizeof e.head, 0))
        return refuse(p, EXIT_NO_EXEC, "'%s' is a damaged program file.", p->name);
    if (e.head.e_machine == EM_386 && OUR_MACHINE == EM_X86_64)
        return refuse(p, EXIT_LOAM, "'%s' is a 32-bit program; loam sees 64-bit ones only.",
                      p->name);
    if (e.head.e_ident[EI_CLASS] != ELFCLASS64 || e.head.e_ident[EI_DATA] != ELFDATA2LSB ||
        e.head.e_machine != OUR_MACHINE)
        return refuse(p, EXIT_NO_EXEC, "'%s' is built for another kind of machine.", p->name);
    if (e.head.e_type != ET_EXEC && e.head.e_type != ET_DYN)
        return refuse(p, EXIT_NO_EXEC, "'%s' is an ELF file, but not a program.", p->name);
    if (e.head.e_phentsize == sizeof(Elf64_Phdr))
        read_headers(&e);
    int r = check_interp(p, &e);
    r = r != 0 ? r : check_privileges(p);
    const char *sanitizer = r != 0 ? NULL : sanitizer_of(fd);
    if (sanitizer == NULL)
        return r;
    return refuse(p, EXIT_LOAM,
                  "'%s' is built with %s, which brings its own allocator. Build it without.",
                  p->name, sanitizer);
}

// ---------------------------------------------------------------- scripts

// Put the interpreter that "#!" names into p->path: CHECK_NEXT, or an exit status.
static int follow_script(struct program *p, const char *line)
{
    const char *at = line + 2 + strspn(line + 2, " \t");
    size_t len = strcspn(at, " \t\n");
    char interpreter[256];
    struct stat st;
    if (len == 0 || len >= sizeof interpreter)
        return refuse(p, EXIT_NO_EXEC, "'%s' is a script that names no interpreter.", p->name);
    memcpy(interpreter, at, len);
    interpreter[len] = 0;
    if (!executable(interpreter, &st)) {
        bool there = access(interpreter, F_OK) == 0;
        return refuse(p, there ? EXIT_NO_EXEC : EXIT_NOT_FOUND,
                      "'%s' is a script for %s, which %s.", p->name, interpreter,
                      there ? "may not be executed" : "is not there");
    }
    strcpy(p->path, interpreter);
    return CHECK_NEXT;
}

// One step: 0 done and good, CHECK_NEXT, or an exit status.
static int check_file(struct program *p)
{
    char line[256] = {0};
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return check_privileges(p); // may be executed, may not be read: the kernel knows
    ssize_t n = pread(fd, line, sizeof line - 1, 0);
    int r;
    if (n >= 4 && memcmp(line, ELFMAG, SELFMAG) == 0)
        r = check_elf(p, fd);
    else if (n >= 2 && line[0] == '#' && line[1] == '!')
        r = follow_script(p, line);
    else if (n > 0 && memchr(line, 0, (size_t)n) != NULL)
        r = refuse(p, EXIT_NO_EXEC, "'%s' is not a program.", p->name);
    else
        r = 0; // text without "#!": execvp(3) gives it to /bin/sh
    close(fd);
    return r;
}

int program_check(const char *name, char *why, size_t why_size)
{
    struct program p = {.name = name, .why = why, .why_size = why_size};
    int r = find(&p);
    if (r != 0)
        return r;
    for (int i = 0; i < SCRIPTS_MAX; i++) {
        r = check_file(&p);
        if (r != CHECK_NEXT)
            return r;
    }
    return refuse(&p, EXIT_NO_EXEC, "'%s' is a script of a script of a script.", name);
}
