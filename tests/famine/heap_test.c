// The kernel refuses memory: at the first mapping, at the second, at the third .. and from then
// on, until a program gets through without noticing. Each time NULL with ENOMEM is the only thing
// the program may see, its blocks are as they were, every invariant holds, and when the kernel
// gives again, so does the heap.
#include "tests/stress/shadow.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

extern _Atomic long os_fail_after;

enum { REFUSED = 3, ENOUGH = 4 };

static struct actor hungry;

// In a child: run `program` with the n-th mapping refused. Exit status says whether it came to it.
static void starve(void (*program)(void), long n)
{
    hungry.may_fail = true;
    hungry.random = (u64)n;
    atomic_store(&os_fail_after, n);
    program();
    bool refused = atomic_load(&os_fail_after) == 1;
    sound();
    atomic_store(&os_fail_after, 0);
    hungry.may_fail = false;
    act(&hungry, 300);
    sound();
    free_all(&hungry);
    free_shared();
    sound();
    _exit(refused ? REFUSED : ENOUGH);
}

static void famine(void (*program)(void), long times_min)
{
    long n = 0;
    int status;
    do {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            starve(program, n + 1);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (!WIFEXITED(status) || (WEXITSTATUS(status) != REFUSED && WEXITSTATUS(status) != ENOUGH))
            dprintf(2, "mapping %ld was refused\n", n + 1);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == REFUSED || WEXITSTATUS(status) == ENOUGH);
    } while (WEXITSTATUS(status) == REFUSED && ++n < 500);
    if (n < times_min)
        dprintf(2, "only %ld mappings were refused\n", n);
    CHECK(n >= times_min);
    CHECK(n < 500);
}

// ---------------------------------------------------------------- programs

static void mixed(void)
{
    act(&hungry, 3000);
}

TEST(mixed_sizes)
{
    famine(mixed, 10);
}

// Enough for several steps of the arena and of its tables. Only the heads are touched.
static void many(void)
{
    static struct block *held[4000];
    size_t n = 0;
    for (; n < 4000; n++) {
        size_t size = n % 2 ? 32 * KiB : 70000;
        held[n] = loam_malloc(size);
        if (held[n] == NULL) {
            CHECK(errno == ENOMEM);
            continue;
        }
        *held[n] = (struct block){size, n};
    }
    for (size_t i = 0; i < 4000; i++) {
        if (held[i] != NULL)
            CHECK(held[i]->seed == i);
        loam_free(held[i]);
    }
}

TEST(many_blocks)
{
    famine(many, 20);
}

// realloc in every way it has: in place, by extension, by remapping, by copy.
static void growing(void)
{
    unsigned char *p = NULL;
    for (size_t size = 100, old = 0; size < 96 * MiB; old = size, size += size / 2) {
        unsigned char *q = loam_realloc(p, size);
        if (q == NULL) {
            CHECK(errno == ENOMEM);
            break;
        }
        for (size_t i = 0; i < old; i += 4096)
            CHECK(q[i] == (unsigned char)(i / 4096 + 1));
        for (size_t i = (old + 4095) / 4096 * 4096; i < size; i += 4096)
            q[i] = (unsigned char)(i / 4096 + 1);
        p = q;
        void *wall = loam_malloc(40000); // so that not all of it is in place
        if (wall != NULL)
            memset(wall, 1, 40000);
        put_slot(&hungry, size % SLOTS, 40000);
    }
    loam_free(p);
}

TEST(growing_block)
{
    famine(growing, 10);
}

static void aligned(void)
{
    void *p[40];
    for (int i = 0; i < 40; i++) {
        p[i] = loam_aligned_alloc((size_t)1 << (i % 33), 100 + (size_t)i * 1000);
        CHECK(p[i] != NULL || errno == ENOMEM);
        CHECK((uintptr_t)p[i] % ((size_t)1 << (i % 33)) == 0);
        if (p[i] != NULL)
            memset(p[i], i, 100);
    }
    for (int i = 0; i < 40; i++)
        loam_free(p[i]);
}

TEST(large_alignments)
{
    famine(aligned, 5);
}

static void *visit(void *arg)
{
    struct actor *a = arg;
    act(a, 200);
    return NULL;
}

static void threads(void)
{
    static struct actor others[12];
    pthread_t t[12];
    for (int i = 0; i < 12; i++) {
        others[i].may_fail = true;
        others[i].random = (u64)i;
        CHECK(pthread_create(&t[i], NULL, visit, &others[i]) == 0);
        if (i % 3 == 2)
            for (int k = i - 2; k <= i; k++)
                pthread_join(t[k], NULL);
    }
    for (int i = 0; i < 12; i++)
        free_all(&others[i]);
}

TEST(threads_begin_and_end)
{
    famine(threads, 10);
}

// ---------------------------------------------------------------- a limit of the kernel's own

static void limit_addresses(size_t bytes)
{
    struct rlimit r = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &r) == 0);
}

static size_t address_bytes(void)
{
    char line[128] = {0};
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL && fgets(line, sizeof line, f) != NULL);
    fclose(f);
    return strtoul(line, NULL, 10) * 4096;
}

// The shadows of sanitizers are over any limit.
static const bool no_limits = under_tsan || under_asan;

TEST(grows_up_to_the_limit_of_addresses)
{
    if (no_limits)
        return;
    hungry.may_fail = true;
    act(&hungry, 500);
    for (size_t room = 8 * MiB; room <= 64 * MiB; room += 8 * MiB) {
        limit_addresses(address_bytes() + room);
        growing();
        act(&hungry, 500);
        sound();
    }
    free_all(&hungry);
    sound();
}

// A limit below what is mapped already: mremap then fails after it has unmapped its target, and
// the target cannot be mapped again. Nobody may be given that hole in the arena.
TEST(realloc_above_the_limit_of_addresses)
{
    if (no_limits)
        return;
    unsigned char *room = loam_malloc(64 * MiB);
    unsigned char *p = loam_malloc(1 * MiB);
    unsigned char *wall = loam_malloc(1 * MiB);
    CHECK(room != NULL && p != NULL && wall != NULL);
    for (size_t i = 0; i < 1 * MiB; i++)
        p[i] = (unsigned char)(i / 4096);
    loam_free(room);
    limit_addresses(8 * MiB);
    for (size_t size = 2 * MiB; size <= 16 * MiB; size *= 2) {
        unsigned char *q = loam_realloc(p, size);
        CHECK(q != NULL);
        p = q;
        for (size_t i = 0; i < 1 * MiB; i++)
            CHECK(p[i] == (unsigned char)(i / 4096));
        memset(p + 1 * MiB, 7, size - 1 * MiB);
        sound();
    }
    hungry.may_fail = true;
    act(&hungry, 3000); // takes all the free pages, the hole's neighbours too
    sound();
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
