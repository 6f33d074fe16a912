// A destructor for another type does not compile.
//
// prints: drop 7
// prints: drop 21
// prints: drop 20
// prints: held when it exits
// prints: drop 31
// prints: drop 30
// prints: held when it is cancelled
// prints: forgotten 1
#include <loam/box.h>
#include <loam/region.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct a {
    int x;
};
struct b {
    int x;
};

static void a_drop(struct a *a)
{
    printf("drop %d\n", a->x);
}
static void b_drop(struct b *b)
{
    (void)b;
}

// With -fexceptions a thread that ends inside drops what its scopes own, the last first.
static const char *ends_by;
static void region_goes(void *arg)
{
    printf("held when it %s\n", (const char *)arg);
}
static void *ends(void *how)
{
    loam_scratch(request);
    if (loam_region_defer(&request, region_goes, (void *)(size_t)ends_by) != 0)
        return how;
    int n = how == NULL ? 20 : 30;
    loam_auto struct a *outer = loam_box_new(struct a, a_drop, .x = n);
    loam_auto struct a *inner = loam_box_new(struct a, a_drop, .x = n + 1);
    if (outer == NULL || inner == NULL)
        return how;
    if (how == NULL)
        pthread_exit(NULL);
    for (;;)
        pause();
}

static int end_thread(const char *by, void *how)
{
    pthread_t t;
    ends_by = by;
    fflush(stdout);
    if (pthread_create(&t, NULL, ends, how) != 0)
        return 1;
    if (how != NULL)
        pthread_cancel(t);
    return pthread_join(t, NULL);
}

int main(void)
{
    static int cancelled;
    {
        loam_auto struct a *p = loam_box_new(struct a, a_drop, .x = 7);
        if (p == NULL)
            return 1;
    }
    if (end_thread("exits", NULL) != 0 || end_thread("is cancelled", &cancelled) != 0)
        return 1;
    loam_auto struct b *q = loam_box_new(struct b, b_drop);
    struct b *forever = loam_forget(q);
    (void)forever;
    printf("forgotten %zu\n", loam_box_forgotten().boxes);
#ifdef WRONG_1
    loam_auto struct a *r = loam_box_new(struct a, b_drop); // error: not compatible with any
#endif
#ifdef WRONG_2
    loam_auto struct a *s = loam_box_new(struct a, 0); // error: not compatible with any
#endif
#ifdef WRONG_3
    free(loam_box_new(struct a, a_drop)); // gcc warns: mismatched-dealloc
#endif
#ifdef WRONG_4
    struct a *t = loam_box_new(struct a, a_drop);
    loam_box_drop(t);
    loam_box_drop(t); // gcc warns: use-after-free
#endif
#ifdef WRONG_5
    struct a *u = loam_box_new(struct a, a_drop);
    loam_move(u); // gcc warns: unused
#endif
    return 0;
}
