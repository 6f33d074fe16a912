// The toolkit against models of its parts: long sequences of operations out of seeds, from one
// thread and from several at once. The same code plays for the fuzzer (fuzz/own.c).
#include "fuzz/own/box.h"
#include "fuzz/own/channel.h"
#include "fuzz/own/file.h"
#include "fuzz/own/gc.h"
#include "fuzz/own/layout.h"
#include "fuzz/own/mutex.h"
#include "fuzz/own/once.h"
#include "fuzz/own/pool.h"
#include "fuzz/own/rc.h"
#include "fuzz/own/region.h"
#include "fuzz/own/slice.h"
#include "fuzz/own/task.h"
#include "fuzz/own/track.h"
#include "fuzz/own/vec.h"
#include "tests/check.h"

#include <pthread.h>

#define SEEDS   60
#define BYTES   8000
#define THREADS 4

// xorshift: the same bytes everywhere.
static void fill(unsigned char *bytes, size_t n, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (unsigned char)(x >> 32);
    }
}

static void play(void (*part)(struct input *), uint64_t seed, size_t n)
{
    static __thread unsigned char bytes[BYTES];
    fill(bytes, n, seed);
    struct input in = {bytes, n};
    part(&in);
    CHECK(in.left == 0);
}

// Short sequences are not long ones cut off: they end in other states.
static void play_all(void (*part)(struct input *))
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(part, seed, seed % 3 == 0 ? BYTES : (seed * 53) % 700);
}

TEST(vec)
{
    play_all(vec_play);
}
TEST(slice)
{
    play_all(slice_play);
}
TEST(region)
{
    play_all(region_play);
}
TEST(pool)
{
    play_all(pool_play);
}
TEST(rc)
{
    play_all(rc_play);
}
TEST(layout)
{
    play_all(layout_play);
}
TEST(box)
{
    play_all(box_play);
}
TEST(track)
{
    play_all(track_play);
}
TEST(once)
{
    play_all(once_play);
}
TEST(mutex)
{
    play_all(mutex_play);
}
TEST(file)
{
    play_all(file_play);
}
TEST(task)
{
    play_all(task_play);
}
TEST(channel)
{
    play_all(channel_play);
}
TEST(gc)
{
    play_all(gc_play);
}

static void *crowd(void *number)
{
    uint64_t me = (uint64_t)(uintptr_t)number;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        play(vec_play, me * 1000 + seed, 3000);
        play(region_play, me * 1000 + seed, 3000);
        play(pool_play, me * 1000 + seed, 3000);
        play(rc_play, me * 1000 + seed, 3000);
        play(box_play, me * 1000 + seed, 3000);
        play(once_play, me * 1000 + seed, 500);
        play(task_play, me * 1000 + seed, 1000);
        play(channel_play, me * 1000 + seed, 1000);
        play(gc_play, me * 1000 + seed, 1000);
    }
    return NULL;
}

// Each thread has objects of its own, all the same heap, registry and counters.
TEST(several_threads_at_once)
{
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, crowd, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
