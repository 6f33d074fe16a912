// cost: what a command and all that it started cost, told when it has ended.
//
//     cost FILE COMMAND ARGUMENT...    FILE: "CPU-SECONDS PEAK-BYTES\n"; ends as the command did
//
// The peak is that of the largest process. A process's peak starts with what it was copied from
// (the kernel keeps it across exec), so that a script in Python would see its own size in
// everything small: this program is smaller than anything that it measures.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int ended(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    if (argc < 3) {
        fputs("usage: cost FILE COMMAND ARGUMENT...\n", stderr);
        return 2;
    }
    pid_t pid = vfork(); // its memory is this program's until it is the command's
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || getrusage(RUSAGE_CHILDREN, &u) != 0) {
        fprintf(stderr, "cost: %s\n", strerror(errno));
        return 125;
    }
    FILE *out = fopen(argv[1], "w");
    if (out == NULL) {
        fprintf(stderr, "cost: %s: %s\n", argv[1], strerror(errno));
        return 125;
    }
    fprintf(out, "%.6f %ld\n", seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_maxrss * 1024);
    fclose(out);
    return ended(status);
}
