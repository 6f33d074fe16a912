// stop.c: hold every thread of another process still, and let go again without a trace.
#include "target/stop.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

#define HANGS_MS   200   // a thread in state D for so long will not stop soon
#define STUCK_MS   10000 // nor will one that has not been given a processor by then
#define ROUNDS_MAX 1000  // listings of a process that makes threads faster than we stop them

static u64 now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

static void sleep_us(unsigned us)
{
    struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};
    nanosleep(&t, NULL);
}

// State letter of a thread; 0 when there is no such thread.
static char state_of(pid_t pid, pid_t tid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return 0;
    size_t n = fread(line, 1, sizeof line - 1, in);
    fclose(in);
    line[n] = 0;
    char *end = strrchr(line, ')'); // the name before it may hold anything
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

static bool dead(char state)
{
    return state == 0 || state == 'Z' || state == 'X' || state == 'x';
}

// ---------------------------------------------------------------- the list of threads

static int by_tid(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static int add(struct stop *s, pid_t tid)
{
    if (s->count == s->room) {
        size_t room = s->room != 0 ? 2 * s->room : 64;
        struct thread *list = realloc(s->thread, room * sizeof *list);
        if (list == NULL)
            return -ENOMEM;
        s->thread = list;
        s->room = room;
    }
    s->thread[s->count++] = (struct thread){.tid = tid};
    return 0;
}

// 1: seized, 0: it is no more, negative: refused.
static int seize(pid_t pid, pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        int e = errno;
        return e == ESRCH || dead(state_of(pid, tid)) ? 0 : -e;
    }
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return 1;
}

// Seize the threads that are not in the list yet. Returns how many, or -errno.
static int seize_new(struct stop *s)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", s->pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    size_t known = s->count;
    int found = 0, e = 0;
    for (struct dirent *d; e >= 0 && (d = readdir(dir)) != NULL;) {
        struct thread key = {.tid = atoi(d->d_name)};
        if (key.tid <= 0 ||
            (known != 0 && bsearch(&key, s->thread, known, sizeof key, by_tid) != NULL))
            continue;
        e = seize(s->pid, key.tid);
        if (e == 1) {
            found++;
            e = add(s, key.tid);
        }
    }
    closedir(dir);
    if (s->count != 0)
        qsort(s->thread, s->count, sizeof *s->thread, by_tid);
    return e < 0 ? e : found;
}

// ---------------------------------------------------------------- stops

static bool stop_signal(int sig)
{
    return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

// If the thread has stopped, learn why and read its registers.
static bool arrived(struct thread *t)
{
    siginfo_t si;
    if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &si) != 0)
        return false;
    bool ours = si.si_code >> 8 == PTRACE_EVENT_STOP;
    t->grouped = ours && stop_signal(si.si_signo);
    t->signal = ours ? 0 : si.si_signo; // P3
    if (cpu_read(t->tid, &t->cpu) < 0)
        return false;
    cpu_hide_interrupt(t->tid, &t->cpu);
    t->stopped = true;
    return true;
}

// Wait until every thread has stopped, died, or shown that it will not.
static void await(struct stop *s)
{
    u64 began = now_us();
    unsigned pause_us = 0;
    for (size_t i = 0; i < s->count;) {
        struct thread *t = &s->thread[i];
        if (t->stopped || t->gone || arrived(t)) {
            i++;
            pause_us = 0;
            continue;
        }
        char state = state_of(s->pid, t->tid);
        t->gone = dead(state);
        if (t->gone)
            continue;
        u64 ms = (now_us() - began) / 1000;
        t->stuck = t->stuck || ms > STUCK_MS || (state == 'D' && ms > HANGS_MS);
        if (t->stuck) {
            i++; // the next ones may have stopped long ago
            continue;
        }
        pause_us = pause_us < 1000 ? pause_us + 20 : 1000;
        sleep_us(pause_us);
    }
}

int stop_all(struct stop *s)
{
    int found = 1;
    await(s);
    for (int round = 0; found > 0 && round < ROUNDS_MAX; round++) {
        found = seize_new(s);
        await(s);
    }
    if (found < 0)
        return found;
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].stopped)
            return 0;
    return -ESRCH;
}

void stop_breathe(struct stop *s, unsigned us)
{
    for (size_t i = 0; i < s->count; i++) {
        struct thread *t = &s->thread[i];
        if (!t->stopped || t->grouped || !cpu_in_heap_call(&t->cpu))
            continue;
        t->stopped = false;
        ptrace(PTRACE_CONT, t->tid, NULL, (void *)(long)t->signal);
    }
    sleep_us(us);
    for (size_t i = 0; i < s->count; i++)
        if (!s->thread[i].stopped && !s->thread[i].gone)
            ptrace(PTRACE_INTERRUPT, s->thread[i].tid, NULL, NULL);
}

// A thread that died while it was traced stays a zombie, and holds back the news of its process's
// end, until its tracer has seen it.
static void release(const struct stop *s, const struct thread *t)
{
    bool went_on = t->stopped && ptrace(PTRACE_DETACH, t->tid, NULL, (void *)(long)t->signal) == 0;
    if (!went_on && t->tid != s->pid)
        waitpid(t->tid, NULL, __WALL | WNOHANG);
}

void stop_release(struct stop *s)
{
    for (size_t i = 0; i < s->count; i++)
        release(s, &s->thread[i]);
    free(s->thread);
    *s = (struct stop){.pid = s->pid};
}
