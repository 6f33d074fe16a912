// subject.c: the process that an inspection command looks at.

#include "cli/subject.h"

#include "inspect/status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

pid_t subject_pid(const struct command *c, int n, char **operands)
{
    if (n == 0) {
        say(c, "which process? Try 'loam %s PID', or 'loam %s -h'.", c->name, c->name);
        return -1;
    }
    if (n > 1) {
        say(c, "one process at a time, not %d. Try 'loam %s -h'.", n, c->name);
        return -1;
    }
    pid_t pid = status_pid(operands[0]);
    if (pid == 0)
        say(c, "'%s' is no process number. Try 'loam %s -h'.", operands[0], c->name);
    return pid == 0 ? -1 : pid;
}

int subject_refused(const struct command *c, pid_t pid, int e)
{
    switch (-e) {
    case ESRCH:
    case ENOENT:
        say(c, "there is no process %d, or no more.", pid);
        break;
    case EACCES:
    case EPERM:
        say(c,
            "process %d may not be looked at: it is another user's, or more privileged. "
            "Try as root.",
            pid);
        break;
    case ENODATA:
        say(c, "process %d has no memory of its own: it is a thread of the kernel, or a zombie.",
            pid);
        break;
    default:
        say(c, "process %d cannot be read: %s.", pid, strerror(-e));
    }
    return EXIT_BAD_FILE;
}

// A pidfd wakes us when the process ends; without one, its folder in /proc is looked for.
bool subject_wait(pid_t pid, u32 seconds)
{
    if (fflush(stdout) != 0)
        return false;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    u32 ms = seconds < 1000000 ? seconds * 1000 : 1000000000;
    bool ended = poll(&p, 1, (int)ms) > 0 && pid != getpid();
    if (fd < 0)
        return kill(pid, 0) == 0 || errno != ESRCH;
    close(fd);
    return !ended;
}

void subject_clear(FILE *out)
{
    if (isatty(fileno(out)))
        fputs("\033[H\033[2J", out);
}
