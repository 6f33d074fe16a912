// follow.c: make a recording, ask the process to write there, serve it, report.

#include "cli/follow.h"

#include "cli/result.h"
#include "cli/view.h"
#include "report/load.h"
#include "target/wish.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS    50
#define QUIET_MS   1000 // then we say that we wait
#define SAMPLE_AT  ((u64)512 * KiB)
#define ARGV_MAX   64
#define ARGV_BYTES 2048

struct follow {
    const struct command *c;
    const char *output;
    struct wish wish;
    struct session session;
};

static volatile sig_atomic_t ended_by; // a signal

static void on_signal(int signal)
{
    ended_by = signal;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
}

static void wait_turn(void)
{
    nanosleep(&(struct timespec){.tv_nsec = TURN_MS * 1000000}, NULL);
}

static bool is_there(const struct follow *f)
{
    return ended_by == 0 && (kill(f->wish.pid, 0) == 0 || errno == EPERM);
}

// ---------------------------------------------------------------- beginning

// Its arguments, as far as they go; pointers into `text`.
static void read_argv(pid_t pid, char text[ARGV_BYTES], char *argv[ARGV_MAX + 1])
{
    char path[48];
    u32 n = 0;
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *in = fopen(path, "re");
    size_t size = in == NULL ? 0 : fread(text, 1, ARGV_BYTES - 1, in);
    if (in != NULL)
        fclose(in);
    text[size] = 0;
    for (size_t at = 0; at < size && n < ARGV_MAX; at += strlen(text + at) + 1)
        argv[n++] = text + at;
    argv[n] = NULL;
}

static int begin(struct follow *f, u64 mean)
{
    char why[512], text[ARGV_BYTES], *argv[ARGV_MAX + 1];
    struct session_mode mode = {.sample_bytes = mean != 0 ? mean : SAMPLE_AT, .sampling = true};
    read_argv(f->wish.pid, text, argv);
    if (session_begin(&f->session, argv, &mode, why, sizeof why) < 0) {
        say(f->c, "%s", why);
        return EXIT_LOAM;
    }
    int e = f->output == NULL ? 0 : session_keep(&f->session, f->output);
    if (e == -EEXIST)
        say(f->c, "%s is there and no recording: choose another name.", f->output);
    else if (e < 0)
        say(f->c, "%s cannot be written: %s.", f->output, strerror(-e));
    return e < 0 ? EXIT_LOAM : 0;
}

// The process answers when it next comes to a slow path of malloc and is due for a sample.
static int wait_answer(struct follow *f)
{
    int answer = 0;
    for (u32 ms = 0; answer == 0 && is_there(f); ms += TURN_MS) {
        answer = wish_answer(&f->wish);
        if (answer == 0)
            wait_turn();
        if (ms == QUIET_MS)
            say(f->c, "waiting for process %d to allocate; Ctrl-C gives up.", f->wish.pid);
    }
    return answer;
}

static int ask(struct follow *f, u64 mean)
{
    int e = session_serve(&f->session);
    if (e == 0)
        e = wish_make(&f->wish, f->session.path, mean);
    int answer = e < 0 ? e : wait_answer(f);
    if (answer > 0) {
        say(f->c, "process %d is sampled. 'loam top %d' looks on; Ctrl-C ends it and reports.",
            f->wish.pid, f->wish.pid);
        return 0;
    }
    if (answer < 0)
        say(f->c, "process %d cannot record: %s.", f->wish.pid, strerror(-answer));
    else
        say(f->c, "process %d has allocated nothing meanwhile: nothing was sampled.", f->wish.pid);
    wish_end(&f->wish);
    return EXIT_BAD_FILE;
}

// ---------------------------------------------------------------- the end

static void stop(struct follow *f)
{
    for (u32 i = 0; i < f->session.count; i++)
        atomic_store(&f->session.volumes[i].rec->sampling, 0);
    session_close(&f->session, SESSION_UNFINISHED);
}

static int report(struct follow *f)
{
    char path[PATH_MAX - 16], why[256], next[PATH_MAX + 32];
    struct model m;
    struct view view = {.places = 5};
    bool home = view_last_path(path, sizeof path);
    int e = home ? result_keep(&f->session, path, f->output) : 0;
    if (e < 0)
        say(f->c, "the recording is not kept in %s: %s.", path, strerror(-e));
    if (result_load(&f->session, &m, why, sizeof why) < 0) {
        say(f->c, "%s.", why);
        return EXIT_LOAM;
    }
    snprintf(next, sizeof next, "loam report%s%s", f->output == NULL ? "" : " ",
             f->output == NULL ? "" : f->output);
    view_text(stdout, &m, &view, next);
    load_done(&m);
    return fflush(stdout) == 0 ? 0 : EXIT_LOAM;
}

int follow_process(const struct command *c, pid_t pid, u64 mean, const char *output)
{
    char why[256];
    struct follow f = {.c = c, .output = output, .session = {.keep.fd = -1}};
    if (wish_open(&f.wish, pid, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    catch_signals();
    int status = begin(&f, mean);
    bool begun = status == 0;
    if (begun)
        status = ask(&f, mean);
    while (status == 0 && is_there(&f))
        wait_turn();
    if (begun)
        stop(&f);
    if (status == 0)
        status = report(&f);
    session_done(&f.session);
    wish_close(&f.wish);
    return status;
}
