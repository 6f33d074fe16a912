// threads.c: whose stack is whose.
#include "target/threads.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR_MAX (16 * KiB) // a descriptor stands at most so far below its stack's top
#define TID_WORD       90         // where glibc's descriptor on x86-64 has the thread's number

static int by_tid(const void *a, const void *b)
{
    const struct thread_stack *x = a, *y = b;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static void read_line(pid_t pid, pid_t tid, const char *file, char *line, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, file);
    FILE *in = fopen(path, "re");
    *line = 0;
    if (in == NULL)
        return;
    if (fgets(line, (int)size, in) == NULL)
        *line = 0;
    line[strcspn(line, "\n")] = 0;
    fclose(in);
}

static int list(struct threads *t, pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    size_t room = 0;
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        pid_t tid = atoi(d->d_name);
        if (tid <= 0)
            continue;
        if (t->count == room) {
            room = room != 0 ? 2 * room : 16;
            struct thread_stack *more = realloc(t->stack, room * sizeof *more);
            if (more == NULL) {
                closedir(dir);
                return -ENOMEM;
            }
            t->stack = more;
        }
        t->stack[t->count] = (struct thread_stack){.tid = tid};
        read_line(pid, tid, "comm", t->stack[t->count].name, sizeof t->stack->name);
        t->count++;
    }
    closedir(dir);
    if (t->count != 0)
        qsort(t->stack, t->count, sizeof *t->stack, by_tid);
    return 0;
}

// ---------------------------------------------------------------- by stack pointer

static const struct smap *mapping_at(const struct smaps *s, u64 addr)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->smap[mid].map.end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->count && s->smap[low].map.start <= addr ? &s->smap[low] : NULL;
}

static bool can_be_stack(const struct smap *m)
{
    return m->map.readable && m->map.writable && !m->map.shared && m->map.inode == 0;
}

static void take(struct thread_stack *s, const struct smap *m)
{
    s->start = m->map.start;
    s->end = m->map.end;
}

// "number argument argument ... sp pc", "-1 sp pc" or "running".
static void by_pointer(struct thread_stack *s, pid_t pid, const struct smaps *smaps)
{
    char line[256];
    read_line(pid, s->tid, "syscall", line, sizeof line);
    char *pc = strrchr(line, ' ');
    if (pc == NULL)
        return;
    *pc = 0;
    char *sp = strrchr(line, ' ');
    s->sp = sp != NULL ? strtoull(sp + 1, NULL, 16) : 0;
    const struct smap *m = s->sp != 0 ? mapping_at(smaps, s->sp) : NULL;
    if (m != NULL && can_be_stack(m))
        take(s, m);
}

// ---------------------------------------------------------------- by descriptor

// The number of the thread whose descriptor stands at the top of the mapping, or 0.
static pid_t described(struct target *t, const struct smap *m)
{
    u64 words[DESCRIPTOR_MAX / 8] = {0};
    size_t size = size_min(sizeof words, m->map.end - m->map.start);
    u64 from = m->map.end - size;
    if (target_read(t, from, words, size) < 0)
        return 0;
    for (size_t i = 0; i + TID_WORD < size / 8; i += 8)
        if (words[i] == from + i * 8 && words[i + 2] == words[i])
            return (pid_t)words[i + TID_WORD];
    return 0;
}

static bool guarded(const struct smaps *s, size_t i)
{
    const struct map *m = &s->smap[i].map;
    return i > 0 && m[0].start == s->smap[i - 1].map.end && !s->smap[i - 1].map.readable &&
           s->smap[i - 1].map.inode == 0;
}

static void by_descriptor(struct threads *t, struct target *target, const struct smaps *smaps)
{
    size_t left = 0;
    for (size_t i = 0; i < t->count; i++)
        left += t->stack[i].end == 0;
    for (size_t i = 0; left != 0 && i < smaps->count; i++) {
        const struct smap *m = &smaps->smap[i];
        if (!can_be_stack(m) || *m->map.path != 0 || !guarded(smaps, i))
            continue;
        struct thread_stack key = {.tid = described(target, m)};
        struct thread_stack *s =
            key.tid > 0 ? bsearch(&key, t->stack, t->count, sizeof key, by_tid) : NULL;
        if (s == NULL || s->end != 0)
            continue;
        take(s, m);
        left--;
    }
}

// The first thread's stack has a name of its own.
static void first(struct threads *t, pid_t pid, const struct smaps *smaps)
{
    struct thread_stack key = {.tid = pid};
    struct thread_stack *s =
        t->count != 0 ? bsearch(&key, t->stack, t->count, sizeof key, by_tid) : NULL;
    for (size_t i = 0; s != NULL && i < smaps->count; i++)
        if (strcmp(smaps->smap[i].map.path, "[stack]") == 0)
            take(s, &smaps->smap[i]);
}

int threads_load(struct threads *t, pid_t pid, struct target *target, const struct smaps *smaps)
{
    *t = (struct threads){0};
    int e = list(t, pid);
    if (e < 0) {
        threads_done(t);
        return e;
    }
    for (size_t i = 0; i < t->count; i++)
        by_pointer(&t->stack[i], pid, smaps);
    first(t, pid, smaps);
    by_descriptor(t, target, smaps);
    return 0;
}

void threads_done(struct threads *t)
{
    free(t->stack);
    *t = (struct threads){0};
}
