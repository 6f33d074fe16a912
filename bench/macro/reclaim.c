// reclaim: how much of a gigabyte stays with the process after all of it was freed?
//
// owner: the thread that took it frees it. other: another thread frees it while the owner sleeps
// and makes no call. exited: the owner has ended before. Blocks are of 32 bytes to 8 KiB. Then
// nobody calls anything; `kept` is what is resident at once, and a second later, of what was at the
// peak.
//
// -l: how much, 1G by default; SCALE multiplies it.

#include "bench.h"

struct owner {
    unsigned char **block;
    size_t count;
    pthread_barrier_t taken, freed;
    bool stays;
};

static size_t size_at(size_t i)
{
    struct rng r = rng_seeded(i);
    return rng_size(&r, 32, 8 * KiB);
}

static size_t blocks_for(size_t bytes)
{
    size_t n = 0;
    for (size_t sum = 0; sum < bytes; n++)
        sum += size_at(n);
    return n;
}

static void take_all(struct owner *o)
{
    for (size_t i = 0; i < o->count; i++) {
        size_t size = size_at(i);
        o->block[i] = take(size);
        touch(o->block[i], size);
        o->block[i][size - 1] = (unsigned char)i;
    }
}

static void free_all(struct owner *o)
{
    for (size_t i = 0; i < o->count; i++) {
        check(o->block[i][size_at(i) - 1] == (unsigned char)i);
        free(o->block[i]);
    }
}

static void *own(void *argument)
{
    struct owner *o = argument;
    take_all(o);
    if (o->stays) {
        pthread_barrier_wait(&o->taken);
        pthread_barrier_wait(&o->freed); // asleep in the kernel meanwhile
    }
    return NULL;
}

static pthread_t let_own(struct owner *o)
{
    pthread_t thread = thread_start(own, o);
    if (o->stays)
        pthread_barrier_wait(&o->taken);
    else
        pthread_join(thread, NULL);
    return thread;
}

int main(int argc, char **argv)
{
    struct bench b =
        bench_args(argc, argv, (struct bench){.threads = 1, .live = GiB, .mode = "owner"});
    bool alone = strcmp(b.mode, "owner") == 0;
    struct owner o = {.stays = strcmp(b.mode, "other") == 0};
    check(alone || o.stays || strcmp(b.mode, "exited") == 0);
    o.count = blocks_for((size_t)((double)b.live * b.scale));
    o.block = take(o.count * sizeof *o.block);
    memset(o.block, 1, o.count * sizeof *o.block);
    pthread_barrier_init(&o.taken, NULL, 2);
    pthread_barrier_init(&o.freed, NULL, 2);
    size_t before = resident();
    pthread_t thread = pthread_self();
    if (alone)
        take_all(&o);
    else
        thread = let_own(&o);
    double peak = (double)(resident() - before);
    free_all(&o);
    metric("kept", 100 * ((double)resident() - (double)before) / peak, "%");
    sleep_ms(1000);
    metric("kept_1s", 100 * ((double)resident() - (double)before) / peak, "%");
    if (o.stays) {
        pthread_barrier_wait(&o.freed);
        pthread_join(thread, NULL);
    }
    free(o.block);
    printf("%zu blocks\n", o.count);
    return 0;
}
