// loud.c: libc's signal for all threads, with our handler before libc's.
//
// libc's sigaction refuses this number, so the kernel is asked. libc sets its handler once, before
// the first thread is made; should it do so after us, ours is put before it again at the next
// claim, and until then a stop is given up, because libc's handler does not answer.
#include "os/loud.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void loud_handler(int number, siginfo_t *info, void *context);

struct action { // as the kernel has it, on x86-64 and on aarch64
    loud_handler *handler;
    unsigned long flags;
    void (*restorer)(void);
    u64 mask;
};

static _Atomic(loud_handler *) libc_handler;

static bool kernel_action(int number, const struct action *want, struct action *ret)
{
    return syscall(SYS_rt_sigaction, (long)number, want, ret, sizeof want->mask) == 0;
}

int loud_claim(int model)
{
    struct action now, ours;
    int saved = errno;
    bool ok = kernel_action(LOUD_SIGNAL, NULL, &now) && kernel_action(model, NULL, &ours);
    if (ok && now.handler != ours.handler) {
        // Release: pairs with the acquire in loud_pass. Before the handler that reads it.
        atomic_store_explicit(&libc_handler, now.flags & SA_SIGINFO ? now.handler : NULL,
                              memory_order_release);
        ok = kernel_action(LOUD_SIGNAL, &ours, NULL);
    }
    errno = saved;
    return ok ? 0 : -EBUSY;
}

void loud_pass(int number, siginfo_t *info, void *context)
{
    loud_handler *libc = atomic_load_explicit(&libc_handler, memory_order_acquire);
    if (libc != NULL)
        libc(number, info, context);
}
