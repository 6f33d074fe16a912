// A signal handler may fork while its thread holds a lock of the heap, and another thread may then
// hold a second lock and wait for the first. The fork must come back all the same, and the child
// must be able to allocate. A fork that hangs is ended by check.h.
#include "heap/pages.h"
#include "os/chunk.h"
#include "tests/check.h"

#include <loam/heap.h>

#include <pthread.h>
#include <sched.h>

static bool heap_works(void)
{
    bool ok = true;
    for (size_t size = 16; size <= 128 * MiB; size *= 8) {
        char *p = loam_malloc(size);
        if (p != NULL)
            memset(p, 1, size_min(size, 8 * MiB));
        ok = ok && p != NULL;
        loam_free(p);
    }
    return ok && heap_check() == NULL;
}

// Fork as a handler would that interrupted whoever holds what `go_on` gives.
static void fork_inside(void (*go_on)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        alarm(50);
        go_on();
        _exit(heap_works() ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

static void wait_for_holder(struct lock *l)
{
    while (atomic_load(&l->holder) == 0)
        sched_yield();
}

// `work` in another thread, which gets `second` and then waits for what we hold.
static void meet(void *(*work)(void *), struct lock *second, void (*go_on)(void))
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, work, NULL) == 0);
    wait_for_holder(second);
    fork_inside(go_on);
    go_on();
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(heap_works());
}

static void leave_pages(void)
{
    lock_give(&the.pages_lock);
}

static void *grow(void *unused unused_)
{
    void *p = loam_malloc(300 * MiB);
    CHECK(p != NULL);
    loam_free(p);
    return NULL;
}

TEST(inside_the_record_while_another_thread_grows_the_heap)
{
    CHECK(heap_works());
    chunk_fork_prepare();
    meet(grow, &the.grow_lock, chunk_fork_parent);
}

static void *map_and_publish(void *unused unused_)
{
    CHECK(lock_take(&the.grow_lock));
    CHECK(arena_grow(pages.mapped + 100 * HUGE_PAGES) == 0);
    lock_give(&the.grow_lock);
    return NULL;
}

TEST(inside_the_page_heap_while_another_thread_has_mapped_more)
{
    CHECK(heap_works());
    CHECK(lock_take(&the.pages_lock));
    meet(map_and_publish, &the.grow_lock, leave_pages);
}

static void *trim(void *unused unused_)
{
    pages_trim(0);
    return NULL;
}

TEST(inside_the_page_heap_while_another_thread_gives_memory_back)
{
    CHECK(heap_works());
    CHECK(lock_take(&the.pages_lock));
    meet(trim, &the.purge_lock, leave_pages);
}

static void *fork_with_the_pages(void *unused unused_)
{
    CHECK(lock_take(&the.pages_lock));
    fork_inside(leave_pages);
    leave_pages();
    return NULL;
}

TEST(two_threads_fork_and_hold_what_the_other_waits_for)
{
    CHECK(heap_works());
    chunk_fork_prepare();
    meet(fork_with_the_pages, &the.pages_lock, chunk_fork_parent);
}

static void nothing(void) {}

static bool again;
static void fork_again(void)
{
    if (!again)
        return;
    again = false;
    fork_inside(nothing);
}

// Before the heap registers its handlers, so that this one runs after them, with all locks taken.
__attribute__((constructor(101))) static void register_first(void)
{
    pthread_atfork(fork_again, NULL, NULL);
}

TEST(a_fork_from_the_handlers_of_a_fork)
{
    CHECK(heap_works());
    again = true;
    fork_inside(nothing);
    CHECK(!again && !lock_held(&the.pages_lock) && !lock_held(&the.heaps_lock));
    CHECK(heap_works());
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
