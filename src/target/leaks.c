// leaks.c: the leak scan of a process that waits for it: stop, copy, mark, let go, tell.
//
// The process goes on as soon as its blocks are copied and its roots are read; following pointers
// and sorting the leaks happens on the copy.
#include "target/leaks.h"
#include "scan/leaks.h"
#include "target/find.h"
#include "target/roots.h"
#include "target/sites.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES     50 // to find the asking thread in its wait, and all threads outside the heap
#define BEAT_NS   50000000
#define BREATH_US 1000 // what threads may run between two tries

struct scan {
    pid_t pid;
    struct recording *rec;
    struct record_process *proc;
    struct stop stop;
    struct memory memory;
    struct maps maps, ours;
    const struct map *recording; // in maps
    pid_t asking;                // the thread that waits for us
    struct blocks blocks;
    struct mark mark;
    struct leaks leaks;
    struct sites sites;
    enum scan_error result;
};

static enum scan_error error_of(int e)
{
    switch (-e) {
    case 0:
        return SCAN_OK;
    case EPERM:
    case EACCES:
        return SCAN_NO_PERMISSION;
    case ESRCH:
    case ENOENT:
        return SCAN_VANISHED;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return SCAN_NO_MEMORY;
    default:
        return SCAN_UNREADABLE;
    }
}

// ---------------------------------------------------------------- the asking thread

// The thread that waits at address `word`, or 0.
static pid_t find_waiting(const struct stop *s, u64 word)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].stopped && cpu_waits_on(&s->thread[i].cpu, word))
            return s->thread[i].tid;
    return 0;
}

// The thread that waits on this process's request word. It proves that this is the process that
// asked, and not another one that has the same number in another namespace. A process may map the
// recording twice, by a copy of loam that was linked in and one that was preloaded.
static pid_t find_asking(const struct scan *s)
{
    u64 in_file = (u64)((const char *)&s->proc->request - (const char *)s->rec);
    pid_t tid = 0;
    for (size_t i = 0; i < s->maps.count && tid == 0; i++) {
        const struct map *m = &s->maps.map[i];
        if (maps_same_file(m, s->recording))
            tid = find_waiting(&s->stop, m->start - m->offset + in_file);
    }
    return tid;
}

static pid_t any_thread(const struct stop *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].stopped)
            return s->thread[i].tid;
    return 0;
}

// One try: all threads stopped. 1 when it was too early: the asking thread is not in its wait, or
// one stands inside the heap (G1).
static int hold_once(struct scan *s)
{
    int e = stop_all(&s->stop);
    if (e < 0)
        return e;
    memory_close(&s->memory);
    maps_done(&s->maps);
    memory_open(&s->memory, any_thread(&s->stop));
    e = maps_load(&s->maps, s->memory.tid);
    if (e < 0)
        return e;
    s->recording = find_recording(&s->ours, &s->maps, s->rec);
    if (s->recording == NULL)
        return -ESRCH;
    s->asking = find_asking(s);
    int busy = s->asking != 0 ? blocks_busy(&s->memory.target, s->proc->root) : 1;
    return busy < 0 ? busy : busy != 0;
}

// After TRIES a heap that is still busy is accepted: then up to a window's worth of its blocks may
// be told wrongly. A process in which nobody waits is not the one that asked.
static int hold(void *ctx, pid_t pid)
{
    struct scan *s = ctx;
    s->stop.pid = pid;
    int e = hold_once(s);
    for (int i = 1; e == 1 && i < TRIES; i++) {
        stop_breathe(&s->stop, BREATH_US);
        e = hold_once(s);
    }
    if (e == 1)
        e = s->asking != 0 ? 0 : -ESRCH;
    if (e < 0)
        stop_release(&s->stop);
    return e;
}

// ---------------------------------------------------------------- the scan

static int look(struct scan *s)
{
    struct target *t = &s->memory.target;
    int e = blocks_load(&s->blocks, t, s->proc->root, s->proc->tags);
    if (e == 0)
        e = blocks_copy(&s->blocks);
    if (e == 0)
        e = mark_init(&s->mark, &s->blocks);
    struct roots r = {&s->memory,    &s->maps,  &s->stop, s->recording,
                      s->proc->root, s->asking, s->proc};
    return e == 0 ? roots_mark(&r, &s->blocks, &s->mark) : e;
}

static_assert(BLOCKS_ASKED_SHIFT == TAG_SIZE_SHIFT, "the scan knows where a tag has its size");

static void count(void *ctx, const struct leak *leak)
{
    struct scan *s = ctx;
    struct tag tag;
    memcpy(&tag, &leak->tag, sizeof tag);
    if (tag.site != 0 && tag.site >= s->proc->first_site)
        sites_count(&s->sites, tag.site, leak->kind, leak->asked);
}

static int tell(struct scan *s)
{
    int e = sites_load(&s->sites, s->rec, s->proc);
    if (e < 0)
        return e;
    leaks_each(&s->leaks, count, s);
    sites_store(&s->sites);
    sites_done(&s->sites);
    atomic_fetch_or_explicit(&s->proc->flags, PROCESS_SCANNED, memory_order_release);
    return 0;
}

static int scan(struct scan *s)
{
    int e = maps_load(&s->ours, getpid());
    if (e == 0)
        e = find_each(s->pid, &s->ours, s->rec, hold, s);
    if (e < 0)
        return e;
    e = look(s);
    stop_release(&s->stop);
    if (e < 0)
        return e;
    mark_run(&s->mark);
    e = leaks_find(&s->leaks, &s->mark);
    return e == 0 ? tell(s) : e;
}

static void *scan_thread(void *arg)
{
    struct scan *s = arg;
    s->memory.pagemap = s->memory.mem = -1;
    s->result = error_of(scan(s));
    leaks_done(&s->leaks);
    mark_done(&s->mark);
    if (s->blocks.target != NULL)
        blocks_done(&s->blocks);
    maps_done(&s->maps);
    maps_done(&s->ours);
    memory_close(&s->memory);
    return NULL;
}

// The process that waits takes a tool whose beat stands still for dead.
static void join(pthread_t thread, struct recording *rec)
{
    struct timespec until;
    do {
        atomic_fetch_add_explicit(&rec->beat, 1, memory_order_relaxed);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += BEAT_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    } while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

// A thread of its own, because what ptrace holds is let go for certain when its thread ends (P1);
// without signals, because the tool's handlers belong to its other threads.
int target_scan(pid_t pid, struct recording *rec, struct record_process *proc)
{
    struct scan s = {.pid = pid, .rec = rec, .proc = proc, .result = SCAN_NO_MEMORY};
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&thread, NULL, scan_thread, &s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e == 0)
        join(thread, rec);
    atomic_store_explicit(&proc->scan_error, s.result, memory_order_relaxed);
    return s.result;
}
