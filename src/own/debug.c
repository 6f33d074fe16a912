// debug.c: LOAM=debug=on: notes of what happened, stacks, and memory that is kept from reuse.
//
// All of it lies in mappings of our own, reserved at start and touched as it is used. Mappings with
// addresses of the program's objects stand in the chunk record, so that no leak scan takes a note
// for a reference. One lock over everything: this mode is for finding mistakes, not for speed.
#include "own/debug.h"

#include "base/options.h"
#include "heap/trace.h"
#include "os/fault.h"
#include "os/os.h"
#include "os/stack.h"
#include "own/fault.h"

#include <loam/heap.h>
#include <loam/rc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define NOTES      (1u << 20)
#define WAYS       8u
#define TRACES     (1u << 14)
#define KEPT       4096u
#define KEPT_BYTES (16 * MiB)

struct trace {
    u32 count;
    u32 hash;
    u64 pc[TRACE_FRAMES];
};

struct kept {
    void *block;
    size_t size;
    const char *name, *place; // of the region; name NULL: not fenced
    u32 trace, thread;
};

struct debug_state the_debug;

static struct {
    struct lock lock;
    bool fork_skipped;
    bool traces_can; // somebody can unwind
    u32 age;
    struct note *note;       // [NOTES]
    struct trace *trace;     // [TRACES]; 0 is none
    struct kept *kept;       // [KEPT], a ring; roots, so the memory is not in the chunk record
    u32 kept_at, kept_count; // where the next one goes; the last `count` are kept
    size_t kept_bytes;
} the;

// ---------------------------------------------------------------- stacks

static u64 mix(u64 x)
{
    x ^= x >> 32;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

// The slot of that stack, or a free one; 0 when the table is full.
static u32 trace_slot(const u64 *pc, u32 count, u32 hash)
{
    for (u32 i = 0; i < 64; i++) {
        u32 at = (hash + i) % (TRACES - 1) + 1;
        struct trace *t = &the.trace[at];
        if (t->count == 0)
            return at;
        if (t->hash == hash && t->count == count && memcmp(t->pc, pc, count * sizeof *pc) == 0)
            return at;
    }
    return 0;
}

static u32 trace_keep(const u64 *pc, u32 count)
{
    u64 hash = count;
    for (u32 i = 0; i < count; i++)
        hash = mix(hash ^ pc[i]);
    u32 at = count == 0 ? 0 : trace_slot(pc, count, (u32)hash);
    if (at != 0 && the.trace[at].count == 0) {
        the.trace[at].hash = (u32)hash;
        memcpy(the.trace[at].pc, pc, count * sizeof *pc);
        the.trace[at].count = count;
    }
    return at;
}

u32 debug_trace(void)
{
    u64 pc[TRACE_FRAMES];
    u32 at = 0, count = the.traces_can ? trace_here(pc, TRACE_FRAMES) : 0;
    if (count != 0 && lock_take(&the.lock)) {
        at = trace_keep(pc, count);
        lock_give(&the.lock);
    }
    return at;
}

u32 debug_frames(u32 trace, const u64 **ret_pc)
{
    *ret_pc = the.trace[trace].pc;
    return trace == 0 ? 0 : the.trace[trace].count;
}

u32 debug_thread(void)
{
    return (u32)gettid();
}

// ---------------------------------------------------------------- notes

static struct note *set_of(enum note_kind kind, const void *object, u64 number)
{
    u64 h = mix((uintptr_t)object ^ mix(number + (u64)kind));
    return &the.note[h % (NOTES / WAYS) * WAYS];
}

static struct note *find(enum note_kind kind, const void *object, u64 number)
{
    struct note *set = set_of(kind, object, number);
    for (u32 i = 0; i < WAYS; i++)
        if (set[i].kind == kind && set[i].object == object && set[i].number == number)
            return &set[i];
    return NULL;
}

static struct note *oldest(struct note *set)
{
    struct note *old = set;
    for (u32 i = 0; i < WAYS; i++) {
        if (set[i].kind == 0)
            return &set[i];
        if (set[i].age < old->age)
            old = &set[i];
    }
    return old;
}

void note_put(enum note_kind kind, const void *object, u64 number, const char *made)
{
    u32 trace = debug_trace(), thread = debug_thread();
    if (!lock_take(&the.lock))
        return;
    struct note *n = find(kind, object, number);
    if (n == NULL)
        n = oldest(set_of(kind, object, number));
    *n = (struct note){object, made, number, thread, trace, kind, ++the.age};
    lock_give(&the.lock);
}

bool note_find(enum note_kind kind, const void *object, u64 number, struct note *ret)
{
    if (!debugging() || !lock_take(&the.lock))
        return false;
    const struct note *n = find(kind, object, number);
    if (n != NULL)
        *ret = *n;
    lock_give(&the.lock);
    return n != NULL;
}

void note_remove(enum note_kind kind, const void *object, u64 number)
{
    if (!lock_take(&the.lock))
        return;
    struct note *n = find(kind, object, number);
    if (n != NULL)
        *n = (struct note){0};
    lock_give(&the.lock);
}

void note_end(enum note_kind from, enum note_kind to, const void *object)
{
    struct note n = {0};
    note_find(from, object, 0, &n);
    note_remove(from, object, 0);
    note_put(to, object, 0, n.made);
}

void note_each(enum note_kind kind, void (*see)(void *ctx, const struct note *n), void *ctx)
{
    if (!lock_take(&the.lock))
        return;
    for (u32 i = 0; i < NOTES; i++)
        if (the.note[i].kind == kind)
            see(ctx, &the.note[i]);
    lock_give(&the.lock);
}

// ---------------------------------------------------------------- kept memory

static void release(const struct kept *k)
{
    if (k->name == NULL || os_fence(k->block, k->size, false)) // else it stays kept
        loam_free(k->block);
}

// Take the oldest out, until there is room; at most `max`, what is more goes later.
static u32 make_room(size_t size, struct kept *ret_gone, u32 max)
{
    u32 count = 0;
    while (count < max && the.kept_count != 0 &&
           (the.kept_count == KEPT || the.kept_bytes + size > KEPT_BYTES)) {
        struct kept *k = &the.kept[(the.kept_at + KEPT - the.kept_count) % KEPT];
        ret_gone[count++] = *k;
        the.kept_bytes -= k->size;
        the.kept_count--;
        *k = (struct kept){0};
    }
    return count;
}

static void keep(struct kept k)
{
    struct kept gone[16];
    u32 count = 0;
    bool fits = k.size <= KEPT_BYTES / 4 && lock_take(&the.lock);
    if (fits) {
        count = make_room(k.size, gone, countof(gone));
        if (k.name != NULL && !os_fence(k.block, k.size, true))
            k.name = NULL;
        the.kept[the.kept_at] = k;
        the.kept_at = (the.kept_at + 1) % KEPT;
        the.kept_count++;
        the.kept_bytes += k.size;
        lock_give(&the.lock);
    } else {
        loam_free(k.block);
    }
    for (u32 i = 0; i < count; i++)
        release(&gone[i]);
}

void debug_keep(void *block, size_t size)
{
    keep((struct kept){.block = block, .size = size});
}

void debug_keep_fenced(void *block, size_t size, const char *name, const char *place)
{
    size -= size % os_page_size();
    keep((struct kept){block, size, name == NULL ? "(unnamed)" : name, place == NULL ? "?" : place,
                       debug_trace(), debug_thread()});
}

// The ring is read without the lock: this thread may hold it, and is about to end.
void debug_fault(const void *at)
{
    if (!debugging())
        return;
    for (u32 i = 0; i < KEPT; i++) {
        const struct kept *k = &the.kept[i];
        if (k->name == NULL || (uintptr_t)at - (uintptr_t)k->block >= k->size)
            continue;
        struct note closed = {.trace = k->trace, .thread = k->thread};
        char line[256];
        struct words w = {line, 0, sizeof line};
        words_put(&w, "region ");
        words_put(&w, k->name);
        words_put(&w, ", made at ");
        words_put(&w, k->place);
        debug_die(&(struct telling){"region: memory used after its region let it go", at,
                                    "let go here", "used here", &closed, line});
    }
}

// ---------------------------------------------------------------- start, fork

static void fork_prepare(void)
{
    the.fork_skipped = !lock_take(&the.lock);
}

static void fork_done(void)
{
    if (!the.fork_skipped)
        lock_give(&the.lock);
}

static void at_exit(void)
{
    loam_rc_cycles();
}

static const char *value_of(char **envp, const char *name)
{
    size_t len = strlen(name);
    for (char **e = envp; e != NULL && *e != NULL; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return *e + len + 1;
    return NULL;
}

// A setuid program takes no orders from its caller.
static bool wanted(char **envp)
{
    struct options options;
    options_parse(getauxval(AT_SECURE) == 0 ? value_of(envp, "LOAM") : NULL, &options);
    return option_is(options.value[OPTION_DEBUG], "on");
}

// 103: behind the heap's constructors and the one that can unwind. As libloam.so we begin before
// libc, whose getenv does not know the environment yet.
__attribute__((constructor(103))) static void debug_start(int argc unused_, char **argv unused_,
                                                          char **envp)
{
    if (!wanted(envp))
        return;
    the.note = os_map(NOTES * sizeof *the.note);
    the.trace = os_map(TRACES * sizeof *the.trace);
    the.kept = stack_table(KEPT * sizeof *the.kept);
    if (the.note == NULL || the.trace == NULL || the.kept == NULL)
        return;
    the.traces_can = trace_begin();
    if (fault_watch(own_fault) < 0)
        return;
    atexit(at_exit);
    the_debug.on = pthread_atfork(fork_prepare, fork_done, fork_done) == 0;
}
