// Deferred code runs last first, on every way out of a scope.
//
// prints: 3 2 1 .
// prints: r 9
// prints: b b . c b b . b c b b .
// prints: 11
// prints: cancelled
// prints: exited
#include <loam/scope.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void order(void)
{
    loam_defer
    {
        printf(".\n");
    };
    loam_defer
    {
        printf("1 ");
    };
    {
        loam_defer
        {
            printf("2 ");
        };
        loam_defer
        {
            loam_defer{};
            printf("3 ");
        };
    }
}

static void add(int *n)
{
    *n += 2;
}

static int value(void)
{
    int n = 9;
    loam_defer
    {
        printf("r ");
    };
    loam_defer_call(add, &n);
    return n; // computed before anything deferred runs
}

static void loop(int stop)
{
    loam_defer
    {
        printf("b .%s", stop == 2 ? "\n" : " ");
    };
    for (int i = 0; i < 3; i++) {
        loam_defer
        {
            printf("b ");
        };
        if (i == 0 && stop == 2)
            continue;
        if (i == stop)
            goto out;
        loam_defer
        {
            printf("c ");
        };
        if (i + 1 == stop)
            break;
    }
out:
    return;
}

static int total;
static void keep(int *n)
{
    total += *n;
}
static void late(void)
{
    int n = 1;
    loam_defer_call(keep, &n);
    n = 11; // seen: the address was taken, not the value
}

static void *waits(void *arg)
{
    loam_defer
    {
        printf("cancelled\n");
    };
    for (;;)
        pause();
    return arg;
}

static void *leaves(void *arg)
{
    loam_defer
    {
        printf("exited\n");
    };
    if (arg == NULL)
        pthread_exit(NULL);
    return arg;
}

int main(void)
{
    order();
    printf("%d\n", value());
    loop(0);
    loop(1);
    loop(2);
    late();
    printf("%d\n", total);
    fflush(stdout);
    pthread_t t;
    if (pthread_create(&t, NULL, waits, NULL) != 0)
        return 1;
    pthread_cancel(t);
    pthread_join(t, NULL);
    if (pthread_create(&t, NULL, leaves, NULL) != 0)
        return 1;
    pthread_join(t, NULL);
#ifdef WRONG_1
    char c = 0;
    loam_defer_call(add, &c); // error: not compatible with any
#endif
    return 0;
}
