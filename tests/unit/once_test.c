// Once is once, from any thread; failures are told and tried again.
#include "tests/check.h"

#include <errno.h>
#include <loam/once.h>
#include <pthread.h>

struct table {
    int of[100];
};
static int calls, failures;
static loam_lazy(struct table) lazy;

static int table_init(struct table *t)
{
    calls++;
    if (failures > 0) {
        failures--;
        return -ENOMEM;
    }
    usleep(2000); // so that others come while we are inside
    for (int i = 0; i < 100; i++)
        t->of[i] = i + 1;
    return 0;
}

TEST(made_at_the_first_use)
{
    CHECK(calls == 0);
    CHECK(loam_lazy_get(&lazy, table_init)->of[99] == 100);
    CHECK(loam_lazy_get(&lazy, table_init) == &lazy.value);
    CHECK(calls == 1);
}

TEST(a_failure_is_told_and_tried_again)
{
    failures = 2;
    errno = 0;
    CHECK(loam_lazy_get(&lazy, table_init) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(loam_lazy_get(&lazy, table_init) == NULL);
    CHECK(loam_lazy_get(&lazy, table_init) != NULL);
    CHECK(calls == 3);
}

static void *use(void *arg)
{
    struct table *t;
    while ((t = loam_lazy_get(&lazy, table_init)) == NULL) {
    }
    for (int i = 0; i < 100; i++)
        CHECK(t->of[i] == i + 1);
    return arg;
}

static void threads(void)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, use, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}

TEST(many_threads_one_call)
{
    threads();
    CHECK(calls == 1);
}

TEST(many_threads_and_failures)
{
    failures = 3;
    threads();
    CHECK(calls == 4);
}

static int needs_itself(void *once)
{
    return loam_once_run(once, needs_itself, once);
}

DIES(an_initialiser_that_needs_itself, "once: the initialiser needs itself")
{
    static loam_once once;
    loam_once_run(&once, needs_itself, &once);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
