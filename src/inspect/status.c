// status.c: what /proc tells of a process as a whole.
#include "inspect/status.h"

#include "report/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The beginning of a small file, terminated. Returns its length, or -errno.
static ssize_t slurp(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    ssize_t n = read(fd, buf, size - 1);
    int e = errno;
    close(fd);
    if (n < 0)
        return -e;
    buf[n] = 0;
    return n;
}

static ssize_t slurp_of(pid_t pid, const char *name, char *buf, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return slurp(path, buf, size);
}

// ---------------------------------------------------------------- status

static const struct {
    const char *name;
    size_t offset;
} sizes[] = {
    {"\nVmPeak:", offsetof(struct status, size_peak)},
    {"\nVmSize:", offsetof(struct status, size)},
    {"\nVmHWM:", offsetof(struct status, rss_peak)},
    {"\nVmRSS:", offsetof(struct status, rss)},
    {"\nRssAnon:", offsetof(struct status, rss_anon)},
    {"\nRssFile:", offsetof(struct status, rss_file)},
    {"\nRssShmem:", offsetof(struct status, rss_shmem)},
    {"\nVmSwap:", offsetof(struct status, swap)},
    {"\nVmLck:", offsetof(struct status, locked)},
    {"\nVmPTE:", offsetof(struct status, page_tables)},
    {"\nHugetlbPages:", offsetof(struct status, hugetlb)},
};

// The number behind a name that stands at the start of a line.
static u64 number(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static int load_sizes(struct status *s)
{
    char text[8192];
    ssize_t n = slurp_of(s->pid, "status", text, sizeof text);
    if (n < 0)
        return (int)n;
    // The name comes first and may hold anything, escaped: a line of its own it cannot have.
    for (size_t i = 0; i < countof(sizes); i++)
        *(u64 *)((char *)s + sizes[i].offset) = number(text, sizes[i].name) * KiB;
    s->ppid = (pid_t)number(text, "\nPPid:");
    s->threads = (u32)number(text, "\nThreads:");
    s->has_memory = strstr(text, "\nVmSize:") != NULL;
    s->thp_disabled = strstr(text, "\nTHP_enabled:\t0") != NULL;
    return 0;
}

// ---------------------------------------------------------------- stat

static u64 uptime_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

// "pid (name) state ppid ...": fields 10 minflt, 12 majflt, 22 starttime. The name may hold
// anything.
static int load_faults(struct status *s)
{
    char text[1024];
    ssize_t n = slurp_of(s->pid, "stat", text, sizeof text);
    char *open = strchr(text, '('), *end = strrchr(text, ')');
    if (n < 0 || open == NULL || end == NULL || end < open)
        return n < 0 ? (int)n : -ESRCH;
    snprintf(s->name, sizeof s->name, "%.*s", (int)(end - open - 1), open + 1);
    utf8_clean(s->name);
    u64 field[23] = {0};
    char *at = end + 2; // field 3
    for (int i = 3; i <= 22 && at != NULL; i++) {
        field[i] = strtoull(at, NULL, 10);
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    s->minor = field[10];
    s->major = field[12];
    u64 started = field[22] * (1000000000 / (u64)sysconf(_SC_CLK_TCK)), now = uptime_ns();
    s->age_ns = now > started ? now - started : 0;
    return 0;
}

static void load_command(struct status *s)
{
    ssize_t n = slurp_of(s->pid, "cmdline", s->command, sizeof s->command);
    if (n <= 0) {
        snprintf(s->command, sizeof s->command, "[%s]", s->name);
        return;
    }
    while (n > 0 && s->command[n - 1] == 0)
        n--;
    for (ssize_t i = 0; i < n; i++)
        if (s->command[i] == 0)
            s->command[i] = ' ';
    utf8_clean(s->command);
}

int status_load(struct status *ret, pid_t pid)
{
    struct status s = {.pid = pid};
    int e = load_sizes(&s);
    if (e == 0)
        e = load_faults(&s);
    if (e < 0)
        return e;
    load_command(&s);
    *ret = s;
    return 0;
}

const char *status_thp(const char *what, char ret_word[32])
{
    char path[128], text[256];
    snprintf(path, sizeof path, "/sys/kernel/mm/transparent_hugepage/%s", what);
    *ret_word = 0;
    if (slurp(path, text, sizeof text) > 0 && strchr(text, '[') != NULL)
        snprintf(ret_word, 32, "%.*s", (int)strcspn(strchr(text, '[') + 1, "]"),
                 strchr(text, '[') + 1);
    return ret_word;
}

const char *status_thread_name(pid_t pid, pid_t tid, char ret_name[32])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
    if (slurp(path, ret_name, 32) < 0)
        *ret_name = 0;
    ret_name[strcspn(ret_name, "\n")] = 0;
    utf8_clean(ret_name);
    return ret_name;
}

pid_t status_pid(const char *text)
{
    char *end;
    if (strcmp(text, "self") == 0)
        return getpid();
    long pid = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && pid > 0 && pid <= 1 << 30 ? (pid_t)pid : 0;
}

// ---------------------------------------------------------------- families

static int add(struct family *f, size_t *room, const struct status *s)
{
    if (f->count == *room) {
        *room = *room != 0 ? 2 * *room : 64;
        struct status *more = realloc(f->member, *room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        f->member = more;
    }
    f->member[f->count++] = *s;
    return 0;
}

static int load_all(struct family *f)
{
    size_t room = 0;
    int e = 0;
    DIR *dir = opendir("/proc");
    for (struct dirent *d; e == 0 && dir != NULL && (d = readdir(dir)) != NULL;) {
        struct status s;
        pid_t pid = status_pid(d->d_name);
        if (pid > 0 && status_load(&s, pid) == 0)
            e = add(f, &room, &s);
    }
    if (dir != NULL)
        closedir(dir);
    return e;
}

// Put the descendants of member `at` behind it: a list that grows while it is walked, in place.
// Numbers can be hostile only in that a parent's may have been given again: never to a child.
static void order(struct family *f, pid_t root)
{
    size_t done = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->member[i].pid != root)
            continue;
        struct status first = f->member[i];
        memmove(f->member + 1, f->member, i * sizeof first);
        f->member[0] = first;
        done = 1;
    }
    for (size_t at = 0; at < done; at++) {
        size_t next = at + 1;
        for (size_t i = done; i < f->count; i++) {
            if (f->member[i].ppid != f->member[at].pid)
                continue;
            struct status child = f->member[i];
            memmove(f->member + next + 1, f->member + next, (i - next) * sizeof child);
            memmove(f->depth + next + 1, f->depth + next, (i - next) * sizeof *f->depth);
            f->member[next] = child;
            f->depth[next++] = f->depth[at] + 1;
            done++;
        }
    }
    f->count = done;
}

int family_load(struct family *f, pid_t root)
{
    *f = (struct family){0};
    int e = load_all(f);
    f->depth = e == 0 ? calloc(f->count + 1, sizeof *f->depth) : NULL;
    if (e == 0 && f->depth == NULL)
        e = -ENOMEM;
    if (e == 0)
        order(f, root);
    if (e == 0 && f->count == 0)
        e = -ESRCH;
    if (e < 0)
        family_done(f);
    return e;
}

void family_done(struct family *f)
{
    free(f->member);
    free(f->depth);
    *f = (struct family){0};
}
