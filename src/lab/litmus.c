// litmus.c: a pair of threads, released by the clock. A late thread only misses its round.

#include "lab/litmus.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { TICKS_APART = 1500 };

static u64 ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    u64 t;
    __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(t));
    return t;
#endif
}

struct side {
    struct litmus *rounds;
    void (*body)(struct litmus *);
    u32 cpu;
    atomic_uint *there;
    atomic_ullong *start;
    bool first;
};

static void *side_thread(void *of)
{
    struct side *s = of;
    lab_pin(s->cpu);
    atomic_fetch_add(s->there, 1);
    if (s->first) { // the first tick is set when both have come
        while (atomic_load(s->there) < 2)
            __asm__ volatile("");
        atomic_store(s->start, ticks() + 100 * TICKS_APART);
    }
    u64 start;
    while ((start = atomic_load(s->start)) == 0)
        __asm__ volatile("");
    for (u32 i = 0; i < LITMUS_ROUNDS; i++) {
        while (ticks() < start + (u64)i * TICKS_APART)
            __asm__ volatile("");
        s->body(&s->rounds[i]);
    }
    return NULL;
}

long litmus_run(struct lab *l, void (*left)(struct litmus *), void (*right)(struct litmus *),
                bool (*odd)(const struct litmus *))
{
    u32 cpu[2];
    if (lab_cpus(l, cpu, 2) < 2) {
        lab_cannot(l, NULL, "it takes 2 processors, and there is 1");
        return -1;
    }
    struct litmus *rounds = lab_memory(l, LITMUS_ROUNDS * sizeof *rounds, LAB_4K);
    if (rounds == NULL)
        return -1;
    memset(rounds, 0, LITMUS_ROUNDS * sizeof *rounds); // no page faults in the middle of it
    atomic_uint there = 0;
    atomic_ullong start = 0;
    struct side side[2] = {{rounds, left, cpu[0], &there, &start, true},
                           {rounds, right, cpu[1], &there, &start, false}};
    pthread_t thread[2];
    for (u32 i = 0; i < 2; i++) {
        if (pthread_create(&thread[i], NULL, side_thread, &side[i]) != 0)
            die("lab: no thread could be started", NULL);
    }
    for (u32 i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    long odds = 0;
    for (u32 i = 0; i < LITMUS_ROUNDS; i++)
        odds += odd(&rounds[i]);
    return odds;
}
