// busy.c: a thread that mostly sleeps.

#include "cli/busy.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

// Until `seconds` after the beginning, or the end of it all.
static bool sleep_until(struct busy *b, struct timespec until)
{
    int r = 0;
    while (!b->done && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&b->over, &b->lock, &until);
    return !b->done;
}

static void *tell(void *arg)
{
    struct busy *b = arg;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    unsigned seconds = 0;
    pthread_mutex_lock(&b->lock);
    for (at.tv_sec++; sleep_until(b, at); at.tv_sec++)
        fprintf(stderr, "\r%s... %u s", b->what, ++seconds);
    pthread_mutex_unlock(&b->lock);
    if (seconds > 0)
        fprintf(stderr, "\r\033[K");
    return NULL;
}

void busy_begin(struct busy *b, const char *what)
{
    *b = (struct busy){.what = what};
    if (!isatty(2))
        return;
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&b->over, &a);
    pthread_condattr_destroy(&a);
    pthread_mutex_init(&b->lock, NULL);
    b->running = pthread_create(&b->thread, NULL, tell, b) == 0;
}

void busy_end(struct busy *b)
{
    if (!b->running)
        return;
    pthread_mutex_lock(&b->lock);
    b->done = true;
    pthread_cond_signal(&b->over);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->running = false;
}
