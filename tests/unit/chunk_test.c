// The record of chunks: what the kernel gave is listed, merged, cut and given back.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuse-after-free" // what is left of a released chunk is the subject
#endif

#include "os/chunk.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/chunk.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

static bool look_up(const void *addr, loam_chunk *ret)
{
    for (size_t i = 0; loam_mem_chunk_at(i, ret); i++)
        if (ret->addr == addr)
            return true;
    return false;
}

// C1 and C3
static bool record_is_sound(void)
{
    loam_chunk a, b;
    if (!loam_mem_chunk_at(0, &a))
        return true;
    for (size_t i = 1; loam_mem_chunk_at(i, &b); i++, a = b) {
        char *end = (char *)a.addr + a.size;
        if (end > (char *)b.addr || (a.heap && b.heap && end == b.addr))
            return false;
    }
    return true;
}

static bool is_mapped(void *addr)
{
    unsigned char in_core;
    return mincore(addr, PAGE, &in_core) == 0;
}

TEST(mmap_chunk_is_whole_zeroed_pages)
{
    unsigned char *p = loam_mem_chunk(PAGE + 1, LOAM_CHUNK_MMAP);
    loam_chunk c;
    CHECK(p != NULL);
    CHECK((uintptr_t)p % PAGE == 0);
    CHECK(look_up(p, &c));
    CHECK(c.size == 2 * PAGE);
    CHECK(c.source == LOAM_CHUNK_MMAP);
    CHECK(!c.heap);
    CHECK(!c.released);
    for (size_t i = 0; i < c.size; i++)
        CHECK(p[i] == 0);
    memset(p, 0xee, c.size);
    CHECK(loam_mem_chunk_release(p) == 0);
    CHECK(!look_up(p, &c));
    CHECK(!is_mapped(p));
}

TEST(bad_requests_are_refused)
{
    errno = 0;
    CHECK(loam_mem_chunk(0, LOAM_CHUNK_MMAP) == NULL);
    CHECK(errno == EINVAL);
    errno = 0;
    CHECK(loam_mem_chunk(1, (loam_chunk_source)2) == NULL);
    CHECK(errno == EINVAL);
    size_t too_large[] = {SIZE_MAX, SIZE_MAX - PAGE, PTRDIFF_MAX, (size_t)1 << 60};
    for (size_t i = 0; i < countof(too_large); i++)
        for (int source = LOAM_CHUNK_SBRK; source <= LOAM_CHUNK_MMAP; source++) {
            errno = 0;
            CHECK(loam_mem_chunk(too_large[i], (loam_chunk_source)source) == NULL);
            CHECK(errno == ENOMEM);
        }
    CHECK(record_is_sound());
}

TEST(only_the_start_of_a_live_chunk_can_be_released)
{
    char *p = loam_mem_chunk(3 * PAGE, LOAM_CHUNK_MMAP);
    errno = 0;
    CHECK(loam_mem_chunk_release(p + PAGE) == -1);
    CHECK(errno == EINVAL);
    errno = 0;
    CHECK(loam_mem_chunk_release(NULL) == -1);
    CHECK(errno == EINVAL);
    errno = 77;
    CHECK(loam_mem_chunk_release(p) == 0);
    CHECK(errno == 77);
    CHECK(loam_mem_chunk_release(p) == -1);
    CHECK(errno == EINVAL);
}

TEST(count_and_bytes_follow)
{
    size_t count = loam_mem_chunk_count();
    char *p = loam_mem_chunk(5 * PAGE, LOAM_CHUNK_MMAP);
    count = loam_mem_chunk_count() - 1; // the first chunk may have brought the record's own
    size_t bytes = loam_mem_chunk_bytes();
    char *q = loam_mem_chunk(7 * PAGE, LOAM_CHUNK_SBRK);
    char *r = loam_mem_chunk(1, LOAM_CHUNK_SBRK);
    CHECK(loam_mem_chunk_count() == count + 3);
    CHECK(loam_mem_chunk_bytes() == bytes + 8 * PAGE);
    CHECK(loam_mem_chunk_release(q) == 0); // waits for r
    CHECK(loam_mem_chunk_count() == count + 2);
    CHECK(loam_mem_chunk_bytes() == bytes + PAGE);
    CHECK(loam_mem_chunk_release(r) == 0);
    CHECK(loam_mem_chunk_release(p) == 0);
    CHECK(loam_mem_chunk_count() == count);
    CHECK(loam_mem_chunk_bytes() == bytes - 5 * PAGE);
}

TEST(sbrk_chunks_lie_behind_each_other_and_keep_their_data)
{
    char *before = sbrk(0);
    char *a = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    CHECK(a >= before);
    CHECK(a < before + PAGE);
    strcpy(a, "kept");
    char *b = loam_mem_chunk(2 * PAGE, LOAM_CHUNK_SBRK);
    CHECK(b == a + PAGE);
    CHECK(sbrk(0) == b + 2 * PAGE);
    CHECK(strcmp(a, "kept") == 0);
}

TEST(data_segment_shrinks_only_from_its_end)
{
    char *a = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    char *b = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    char *c = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    loam_chunk chunk;
    b[0] = 1;
    CHECK(loam_mem_chunk_release(b) == 0);
    CHECK(sbrk(0) == c + PAGE);
    CHECK(look_up(b, &chunk));
    CHECK(chunk.released);
    CHECK(b[0] == 0); // its RAM went back at once
    CHECK(loam_mem_chunk_release(b) == -1);
    CHECK(errno == EINVAL);
    CHECK(loam_mem_chunk_release(c) == 0);
    CHECK(sbrk(0) == b);
    CHECK(!look_up(b, &chunk));
    CHECK(!look_up(c, &chunk));
    CHECK(look_up(a, &chunk));
    CHECK(loam_mem_chunk_release(a) == 0);
    CHECK(sbrk(0) == a);
}

TEST(somebody_else_moves_the_break)
{
    char *a = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    char *theirs = sbrk(100);
    CHECK(theirs == a + PAGE);
    memset(theirs, 0x5a, 100);
    char *b = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    CHECK(b == theirs + PAGE);
    for (size_t i = 0; i < PAGE; i++)
        CHECK(b[i] == 0);
    CHECK(loam_mem_chunk_release(b) == 0);
    CHECK(sbrk(0) == b);
    CHECK(loam_mem_chunk_release(a) == 0); // theirs stands above
    CHECK(sbrk(0) == b);
    for (int i = 0; i < 100; i++)
        CHECK(theirs[i] == 0x5a);
    CHECK(sbrk(theirs - b) == b); // they are done
    char *c = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
    CHECK(c == a);
    loam_chunk chunk;
    CHECK(look_up(c, &chunk));
    CHECK(!chunk.released);
}

TEST(the_record_stands_in_itself)
{
    enum { N = 2000 };
    static void *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = loam_mem_chunk(PAGE, i % 50 == 0 ? LOAM_CHUNK_SBRK : LOAM_CHUNK_MMAP);
        CHECK(p[i] != NULL);
    }
    CHECK(record_is_sound());
    loam_chunk c;
    size_t heap_bytes = 0, mine = 0;
    for (size_t i = 0; loam_mem_chunk_at(i, &c); i++) {
        if (!c.heap) {
            mine++;
            continue;
        }
        CHECK(is_mapped(c.addr));
        CHECK(loam_mem_chunk_release(c.addr) == -1);
        CHECK(errno == EPERM);
        heap_bytes += c.size;
    }
    CHECK(mine == N);
    CHECK(heap_bytes >= (N + 1) * sizeof c);
    CHECK(heap_bytes <= 4 * N * sizeof c); // the memory it grew out of is gone
    for (int i = 0; i < N; i++)
        CHECK(loam_mem_chunk_release(p[i]) == 0);
    CHECK(loam_mem_chunk_count() == 1);
}

// Addresses that no kernel gives out: notes only write down what they are told.
#define FAKE_PAGES 256
static char *fake(size_t page)
{
    return (char *)((uintptr_t)1 << 50) + page * PAGE;
}

static bool fake_noted(size_t page)
{
    loam_chunk c;
    for (size_t i = 0; loam_mem_chunk_at(i, &c); i++)
        if (c.heap && fake(page) >= (char *)c.addr && fake(page) < (char *)c.addr + c.size)
            return true;
    return false;
}

TEST(notes_merge_and_split_like_a_bitmap)
{
    bool model[FAKE_PAGES] = {false};
    srandom(1);
    for (int round = 0; round < 3000; round++) {
        size_t from = (size_t)random() % FAKE_PAGES;
        size_t pages = 1 + (size_t)random() % (FAKE_PAGES - from) % 9;
        bool map = random() % 2;
        errno = 77;
        (map ? chunk_note : chunk_forget)(fake(from), pages * PAGE);
        CHECK(errno == 77);
        memset(model + from, map, pages);
        CHECK(record_is_sound());
        for (size_t i = 0; round % 10 == 0 && i < FAKE_PAGES; i++)
            CHECK(fake_noted(i) == model[i]);
    }
    chunk_forget(fake(0), FAKE_PAGES * PAGE);
    for (size_t i = 0; i < FAKE_PAGES; i++)
        CHECK(!fake_noted(i));
    CHECK(chunk_missed() == 0);
}

TEST(a_new_mapping_cuts_a_stale_chunk)
{
    char *p = loam_mem_chunk(3 * PAGE, LOAM_CHUNK_MMAP);
    munmap(p + PAGE, PAGE); // behind the record's back
    chunk_note(p + PAGE, PAGE);
    loam_chunk c;
    CHECK(look_up(p, &c) && !c.heap && c.size == PAGE);
    CHECK(look_up(p + PAGE, &c) && c.heap && c.size == PAGE);
    CHECK(look_up(p + 2 * PAGE, &c) && !c.heap && c.size == PAGE);
}

TEST(held_by_its_own_thread_it_refuses_and_counts)
{
    void *p = loam_mem_chunk(PAGE, LOAM_CHUNK_MMAP);
    size_t count = loam_mem_chunk_count();
    loam_chunk c;
    chunk_fork_prepare(); // holds the lock, as an interrupted function would
    chunk_note(fake(0), PAGE);
    chunk_forget(p, PAGE);
    CHECK(loam_mem_chunk(PAGE, LOAM_CHUNK_MMAP) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(loam_mem_chunk_release(p) == -1);
    CHECK(errno == EBUSY);
    CHECK(!loam_mem_chunk_at(0, &c));
    chunk_fork_prepare(); // a handler forks meanwhile
    chunk_fork_parent();
    CHECK(!loam_mem_chunk_at(0, &c));
    chunk_fork_parent();
    CHECK(loam_mem_chunk_at(0, &c));
    CHECK(chunk_missed() == 2);
    CHECK(loam_mem_chunk_count() == count);
}

static void *churn(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2000; i++) {
        char *p = loam_mem_chunk(PAGE * (1 + (size_t)i % 3), LOAM_CHUNK_MMAP);
        CHECK(p != NULL);
        p[0] = 1;
        CHECK(loam_mem_chunk_release(p) == 0);
    }
    return NULL;
}

static void churn_start(pthread_t t[4])
{
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, churn, NULL) == 0);
}

static void churn_end(pthread_t t[4])
{
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

TEST(many_threads)
{
    pthread_t t[4];
    size_t count = loam_mem_chunk_count();
    churn_start(t);
    churn_end(t);
    CHECK(record_is_sound());
    CHECK(loam_mem_chunk_count() <= count + 1); // the record's own
}

TEST(fork_from_a_threaded_program)
{
    pthread_t t[4];
    CHECK(pthread_atfork(chunk_fork_prepare, chunk_fork_parent, chunk_fork_child) == 0);
    churn_start(t);
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(50);
            void *p = loam_mem_chunk(PAGE, LOAM_CHUNK_SBRK);
            bool bad = p == NULL || !record_is_sound() || loam_mem_chunk_release(p) != 0;
            // Not _exit: ThreadSanitizer's asks for the threads, which are its parent's.
            syscall(SYS_exit_group, bad);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    churn_end(t);
}

static volatile sig_atomic_t ticks;
static void tick(int sig)
{
    (void)sig;
    chunk_note(fake((size_t)ticks % FAKE_PAGES), PAGE);
    chunk_forget(fake((size_t)ticks % FAKE_PAGES), PAGE);
    loam_chunk c;
    loam_mem_chunk_at(0, &c);
    ticks++;
}

TEST(signal_handlers_may_interrupt_it)
{
    struct sigaction act = {.sa_handler = tick, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (ticks < 2000) {
        loam_mem_chunk_release(loam_mem_chunk(PAGE, LOAM_CHUNK_MMAP));
        CHECK(record_is_sound());
    }
    setitimer(ITIMER_REAL, &never, NULL);
    chunk_forget(fake(0), FAKE_PAGES * PAGE);
    CHECK(record_is_sound());
    CHECK(loam_mem_chunk_count() == 1);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
