#include "heap/background.h"

#include "heap/arena.h"
#include "os/thread.h"

#include <pthread.h>

#define TICK_MS 200

// OFF -> RUNNING by background_start; RUNNING -> ENDING by background_stop, until the thread has
// seen it; LOST in a forked child, whose thread stayed behind.
enum { OFF, RUNNING, ENDING, LOST };
static _Atomic u32 state;

// The program rests when no page was taken for a whole tick: then nothing free is worth keeping.
// While it works, the bound of pages.c is enough.
static void *work(void *arg unused_)
{
    size_t seen = pages_taken();
    while (atomic_load_explicit(&state, memory_order_acquire) == RUNNING) {
        os_wait(&state, RUNNING, TICK_MS);
        size_t taken = pages_taken();
        if (taken == seen)
            heap_trim(0);
        seen = taken;
    }
    atomic_store_explicit(&state, OFF, memory_order_release);
    os_wake(&state);
    return NULL;
}

static bool become(u32 from, u32 to)
{
    return atomic_compare_exchange_strong(&state, &from, to);
}

static bool run(void)
{
    pthread_t thread;
    if (thread_start(&thread, work, NULL) != 0) {
        atomic_store(&state, OFF);
        return false;
    }
    pthread_detach(thread);
    return true;
}

bool background_start(void)
{
    while (atomic_load(&state) == ENDING)
        os_wait(&state, ENDING, TICK_MS);
    return become(OFF, RUNNING) || become(LOST, RUNNING) ? run() : true;
}

bool background_stop(void)
{
    if (become(LOST, OFF) || !become(RUNNING, ENDING))
        return true;
    os_wake(&state);
    while (atomic_load(&state) == ENDING)
        os_wait(&state, ENDING, TICK_MS);
    return true;
}

void background_forked(void)
{
    u32 was = atomic_load(&state);
    atomic_store(&state, was == RUNNING ? LOST : was == ENDING ? OFF : was);
}

void background_revive(void)
{
    if (unlikely(atomic_load_explicit(&state, memory_order_relaxed) == LOST) &&
        become(LOST, RUNNING))
        run();
}
