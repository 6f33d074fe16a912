// peers.c: which allocators are there.

#include "cli/peers.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Where Debian's packages put them; the newest name of a package that had several comes last.
static const struct {
    const char *name, *pattern;
} packaged[] = {
    {"jemalloc", "/usr/lib/*-linux-gnu/libjemalloc.so.2"},
    {"mimalloc", "/usr/lib/*-linux-gnu/libmimalloc.so.[0-9]"},
    {"tcmalloc", "/usr/lib/*-linux-gnu/libtcmalloc_minimal.so.4"},
    {"tbbmalloc", "/usr/lib/*-linux-gnu/libtbbmalloc_proxy.so.2"},
};

// Add it, or replace one of the same name: a user's mimalloc takes the place of Debian's.
static int add(struct peers *p, const char *name, const char *path, char *why, size_t why_size)
{
    u32 at = 0;
    while (at < p->count && strcmp(p->peer[at].name, name) != 0)
        at++;
    if (at == PEERS_MAX || strlen(name) >= sizeof p->peer[0].name || *name == 0) {
        snprintf(why, why_size, "'%s' is too long a name, or one allocator too many", name);
        return -1;
    }
    char *resolved = p->peer[at].path;
    if (*path == 0) {
        *resolved = 0;
    } else if (realpath(path, resolved) == NULL || access(resolved, R_OK) != 0) {
        snprintf(why, why_size, "%s cannot be read: %s", path, strerror(errno));
        return -1;
    } else if (strpbrk(resolved, " :") != NULL) {
        snprintf(why, why_size, "LD_PRELOAD cannot name %s: a blank or colon ends a path there",
                 resolved);
        return -1;
    }
    snprintf(p->peer[at].name, sizeof p->peer[at].name, "%s", name);
    p->count += at == p->count;
    return 0;
}

// libc itself is preloaded for glibc's malloc: a program that is linked to another allocator, as
// Debian's redis is to jemalloc, would else be told as if it had run on glibc's.
static int add_libc(struct peers *p, char *why, size_t why_size)
{
    Dl_info libc;
    if (dladdr((void *)(uintptr_t)gnu_get_libc_version, &libc) == 0)
        return add(p, "glibc", "", why, why_size);
    return add(p, "glibc", libc.dli_fname, why, why_size);
}

static void add_loam(struct peers *p)
{
    static const char *const beside[] = {"libloam.so", "../lib/libloam.so"};
    char self[PATH_MAX], path[PATH_MAX + 32], why[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return;
    self[n] = 0;
    *(strrchr(self, '/') + 1) = 0;
    for (size_t i = 0; i < countof(beside); i++) {
        snprintf(path, sizeof path, "%s%s", self, beside[i]);
        if (add(p, "loam", path, why, sizeof why) == 0)
            return;
    }
}

static void add_packaged(struct peers *p)
{
    char why[PATH_MAX + 64];
    for (size_t i = 0; i < countof(packaged); i++) {
        glob_t found;
        if (glob(packaged[i].pattern, 0, NULL, &found) == 0)
            add(p, packaged[i].name, found.gl_pathv[found.gl_pathc - 1], why, sizeof why);
        globfree(&found);
    }
}

static int add_extra(struct peers *p, const char *extra, char *why, size_t why_size)
{
    char *list = strdup(extra), *rest = NULL;
    int r = list == NULL ? -1 : 0;
    for (char *one = strtok_r(list, ",", &rest); one != NULL && r == 0;
         one = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(one, '=');
        if (equals == NULL) {
            snprintf(why, why_size, "'%s' is not NAME=/path/library.so", one);
            r = -1;
            break;
        }
        *equals = 0;
        r = add(p, one, equals + 1, why, why_size);
    }
    free(list);
    return r;
}

// Is `name` one of the comma-separated words?
static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; *at != 0;) {
        size_t n = strcspn(at, ",");
        if (n == len && strncmp(at, name, n) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static int keep_only(struct peers *p, const char *only, char *why, size_t why_size)
{
    u32 kept = 0, wanted = *only != 0;
    for (const char *c = only; *c != 0; c++)
        wanted += *c == ',';
    for (u32 i = 0; i < p->count; i++) {
        if (is_listed(only, p->peer[i].name))
            p->peer[kept++] = p->peer[i];
    }
    p->count = kept;
    if (kept == wanted)
        return 0;
    snprintf(why, why_size, "of '%s' only %u are there", only, kept);
    return -1;
}

int peers_find(struct peers *p, const char *extra, const char *only, char *why, size_t why_size)
{
    p->count = 0;
    if (add_libc(p, why, why_size) != 0)
        return -1;
    add_loam(p);
    add_packaged(p);
    if (extra != NULL && add_extra(p, extra, why, why_size) != 0)
        return -1;
    return only == NULL ? 0 : keep_only(p, only, why, why_size);
}
