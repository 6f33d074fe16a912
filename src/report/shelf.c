// shelf.c: one file a module: a head, entries, symbols, texts.

#include "report/shelf.h"

#include "report/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC     "loamsym1"
#define NO_TEXT   UINT32_MAX
#define PATH_ROOM 4096

enum { SYMBOL_INLINED = 1, SYMBOL_NAMED = 2 };

struct head {
    char magic[8];
    u64 sum; // of all that follows
    char version[16];
    u8 id[20];
    u32 id_len;
    u32 entries, symbols, text_bytes;
};
struct kept_entry {
    u64 offset;
    u32 first, count; // symbols
};
struct kept_symbol {
    u64 start;
    u32 function, file; // in the texts; NO_TEXT
    u32 line, flags;
};

static u64 sum_of(const char *bytes, size_t size)
{
    u64 sum = size, word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum = table_mix(sum, word);
    }
    word = 0;
    memcpy(&word, bytes, size);
    return table_mix(sum, word);
}

// ---------------------------------------------------------------- where

// The folder, made if `make`. False without a home, or if it is somebody else's.
static bool folder(char path[PATH_ROOM], bool make)
{
    static const char *const parts[] = {"", "/loam", "/loam/symbols"};
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char base[PATH_ROOM / 2];
    struct stat st;
    if (cache != NULL && cache[0] == '/')
        snprintf(base, sizeof base, "%s", cache);
    else if (home != NULL && home[0] == '/')
        snprintf(base, sizeof base, "%.2000s/.cache", home);
    else
        return false;
    for (size_t i = 0; i < countof(parts); i++) {
        snprintf(path, PATH_ROOM, "%s%s", base, parts[i]);
        if (make)
            mkdir(path, 0700);
    }
    // Under sudo the home may be another user's: leave nothing of ours there.
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static bool file_of(char path[PATH_ROOM], const struct module *m, bool make)
{
    if (m->build_id_len == 0 || !folder(path, make))
        return false;
    size_t n = strlen(path);
    path[n++] = '/';
    for (u32 i = 0; i < m->build_id_len; i++, n += 2)
        snprintf(path + n, PATH_ROOM - n, "%02x", m->build_id[i]);
    return true;
}

// ---------------------------------------------------------------- reading

static char *read_whole(struct store *store, const char *path, size_t *ret_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    bool ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
                (u64)st.st_size >= sizeof(struct head) && (u64)st.st_size <= SHELF_FILE_BYTES;
    char *bytes = ours ? store_push(store, (size_t)st.st_size) : NULL;
    if (ours && read(fd, bytes, (size_t)st.st_size) != st.st_size)
        bytes = NULL;
    close(fd);
    *ret_size = ours ? (size_t)st.st_size : 0;
    return bytes;
}

static bool right(const struct head *h, size_t size, const struct module *m)
{
    size_t behind = offsetof(struct head, version);
    u64 want = sizeof *h + (u64)h->entries * sizeof(struct kept_entry) +
               (u64)h->symbols * sizeof(struct kept_symbol) + h->text_bytes;
    return memcmp(h->magic, MAGIC, sizeof h->magic) == 0 && want == size &&
           strncmp(h->version, LOAM_VERSION, sizeof h->version) == 0 &&
           h->id_len == m->build_id_len && memcmp(h->id, m->build_id, h->id_len) == 0 &&
           h->text_bytes > 0 && ((const char *)h)[size - 1] == 0 &&
           h->sum == sum_of((const char *)h + behind, size - behind);
}

// A text of the file, fit for a terminal; NULL if there is none.
static const char *text_at(char *texts, u32 bytes, u32 at)
{
    if (at >= bytes)
        return NULL;
    utf8_clean(texts + at);
    return texts + at;
}

static struct symbol *take_symbols(struct store *store, const struct head *h,
                                   const struct kept_symbol *from, char *texts)
{
    struct symbol *all = store_push(store, h->symbols * sizeof *all);
    for (u32 i = 0; i < h->symbols; i++) {
        const char *function = text_at(texts, h->text_bytes, from[i].function);
        all[i] = (struct symbol){.function = function == NULL ? "?" : function,
                                 .file = text_at(texts, h->text_bytes, from[i].file),
                                 .line = from[i].line,
                                 .inlined = (from[i].flags & SYMBOL_INLINED) != 0,
                                 .named = (from[i].flags & SYMBOL_NAMED) != 0,
                                 .start = from[i].start};
    }
    return all;
}

struct shelf shelf_read(struct store *store, const struct module *m)
{
    char path[PATH_ROOM];
    size_t size;
    char *bytes = file_of(path, m, false) ? read_whole(store, path, &size) : NULL;
    const struct head *h = (const void *)bytes;
    if (bytes == NULL || !right(h, size, m))
        return (struct shelf){0};
    const struct kept_entry *from = (const void *)(h + 1);
    const struct kept_symbol *symbols = (const void *)(from + h->entries);
    const struct symbol *all = take_symbols(store, h, symbols, (char *)(symbols + h->symbols));
    struct shelf s = {.entries = store_push(store, h->entries * sizeof *s.entries)};
    for (u32 i = 0; i < h->entries; i++) {
        bool sound = from[i].count > 0 && from[i].first < h->symbols &&
                     from[i].count <= h->symbols - from[i].first &&
                     (s.count == 0 || s.entries[s.count - 1].offset < from[i].offset);
        if (sound)
            s.entries[s.count++] =
                (struct shelf_entry){from[i].offset, all + from[i].first, from[i].count};
    }
    return s;
}

const struct shelf_entry *shelf_find(const struct shelf *s, u64 offset)
{
    u32 low = 0, high = s->count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (s->entries[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->count && s->entries[low].offset == offset ? &s->entries[low] : NULL;
}

// ---------------------------------------------------------------- writing

// Texts, each once.
struct texts {
    FILE *out;
    char *bytes;
    size_t size;
    struct table at; // hash of a text -> 1 + where it stands
};

static u32 put_text(struct texts *t, const char *text)
{
    if (text == NULL)
        return NO_TEXT;
    u64 key = table_hash(text);
    uintptr_t known = (uintptr_t)table_get(&t->at, key);
    fflush(t->out);
    if (known != 0 && strcmp(t->bytes + known - 1, text) == 0)
        return (u32)(known - 1);
    u32 at = (u32)t->size;
    fwrite(text, 1, strlen(text) + 1, t->out);
    table_put(&t->at, key, (void *)(uintptr_t)(at + 1));
    return at;
}

static struct kept_symbol kept_of(struct texts *t, const struct symbol *s)
{
    return (struct kept_symbol){.start = s->start,
                                .function = put_text(t, s->function),
                                .file = put_text(t, s->file),
                                .line = s->line,
                                .flags = (s->inlined ? (u32)SYMBOL_INLINED : 0) |
                                         (s->named ? (u32)SYMBOL_NAMED : 0)};
}

static char *image_of(const struct module *m, const struct shelf_entry *entries, u32 count,
                      size_t *ret_size)
{
    struct head h = {.magic = MAGIC, .id_len = m->build_id_len, .entries = count};
    struct texts t = {0};
    char *image = NULL;
    FILE *out = open_memstream(&image, ret_size);
    t.out = open_memstream(&t.bytes, &t.size);
    if (out == NULL || t.out == NULL)
        die("loam: no memory for the report", NULL);
    fwrite(&h, sizeof h, 1, out);
    for (u32 i = 0; i < count; i++) {
        struct kept_entry e = {entries[i].offset, h.symbols, entries[i].count};
        fwrite(&e, sizeof e, 1, out);
        h.symbols += entries[i].count;
    }
    for (u32 i = 0; i < count; i++) {
        for (u32 j = 0; j < entries[i].count; j++) {
            struct kept_symbol k = kept_of(&t, &entries[i].symbols[j]);
            fwrite(&k, sizeof k, 1, out);
        }
    }
    fclose(t.out);
    fwrite(t.bytes, 1, t.size, out);
    fclose(out);
    h.text_bytes = (u32)t.size;
    snprintf(h.version, sizeof h.version, "%s", LOAM_VERSION);
    memcpy(h.id, m->build_id, m->build_id_len);
    memcpy(image, &h, sizeof h);
    size_t behind = offsetof(struct head, version);
    h.sum = sum_of(image + behind, *ret_size - behind);
    memcpy(image, &h, sizeof h);
    free(t.bytes);
    table_done(&t.at);
    return image;
}

// Let the oldest files go until `more` bytes fit.
static void make_room(const char *path, u64 more)
{
    for (u32 tries = 0; tries < 1000; tries++) {
        DIR *d = opendir(path);
        struct stat st, oldest = {0};
        char name[256] = "";
        u64 sum = more;
        for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
            if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
                continue;
            sum += (u64)st.st_size;
            if (name[0] == 0 || st.st_mtime < oldest.st_mtime) {
                oldest = st;
                snprintf(name, sizeof name, "%s", e->d_name);
            }
        }
        bool full = d != NULL && sum > SHELF_BYTES && name[0] != 0;
        bool gone = full && unlinkat(dirfd(d), name, 0) == 0;
        if (d != NULL)
            closedir(d);
        if (!gone)
            return;
    }
}

static void put_file(const char *path, const char *bytes, size_t size)
{
    char aside[PATH_ROOM + 32];
    snprintf(aside, sizeof aside, "%s.%d", path, (int)getpid());
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    bool whole = write(fd, bytes, size) == (ssize_t)size;
    if (close(fd) != 0 || !whole || rename(aside, path) != 0)
        unlink(aside);
}

void shelf_write(const struct module *m, const struct shelf_entry *entries, u32 count)
{
    char path[PATH_ROOM];
    size_t size;
    if (count == 0 || !folder(path, true))
        return;
    char *image = image_of(m, entries, count, &size);
    if (size <= SHELF_FILE_BYTES) {
        make_room(path, size);
        if (file_of(path, m, true))
            put_file(path, image, size);
    }
    free(image);
}
