// Freed before fork by the parent, and again by the child; the parent follows it into death.
// dies: free: block was already freed
#include "misuse.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    void *p = malloc(100);
    free(accused(p));
    pid_t child = fork();
    if (child == 0) {
        free(opaque(p));
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        abort();
    return 1;
}
