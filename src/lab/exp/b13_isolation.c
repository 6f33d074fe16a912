// B13 isolation: the same address in two processes.

#include "lab/lab.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static int secret = 1; // at the same address in parent and child

// What other processes found, in memory that all of them share.
struct seen {
    int by_pointer;         // in the child, after it wrote 2
    int by_kernel, refused; // what process_vm_readv read, and its errno for a stranger
    bool asked, stranger;
};

static void write_mine(void *of)
{
    struct seen *s = of;
    secret = 2;
    s->by_pointer = *(volatile int *)&secret;
}

static int read_other(pid_t pid, int *ret)
{
    struct iovec here = {ret, sizeof *ret}, there = {&secret, sizeof secret};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof *ret ? 0 : errno;
}

// A process of our own user asks the kernel for its child's memory; then it becomes somebody else
// and asks again.
static void ask_kernel(void *of)
{
    struct seen *s = of;
    int hold[2], value = 0;
    secret = 7;
    if (pipe(hold) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        close(hold[1]); // its end is our end
        _exit((int)read(hold[0], &c, 1));
    }
    s->asked = pid > 0 && read_other(pid, &value) == 0;
    s->by_kernel = value;
    if (geteuid() == 0 && setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0) {
        s->stranger = true;
        s->refused = read_other(pid, &value);
    } else if (geteuid() != 0) {
        s->stranger = true;
        s->refused = read_other(1, &value); // init is root's
    }
    close(hold[1]);
    waitpid(pid, NULL, 0);
}

static void run(struct lab *l)
{
    struct seen *s = lab_shared(l, sizeof *s);
    struct lab_end end;
    if (s == NULL || lab_child(l, write_mine, s, 0, &end) != 0)
        return;
    int mine = *(volatile int *)&secret;
    lab_table(l, "one address, two processes", "process|address|value");
    lab_row(l, "this one|%p|%d", (void *)&secret, mine);
    lab_row(l, "its child|%p|%d", (void *)&secret, s->by_pointer);
    lab_check(l, "isolated", mine == 1 && s->by_pointer == 2,
              "the child's write did %sreach this process", mine == 1 ? "not " : "");
    if (lab_child(l, ask_kernel, s, 0, &end) != 0)
        return;
    lab_check(l, "nobody_can", !s->asked, "process_vm_readv of a child %s",
              s->asked ? "reads its memory" : "is refused");
    lab_why(l, "nobody_can",
            "whoever may debug a process may read it: that is how loam map and "
            "debuggers work");
    if (s->stranger)
        lab_check(l, "strangers", s->refused != 0, "another user gets: %s",
                  s->refused != 0 ? strerror(s->refused) : "the value");
    else
        lab_cannot(l, "strangers", "this process may not become another user");
}

static const struct claim claims[] = {
    {S3, "topic 3", "a process's pointer into another's memory", "impossible", "isolated", 0, 0,
     NULL},
    {S4, NULL, "isolation of processes", "each has its own space", "isolated", 0, 0, NULL},
    {S1, NULL, "reading another process's memory, by any means", "impossible", "nobody_can", 0, 0,
     NULL},
    {S3, "topic 3", "another user's process, by the kernel", "refused", "strangers", 0, 0, NULL},
};

LAB_EXPERIMENT(B13) = {
    .question = "Can a process see another's memory?",
    .prediction = "No: the same address means another frame in each of them.",
    .method = "A variable has one address in a process and in its fork. The child writes, and both "
              "look. Then the kernel is asked by process_vm_readv: for a process of the same user, "
              "and, as another user, again.",
    .look = "No pointer reaches out of a process. The exception is by permission: the kernel reads "
            "for those who may debug, and refuses the rest.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
