// libc.c: what libc has at the operations of the table: malloc, obstack, pthread, ucontext.
#include "toolkit.h"

#include <obstack.h>
#include <ucontext.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

static struct obstack stack;
static void arena_obstack(void)
{
    void *first = obstack_alloc(&stack, 1);
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = obstack_alloc(&stack, sizeof *o);
        *o = (struct object){.a = i};
        use(o);
    }
    obstack_free(&stack, first);
}
static void arena_malloc(void)
{
    static struct object *o[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        o[i] = malloc(sizeof *o[i]);
        check(o[i] != NULL);
        *o[i] = (struct object){.a = i};
    }
    for (int i = 0; i < OBJECTS; i++)
        free(o[i]);
}
static void arena_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        struct object *o = obstack_alloc(&stack, sizeof *o);
        *o = (struct object){.a = i};
    }
}
static void single_million(void)
{
    for (int i = 0; i < 1000000; i++) {
        struct object *o = malloc(sizeof *o);
        check(o != NULL);
        *o = (struct object){.a = i};
        use(o);
    }
}
static void owned(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct object *o = malloc(sizeof *o);
        check(o != NULL);
        *o = (struct object){.a = i};
        use(o);
        free(o);
    }
}
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long locked;
static void lock(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        pthread_mutex_lock(&mutex);
        locked++;
        pthread_mutex_unlock(&mutex);
    }
}

static pthread_mutex_t robust;
static void lock_robust(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        check(pthread_mutex_lock(&robust) == 0);
        locked++;
        pthread_mutex_unlock(&robust);
    }
}
static void make_robust(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&robust, &attr);
}

// ---------------------------------------------------------------- ucontext

#define SWITCHES 20000

static ucontext_t here, there;
static char there_stack[65536];
static void other(void)
{
    for (;;)
        swapcontext(&there, &here);
}
static void switches(void)
{
    for (int i = 0; i < SWITCHES; i++)
        swapcontext(&here, &there);
}

int main(void)
{
    obstack_init(&stack);
    measure("arena", "malloc", arena_malloc, OBJECTS);
    measure("single", "malloc", arena_malloc, OBJECTS);
    measure("owned", "malloc", owned, OBJECTS);
    measure("arena", "obstack", arena_obstack, OBJECTS);
    measure("lock", "pthread", lock, OBJECTS);
    make_robust();
    measure("lock", "pthread_robust", lock_robust, OBJECTS);
    weigh("arena_weight", "obstack", arena_million);
    weigh("single_weight", "malloc", single_million);
    getcontext(&there);
    there.uc_stack.ss_sp = there_stack;
    there.uc_stack.ss_size = sizeof there_stack;
    makecontext(&there, other, 0);
    measure("bare_switch", "ucontext", switches, 2.0 * SWITCHES);
    have_two_threads();
    measure("lock_threads", "pthread", lock, OBJECTS);
    measure("lock_threads", "pthread_robust", lock_robust, OBJECTS);
    return 0;
}
