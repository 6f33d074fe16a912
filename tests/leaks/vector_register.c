// As register.c, but the register is %xmm9.
// total: 88 bytes
// memcheck: does not look into vector registers
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
    __asm__ volatile("mov %0, %%rax\n\tnot %%rax\n\tmovq %%rax, %%xmm9\n\txor %%eax, %%eax\n\t"
                     "movl $1, %1\n1:\tpause\n\tcmpl $0, %2\n\tje 1b"
                     :
                     : "r"(v), "m"(ready), "m"(stop)
                     : "rax", "xmm9", "memory", "cc");
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
