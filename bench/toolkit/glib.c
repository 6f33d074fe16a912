// glib.c: GLib's slices, counted boxes, arrays and mutexes at the operations of the table.
#include "toolkit.h"

#include <glib.h>

static void single(void)
{
    static struct object *o[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        o[i] = g_slice_new(struct object);
        *o[i] = (struct object){.a = i};
    }
    for (int i = 0; i < OBJECTS; i++)
        g_slice_free(struct object, o[i]);
}
static void single_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        struct object *o = g_slice_new(struct object);
        *o = (struct object){.a = i};
        use(o);
    }
}
static void counted(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = g_rc_box_new(struct object);
        *o = (struct object){.a = i};
        use(o);
        g_rc_box_release(o);
    }
}
static void counted_atomic(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = g_atomic_rc_box_new(struct object);
        *o = (struct object){.a = i};
        use(o);
        g_atomic_rc_box_release(o);
    }
}
static struct object *shared;
static void reference(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = g_rc_box_acquire(shared);
        use(o);
        g_rc_box_release(o);
    }
}
static void push(void)
{
    GArray *a = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < 100000; i++)
        g_array_append_val(a, i);
    g_array_free(a, TRUE);
}
static GMutex mutex;
static long locked;
static void lock(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        g_mutex_lock(&mutex);
        locked++;
        g_mutex_unlock(&mutex);
    }
}

int main(void)
{
    measure("single", "glib", single, OBJECTS);
    measure("counted", "glib", counted, OBJECTS);
    measure("counted_atomic", "glib", counted_atomic, OBJECTS);
    shared = g_rc_box_new(struct object);
    measure("reference", "glib", reference, OBJECTS);
    measure("push", "glib", push, 100000);
    measure("lock", "glib", lock, OBJECTS);
    weigh("single_weight", "glib", single_million);
    have_two_threads();
    measure("lock_threads", "glib", lock, OBJECTS);
    return 0;
}
