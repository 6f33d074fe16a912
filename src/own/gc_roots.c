// gc_roots.c: where pointers may stand that nobody else points to.
//
// Runs while all other threads are stopped, or in a copy of the process in which they do not
// exist; so it takes no lock and asks only the kernel. What the loader knows is asked before.
#include "os/world.h"
#include "own/gc.h"
#include "own/region.h"
#include "own/tasks.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#define BATCH         128   // threads for which the kernel is asked at once
#define DESCRIPTOR    2304  // bytes of libc's thread descriptor, in which values of keys stand
#define TLS_COUNT_MAX 65536 // modules, to believe a thread's table
#define PEEK          4096

extern void *__libc_stack_end; // libc's name for where main's stack begins

// ---------------------------------------------------------------- what the loader knows

static int add_range(struct gc_table *t, const void *start, size_t size)
{
    int e = gc_table_grow(t, sizeof(struct gc_range));
    if (e == 0)
        ((struct gc_range *)t->at)[t->count++] = (struct gc_range){.start = start, .size = size};
    return e;
}

static int see_module(struct dl_phdr_info *info, size_t size, void *heap)
{
    (void)size;
    loam_gc *gc = heap;
    int e = 0;
    for (unsigned i = 0; i < info->dlpi_phnum && e == 0; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_LOAD && (h->p_flags & PF_W) != 0)
            e = add_range(&gc->modules, (const char *)info->dlpi_addr + h->p_vaddr, h->p_memsz);
        if (h->p_type == PT_TLS && info->dlpi_tls_modid != 0) // `start` is the module's number
            e = add_range(&gc->tls, (const char *)(uintptr_t)info->dlpi_tls_modid, h->p_memsz);
    }
    return e;
}

int gc_roots_modules(loam_gc *gc)
{
    gc->modules.count = gc->tls.count = 0;
    return dl_iterate_phdr(see_module, gc);
}

// ---------------------------------------------------------------- reading

// Sanitizers would stop at words that they know to be nobody's: they do not see this copy.
__attribute__((no_sanitize("address"), no_sanitize("thread"))) static void
copy_words(u64 *to, const u64 *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = *(volatile const u64 *)&from[i];
}

void gc_roots_words(struct mark *m, const void *from, size_t bytes)
{
    uintptr_t start = round_up((uintptr_t)from, 8), end = ((uintptr_t)from + bytes) & ~(uintptr_t)7;
    if (start >= end)
        return;
    const u64 *at = (const u64 *)start;
    size_t n = (end - start) / 8;
    if (!under_asan && !under_tsan) {
        mark_words(m, at, n);
        return;
    }
    u64 buffer[256];
    for (size_t take; n != 0; n -= take, at += take) {
        take = size_min(n, countof(buffer));
        copy_words(buffer, at, take);
        mark_words(m, buffer, take);
    }
}

// Memory of which it is not certain that all of it is there.
static void peek_words(struct mark *m, uintptr_t from, uintptr_t end)
{
    _Alignas(8) char buffer[PEEK];
    for (uintptr_t at = round_up(from, 8), step; at < end; at += step) {
        step = size_min(end - at, PEEK - at % PEEK); // never across an OS page
        size_t n = world_peek((const void *)at, buffer, step);
        mark_words(m, (const u64 *)(const void *)buffer, n / 8);
    }
}

// ---------------------------------------------------------------- threads

struct stack { // of a thread, or what a worker left on it
    const char *sp, *tp;
    bool main; // it grows down from __libc_stack_end
};

struct stacks_seen {
    struct mark *m;
    struct stack stack[BATCH];
    struct extent extent[2 * BATCH];
    size_t count;
};

// The vector of a thread's blocks: {value, to free} for each module; before it, how many there are.
static const u64 *tls_vector(const char *tp)
{
#if defined(__x86_64__)
    return ((const u64 *const *)(const void *)tp)[1];
#else
    return ((const u64 *const *)(const void *)tp)[0];
#endif
}

// Thread-local blocks, whichever way they were made: the vector names them all.
static void see_tls(struct mark *m, const loam_gc *gc, const char *tp)
{
    u64 count, at;
    peek_words(m, (uintptr_t)tp, (uintptr_t)tp + DESCRIPTOR);
    const u64 *vector = tls_vector(tp);
    if (world_peek(vector - 2, &count, sizeof count) != sizeof count || count > TLS_COUNT_MAX)
        return;
    const struct gc_range *tls = gc->tls.at;
    for (size_t i = 0; i < gc->tls.count; i++) {
        size_t module = (size_t)(uintptr_t)tls[i].start;
        // All ones: the thread has not touched this module's block.
        if (module <= count && world_peek(vector + 2 * module, &at, sizeof at) == sizeof at &&
            at + 1 > 1)
            peek_words(m, at, at + tls[i].size);
    }
}

// What a stack holds from `sp` up. A thread's own ends below its descriptor, or, main's, with the
// mapping. Any other (a signal's, a coroutine's of another library) is read to the end of its
// mapping, and then all of the thread's own, for it is not known how much of that is alive.
static void see_stack(struct mark *m, const struct stack *s, const struct extent *sp,
                      const struct extent *tp)
{
    uintptr_t at = (uintptr_t)s->sp, top = (uintptr_t)s->tp;
    if (sp->end == 0)
        return;
    if (s->main && sp->end > (uintptr_t)__libc_stack_end && at <= (uintptr_t)__libc_stack_end)
        gc_roots_words(m, s->sp, sp->end - at);
    else if (!s->main && tp->start == sp->start && at < top)
        gc_roots_words(m, s->sp, top - at);
    else {
        peek_words(m, at, sp->end);
        if (!s->main)
            peek_words(m, tp->start, top);
        else if (at < (uintptr_t)__libc_stack_end - 8 * MiB || at > (uintptr_t)__libc_stack_end)
            peek_words(m, (uintptr_t)__libc_stack_end - 8 * MiB, (uintptr_t)__libc_stack_end);
    }
}

static int see_batch(struct stacks_seen *s)
{
    for (size_t i = 0; i < s->count; i++) {
        s->extent[2 * i] = (struct extent){.addr = (uintptr_t)s->stack[i].sp};
        s->extent[2 * i + 1] = (struct extent){.addr = (uintptr_t)s->stack[i].tp};
    }
    int e = s->count != 0 ? world_extents(s->extent, 2 * s->count) : 0;
    for (size_t i = 0; i < s->count && e == 0; i++)
        see_stack(s->m, &s->stack[i], &s->extent[2 * i], &s->extent[2 * i + 1]);
    s->count = 0;
    return e;
}

static int add_stack(struct stacks_seen *s, const char *sp, const char *tp, bool is_main)
{
    s->stack[s->count++] = (struct stack){sp, tp, is_main};
    return s->count == BATCH ? see_batch(s) : 0;
}

// Main's stack is known without asking, unless the stack pointer is elsewhere.
static bool on_main_stack(const char *sp)
{
    uintptr_t end = (uintptr_t)__libc_stack_end;
    return (uintptr_t)sp < end && end - (uintptr_t)sp < 8 * MiB;
}

static int see_thread(struct stacks_seen *s, const loam_gc *gc, const char *sp, const char *tp,
                      bool is_main)
{
    see_tls(s->m, gc, tp);
    const char *end = tasks_stack_end(sp);
    if (end != NULL) {
        gc_roots_words(s->m, sp, (size_t)(end - sp)); // the rest of its stack: see_task
        return 0;
    }
    if (is_main && on_main_stack(sp)) {
        gc_roots_words(s->m, sp, (size_t)((char *)__libc_stack_end - sp));
        return 0;
    }
    return add_stack(s, sp, tp, is_main);
}

static int see_threads(const loam_gc *gc, const char *sp, struct stacks_seen *s)
{
    const struct world_thread *t;
    size_t n = world_threads(&t);
    u32 main = (u32)world_process();
    int e = see_thread(s, gc, sp, __builtin_thread_pointer(), world_me() == main);
    for (size_t i = 0; i < n && e == 0; i++)
        if (t[i].tid != 0)
            e = see_thread(s, gc, t[i].sp, t[i].tp, t[i].tid == main);
    return e;
}

// ---------------------------------------------------------------- tasks

struct see {
    struct stacks_seen *stacks;
    int error;
};

static void see_task(void *ctx, const void *from, const void *to)
{
    struct see *s = ctx;
    gc_roots_words(s->stacks->m, from, (size_t)((const char *)to - (const char *)from));
}

// A worker's own stack, while a task runs on it: it reaches up to the descriptor of its thread.
static void see_loop(void *ctx, const void *sp, const void *tp)
{
    struct see *s = ctx;
    bool is_main = on_main_stack(sp);
    if (is_main)
        see_task(ctx, sp, __libc_stack_end);
    else if (s->error == 0)
        s->error = add_stack(s->stacks, sp, tp, false);
}

// ---------------------------------------------------------------- all of it

static void see_region(void *mark, const void *from, const void *to)
{
    gc_roots_words(mark, from, (size_t)((const char *)to - (const char *)from));
}

static void see_ranges(struct mark *m, const struct gc_table *t)
{
    const struct gc_range *r = t->at;
    for (size_t i = 0; i < t->count; i++) {
        if (r[i].region != NULL)
            region_each_block(r[i].region, see_region, m);
        else
            gc_roots_words(m, r[i].start, r[i].size);
    }
}

bool gc_roots_mark(loam_gc *gc, struct mark *m, const void *sp)
{
    see_ranges(m, &gc->roots);
    gc_final_roots(gc, m);
    if (gc->options.explicit_roots)
        return true;
    struct stacks_seen stacks;
    stacks.m = m;
    stacks.count = 0;
    struct see see = {&stacks, 0};
    see_ranges(m, &gc->modules);
    int e = see_threads(gc, sp, &stacks);
    tasks_each_root(see_task, see_loop, &see);
    if (e == 0)
        e = see.error;
    return e == 0 && see_batch(&stacks) == 0;
}

// ---------------------------------------------------------------- named by the program

static int add_root(loam_gc *gc, const struct gc_range *r)
{
    gc_lock(gc);
    int e = gc_table_grow(&gc->roots, sizeof *r);
    if (e == 0)
        ((struct gc_range *)gc->roots.at)[gc->roots.count++] = *r;
    gc->regions += e == 0 && r->region != NULL;
    gc_unlock(gc);
    return e;
}

static int remove_root(loam_gc *gc, const void *start, const loam_region *region)
{
    int e = -ENOENT;
    gc_lock(gc);
    struct gc_range *r = gc->roots.at;
    for (size_t i = gc->roots.count; i-- > 0 && e < 0;)
        if (r[i].start == start && r[i].region == region) {
            r[i] = r[--gc->roots.count];
            gc->regions -= region != NULL;
            e = 0;
        }
    gc_unlock(gc);
    return e;
}

int loam_gc_root_add(loam_gc *gc, const void *p, size_t size)
{
    uintptr_t end;
    if (p == NULL || __builtin_add_overflow((uintptr_t)p, size, &end))
        return -EINVAL;
    return add_root(gc, &(struct gc_range){.start = p, .size = size});
}

int loam_gc_root_remove(loam_gc *gc, const void *p)
{
    return p == NULL ? -ENOENT : remove_root(gc, p, NULL);
}

int loam_gc_root_region(loam_gc *gc, const loam_region *r)
{
    return r == NULL ? -EINVAL : add_root(gc, &(struct gc_range){.region = r});
}

int loam_gc_root_region_remove(loam_gc *gc, const loam_region *r)
{
    return r == NULL ? -ENOENT : remove_root(gc, NULL, r);
}
