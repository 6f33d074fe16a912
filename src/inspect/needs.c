// needs.c: breadth first over the names, with the cache of ldconfig.

#include "inspect/needs.h"

#include "inspect/dynamic.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARIES_MAX 512

// ---------------------------------------------------------------- /etc/ld.so.cache

struct cache {
    const u8 *bytes;
    size_t size;
};

// The part of glibc's cache that has been there since 2.2: a header, entries, then the strings;
// the offsets of names and paths count from the header.
struct cache_header {
    char magic[20];
    u32 count, strings_size;
    u8 rest[20];
};
struct cache_entry {
    u32 flags, name, path, os;
    u64 hardware;
};
static_assert(sizeof(struct cache_header) == 48 && sizeof(struct cache_entry) == 24, "as on disk");

static struct cache cache_open(void)
{
    struct cache c = {0};
    struct stat st;
    int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(struct cache_header)) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED)
            c = (struct cache){p, (size_t)st.st_size};
    }
    if (fd >= 0)
        close(fd);
    if (c.bytes != NULL && memcmp(c.bytes, "glibc-ld.so.cache1.1", 20) != 0) {
        munmap((void *)c.bytes, c.size);
        c = (struct cache){0};
    }
    return c;
}

static const char *cache_text(const struct cache *c, u32 at)
{
    return at < c->size && memchr(c->bytes + at, 0, c->size - at) != NULL
               ? (const char *)c->bytes + at
               : NULL;
}

// ---------------------------------------------------------------- one library

struct search {
    struct facts *f;
    struct cache cache;
    struct needs *needs;
    const char *env; // LD_LIBRARY_PATH
};

// Whether the loader could load that file into this program.
static bool fits(const struct facts *f, const char *path)
{
    u8 head[20];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool whole = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head;
    if (fd >= 0)
        close(fd);
    return whole && memcmp(head, ELFMAG, SELFMAG) == 0 &&
           head[EI_CLASS] == (f->class_bits == 64 ? ELFCLASS64 : ELFCLASS32) &&
           (u32)(head[18] | head[19] << 8) == f->machine;
}

static const char *kept(struct search *s, const char *path)
{
    return fits(s->f, path) ? facts_text(s->f, path, strlen(path)) : NULL;
}

// Look in the folders of `list`, "a:b:$ORIGIN/c".
static const char *in_folders(struct search *s, const char *list, const char *origin,
                              const char *name)
{
    char path[4096];
    while (list != NULL && *list != 0) {
        size_t len = strcspn(list, ":;");
        const char *word = strncmp(list, "${ORIGIN}", 9) == 0 ? "${ORIGIN}" : "$ORIGIN";
        size_t skip = strncmp(list, word, strlen(word)) == 0 ? strlen(word) : 0;
        const char *slash = strrchr(origin, '/');
        const char *from = slash == NULL ? "." : origin;
        size_t base = skip == 0 ? 0 : slash == NULL ? 1 : (size_t)(slash - origin);
        int n = snprintf(path, sizeof path, "%.*s%.*s/%s", (int)base, from,
                         (int)(skip < len ? len - skip : 0), list + skip, name);
        const char *found = n < (int)sizeof path ? kept(s, path) : NULL;
        if (found != NULL)
            return found;
        list += len + (list[len] != 0);
    }
    return NULL;
}

static const char *in_cache(struct search *s, const char *name)
{
    const struct cache *c = &s->cache;
    struct cache_header h;
    if (c->bytes == NULL)
        return NULL;
    memcpy(&h, c->bytes, sizeof h);
    for (u32 i = 0; i < h.count && sizeof h + (i + 1) * sizeof(struct cache_entry) <= c->size;
         i++) {
        struct cache_entry e;
        memcpy(&e, c->bytes + sizeof h + i * sizeof e, sizeof e);
        const char *key = cache_text(c, e.name), *path = cache_text(c, e.path);
        const char *found =
            key != NULL && path != NULL && strcmp(key, name) == 0 ? kept(s, path) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

// `by` is who needs it; its paths count.
static const char *where(struct search *s, const struct facts *by, const char *name)
{
    if (strchr(name, '/') != NULL)
        return kept(s, name);
    const char *found = NULL;
    if (by->runpath == NULL)
        found = in_folders(s, by->rpath, by->path, name);
    if (found == NULL && by->runpath == NULL && by != s->f && s->f->runpath == NULL)
        found = in_folders(s, s->f->rpath, s->f->path, name);
    if (found == NULL)
        found = in_folders(s, s->env, by->path, name);
    if (found == NULL)
        found = in_folders(s, by->runpath, by->path, name);
    if (found == NULL)
        found = in_cache(s, name);
    return found != NULL ? found : in_folders(s, "/lib:/usr/lib:/lib64:/usr/lib64", "/", name);
}

// ---------------------------------------------------------------- all of them

static void add(struct search *s, const struct facts *by, const char *name, const char *wanted)
{
    struct needs *n = s->needs;
    for (u32 i = 0; i < n->count; i++) {
        if (strcmp(n->items[i].name, name) == 0)
            return;
    }
    if (n->count == LIBRARIES_MAX)
        return;
    struct library *l = &n->items[n->count++];
    *l = (struct library){facts_text(s->f, name, strlen(name)), NULL, wanted};
    l->path = where(s, by, name);
    n->missing += l->path == NULL;
}

static void add_all(struct search *s, const struct facts *by, const char *wanted)
{
    for (u32 i = 0; i < by->needed_count; i++)
        add(s, by, by->needed[i], wanted);
}

// What a library needs in its turn.
static void follow(struct search *s, const struct library *l)
{
    struct image im;
    struct facts theirs = {0};
    char why[IMAGE_WHY];
    if (l->path == NULL || image_open(&im, l->path, why) != 0)
        return;
    facts_load_dynamic(&theirs, &im);
    add_all(s, &theirs, l->name);
    facts_done(&theirs);
    image_done(&im);
}

struct needs needs_of(struct facts *f)
{
    struct needs n = {.items = store_push(&f->store, LIBRARIES_MAX * sizeof *n.items)};
    struct search s = {.f = f, .needs = &n, .env = getenv("LD_LIBRARY_PATH")};
    u32 here = sizeof(void *) == 8 ? 64 : 32;
    n.foreign = f->class_bits != here || f->big_endian || !facts_native(f);
    if (n.foreign) {
        for (u32 i = 0; i < f->needed_count && n.count < LIBRARIES_MAX; i++)
            n.items[n.count++].name = f->needed[i];
        n.direct = n.count;
        return n;
    }
    s.cache = cache_open();
    add_all(&s, f, NULL);
    n.direct = n.count;
    for (u32 i = 0; i < n.count; i++)
        follow(&s, &n.items[i]);
    if (s.cache.bytes != NULL)
        munmap((void *)s.cache.bytes, s.cache.size);
    return n;
}
