// A signal handler on a stack of its own loses a block.
// total: 130 bytes
#include "leak.h"
#include <signal.h>

static char other_stack[65536];

static apart void forget(void)
{
    lose(malloc(130), 130); // lost
}

static void handler(int signal)
{
    (void)signal;
    forget();
}

int main(void)
{
    stack_t s = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    sigaltstack(&s, NULL);
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
    memset(other_stack, 0, sizeof other_stack);
    scrub();
    return 0;
}
