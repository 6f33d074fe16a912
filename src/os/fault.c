// fault.c: SIGSEGV, passed on to whoever had it.
#include "os/fault.h"
#include "os/os.h"

#include <errno.h>
#include <signal.h>

// F1  installed: our handler was put in place, and `old` is what was there; both stay as they are
//     until nobody watches, and in the child of a fork until somebody watched and stopped.
static struct {
    struct lock lock;
    u32 watchers;
    bool installed;
    _Atomic(void (*)(const void *)) look;
    struct sigaction old;
} the;

// Default effect: put it back and return, and the instruction faults again.
static void pass_on(int sig, siginfo_t *info, void *context)
{
    if (the.old.sa_flags & SA_SIGINFO) {
        the.old.sa_sigaction(sig, info, context);
    } else if (the.old.sa_handler != SIG_DFL && the.old.sa_handler != SIG_IGN) {
        the.old.sa_handler(sig);
    } else {
        struct sigaction fatal = {.sa_handler = SIG_DFL};
        sigaction(sig, &fatal, NULL);
        if (info->si_code <= 0) // sent by somebody: no instruction will do it again
            raise(sig);
    }
}

static void handle(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    void (*look)(const void *) = atomic_load_explicit(&the.look, memory_order_relaxed);
    if (look != NULL && info->si_code > 0) // by the processor, not by kill(2)
        look(info->si_addr);
    errno = saved;
    pass_on(sig, info, context);
}

int fault_watch(void (*look)(const void *at))
{
    int r = 0;
    lock_take(&the.lock);
    atomic_store_explicit(&the.look, look, memory_order_relaxed);
    if (!the.installed) {
        struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigaction(SIGSEGV, NULL, &the.old);
        ours.sa_mask = the.old.sa_mask;
        ours.sa_flags |= the.old.sa_flags & (SA_NODEFER | SA_RESTART);
        r = sigaction(SIGSEGV, &ours, NULL) == 0 ? 0 : -errno;
        the.installed = r == 0;
    }
    the.watchers += r == 0;
    lock_give(&the.lock);
    return r;
}

void fault_unwatch(void)
{
    lock_take(&the.lock);
    struct sigaction now;
    if (--the.watchers == 0 && sigaction(SIGSEGV, NULL, &now) == 0) {
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle) // else it is the program's
            sigaction(SIGSEGV, &the.old, NULL);
        the.installed = false;
    }
    lock_give(&the.lock);
}

void fault_forked(void)
{
    lock_break(&the.lock); // its holder did not come
    the.watchers = 0;
}

bool fault_stack(void *stack, size_t size)
{
    stack_t now, ours = {.ss_sp = stack, .ss_size = size};
    return sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) &&
           sigaltstack(&ours, NULL) == 0;
}

void fault_stack_end(void *stack)
{
    stack_t now, none = {.ss_flags = SS_DISABLE};
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == stack)
        sigaltstack(&none, NULL);
}
