// minicoro.c: minicoro's coroutines at the operations of the table; built where MINICORO names its
// header.
#include "toolkit.h"

#define MINICORO_IMPL
#include MINICORO

#define SWITCHES 100000
#define TASKS    100000

static mco_coro *coroutine;
static void other(mco_coro *co)
{
    for (;;)
        mco_yield(co);
}
static void switches(void)
{
    for (int i = 0; i < SWITCHES; i++)
        mco_resume(coroutine);
}
static void once(mco_coro *co)
{
    mco_yield(co);
}

int main(void)
{
    mco_desc desc = mco_desc_init(other, 0);
    check(mco_create(&coroutine, &desc) == MCO_SUCCESS);
    measure("bare_switch", "minicoro", switches, 2.0 * SWITCHES);

    static mco_coro *many[TASKS];
    desc = mco_desc_init(once, 0);
    double begin = cpu_ns(), before = rss_kb();
    for (int i = 0; i < TASKS; i++) {
        check(mco_create(&many[i], &desc) == MCO_SUCCESS);
        mco_resume(many[i]);
    }
    tell("task_cold", "minicoro", (cpu_ns() - begin) / TASKS, "ns");
    tell("task_weight", "minicoro", (rss_kb() - before) * 1000 / TASKS, "bytes");
    begin = cpu_ns();
    for (int i = 0; i < 1000; i++) {
        mco_coro *co;
        check(mco_create(&co, &desc) == MCO_SUCCESS);
        mco_resume(co);
        mco_resume(co);
        mco_destroy(co);
    }
    tell("task_life", "minicoro", (cpu_ns() - begin) / 1000, "ns");
    return 0;
}
