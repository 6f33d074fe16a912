// loam.c: loam's toolkit at the operations of the table.
#include "toolkit.h"

#include <loam/loam.h>

LOAM_POOL(objects, struct object)

static loam_region region;
static objects pool;

static void arena(void)
{
    for (int i = 0; i < OBJECTS; i++)
        use(loam_new(&region, struct object, .a = i));
    loam_region_clear(&region);
}
static void arena_million(void)
{
    for (int i = 0; i < 1000000; i++)
        use(loam_new(&region, struct object, .a = i));
}
static void single(void)
{
    static objects_handle h[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = objects_new(&pool, &h[i]);
        check(o != NULL);
        o->a = i;
    }
    for (int i = 0; i < OBJECTS; i++)
        objects_free(&pool, h[i]);
}
static void single_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        objects_handle h;
        struct object *o = objects_new(&pool, &h);
        check(o != NULL);
        o->a = i;
    }
}
static void owned(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = loam_box_new(struct object, NULL, .a = i);
        use(o);
        loam_drop(o);
    }
}
static void owned_million(void)
{
    for (int i = 0; i < 1000000; i++)
        use(loam_box_new(struct object, NULL, .a = i));
}
static void counted(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = loam_rc_new(struct object, NULL, .a = i);
        use(o);
        loam_rc_drop(o);
    }
}
static void counted_atomic(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = loam_arc_new(struct object, NULL, .a = i);
        use(o);
        loam_rc_drop(o);
    }
}
static struct object *shared;
static void reference(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = loam_rc_ref(shared);
        use(o);
        loam_rc_drop(o);
    }
}
static void push(void)
{
    loam_vec(int) v = {0};
    for (int i = 0; i < 100000; i++)
        check(loam_vec_push(&v, i));
    loam_vec_done(&v);
}
static loam_mutex(long) mutex;
static void lock(void)
{
    for (int i = 0; i < OBJECTS; i++)
        loam_with (&mutex, n)
            ++*n;
}

// ---------------------------------------------------------------- tasks

#define YIELDS 200000
#define TASKS  100000

static void yields(void *arg)
{
    for (int i = 0; i < YIELDS; i++)
        loam_task_yield();
    (void)arg;
}
static void nothing(void *arg)
{
    (void)arg;
}
static void two_yield(void *arg)
{
    loam_task a, b;
    check(loam_go("a", yields, arg, &a) == 0 && loam_go("b", yields, arg, &b) == 0);
    double begin = cpu_ns();
    loam_task_join(a);
    loam_task_join(b);
    tell("task_switch", "loam", (cpu_ns() - begin) / (2.0 * YIELDS), "ns");
}
static loam_chan *chan;
static void sends(void *arg)
{
    for (int i = 0; i < YIELDS; i++)
        check(loam_chan_send(chan, &i) == 0);
    loam_chan_close(chan);
    (void)arg;
}
static void message(void *arg)
{
    int n, count = 0;
    chan = loam_chan_new(sizeof n, 256);
    check(chan != NULL && loam_go("sends", sends, arg, NULL) == 0);
    double begin = cpu_ns();
    while (loam_chan_recv(chan, &n) == 0)
        count++;
    check(count == YIELDS);
    tell("task_message", "loam", (cpu_ns() - begin) / YIELDS, "ns");
    loam_chan_free(chan);
}
static int started;
static void waits(void *arg)
{
    started++;
    loam_task_yield();
    (void)arg;
}
static void many(void *arg)
{
    double begin = cpu_ns(), before = rss_kb();
    for (int i = 0; i < TASKS; i++)
        check(loam_go("waits", waits, arg, NULL) == 0);
    tell("task_create", "loam", (cpu_ns() - begin) / TASKS, "ns");
    loam_task_yield(); // each has begun
    check(started == TASKS);
    tell("task_cold", "loam", (cpu_ns() - begin) / TASKS, "ns");
    tell("task_weight", "loam", (rss_kb() - before) * 1000 / TASKS, "bytes");
}
static void warm(void *arg)
{
    double begin = cpu_ns();
    for (int i = 0; i < TASKS; i++) {
        loam_task t;
        check(loam_go("nothing", nothing, arg, &t) == 0);
        loam_task_join(t);
    }
    tell("task_life", "loam", (cpu_ns() - begin) / TASKS, "ns");
}

int main(void)
{
    const loam_task_options options = {.tasks = TASKS + 10};
    loam_region_init(&region, "bench");
    pool = objects_make(LOAM_HERE);
    measure("arena", "loam", arena, OBJECTS);
    measure("single", "loam", single, OBJECTS);
    measure("owned", "loam", owned, OBJECTS);
    measure("counted", "loam", counted, OBJECTS);
    measure("counted_atomic", "loam", counted_atomic, OBJECTS);
    shared = loam_rc_new(struct object, NULL);
    measure("reference", "loam", reference, OBJECTS);
    measure("push", "loam", push, 100000);
    loam_mutex_init(&mutex);
    measure("lock", "loam", lock, OBJECTS);
    weigh("arena_weight", "loam", arena_million);
    weigh("single_weight", "loam", single_million);
    weigh("owned_weight", "loam", owned_million);
    check(loam_task_run(NULL, two_yield, NULL) == 0);
    check(loam_task_run(NULL, message, NULL) == 0);
    check(loam_task_run(NULL, warm, NULL) == 0);
    check(loam_task_run(&options, many, NULL) == 0);
    have_two_threads();
    measure("lock_threads", "loam", lock, OBJECTS);
    return 0;
}
