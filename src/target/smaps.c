// smaps.c: the mappings of a process and what the kernel counts in each.
#include "target/smaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"Rss", offsetof(struct smap, rss)},
    {"Pss", offsetof(struct smap, pss)},
    {"Shared_Clean", offsetof(struct smap, shared_clean)},
    {"Shared_Dirty", offsetof(struct smap, shared_dirty)},
    {"Private_Clean", offsetof(struct smap, private_clean)},
    {"Private_Dirty", offsetof(struct smap, private_dirty)},
    {"Anonymous", offsetof(struct smap, anonymous)},
    {"LazyFree", offsetof(struct smap, lazy_free)},
    {"AnonHugePages", offsetof(struct smap, anon_huge)},
    {"ShmemPmdMapped", offsetof(struct smap, shmem_huge)},
    {"FilePmdMapped", offsetof(struct smap, file_huge)},
    {"Shared_Hugetlb", offsetof(struct smap, shared_hugetlb)},
    {"Private_Hugetlb", offsetof(struct smap, private_hugetlb)},
    {"Swap", offsetof(struct smap, swap)},
    {"SwapPss", offsetof(struct smap, swap_pss)},
    {"Locked", offsetof(struct smap, locked)},
};

static u64 *field(struct smap *s, size_t i)
{
    return (u64 *)((char *)s + fields[i].offset);
}

// ---------------------------------------------------------------- lines

static const struct {
    char name[3];
    size_t offset;
} flags[] = {
    {"pf", offsetof(struct smap, kernel)},  {"io", offsetof(struct smap, kernel)},
    {"gd", offsetof(struct smap, stack)},   {"hg", offsetof(struct smap, huge)},
    {"nh", offsetof(struct smap, no_huge)},
};

// "VmFlags: rd ex mr mw me de": two letters each.
static void parse_flags(const char *p, struct smap *s)
{
    for (; p[0] != 0 && p[1] != 0; p += p[2] == ' ' ? 3 : 2) {
        for (size_t i = 0; i < countof(flags); i++)
            if (memcmp(p, flags[i].name, 2) == 0)
                *((bool *)s + flags[i].offset) = true;
    }
}

// "Shared_Clean:      12 kB". *hint is where the last name stood: the kernel keeps one order.
static void parse_count(const char *line, size_t *hint, struct smap *s)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL)
        return;
    size_t len = (size_t)(colon - line);
    if (len == 7 && memcmp(line, "VmFlags", 7) == 0) {
        parse_flags(colon + 1 + (colon[1] == ' '), s);
        return;
    }
    for (size_t n = 0; n < countof(fields); n++) {
        size_t i = (*hint + n) % countof(fields);
        if (strlen(fields[i].name) != len || memcmp(fields[i].name, line, len) != 0)
            continue;
        *field(s, i) = strtoull(colon + 1, NULL, 10) * KiB;
        *hint = i + 1;
        return;
    }
}

// Counts begin with a capital letter, mappings with a hexadecimal digit in lower case.
static bool is_count(const char *line)
{
    return *line >= 'A' && *line <= 'Z';
}

static int parse_all(struct smaps *s)
{
    size_t mappings = 0, hint = 0;
    for (const char *p = s->text; p != NULL && *p != 0; p = strchr(p, '\n'), p += p != NULL)
        mappings += !is_count(p);
    s->smap = calloc(mappings + 1, sizeof *s->smap);
    if (s->smap == NULL)
        return -ENOMEM;
    for (char *line = s->text, *next; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = 0;
        if (is_count(line)) {
            if (s->count != 0)
                parse_count(line, &hint, &s->smap[s->count - 1]);
        } else if (s->count < mappings && maps_parse(line, &s->smap[s->count].map)) {
            s->count++;
        }
    }
    return s->count != 0 ? 0 : -ESRCH;
}

// ---------------------------------------------------------------- files

static int load(struct smaps *s, pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
    *s = (struct smaps){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && access("/proc/self/smaps", F_OK) == 0 ? -ESRCH : -errno;
    int e = maps_read(fd, &s->text);
    close(fd);
    if (e == 0)
        e = parse_all(s);
    if (e < 0)
        smaps_done(s);
    return e;
}

int smaps_load(struct smaps *s, pid_t tid)
{
    return load(s, tid, "smaps");
}

void smaps_done(struct smaps *s)
{
    free(s->smap);
    free(s->text);
    *s = (struct smaps){0};
}

void smaps_add(struct smap *a, const struct smap *b)
{
    struct smap from = *b;
    for (size_t i = 0; i < countof(fields); i++)
        *field(a, i) += *field(&from, i);
}

int smaps_total(struct smap *ret_sum, pid_t tid)
{
    struct smaps s;
    int e = load(&s, tid, "smaps_rollup");
    if (e == -ESRCH && access("/proc/self/smaps_rollup", F_OK) != 0)
        e = load(&s, tid, "smaps");
    if (e < 0)
        return e;
    struct smap sum = {0};
    for (size_t i = 0; i < s.count; i++)
        smaps_add(&sum, &s.smap[i]);
    smaps_done(&s);
    *ret_sum = sum;
    return 0;
}
