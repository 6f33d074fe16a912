// session.c: see session.h.

#include "cli/session.h"

#include "os/os.h"
#include "target/leaks.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SESSION_BEAT_MS  50
#define SESSION_QUICK_MS 5 // while the recording grows
#define SESSION_KEEP_NS  1000000000ull
#define SESSION_GRACE_NS 2000000000ull
#define SESSION_OVER_NS  1000000000ull // between looks whether an older volume is over

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

// ---------------------------------------------------------------- beginning

// Programs find the path in LOAM=, where a comma ends it.
static bool usable(const char *folder)
{
    return folder != NULL && folder[0] == '/' && strchr(folder, ',') == NULL;
}

static int create_somewhere(struct session *s)
{
    const char *folders[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    int r = -ENOENT;
    for (size_t i = 0; i < countof(folders); i++) {
        if (!usable(folders[i]))
            continue;
        volume_sweep(folders[i]);
        r = volume_create(&s->volumes[0], folders[i], s->path);
        if (r == 0)
            return 0;
    }
    return r;
}

static void fill_head(struct recording *r, char **argv, const struct session_mode *mode)
{
    memcpy(r->magic, RECORDING_MAGIC, sizeof r->magic);
    r->version = RECORDING_VERSION;
    r->block_size = RECORDING_BLOCK;
    r->size_max = RECORDING_SIZE_MAX;
    r->leaks = mode->leaks;
    r->sample_bytes = mode->sample_bytes;
    r->sampling = mode->sampling;
    r->tool_pid = (u32)getpid();
    r->started_ns = os_realtime_ns();
    for (int i = 0; argv[i] != NULL; i++) {
        size_t room = sizeof r->command - r->command_len, len = strlen(argv[i]);
        if (len + 1 > room)
            break;
        r->command_len += i > 0; // the NUL between two arguments
        memcpy(r->command + r->command_len, argv[i], len);
        r->command_len += (u32)len;
    }
}

// A new volume's header: that of the session, with its own size.
static void write_head(struct volume *v, const struct recording *head)
{
    u64 size = v->rec->size;
    memcpy(v->rec, head, sizeof *head);
    v->rec->size = size;
}

int session_begin(struct session *s, char **argv, const struct session_mode *mode, char *why,
                  size_t why_size)
{
    *s = (struct session){.keep.fd = -1};
    pthread_mutex_init(&s->lock, NULL);
    collect_begin(&s->collect);
    int r = create_somewhere(s);
    if (r < 0) {
        snprintf(why, why_size, "no room for a recording in /dev/shm, $TMPDIR or /tmp: %s.",
                 strerror(-r));
        return -1;
    }
    s->count = s->made = 1;
    fill_head(&s->head, argv, mode);
    write_head(&s->volumes[0], &s->head);
    return 0;
}

struct keep_source session_source(struct session *s)
{
    struct keep_source source = {.head = s->head};
    source.head.archived = s->archive.processes;
    source.parts[source.parts_count++] =
        (struct keep_part){.blocks = s->archive.blocks, .count = s->archive.count};
    for (u32 i = 0; i < s->count; i++) {
        const struct volume *v = &s->volumes[i];
        source.parts[source.parts_count++] = (struct keep_part){
            .blocks = (const char *)v->rec + RECORDING_HEADER,
            .count = volume_blocks(v),
            .add = session_index(v),
        };
    }
    // Last, because it grows least: what stands behind a part that grows has to move.
    const struct moments_blocks *own[] = {&s->collect.moments.names, &s->collect.moments.time,
                                          &s->collect.accounts.blocks};
    for (u32 i = 0; i < countof(own); i++)
        source.parts[source.parts_count++] =
            (struct keep_part){.blocks = own[i]->bytes, .count = own[i]->count};
    return source;
}
static_assert(SESSION_VOLUMES + 4 <= KEEP_PARTS_MAX,
              "volumes, the archive, moments, labels and accounts");
static_assert(SESSION_VOLUMES == countof(((struct crowd *)0)->volumes), "a crowd knows them all");

static int keep_now(struct session *s)
{
    struct keep_source source = session_source(s);
    return keep_copy(&s->keep, &source);
}

int session_keep(struct session *s, const char *path)
{
    int r = keep_begin(&s->keep, path);
    return r < 0 ? r : keep_now(s);
}

void session_done(struct session *s)
{
    keep_end(&s->keep);
    for (u32 i = 0; i < s->count; i++)
        volume_done(&s->volumes[i]);
    if (s->count > 0)
        unlink(s->path);
    archive_done(&s->archive);
    collect_done(&s->collect);
    *s = (struct session){.keep.fd = -1};
}

// ---------------------------------------------------------------- volumes

static struct volume *newest(struct session *s)
{
    return &s->volumes[s->count - 1];
}

// Let another file take the newest volume's name. Without room for one, nothing changes.
static void roll(struct session *s)
{
    char folder[VOLUME_PATH], path[VOLUME_PATH];
    struct volume v;
    snprintf(folder, sizeof folder, "%s", s->path);
    *strrchr(folder, '/') = 0;
    if (s->count == SESSION_VOLUMES || volume_create(&v, folder, path) < 0)
        return;
    v.number = s->made;
    s->head.sampling = newest(s)->rec->sampling;
    write_head(&v, &s->head);
    if (rename(path, s->path) != 0) {
        unlink(path);
        volume_done(&v);
        return;
    }
    newest(s)->retired_ns = os_monotonic_ns();
    s->made++;
    pthread_mutex_lock(&s->collect.ticking); // V3
    s->volumes[s->count++] = v;
    pthread_mutex_unlock(&s->collect.ticking);
}

static u32 volumes_now(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    u32 count = s->count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

// Move what matters of volume i to the archive. Called by the scanning thread, without the lock
// while it works: nobody else takes volumes out, and new ones come behind this one.
static void archive_volume(struct session *s, u32 i)
{
    struct archive longer = {0};
    pthread_mutex_lock(&s->lock);
    s->volumes[i].closing = true;
    struct volume v = s->volumes[i];
    atomic_store(&v.rec->closed, 1); // whoever shows up late asks nothing
    pthread_mutex_unlock(&s->lock);
    // The archive may move when it grows, and the other thread reads it: work on a second one.
    int r = archive_add(&longer, v.rec, volume_used(&v), session_index(&v));
    if (r < 0)
        return;
    collect_forget_begin(&s->collect, v.number);
    pthread_mutex_lock(&s->lock);
    if (archive_append(&s->archive, &longer) == 0) {
        pthread_mutex_lock(&s->collect.ticking); // V3
        memmove(&s->volumes[i], &s->volumes[i + 1], (s->count - i - 1) * sizeof s->volumes[0]);
        s->count--;
        volume_done(&v);
        pthread_mutex_unlock(&s->collect.ticking);
    }
    pthread_mutex_unlock(&s->lock);
    collect_forget_end(&s->collect);
    archive_done(&longer);
}

static void archive_old_ones(struct session *s)
{
    u64 now = os_monotonic_ns();
    u32 count = volumes_now(s);
    for (u32 i = 0; i + 1 < count; i++) { // never the newest
        const struct volume *v = &s->volumes[i];
        // Somebody may have opened it just before its name was taken.
        if (now - v->retired_ns >= SESSION_OVER_NS && volume_over(v)) {
            archive_volume(s, i);
            return; // one at a time: others may wait for a scan
        }
    }
}

// ---------------------------------------------------------------- serving

static void answer(struct record_process *p, u32 request)
{
    u32 asked = REQUEST_SCAN; // a process that gave up waiting keeps its own word
    // Release: the process that wakes up finds the results and the reason.
    atomic_compare_exchange_strong_explicit(&p->request, &asked, request, memory_order_release,
                                            memory_order_relaxed);
    futex_wake(&p->request);
}

// Somebody of the volume who asked and lives to hear the answer, or NULL.
static struct record_process *asking(const struct volume *v)
{
    u32 blocks = volume_blocks(v);
    for (u32 i = 0; i < blocks; i++) {
        struct record_process *p = volume_process(v, i);
        if (p != NULL && atomic_load_explicit(&p->request, memory_order_acquire) == REQUEST_SCAN &&
            (kill((pid_t)p->pid, 0) == 0 || errno == EPERM))
            return p;
    }
    return NULL;
}

static void serve_volume(struct session *s, const struct volume *v)
{
    u32 blocks = volume_blocks(v);
    for (u32 i = 0; i < blocks; i++) {
        struct record_process *p = volume_process(v, i);
        if (p == NULL || atomic_load(&p->request) != REQUEST_SCAN)
            continue;
        int r = target_scan((pid_t)p->pid, v->rec, p);
        if (r == 0)
            collect_account(s, v, p);
        answer(p, r == 0 ? REQUEST_DONE : REQUEST_REFUSED);
    }
}

static void *scan_thread(void *arg)
{
    struct session *s = arg;
    u64 looked_ns = os_monotonic_ns();
    while (!atomic_load(&s->stop)) {
        u32 count = volumes_now(s);
        struct recording *last = s->volumes[count - 1].rec;
        u32 bell = atomic_load(&last->bell); // before looking: a later ring ends the wait
        for (u32 i = 0; i < count; i++)
            serve_volume(s, &s->volumes[i]);
        u64 now = os_monotonic_ns();
        if (count > 1 && now - looked_ns >= SESSION_OVER_NS) {
            archive_old_ones(s);
            looked_ns = now;
        }
        futex_wait(&last->bell, bell, SESSION_BEAT_MS);
    }
    return NULL;
}

// One turn over all volumes; true if their writers are busy.
static bool grow_all(struct session *s)
{
    bool busy = false;
    for (u32 i = 0; i < s->count; i++) {
        struct volume *v = &s->volumes[i];
        if (v->closing)
            continue;
        atomic_fetch_add(&v->rec->beat, 1);
        busy |= volume_grow(v);
        s->no_room |= v->no_room;
    }
    if (volume_nearly_full(newest(s)))
        roll(s);
    return busy;
}

static void *grow_thread(void *arg)
{
    struct session *s = arg;
    u64 kept_ns = os_monotonic_ns();
    while (!atomic_load(&s->stop)) {
        pthread_mutex_lock(&s->lock);
        struct recording *last = newest(s)->rec;
        u32 bell = atomic_load(&last->bell);
        bool busy = grow_all(s);
        u64 now = os_monotonic_ns();
        if (now - kept_ns >= SESSION_KEEP_NS) {
            keep_now(s);
            kept_ns = now;
        }
        pthread_mutex_unlock(&s->lock);
        futex_wait(&last->bell, bell, busy ? SESSION_QUICK_MS : SESSION_BEAT_MS);
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
    return r == 0 ? collect_start(s) : -r;
}

// ---------------------------------------------------------------- the end

static bool somebody_waits(struct session *s)
{
    bool waits = false;
    pthread_mutex_lock(&s->lock);
    for (u32 i = 0; i < s->count; i++)
        waits |= asking(&s->volumes[i]) != NULL;
    pthread_mutex_unlock(&s->lock);
    return waits;
}

// Those who did not get their turn are told so, lest they wait.
static void refuse_rest(const struct volume *v)
{
    struct record_process *p;
    while ((p = asking(v)) != NULL) {
        atomic_store(&p->scan_error, SCAN_NO_TOOL);
        answer(p, REQUEST_REFUSED);
    }
}

static void stop_threads(struct session *s)
{
    atomic_store(&s->stop, true);
    pthread_mutex_lock(&s->lock);
    for (u32 i = 0; i < s->count; i++) {
        struct recording *r = s->volumes[i].rec;
        atomic_store(&r->closed, 1);
        atomic_fetch_add(&r->bell, 1);
        futex_wake(&r->bell);
    }
    pthread_mutex_unlock(&s->lock);
    if (s->growing)
        pthread_join(s->grower, NULL);
    if (s->scanning)
        pthread_join(s->scanner, NULL);
    s->growing = s->scanning = false;
    collect_stop(s);
}

void session_close(struct session *s, u32 status)
{
    u64 ended_ns = os_realtime_ns();
    u64 until = os_monotonic_ns() + SESSION_GRACE_NS;
    while (somebody_waits(s) && os_monotonic_ns() < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    stop_threads(s);
    for (u32 i = 0; i < s->count; i++)
        refuse_rest(&s->volumes[i]);
    if (status != SESSION_UNFINISHED) {
        s->head.end_status = status;
        s->head.ended_ns = ended_ns;
    }
    s->head.closed = 1;
    s->head.full = volume_full(newest(s)) || s->no_room;
    keep_now(s);
}
