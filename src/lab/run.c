// run.c: one experiment, one process.
//
// The process may crash, hang or take all of its memory: the lab goes on with the next one, and
// the claims say what happened. It is pinned to the last processor that we may use (the first one
// is where interrupts like to go), dies with the lab, and hands its results over as JSON in a
// memory file: a pipe would fill up while nobody reads.

#include "lab/run.h"

#include "lab/keeper.h"
#include "lab/noise.h"
#include "lab/result.h"
#include "lab/rt.h"
#include "lab/state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_QUICK = 20, SECONDS_FULL = 90, STEP_MS = 5 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

bool run_interrupted(void)
{
    return interrupted != 0;
}

// ---------------------------------------------------------------- in the experiment's process

static char worse(char a, char b)
{
    return a > b ? a : b;
}

// Noise before and after, and the share of samples that its timings lost.
static char grade_of(struct noise before, struct noise after, const struct result *r)
{
    u32 all = r->kept + r->rejected;
    char lost = all == 0 ? 'A' : noise_grade(0, (double)r->rejected / all);
    char spread = before.spread < after.spread ? before.grade : after.grade;
    return worse(spread, lost);
}

static void experiment_process(const struct entry *e, const struct machine *m,
                               const struct run_options *o, int out)
{
    struct result result;
    result_init(&result);
    struct lab l = {.machine = m,
                    .rng = {o->seed},
                    .room = m->room,
                    .full = o->full,
                    .cpu = m->cpu_count > 0 ? m->cpus[m->cpu_count - 1] : 0,
                    .to = &result};
    lab_pin(l.cpu);
    struct noise before = noise_measure(&l.rng);
    double ghz = clock_core_ghz();
    u64 start = clock_ns();
    e->experiment->run(&l);
    double seconds = (double)(clock_ns() - start) * 1e-9;
    double ghz_after = clock_core_ghz();
    struct noise after = noise_measure(&l.rng);
    char grade = grade_of(before, after, &result);
    json_t *j = result_json(&result, e->experiment, grade);
    json_object_set_new(j, "seconds", json_real(seconds));
    json_object_set_new(j, "core_ghz", json_pack("{sf sf}", "before", ghz, "after", ghz_after));
    json_object_set_new(j, "noise",
                        json_pack("{ss% sf sf}", "grade", &grade, (size_t)1, "before",
                                  before.spread, "after", after.spread));
    if (json_dumpfd(j, out, JSON_COMPACT) != 0)
        _exit(1);
    _exit(0);
}

// ---------------------------------------------------------------- in the lab's

// Wait; kill it at its deadline, or when we are interrupted. Its wait status, -1 for the deadline.
// What it started dies with it, however it ended: while it is not reaped, its group is still its.
static int wait_for(pid_t pid, u32 seconds)
{
    u64 deadline = clock_ns() + seconds * 1000000000ull;
    siginfo_t end = {0};
    bool late = false;
    while (!late && !interrupted && end.si_pid != pid) {
        if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR)
            break;
        late = end.si_pid != pid && clock_ns() > deadline;
        if (end.si_pid != pid && !late)
            usleep(STEP_MS * 1000);
    }
    int status = 0;
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    return late ? -1 : status;
}

static pid_t start(const struct entry *e, const struct machine *m, const struct run_options *o,
                   int out, u32 seconds)
{
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    struct rlimit none = {0, 0};
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setrlimit(RLIMIT_CORE, &none);
    alarm(seconds + 5); // if the lab should forget us
    rt_enter();
    experiment_process(e, m, o, out);
    return 0;
}

// The object of an experiment that did not end well: its claims cannot be judged.
static json_t *failure(const struct entry *e, const char *why)
{
    struct result r;
    result_init(&r);
    json_object_set_new(r.cannot, "", json_string(why));
    json_t *j = result_json(&r, e->experiment, 'A');
    json_object_set_new(j, "seconds", json_real(0));
    json_object_set_new(j, "failure", json_string(why));
    return j;
}

static json_t *outcome(const struct entry *e, int status, int out, u32 seconds)
{
    char why[128];
    if (status == -1) {
        snprintf(why, sizeof why, "it took longer than %u seconds", seconds);
        return failure(e, why);
    }
    if (WIFSIGNALED(status)) {
        snprintf(why, sizeof why, "the experiment ended with signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        return failure(e, why);
    }
    lseek(out, 0, SEEK_SET);
    json_t *j = WEXITSTATUS(status) == 0 ? json_loadfd(out, 0, NULL) : NULL;
    return j != NULL ? j : failure(e, "the experiment ended without a result");
}

static json_t *run_one(const struct entry *e, const struct machine *m, const struct run_options *o)
{
    u32 seconds = e->experiment->seconds;
    if (seconds == 0)
        seconds = o->full ? SECONDS_FULL : SECONDS_QUICK;
    int out = memfd_create("loam-lab", MFD_CLOEXEC);
    pid_t pid = out < 0 ? -1 : start(e, m, o, out, seconds);
    if (pid < 0) {
        if (out >= 0)
            close(out);
        return failure(e, strerror(errno));
    }
    pid_t keeper = keeper_start(pid);
    int status = wait_for(pid, seconds);
    keeper_end(keeper);
    json_t *j = outcome(e, status, out, seconds);
    close(out);
    const char letter[2] = {e->id[0], 0};
    json_object_set_new(j, "id", json_string(e->id));
    json_object_set_new(j, "name", json_string(e->name));
    json_object_set_new(j, "chapter", json_string(letter));
    json_object_set_new(j, "question", json_string(e->experiment->question));
    json_object_set_new(j, "prediction", json_string(e->experiment->prediction));
    json_object_set_new(j, "method", json_string(e->experiment->method));
    json_object_set_new(j, "look", json_string(e->experiment->look));
    json_object_set_new(j, "status",
                        json_string(json_object_get(j, "failure") != NULL ? "failed" : "ok"));
    return j;
}

static json_t *document(const struct machine *m, const struct run_options *o)
{
    char now[32];
    time_t t = time(NULL);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
    json_t *sources = json_object();
    for (u32 i = 0; i < SOURCES; i++) {
        char id[4];
        snprintf(id, sizeof id, "S%u", i);
        json_object_set_new(sources, id, json_string(source_title[i]));
    }
    json_t *letters = json_object();
    for (size_t i = 0; i < chapters_count; i++)
        json_object_set_new(letters, (char[]){chapters[i].letter, 0},
                            json_string(chapters[i].title));
    return json_pack("{ss ss ss ss ss sI so so so s[]}", "schema", "lab/1", "tool", "loam",
                     "version", LOAM_VERSION, "time", now, "depth", o->full ? "full" : "quick",
                     "seed", (json_int_t)o->seed, "env", machine_json(m), "sources", sources,
                     "chapters", letters, "experiments");
}

json_t *run_all(const struct entry *const *chosen, u32 count, const struct run_options *o)
{
    struct machine m;
    machine_read(&m);
    struct sigaction act = {.sa_handler = on_interrupt}, old_int, old_term;
    sigaction(SIGINT, &act, &old_int);
    sigaction(SIGTERM, &act, &old_term);
    json_t *doc = document(&m, o), *list = json_object_get(doc, "experiments");
    u64 start_ns = clock_ns();
    for (u32 i = 0; i < count && !interrupted; i++) {
        if (o->progress != NULL)
            o->progress(chosen[i], i, count, NULL);
        json_t *j = run_one(chosen[i], &m, o);
        state_sweep();
        if (interrupted) {
            json_decref(j);
            break;
        }
        json_array_append_new(list, j);
        if (o->progress != NULL)
            o->progress(chosen[i], i, count, j);
    }
    json_object_set_new(doc, "seconds", json_real((double)(clock_ns() - start_ns) * 1e-9));
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    return doc;
}
