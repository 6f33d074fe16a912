// The heap under random operations of many threads, which exchange blocks, come and go, are
// interrupted by handlers that allocate, and fork.
#include "heap/class.h"
#include "tests/stress/shadow.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#define THREADS 4
#define TIMES   60000

static _Atomic bool stop;

static void *work(void *arg)
{
    struct actor *a = arg;
    act(a, TIMES);
    return NULL;
}

static void *work_and_clean(void *arg)
{
    struct actor *a = arg;
    act(a, TIMES / 20);
    free_all(a);
    return NULL;
}

static struct actor actors[THREADS];

static void seed_actors(u64 seed)
{
    for (u64 i = 0; i < THREADS; i++)
        actors[i].random = seed * 1000 + i;
}

static void run_threads(void *(*body)(void *))
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, body, &actors[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

static void clean_up(void)
{
    for (int i = 0; i < THREADS; i++)
        free_all(&actors[i]);
    free_shared();
    sound();
}

// What stays is what heaps keep: for each class a current slab and an empty one.
static void nearly_empty(void)
{
    size_t kept = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        kept += 2 * class_info[c].pages * PAGE_SIZE;
    loam_heap_stats s = loam_heap_usage();
    if (s.live_bytes > kept * loam_heap_root.heaps_count)
        dprintf(2, "live: %zu bytes\n", s.live_bytes);
    CHECK(s.live_bytes <= kept * loam_heap_root.heaps_count);
}

TEST(one_thread)
{
    for (u64 seed = 1; seed <= 4; seed++) {
        actors[0].random = seed;
        act(&actors[0], TIMES);
        sound();
    }
    clean_up();
    nearly_empty();
}

TEST(threads_exchange_blocks)
{
    for (u64 seed = 1; seed <= 3; seed++) {
        seed_actors(seed);
        run_threads(work);
        sound();
    }
    clean_up();
    nearly_empty();
}

TEST(threads_come_and_go)
{
    for (u64 seed = 1; seed <= 40; seed++) {
        seed_actors(seed);
        run_threads(work_and_clean);
        if (seed % 8 == 0)
            sound();
    }
    clean_up();
    nearly_empty();
    CHECK(loam_heap_root.heaps_count <= 4 * THREADS); // heaps are used again
}

// ---------------------------------------------------------------- handlers

static __thread struct actor *in_handler;

static void handler(int sig)
{
    (void)sig;
    int saved = errno;
    if (in_handler != NULL)
        act(in_handler, 8);
    errno = saved;
}

static void *interrupted_work(void *arg)
{
    static struct actor of_handlers[THREADS];
    struct actor *a = arg, *b = &of_handlers[a - actors];
    b->random = a->random ^ 0x5555;
    in_handler = b;
    act(a, TIMES / 2);
    in_handler = NULL;
    free_all(b);
    return NULL;
}

static pthread_t victims[THREADS];

static void *pest(void *arg)
{
    u64 random = (u64)(uintptr_t)arg;
    while (!atomic_load(&stop)) {
        pthread_kill(victims[next_random(&random) % THREADS], SIGUSR1);
        nanosleep(&(struct timespec){0, 20000}, NULL);
    }
    return NULL;
}

TEST(handlers_allocate)
{
    signal(SIGUSR1, handler);
    seed_actors(9);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&victims[i], NULL, interrupted_work, &actors[i]) == 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, pest, &actors) == 0);
    nanosleep(&(struct timespec){0, 300000000}, NULL);
    atomic_store(&stop, true); // before the victims end: a signal to a thread that is gone is wrong
    pthread_join(t, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(victims[i], NULL);
    sound();
    clean_up();
}

// ---------------------------------------------------------------- fork

static void *work_on(void *arg)
{
    while (!atomic_load(&stop))
        act(arg, 1000);
    return NULL;
}

static void in_child(struct actor *a)
{
    alarm(20);
    act(a, 2000);
    sound();
    free_all(a);
    free_shared();
    sound();
    _exit(0);
}

TEST(forks_while_others_allocate)
{
    static struct actor mine;
    pthread_t t[THREADS];
    seed_actors(3);
    mine.random = 77;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, work_on, &actors[i]) == 0);
    for (int i = 0; i < 40; i++) {
        act(&mine, 500);
        pid_t pid = fork();
        if (pid == 0)
            in_child(&mine);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    free_all(&mine);
    sound();
    clean_up();
}

// ---------------------------------------------------------------- the end of a thread

static pthread_key_t late_key;

// Runs after the heap's own destructor in most rounds, and asks for another round.
static void late(void *arg)
{
    uintptr_t round = (uintptr_t)arg;
    struct actor *a = &actors[round >> 8];
    act(a, 200);
    // ThreadSanitizer's own destructor has not come yet.
    if ((round & 255) < (under_tsan ? 2 : 4))
        pthread_setspecific(late_key, (void *)(round + 1));
}

static void *die_late(void *arg)
{
    struct actor *a = arg;
    act(a, 500);
    pthread_setspecific(late_key, (void *)((uintptr_t)(a - actors) << 8 | 1));
    return NULL;
}

TEST(late_destructors_allocate)
{
    CHECK(pthread_key_create(&late_key, late) == 0);
    for (u64 seed = 1; seed <= 20; seed++) {
        seed_actors(seed);
        run_threads(die_late);
    }
    sound();
    clean_up();
    nearly_empty();
}

// ---------------------------------------------------------------- one allocates, another frees

#define QUEUE 4096
static _Atomic(void *) queue[QUEUE];

static void *produce(void *arg)
{
    struct actor *a = arg;
    for (size_t i = 0; i < 200000; i++) {
        void *p = allocate(a, 16 + next_random(&a->random) % 500);
        void *none = NULL;
        while (!atomic_compare_exchange_strong(&queue[i % QUEUE], &none, p)) {
            none = NULL;
            sched_yield();
        }
    }
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 200000; i++) {
        struct block *p;
        while ((p = atomic_exchange(&queue[i % QUEUE], NULL)) == NULL)
            sched_yield();
        look(p, p->size, p->seed);
        loam_free(p);
    }
    return NULL;
}

TEST(producer_and_consumer)
{
    pthread_t a, b;
    seed_actors(5);
    CHECK(pthread_create(&a, NULL, produce, &actors[0]) == 0);
    CHECK(pthread_create(&b, NULL, consume, NULL) == 0);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    sound();
    nearly_empty();
}

// ---------------------------------------------------------------- a sleeping owner

// Enough blocks that strangers take the owner for asleep.
#define SLEEPER 200000
static struct block *of_sleeper[SLEEPER];
static _Atomic int phase;

static void wait_phase(int n)
{
    while (atomic_load(&phase) < n)
        nanosleep(&(struct timespec){0, 100000}, NULL);
}

static void *sleeper(void *arg)
{
    struct actor *a = arg;
    for (size_t i = 0; i < SLEEPER; i++) {
        of_sleeper[i] = loam_malloc(200);
        CHECK(of_sleeper[i] != NULL);
        fill(of_sleeper[i], 200, i);
    }
    atomic_store(&phase, 1);
    wait_phase(2);
    act(a, 20000); // while others free its blocks and purge its slabs
    atomic_store(&phase, 3);
    wait_phase(4);
    act(a, 20000);
    return NULL;
}

static void free_sleepers(size_t first, size_t step)
{
    for (size_t i = first; i < SLEEPER; i += step) {
        if (of_sleeper[i] == NULL)
            continue;
        look(of_sleeper[i], 200, i);
        loam_free(of_sleeper[i]);
        of_sleeper[i] = NULL;
    }
}

static size_t resident(void)
{
    char line[128] = {0};
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL && fgets(line, sizeof line, f) != NULL);
    fclose(f);
    return strtoul(strchr(line, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

TEST(strangers_purge_what_a_sleeper_owns)
{
    pthread_t t;
    seed_actors(13);
    CHECK(pthread_create(&t, NULL, sleeper, &actors[1]) == 0);
    wait_phase(1);
    size_t full = resident();
    for (size_t i = SLEEPER / 2; i < SLEEPER; i++) { // whole slabs, while it sleeps
        look(of_sleeper[i], 200, i);
        loam_free(of_sleeper[i]);
        of_sleeper[i] = NULL;
    }
    if (!under_tsan && !under_asan)
        CHECK(resident() < full - 10 * MiB); // 20 MB were freed
    atomic_store(&phase, 2);
    free_sleepers(0, 3); // and while it allocates again
    free_sleepers(1, 3);
    wait_phase(3);
    free_sleepers(0, 1);
    atomic_store(&phase, 4);
    pthread_join(t, NULL);
    sound();
    clean_up();
    nearly_empty();
}

// ---------------------------------------------------------------- a sandbox

// After its start the heap asks the kernel for nothing but these.
static void allow_memory_calls_only(void)
{
    static const int allowed[] = {SYS_mmap,   SYS_munmap, SYS_mprotect, SYS_madvise,
                                  SYS_mremap, SYS_futex,  SYS_write,    SYS_exit_group};
    enum { N = sizeof allowed / sizeof *allowed };
    struct sock_filter code[N + 3];
    code[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N; i++)
        code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)allowed[i],
                                                   (u8)(N - i), 0);
    code[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog prog = {N + 3, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0);
}

static _Atomic int ready, go, done;

static void *work_when_told(void *arg)
{
    atomic_store(&ready, 1);
    while (!atomic_load(&go)) {
        // The sandbox is not closed yet.
    }
    act(arg, TIMES / 4);
    atomic_fetch_add(&done, 1);
    for (;;) {
        // To end takes calls that the sandbox forbids.
    }
    return NULL;
}

TEST(works_in_a_sandbox)
{
    if (under_tsan || under_asan)
        return; // they call more
    pthread_t t;
    seed_actors(11);
    CHECK(pthread_create(&t, NULL, work_when_told, &actors[1]) == 0);
    while (!atomic_load(&ready)) {
        // Its start takes such calls, too.
    }
    allow_memory_calls_only();
    atomic_store(&go, 1);
    act(&actors[0], TIMES / 4);
    while (!atomic_load(&done)) {
        // To sleep, too.
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
