// session.c: see session.h.

#include "cli/session.h"

#include "base/options.h"
#include "target/leaks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SESSION_AHEAD    (2 * MiB) // backed and not yet used
#define SESSION_BEAT_MS  50
#define SESSION_QUICK_MS 5 // while the recording grows
#define SESSION_KEEP_NS  1000000000ull
#define SESSION_GRACE_NS 2000000000ull

static u64 now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

// Shared futexes: their other side is in another process.
static void futex_wait(_Atomic u32 *word, u32 value, u32 ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

static void futex_wake(_Atomic u32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

// ---------------------------------------------------------------- the file

// V1: remove what killed tools left in `folder`. Whoever can lock a recording is alone with it.
static void sweep(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        struct stat st;
        if (strncmp(e->d_name, OPTION_RECORD_PREFIX, sizeof OPTION_RECORD_PREFIX - 1) != 0)
            continue;
        int fd = openat(dirfd(d), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && S_ISREG(st.st_mode) &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(d), e->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (d != NULL)
        closedir(d);
}

// A locked, sparse file with its first part backed. 0 or -errno; the path is set.
static int create_in(struct session *s, const char *folder)
{
    struct stat st;
    int n =
        snprintf(s->path, sizeof s->path, "%s/" OPTION_RECORD_PREFIX "%d-XXXXXX", folder, getpid());
    if (n < 0 || (size_t)n >= sizeof s->path)
        return -ENAMETOOLONG;
    s->fd = mkostemp(s->path, O_CLOEXEC); // 0600
    if (s->fd < 0)
        return -errno;
    int r = 0;
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0 || fstat(s->fd, &st) != 0 || st.st_nlink == 0)
        r = -EAGAIN; // swept by another tool between the two calls
    else if (ftruncate(s->fd, RECORDING_SIZE_MAX) != 0 ||
             fallocate(s->fd, 0, 0, SESSION_AHEAD) != 0)
        r = -errno;
    if (r < 0) {
        unlink(s->path);
        close(s->fd);
        s->fd = -1;
    }
    return r;
}

// Programs find the path in LOAM=, where a comma ends it.
static bool usable(const char *folder)
{
    return folder != NULL && folder[0] == '/' && strchr(folder, ',') == NULL;
}

static int create(struct session *s)
{
    const char *folders[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    int r = -ENOENT;
    for (size_t i = 0; i < countof(folders); i++) {
        if (!usable(folders[i]))
            continue;
        sweep(folders[i]);
        for (int tries = 0; tries < 3; tries++) {
            r = create_in(s, folders[i]);
            if (r != -EAGAIN)
                break;
        }
        if (r == 0)
            return 0;
    }
    return r;
}

static void write_header(struct recording *r, char **argv, bool leaks)
{
    memcpy(r->magic, RECORDING_MAGIC, sizeof r->magic);
    r->version = RECORDING_VERSION;
    r->block_size = RECORDING_BLOCK;
    r->size_max = RECORDING_SIZE_MAX;
    r->size = SESSION_AHEAD; // as create_in backed it
    r->leaks = leaks;
    r->tool_pid = (u32)getpid();
    r->started_ns = now_ns(CLOCK_REALTIME);
    for (int i = 0; argv[i] != NULL; i++) {
        size_t room = sizeof r->command - r->command_len, len = strlen(argv[i]);
        if (len + 1 > room)
            break;
        r->command_len += i > 0; // the NUL between two arguments
        memcpy(r->command + r->command_len, argv[i], len);
        r->command_len += (u32)len;
    }
}

int session_begin(struct session *s, char **argv, bool leaks, char *why, size_t why_size)
{
    *s = (struct session){.fd = -1, .keep.fd = -1};
    int r = create(s);
    if (r == 0) {
        s->rec = mmap(NULL, RECORDING_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
        r = s->rec == MAP_FAILED ? -errno : 0;
    }
    if (r < 0) {
        snprintf(why, why_size, "no room for a recording in /dev/shm, $TMPDIR or /tmp: %s.",
                 strerror(-r));
        s->rec = NULL;
        session_done(s);
        return -1;
    }
    write_header(s->rec, argv, leaks);
    s->backed = SESSION_AHEAD;
    return 0;
}

int session_keep(struct session *s, const char *path)
{
    int r = keep_begin(&s->keep, path);
    return r < 0 ? r : keep_copy(&s->keep, s->rec, session_used(s));
}

void session_done(struct session *s)
{
    keep_end(&s->keep);
    if (s->rec != NULL)
        munmap(s->rec, RECORDING_SIZE_MAX);
    if (s->fd >= 0) {
        unlink(s->path);
        close(s->fd);
    }
    *s = (struct session){.fd = -1, .keep.fd = -1};
}

// ---------------------------------------------------------------- serving

// Back more of the file; true if its writers are busy. Programs never touch what is not backed:
// a sparse file on a full disk would kill them with SIGBUS.
static bool grow(struct session *s)
{
    struct recording *r = s->rec;
    u64 used = RECORDING_HEADER + (u64)atomic_load(&r->blocks) * RECORDING_BLOCK;
    u64 size = s->backed, want = round_up(used + SESSION_AHEAD, MiB);
    want = size_min(want, RECORDING_SIZE_MAX);
    if (want <= size || s->no_room)
        return false;
    if (fallocate(s->fd, 0, (off_t)size, (off_t)(want - size)) != 0) {
        s->no_room = errno != EINTR;
        return false;
    }
    s->backed = want;
    // Release: the pages are there before a process believes the size.
    atomic_store_explicit(&r->size, want, memory_order_release);
    return true;
}

// The process record at the head of block i, if one stands there whole.
static struct record_process *process_at(struct recording *r, u32 i)
{
    struct record_block *b = (void *)((char *)r + RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
    struct record_process *p = (void *)(b + 1);
    u32 used = atomic_load_explicit(&b->used, memory_order_acquire);
    bool whole = used >= sizeof *p && used <= RECORDING_BLOCK - sizeof *b &&
                 memcmp(b->magic, "blk\n", 4) == 0 && p->head.kind == RECORD_PROCESS &&
                 p->head.bytes >= sizeof *p;
    return whole ? p : NULL;
}

size_t session_used(struct session *s)
{
    u64 backed = (s->backed - RECORDING_HEADER) / RECORDING_BLOCK;
    u64 blocks = atomic_load_explicit(&s->rec->blocks, memory_order_acquire);
    return RECORDING_HEADER + size_min(blocks, backed) * RECORDING_BLOCK;
}

static u32 blocks_of(struct session *s)
{
    return (u32)((session_used(s) - RECORDING_HEADER) / RECORDING_BLOCK);
}

static void answer(struct record_process *p, u32 request)
{
    u32 asked = REQUEST_SCAN; // a process that gave up waiting keeps its own word
    // Release: the process that wakes up finds the results and the reason.
    atomic_compare_exchange_strong_explicit(&p->request, &asked, request, memory_order_release,
                                            memory_order_relaxed);
    futex_wake(&p->request);
}

static void serve_one(struct session *s, struct record_process *p)
{
    int r = target_scan((pid_t)p->pid, s->rec, p);
    answer(p, r == 0 ? REQUEST_DONE : REQUEST_REFUSED);
}

static void serve_requests(struct session *s)
{
    u32 blocks = blocks_of(s);
    for (u32 i = 0; i < blocks; i++) {
        struct record_process *p = process_at(s->rec, i);
        if (p != NULL && atomic_load_explicit(&p->request, memory_order_acquire) == REQUEST_SCAN)
            serve_one(s, p);
    }
}

static void *scan_thread(void *arg)
{
    struct session *s = arg;
    while (!atomic_load(&s->stop)) {
        u32 bell = atomic_load(&s->rec->bell); // before looking: a later ring ends the wait
        serve_requests(s);
        futex_wait(&s->rec->bell, bell, SESSION_BEAT_MS);
    }
    return NULL;
}

static void *grow_thread(void *arg)
{
    struct session *s = arg;
    u64 kept_ns = now_ns(CLOCK_MONOTONIC);
    while (!atomic_load(&s->stop)) {
        u32 bell = atomic_load(&s->rec->bell);
        atomic_fetch_add(&s->rec->beat, 1);
        bool busy = grow(s);
        u64 now = now_ns(CLOCK_MONOTONIC);
        if (now - kept_ns >= SESSION_KEEP_NS) {
            keep_copy(&s->keep, s->rec, session_used(s));
            kept_ns = now;
        }
        futex_wait(&s->rec->bell, bell, busy ? SESSION_QUICK_MS : SESSION_BEAT_MS);
    }
    return NULL;
}

int session_serve(struct session *s)
{
    int r = pthread_create(&s->grower, NULL, grow_thread, s);
    s->growing = r == 0;
    if (r == 0)
        r = pthread_create(&s->scanner, NULL, scan_thread, s);
    s->scanning = r == 0;
    return -r;
}

// ---------------------------------------------------------------- the end

// Somebody who asked and is still alive to hear the answer.
static struct record_process *waiting(struct session *s)
{
    u32 blocks = blocks_of(s);
    for (u32 i = 0; i < blocks; i++) {
        struct record_process *p = process_at(s->rec, i);
        if (p != NULL && atomic_load(&p->request) == REQUEST_SCAN &&
            (kill((pid_t)p->pid, 0) == 0 || errno == EPERM))
            return p;
    }
    return NULL;
}

// Those who did not get their turn are told so, lest they wait.
static void refuse_rest(struct session *s)
{
    struct record_process *p;
    while ((p = waiting(s)) != NULL) {
        atomic_store(&p->scan_error, SCAN_NO_TOOL);
        answer(p, REQUEST_REFUSED);
    }
}

void session_close(struct session *s, u32 status)
{
    u64 until = now_ns(CLOCK_MONOTONIC) + SESSION_GRACE_NS;
    u64 ended_ns = now_ns(CLOCK_REALTIME);
    while (waiting(s) != NULL && now_ns(CLOCK_MONOTONIC) < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    atomic_store(&s->stop, true);
    atomic_store(&s->rec->closed, 1);
    atomic_fetch_add(&s->rec->bell, 1);
    futex_wake(&s->rec->bell);
    if (s->growing)
        pthread_join(s->grower, NULL);
    if (s->scanning)
        pthread_join(s->scanner, NULL);
    s->growing = s->scanning = false;
    refuse_rest(s);
    s->rec->end_status = status;
    s->rec->ended_ns = ended_ns;
    keep_copy(&s->keep, s->rec, session_used(s));
}
