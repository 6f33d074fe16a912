// world.c: stop all other threads, and two questions about memory that is not ours.
//
//     stopper                              thread
//     stop = n (odd)
//     state = (n, ASKED); signals it   ->  state: ASKED to WRITING, or go back, it is too late
//     waits until all are ANSWERED         where am I
//                                      <-  state = (n, ANSWERED), rings
//     (all stand still)                    waits while stop == n
//     stop = n + 1, wakes              ->  goes on
//
// The number of the stop travels with the signal, so one that comes late does nothing. Who gives up
// turns ASKED into CANCELLED, and waits for those that are WRITING, so nobody writes into a later
// stop. Threads are listed again until no new one turns up: while all known ones stand still, none
// is born. tests/model/world_test.c tries every order of it.
#include "os/world.h"
#include "os/loud.h"
#include "os/os.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SIGNAL_FIRST    58 // real-time signals that libc does not use, tried downwards
#define SIGNAL_LAST     40
#define THREADS_FIRST   256
#define PATIENCE_MS     1000       // for a thread to answer
#define DEAD_LOOK_NS    2000000ull // between two looks who has died
#define LISTEN_TRIES    40 // a thread that is being born or forks blocks all signals for a moment
#define LISTEN_PAUSE_MS 1

enum { ASKED = 0, WRITING, ANSWERED, CANCELLED };

static struct {
    _Atomic u32 stop; // odd: a stop is on
    _Atomic u32 bell; // rung by every answer
    _Atomic int signal;
    struct world_thread *thread;
    size_t count, room;
    u32 me, process; // who stops; kept, because a copy of the process has other numbers
    u64 since;       // when the stop that is on began; 0: not all stand still
    _Atomic u64 pauses, pause_max_ns, pause_total_ns;
} the;

// ---------------------------------------------------------------- in the thread that is stopped

static u32 state_make(u32 stop, u32 phase)
{
    return stop << 2 | phase;
}

// `context` lies above the handler's own frames, below the registers. ThreadSanitizer calls
// handlers later, from code of the thread, with a context of its own that lies elsewhere.
static void on_stop(int number, siginfo_t *info, void *context)
{
    u64 value = (u64)(uintptr_t)info->si_value.sival_ptr;
    u32 stop = (u32)(value >> 32);
    if (number == LOUD_SIGNAL && info->si_code != SI_QUEUE) {
        loud_pass(number, info, context);
        return;
    }
    // Acquire: pairs with the release in world_stop; the table is that of this stop.
    if (info->si_code != SI_QUEUE || !(stop & 1) ||
        atomic_load_explicit(&the.stop, memory_order_acquire) != stop)
        return;
    int saved = errno;
    struct world_thread *t = &the.thread[(u32)value];
    u32 asked = state_make(stop, ASKED);
    if (atomic_compare_exchange_strong_explicit(&t->state, &asked, state_make(stop, WRITING),
                                                memory_order_relaxed, memory_order_relaxed)) {
        const void *sp = under_tsan ? __builtin_frame_address(0) : context;
        t->sp = (const char *)((uintptr_t)sp & ~(uintptr_t)7);
        t->tp = __builtin_thread_pointer();
        // Release: with the acquire in all_answered, after which sp is read.
        atomic_store_explicit(&t->state, state_make(stop, ANSWERED), memory_order_release);
        // Release: who sees the bell rung sees the answer, and does not go to sleep over it.
        atomic_fetch_add_explicit(&the.bell, 1, memory_order_release);
        unpark(&the.bell, 1);
        // Acquire: pairs with the release in world_go; what was done to memory meanwhile is seen.
        while (atomic_load_explicit(&the.stop, memory_order_acquire) == stop)
            park(&the.stop, stop, PARK_FOREVER);
    }
    errno = saved;
}

static bool ours(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
           now.sa_sigaction == on_stop;
}

static bool claim(int number)
{
    struct sigaction now, want = {.sa_sigaction = on_stop, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&want.sa_mask);
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL &&
           (now.sa_flags & SA_SIGINFO) == 0 && sigaction(number, &want, NULL) == 0;
}

static int choose_signal(void)
{
    int number = atomic_load_explicit(&the.signal, memory_order_relaxed);
    if (number != 0 && ours(number))
        return 0;
    for (number = SIGNAL_FIRST; number >= SIGNAL_LAST; number--)
        if (claim(number)) {
            atomic_store_explicit(&the.signal, number, memory_order_relaxed);
            return 0;
        }
    return -EBUSY;
}

int world_open(void)
{
    int saved = errno;
    int e = choose_signal();
    if (e == 0 && the.thread == NULL) {
        the.thread = os_map(THREADS_FIRST * sizeof *the.thread);
        the.room = the.thread != NULL ? THREADS_FIRST : 0;
        e = the.thread != NULL ? 0 : -ENOMEM;
    }
    errno = saved;
    return e;
}

int world_signal(void)
{
    return atomic_load_explicit(&the.signal, memory_order_relaxed);
}

u32 world_me(void)
{
    return the.me;
}

u32 world_process(void)
{
    return the.process;
}

void world_forked(void)
{
    u32 stop = atomic_load_explicit(&the.stop, memory_order_relaxed);
    atomic_store_explicit(&the.stop, stop + (stop & 1), memory_order_relaxed);
    the.count = 0;
    the.since = 0;
    atomic_store_explicit(&the.pauses, 0, memory_order_relaxed); // they were its parent's
    atomic_store_explicit(&the.pause_max_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&the.pause_total_ns, 0, memory_order_relaxed);
}

// ---------------------------------------------------------------- files of /proc, without libc

static int open_raw(const char *path, int flags)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, flags | O_RDONLY | O_CLOEXEC, 0);
    return fd < 0 ? -errno : (int)fd;
}

static size_t read_file(const char *path, char *to, size_t room)
{
    int fd = open_raw(path, 0);
    if (fd < 0)
        return 0;
    long n = syscall(SYS_read, fd, to, room - 1);
    syscall(SYS_close, fd);
    to[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

// "/proc/self/task/TID/status"
static void status_path(char *to, u32 tid)
{
    memcpy(to, "/proc/self/task/", 16);
    size_t n = 16 + decimal(to + 16, tid);
    memcpy(to + n, "/status", 8);
}

// The text behind `key` on a line of its own, NULL if there is none.
static const char *value_of(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = text; at != NULL && *at != 0;) {
        if (strncmp(at, key, n) == 0)
            return at + n;
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return NULL;
}

static u64 hex(const char **at)
{
    u64 v = 0;
    for (;; (*at)++) {
        char c = **at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit == 16)
            return v;
        v = v << 4 | digit;
    }
}

enum ear { EAR_LISTENS, EAR_DEAF, EAR_BLOCKED, EAR_GONE };

static bool in_set(u64 set, int number)
{
    return set >> (number - 1) & 1;
}

// What a thread with these signals blocked can be reached by.
static enum ear ear_with(u64 blocked, bool sleeps)
{
    if (!in_set(blocked, world_signal()))
        return EAR_LISTENS;
    if (in_set(blocked, LOUD_SIGNAL) || (under_tsan && !sleeps))
        return EAR_BLOCKED;
    return EAR_DEAF;
}

static enum ear ear_now(u32 tid)
{
    char path[64], text[4096];
    status_path(path, tid);
    if (read_file(path, text, sizeof text) == 0)
        return EAR_GONE;
    const char *state = value_of(text, "State:\t"), *blocked = value_of(text, "SigBlk:\t");
    if (state == NULL || blocked == NULL || *state == 'Z' || *state == 'X')
        return EAR_GONE;
    return ear_with(hex(&blocked), *state == 'S');
}

// A signal that is blocked may be meant for a sigwait: it is not sent at all, but the loud one.
static enum ear ear_in_time(u32 tid, enum ear wait_for, unsigned tries)
{
    static _Atomic u32 never;
    enum ear ear = ear_now(tid);
    for (unsigned i = 0; ear == wait_for && i < tries; i++) {
        os_wait(&never, 0, LISTEN_PAUSE_MS);
        ear = ear_now(tid);
    }
    return ear;
}

// In a build of loam for ThreadSanitizer a thread that stays deaf, and sleeps, is taken for the
// sanitizer's own, which holds nothing of the program's: no handler that the sanitizer does not
// know of may run there. Others are deaf for a moment when they make a thread, and awake then.
static enum ear ear_of(u32 tid)
{
    enum ear ear = ear_in_time(tid, EAR_BLOCKED, LISTEN_TRIES);
    if (!under_tsan || ear != EAR_DEAF)
        return ear;
    ear = ear_in_time(tid, EAR_DEAF, LISTEN_TRIES);
    if (ear == EAR_BLOCKED)
        ear = ear_in_time(tid, EAR_BLOCKED, 10 * LISTEN_TRIES);
    return ear == EAR_DEAF ? EAR_GONE : ear;
}

// ---------------------------------------------------------------- stopping

static int signal_thread(u32 stop, size_t i, int number)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = (void *)(uintptr_t)((u64)stop << 32 | i);
    if (syscall(SYS_rt_tgsigqueueinfo, info.si_pid, the.thread[i].tid, info.si_signo, &info) == 0)
        return 0;
    return errno == ESRCH ? -ESRCH : -EBUSY;
}

static bool known(u32 tid)
{
    for (size_t i = 0; i < the.count; i++)
        if (the.thread[i].tid == tid)
            return true;
    return false;
}

// A thread that is new to us. 1: signalled, 0: it is us, known or gone; -errno.
static int meet(u32 stop, u32 me, u32 tid)
{
    if (tid == me || known(tid))
        return 0;
    enum ear ear = ear_of(tid);
    if (ear == EAR_GONE)
        return 0;
    if (ear == EAR_BLOCKED || (ear == EAR_DEAF && loud_claim(world_signal()) < 0))
        return -EBUSY;
    if (the.count == the.room)
        return -ENOMEM;
    struct world_thread *t = &the.thread[the.count];
    t->tid = tid;
    // Before the signal: the answer may come first. The signal orders it.
    atomic_store_explicit(&t->state, state_make(stop, ASKED), memory_order_relaxed);
    int e = signal_thread(stop, the.count, ear == EAR_DEAF ? LOUD_SIGNAL : world_signal());
    if (e == -ESRCH)
        return 0;
    if (e == 0)
        the.count++;
    return e == 0 ? 1 : e;
}

// True if that thread will never answer.
static bool cancel(struct world_thread *t, u32 stop)
{
    u32 asked = state_make(stop, ASKED);
    return atomic_compare_exchange_strong_explicit(&t->state, &asked, state_make(stop, CANCELLED),
                                                   memory_order_relaxed, memory_order_relaxed);
}

// Threads that ended with the signal on its way.
static void drop_dead(u32 stop)
{
    for (size_t i = 0; i < the.count; i++) {
        struct world_thread *t = &the.thread[i];
        if (atomic_load_explicit(&t->state, memory_order_relaxed) == state_make(stop, ASKED) &&
            ear_now(t->tid) == EAR_GONE && cancel(t, stop))
            t->tid = 0;
    }
}

static bool all_answered(u32 stop)
{
    for (size_t i = 0; i < the.count; i++)
        // Acquire: pairs with the release in on_stop.
        if (the.thread[i].tid != 0 &&
            atomic_load_explicit(&the.thread[i].state, memory_order_acquire) !=
                state_make(stop, ANSWERED))
            return false;
    return true;
}

static bool wait_for_all(u32 stop)
{
    u64 start = os_monotonic_ns();
    for (;;) {
        u32 bell = atomic_load_explicit(&the.bell, memory_order_acquire);
        if (all_answered(stop))
            return true;
        u64 now = os_monotonic_ns();
        if (now - start > PATIENCE_MS * 1000000ull)
            return false;
        park(&the.bell, bell, now + DEAD_LOOK_NS);
        if (now - start > DEAD_LOOK_NS)
            drop_dead(stop);
    }
}

// Afterwards nobody writes into the table: who has not begun will not, who has is waited for.
static void give_up(u32 stop)
{
    for (size_t i = 0; i < the.count; i++)
        if (!cancel(&the.thread[i], stop))
            while (atomic_load_explicit(&the.thread[i].state, memory_order_relaxed) ==
                   state_make(stop, WRITING))
                os_yield();
    world_go();
}

struct entry { // as the kernel writes it
    u64 ino, off;
    u16 length;
    u8 type;
    char name[];
};

// Meets every thread that /proc names. How many were new, or -errno.
static int meet_all(int dir, u32 stop, u32 me)
{
    _Alignas(8) char buffer[4096];
    int fresh = 0;
    syscall(SYS_lseek, dir, 0l, SEEK_SET);
    for (long n; (n = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) != 0;) {
        if (n < 0)
            return -errno;
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(const void *)(buffer + at);
            at += e->length;
            u32 tid = 0;
            for (const char *c = e->name; *c >= '0' && *c <= '9'; c++)
                tid = tid * 10 + (u32)(*c - '0');
            int met = tid != 0 ? meet(stop, me, tid) : 0;
            if (met < 0)
                return met;
            fresh += met;
        }
    }
    return fresh;
}

static int stop_all(int dir, u32 stop)
{
    int fresh;
    do {
        fresh = meet_all(dir, stop, the.me);
        if (!wait_for_all(stop) && fresh >= 0)
            fresh = -EBUSY;
    } while (fresh > 0);
    return fresh;
}

// The table of threads must not move while a handler may write into it.
static int make_room(void)
{
    if (the.count < the.room / 2)
        return 0;
    struct world_thread *more = os_map(2 * the.room * sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    // The old table is not given back: a signal may be on its way to a thread that writes there.
    the.thread = more;
    the.room *= 2;
    return 0;
}

int world_stop(void)
{
    int saved = errno;
    u64 start = os_monotonic_ns();
    int e = choose_signal();
    if (e == 0)
        e = make_room();
    int dir = e == 0 ? open_raw("/proc/self/task", O_DIRECTORY) : e;
    if (dir < 0) {
        errno = saved;
        return dir;
    }
    the.count = 0;
    the.me = (u32)gettid();
    the.process = (u32)getpid();
    u32 stop = atomic_load_explicit(&the.stop, memory_order_relaxed) + 1;
    assert(stop & 1);
    atomic_store_explicit(&the.stop, stop, memory_order_release);
    e = stop_all(dir, stop);
    syscall(SYS_close, dir);
    if (e < 0)
        give_up(stop);
    else
        the.since = start;
    errno = saved;
    return e;
}

// One stopper at a time writes; others only read.
static void note_pause(u64 ns)
{
    u64 max = atomic_load_explicit(&the.pause_max_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&the.pauses, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&the.pause_total_ns, ns, memory_order_relaxed);
    if (ns > max)
        atomic_store_explicit(&the.pause_max_ns, ns, memory_order_relaxed);
}

struct world_pauses world_pauses(void)
{
    return (struct world_pauses){
        .count = atomic_load_explicit(&the.pauses, memory_order_relaxed),
        .max_ns = atomic_load_explicit(&the.pause_max_ns, memory_order_relaxed),
        .total_ns = atomic_load_explicit(&the.pause_total_ns, memory_order_relaxed),
    };
}

void world_go(void)
{
    u32 stop = atomic_load_explicit(&the.stop, memory_order_relaxed);
    assert(stop & 1);
    // Release: pairs with the acquire in on_stop.
    atomic_store_explicit(&the.stop, stop + 1, memory_order_release);
    unpark(&the.stop, INT32_MAX);
    if (the.since != 0)
        note_pause(os_monotonic_ns() - the.since);
    the.since = 0;
}

size_t world_threads(const struct world_thread **ret)
{
    *ret = the.thread;
    return the.count;
}

// ---------------------------------------------------------------- memory that is not ours

// "start-end rwxp ..."; true when it can be read and written.
static bool parse_line(const char *line, uintptr_t *ret_start, uintptr_t *ret_end)
{
    *ret_start = hex(&line);
    if (*line++ != '-')
        return false;
    *ret_end = hex(&line);
    return line[0] == ' ' && line[1] == 'r' && line[2] == 'w';
}

static void note_mapping(struct extent *e, size_t count, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < count; i++)
        if (e[i].addr >= start && e[i].addr < end) {
            e[i].start = start;
            e[i].end = end;
        }
}

// Lines are at most as long as a path; only their beginnings matter, so a line that is longer than
// what is left of the buffer is moved to its front and completed.
int world_extents(struct extent *e, size_t count)
{
    char buffer[8192];
    size_t have = 0;
    int saved = errno;
    int fd = open_raw("/proc/self/maps", 0);
    for (long n = 1; fd >= 0 && n > 0;) {
        n = syscall(SYS_read, fd, buffer + have, sizeof buffer - 1 - have);
        have += n > 0 ? (size_t)n : 0;
        buffer[have] = 0;
        char *line = buffer;
        for (char *end; (end = memchr(line, '\n', have - (size_t)(line - buffer))) != NULL;) {
            uintptr_t from, to;
            if (parse_line(line, &from, &to))
                note_mapping(e, count, from, to);
            line = end + 1;
        }
        have -= (size_t)(line - buffer);
        memmove(buffer, line, have);
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    errno = saved;
    return fd < 0 ? fd : 0;
}

size_t world_peek(const void *from, void *to, size_t size)
{
    int saved = errno;
    struct iovec here = {to, size}, there = {(void *)(uintptr_t)from, size};
    long n = syscall(SYS_process_vm_readv, (long)getpid(), &here, 1l, &there, 1l, 0l);
    errno = saved;
    return n > 0 ? (size_t)n : 0;
}
