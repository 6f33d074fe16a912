#include "lab/keeper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Every signal is blocked: Ctrl-C is the lab's affair, and the one that we wait for tells of its
// death.
static _Noreturn void keep(pid_t lab, pid_t group)
{
    sigset_t all, death;
    int signal;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&death);
    sigaddset(&death, SIGUSR1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    while (getppid() == lab)
        sigwait(&death, &signal);
    kill(-group, SIGKILL);
    _exit(0);
}

pid_t keeper_start(pid_t group)
{
    pid_t lab = getpid(), keeper = fork();
    if (keeper == 0)
        keep(lab, group);
    return keeper;
}

void keeper_end(pid_t keeper)
{
    if (keeper <= 0)
        return;
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
}
