// Allocator values: the heap's, and the one that counts.
#include "tests/check.h"

#include <errno.h>
#include <loam/heap.h>
#include <loam/track.h>
#include <pthread.h>

static loam_layout bytes(size_t n)
{
    return loam_layout_make(n, 1);
}

TEST(heap_gives_what_the_layout_says)
{
    loam_alloc a = loam_alloc_heap();
    for (size_t align = 1; align <= 65536; align *= 2) {
        loam_layout l = loam_layout_make(300, align);
        unsigned char *p = loam_alloc_new_zeroed(a, l);
        CHECK(p != NULL);
        CHECK((uintptr_t)p % align == 0);
        for (int i = 0; i < 300; i++)
            CHECK(p[i] == 0);
        memset(p, (int)align, 300);
        p = loam_alloc_resize(a, p, l, 5000);
        CHECK(p != NULL);
        CHECK((uintptr_t)p % align == 0);
        CHECK(p[0] == (unsigned char)align);
        CHECK(p[299] == (unsigned char)align);
        loam_alloc_free(a, p, loam_layout_make(5000, align));
    }
}

TEST(size_zero_is_a_block)
{
    loam_alloc a = loam_alloc_heap();
    void *p = loam_alloc_new(a, bytes(0));
    CHECK(p != NULL);
    p = loam_alloc_resize(a, p, bytes(0), 10);
    CHECK(p != NULL);
    p = loam_alloc_resize(a, p, bytes(10), 0);
    CHECK(p != NULL);
    loam_alloc_free(a, p, bytes(0));
    loam_alloc_free(a, NULL, bytes(0));
}

TEST(no_allocation_by_a_layout_that_cannot_be)
{
    loam_alloc a = loam_alloc_heap();
    errno = 0;
    CHECK(loam_alloc_new(a, loam_layout_make(1, 3)) == NULL);
    CHECK(errno == EINVAL);
    void *p = loam_alloc_new(a, bytes(10));
    errno = 0;
    CHECK(loam_alloc_resize(a, p, bytes(10), SIZE_MAX) == NULL);
    CHECK(errno == EINVAL);
    errno = 0;
    CHECK(loam_alloc_new(a, bytes(PTRDIFF_MAX)) == NULL);
    CHECK(errno == ENOMEM);
    loam_alloc_free(a, p, bytes(10));
}

DIES(heap_release_by_a_larger_layout, "alloc: released by a layout that is larger than the block")
{
    loam_alloc a = loam_alloc_heap();
    loam_alloc_free(a, loam_alloc_new(a, bytes(10)), bytes(100));
}

DIES(heap_release_by_a_bad_layout, "alloc: released by a layout that is not valid")
{
    loam_alloc a = loam_alloc_heap();
    loam_alloc_free(a, loam_alloc_new(a, bytes(10)), loam_layout_make(10, 0));
}

TEST(counts_are_exact)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_alloc a = loam_track_alloc(&t);
    char *p = loam_alloc_new(a, bytes(100)), *q = loam_alloc_new_zeroed(a, bytes(50));
    CHECK(t.live_bytes == 150);
    CHECK(t.live_blocks == 2);
    p = loam_alloc_resize(a, p, bytes(100), 1000);
    CHECK(p != NULL);
    CHECK(t.live_bytes == 1050);
    p = loam_alloc_resize(a, p, bytes(1000), 10);
    CHECK(p != NULL);
    CHECK(t.live_bytes == 60);
    CHECK(t.live_bytes_max == 1050);
    CHECK(t.live_blocks == 2);
    CHECK(t.requests == 4);
    loam_alloc_free(a, p, bytes(10));
    loam_alloc_free(a, q, bytes(50));
    CHECK(t.live_bytes == 0);
    CHECK(t.failures == 0);
    loam_track_done(&t);
}

TEST(the_limit_holds)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_set_limit(&t, 100);
    loam_alloc a = loam_track_alloc(&t);
    char *p = loam_alloc_new(a, bytes(100));
    CHECK(p != NULL);
    errno = 0;
    CHECK(loam_alloc_new(a, bytes(1)) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(loam_alloc_resize(a, p, bytes(100), 101) == NULL);
    CHECK(t.live_bytes == 100);
    CHECK(t.failures == 2);
    loam_alloc_free(a, p, bytes(100));
    loam_track_done(&t);
}

TEST(fails_when_told_to)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_alloc a = loam_track_alloc(&t);
    loam_track_fail_at(&t, 2);
    void *p = loam_alloc_new(a, bytes(1));
    CHECK(p != NULL);
    CHECK(loam_alloc_new(a, bytes(1)) == NULL);
    CHECK(loam_alloc_new(a, bytes(1)) == NULL);
    loam_track_fail_at(&t, 0);
    void *q = loam_alloc_new(a, bytes(1));
    CHECK(q != NULL);
    loam_alloc_free(a, p, bytes(1));
    loam_alloc_free(a, q, bytes(1));
    loam_track_done(&t);
}

TEST(a_refusal_beneath_leaves_no_trace)
{
    loam_track inner, outer;
    loam_track_init(&inner, loam_alloc_heap());
    loam_track_init(&outer, loam_track_alloc(&inner));
    loam_alloc a = loam_track_alloc(&outer);
    void *p = loam_alloc_new(a, bytes(8));
    loam_track_fail_at(&inner, 1);
    CHECK(loam_alloc_new(a, bytes(8)) == NULL);
    CHECK(loam_alloc_resize(a, p, bytes(8), 80) == NULL);
    CHECK(outer.live_bytes == 8);
    CHECK(outer.live_blocks == 1);
    CHECK(outer.failures == 2);
    loam_alloc_free(a, p, bytes(8));
    loam_track_done(&outer);
    loam_track_done(&inner);
}

DIES(something_is_left, "track: blocks are left")
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    CHECK(loam_alloc_new(loam_track_alloc(&t), bytes(1)) != NULL);
    loam_track_done(&t);
}

DIES(more_released_than_allocated, "track: more bytes released than allocated")
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_alloc a = loam_track_alloc(&t);
    loam_alloc_free(a, loam_alloc_new(a, bytes(10)), bytes(11));
}

static void *churn(void *arg)
{
    loam_alloc a = loam_track_alloc(arg);
    for (int i = 0; i < 20000; i++) {
        void *p = loam_alloc_new(a, bytes(40));
        if (p != NULL)
            loam_alloc_free(a, p, bytes(40));
    }
    return NULL;
}

TEST(threads_do_not_pass_the_limit_together)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_set_limit(&t, 100);
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, churn, &t) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    CHECK(t.live_bytes == 0);
    CHECK(t.live_bytes_max <= 100);
    CHECK(t.requests == 60000);
    loam_track_done(&t);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
