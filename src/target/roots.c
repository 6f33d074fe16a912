// roots.c: where a stopped process's pointers start.
#include "target/roots.h"
#include "format/recording.h"
#include "target/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
    u64 start, end;
};

struct ranges {
    struct range *range;
    size_t count, room;
    bool failed; // out of memory
};

static void add(void *ctx, u64 start, u64 end)
{
    struct ranges *r = ctx;
    if (start >= end)
        return;
    if (r->count == r->room) {
        size_t room = r->room != 0 ? 2 * r->room : 64;
        struct range *list = realloc(r->range, room * sizeof *list);
        if (list == NULL) {
            r->failed = true;
            return;
        }
        r->range = list;
        r->room = room;
    }
    r->range[r->count++] = (struct range){start, end};
}

static int by_start(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void sort(struct ranges *r)
{
    if (r->count > 1)
        qsort(r->range, r->count, sizeof *r->range, by_start);
}

// ---------------------------------------------------------------- what is loam's

static bool is_libloam(const struct map *m)
{
    const char *name = strrchr(m->path, '/');
    return name != NULL && strncmp(name, "/libloam.so", 11) == 0;
}

// The data of the library that holds the root, and its .bss, which follows without a name. A
// program that was linked with loam keeps its own variables in the same mapping: that one counts.
static void add_library(const struct roots *r, struct ranges *own)
{
    const struct map *home = maps_find(r->maps, r->root);
    const struct map *end = r->maps->map + r->maps->count;
    if (home == NULL)
        return;
    const struct map *file = home;
    while (file > r->maps->map && maps_anonymous(file) && file[-1].end == file->start)
        file--;
    if (!is_libloam(file))
        return;
    for (const struct map *m = r->maps->map; m < end; m++) {
        bool bss = m > r->maps->map && maps_anonymous(m) && m[-1].end == m->start &&
                   m[-1].inode == file->inode && m[-1].writable && m <= home;
        if (bss || (m->inode == file->inode && m->major == file->major && m->minor == file->minor))
            add(own, m->start, m->end);
    }
}

static int own_ranges(const struct roots *r, const struct blocks *b, struct ranges *own)
{
    int e = blocks_own(&r->memory->target, r->root, add, own);
    add(own, b->base, b->base + b->extent);
    for (u32 i = b->far_first; i < b->span_count; i++)
        add(own, b->span[i].start, b->span[i].start + b->span[i].size);
    add_library(r, own);
    if (e == 0 && own->failed)
        e = -ENOMEM;
    sort(own);
    return e;
}

// ---------------------------------------------------------------- stacks

struct stacks {
    struct range *thread; // start: stack pointer less red zone, in order; end: thread pointer
    size_t count;
    bool complete; // all threads are known
};

#define EXIT_FRAMES_MAX (64 * KiB) // the library's own frames on the way to its wait

// Where the living part of a thread's stack begins. In the thread that entered the library to end
// the program that is where it entered.
static u64 stack_start(const struct thread *t, const struct record_process *proc)
{
    u64 below = proc->exit_sp - t->cpu.sp;
    if (proc->exit_sp != 0 && below < EXIT_FRAMES_MAX)
        return proc->exit_sp;
    return t->cpu.sp - CPU_RED_ZONE;
}

static int stacks_load(struct stacks *s, const struct stop *stop, const struct record_process *proc)
{
    *s = (struct stacks){.complete = true};
    s->thread = calloc(stop->count + 1, sizeof *s->thread);
    if (s->thread == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < stop->count; i++) {
        const struct thread *t = &stop->thread[i];
        if (t->stopped)
            s->thread[s->count++] = (struct range){stack_start(t, proc), t->cpu.tp};
        else if (!t->gone)
            s->complete = false;
    }
    if (s->count > 1)
        qsort(s->thread, s->count, sizeof *s->thread, by_start);
    return 0;
}

// The lowest stack pointer inside the range; its end if there is none.
static u64 lowest_sp(const struct stacks *s, struct range r)
{
    u64 low = r.end;
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].start >= r.start && s->thread[i].start < low)
            low = s->thread[i].start;
    return low;
}

static bool is_thread_pointer(const struct stacks *s, u64 at)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].end == at)
            return true;
    return false;
}

#define DESCRIPTOR_MAX (16 * KiB) // a thread descriptor stands at most so far below the stack's top

// A thread descriptor at the top of a stack points to itself by its first and third word; 0 if
// there is none there. *ret_live tells whether a thread uses it.
static u64 find_descriptor(const struct roots *r, const struct stacks *s, struct range stack,
                           bool *ret_live)
{
    u64 words[DESCRIPTOR_MAX / 8];
    size_t size = size_min(sizeof words, stack.end - stack.start);
    u64 from = stack.end - size;
    memset(words, 0, sizeof words);
    if (target_read(&r->memory->target, from, words, size) < 0)
        return 0;
    for (size_t i = size / 8 - 8; i > 0; i -= 8) {
        u64 at = from + i * 8;
        if (words[i] != at || words[i + 2] != at)
            continue;
        *ret_live = is_thread_pointer(s, at);
        return at;
    }
    return 0;
}

// Where the first thread's stack began: above it stand arguments and environment, which count also
// when that thread is gone. 0 when the kernel does not tell.
static u64 first_stack(pid_t tid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", tid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return 0;
    line[fread(line, 1, sizeof line - 1, in)] = 0;
    fclose(in);
    const char *p = strrchr(line, ')'); // field 2 ends here; the one we want is field 28
    for (int field = 2; p != NULL && field < 28; field++)
        p = strchr(p + 1, ' ');
    return p != NULL ? strtoull(p, NULL, 10) : 0;
}

static bool first_is_gone(const struct stop *stop)
{
    for (size_t i = 0; i < stop->count; i++)
        if (stop->thread[i].tid == stop->pid)
            return stop->thread[i].gone;
    return true;
}

static u64 alive_from_first(const struct roots *r, struct range part)
{
    if (!first_is_gone(r->stop))
        return part.start;
    u64 start = first_stack(r->memory->tid);
    return start >= part.start && start < part.end ? start : part.start;
}

// The first address of a root range that is alive: its start, if it is no stack.
static u64 alive_from(const struct roots *r, const struct stacks *s, const struct map *m,
                      struct range part)
{
    bool first = strcmp(m->path, "[stack]") == 0;
    bool guarded = m > r->maps->map && m[-1].end == m->start && !m[-1].readable &&
                   !m[-1].writable && m[-1].inode == 0 && part.start == m->start;
    if (!first && !(guarded && maps_anonymous(m)))
        return part.start;
    u64 sp = lowest_sp(s, part);
    if (sp < part.end)
        return sp;
    if (first)
        return alive_from_first(r, part);
    bool live = true;
    u64 descriptor = s->complete ? find_descriptor(r, s, part, &live) : 0;
    return live ? part.start : descriptor;
}

// ---------------------------------------------------------------- memory

static bool is_device(const struct map *m)
{
    return strncmp(m->path, "/dev/", 5) == 0 && strncmp(m->path, "/dev/shm/", 9) != 0 &&
           strncmp(m->path, "/dev/zero", 9) != 0;
}

static bool is_recording(const struct roots *r, const struct map *map)
{
    return r->recording != NULL && maps_same_file(map, r->recording);
}

struct walk {
    const struct roots *roots;
    const struct stacks *stacks;
    struct mark *mark;
};

static int mark_part(void *ctx, u64 start, u64 end)
{
    struct walk *w = ctx;
    return mark_range(w->mark, start, end - start);
}

static int walk_part(struct walk *w, const struct map *m, struct range part)
{
    if (part.start >= part.end)
        return 0;
    u64 from = alive_from(w->roots, w->stacks, m, part);
    u64 page = from & ~(u64)(w->roots->memory->os_page - 1);
    if (page < from) { // a stack: from the middle of an OS page
        u64 next = size_min(page + w->roots->memory->os_page, part.end);
        int e = mark_range(w->mark, from, next - from);
        if (e < 0)
            return e;
        from = next;
    }
    return from < part.end ? memory_present(w->roots->memory, from, part.end, mark_part, w) : 0;
}

// A mapping less the parts that are ours.
static int walk_map(struct walk *w, const struct map *m, const struct ranges *own)
{
    u64 at = m->start;
    int e = 0;
    for (size_t i = 0; e == 0 && i < own->count && own->range[i].start < m->end; i++) {
        if (own->range[i].end <= at)
            continue;
        e = walk_part(w, m, (struct range){at, own->range[i].start});
        at = own->range[i].end;
    }
    return e == 0 ? walk_part(w, m, (struct range){at, m->end}) : e;
}

static int mark_memory(const struct roots *r, const struct stacks *s, struct mark *m)
{
    struct ranges own = {0};
    struct walk w = {r, s, m};
    int e = own_ranges(r, m->blocks, &own);
    for (size_t i = 0; e == 0 && i < r->maps->count; i++) {
        const struct map *map = &r->maps->map[i];
        if (map->readable && map->writable && !is_device(map) && !is_recording(r, map))
            e = walk_map(&w, map, &own);
    }
    free(own.range);
    return e;
}

// ---------------------------------------------------------------- registers

// The thread that asked stopped itself inside a call of ours: the registers that a call may change
// hold nothing of the program any more, but may still hold what a copy loop left in them.
static void mark_thread(const struct roots *r, const struct thread *t, struct mark *m, void *buf)
{
    u64 words[32];
    bool asking = t->tid == r->asking;
    if (asking && stack_start(t, r->proc) == r->proc->exit_sp)
        mark_words(m, r->proc->exit_kept, countof(r->proc->exit_kept));
    else
        mark_words(m, words, cpu_words(&t->cpu, asking, words));
    if (!asking)
        mark_words(m, buf, cpu_vector(t->tid, buf, CPU_VECTOR_MAX) / 8);
}

static int mark_registers(const struct roots *r, struct mark *m)
{
    void *buf = malloc(CPU_VECTOR_MAX);
    if (buf == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < r->stop->count; i++)
        if (r->stop->thread[i].stopped)
            mark_thread(r, &r->stop->thread[i], m, buf);
    free(buf);
    return 0;
}

int roots_mark(const struct roots *r, struct blocks *b, struct mark *m)
{
    struct stacks s;
    int e = stacks_load(&s, r->stop, r->proc);
    for (size_t i = 0; e == 0 && i < s.count; i++)
        blocks_clip(b, s.thread[i].start);
    if (e == 0)
        e = mark_registers(r, m);
    if (e == 0)
        e = mark_memory(r, &s, m);
    if (e == 0)
        kernel_mark(r->memory->tid, m);
    free(s.thread);
    return e;
}
