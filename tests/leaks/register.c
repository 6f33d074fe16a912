// A running thread holds a block in a register and nowhere else: not lost. The one beside it is.
// total: 88 bytes
#include "leak.h"
#include <pthread.h>
#include <sched.h>

static volatile int ready, stop;

static apart uintptr_t inverted(size_t size)
{
    void *p = malloc(size);
    memset(p, 1, size);
    return ~(uintptr_t)p;
}

static apart void forget(void)
{
    lose(malloc(88), 88); // lost
}

static void *work(void *arg)
{
    forget();
    uintptr_t v = inverted(640);
    scrub();
    // From here on the pointer itself exists in %r12 alone.
    __asm__ volatile("mov %0, %%r12\n\tnot %%r12\n\tmovl $1, %1\n"
                     "1:\tpause\n\tcmpl $0, %2\n\tje 1b\n\tnot %%r12"
                     :
                     : "r"(v), "m"(ready), "m"(stop)
                     : "r12", "memory", "cc");
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, work, NULL);
    while (!ready)
        sched_yield();
    scrub();
    return 0;
}
