// child.h: the user's program as our child, undisturbed.
//
// The program gets our streams, our process group and terminal, and the signal mask and
// dispositions that we were started with. While it runs, a signal that the terminal sends to the
// whole group is its own affair; one that somebody sends to us alone is passed on.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    sigset_t old_mask;
    sigset_t watched; // signals that we wait for, blocked
    struct sigaction old_chld, old_xfsz;
    struct rlimit old_file_size;
};

struct child_setting {
    char **argv;
    const char *program; // path, or a name that PATH finds
    const char *preload; // value of LD_PRELOAD
    const char *loam;    // value of LOAM
};

// Lift from us what was set for the program: a limit on the size of files (ulimit -f), which our
// recording would break. Call it before any file is written.
void child_prepare(struct child *c);
// Block signals and start the program. 0, or -errno of fork or exec; then nothing runs.
int child_start(struct child *c, const struct child_setting *set);
// Wait until it ends; its wait status. Stops with it when it is stopped from the terminal.
int child_wait(struct child *c);
// Drop signals that came meanwhile (the ^C that ended the program is not meant for the report)
// and go back to the mask of before.
void child_done(struct child *c);
// End as the program ended: exit status, or the same signal, without a second core dump.
__attribute__((noreturn)) void child_end_like(int status);
