// tally_test.c: what is counted adds up exactly to what the heap handed out (F9).
#include "record/tally.h"

#include "format/life.h"
#include "heap/api.h"
#include "record/record.h"
#include "tests/unit/recording_fake.h"

#include <loam/heap.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char *args[] = {"tally_test", NULL};
static char *env[] = {NULL};
static const struct record_program program = {1, args, env, 0};

static struct record_process *start(u32 blocks)
{
    fake_make(blocks);
    CHECK(record_start(fake_path, &program) == 0);
    close(fake_fd);
    return fake_process(0);
}

static void tick(u64 ticks)
{
    atomic_fetch_add(&fake_map->clock, ticks);
}

static u64 lives(const struct record_site *s, u32 bucket)
{
    return (u64)s->lives.high[bucket] << 32 | s->lives.low[bucket];
}

// The only site beside "other".
static struct record_site *the_site(const struct record_process *p)
{
    CHECK(fake_count(p->index, RECORD_SITE) == 2);
    return fake_site(p->index, 1);
}

static noinline_ void *here(size_t size)
{
    void *volatile p = loam_malloc(size);
    return p;
}

// ---------------------------------------------------------------- temporaries

TEST(a_temporary_is_freed_by_the_next_call)
{
    struct record_process *p = start(4);
    for (volatile int i = 0; i < 10; i++) {
        void *a = here(100), *b = NULL;
        if (i >= 7)
            b = malloc(1); // libc's: no call of ours
        loam_free(a);
        free(b);
    }
    struct record_site *s = the_site(p);
    CHECK(s->temporaries == 10 && s->temporary_bytes == 1000);
    CHECK(fake_total(p, temporaries) == 10 && fake_total(p, temporary_bytes) == 1000);
}

TEST(any_call_in_between_counts)
{
    struct record_process *p = start(4);
    void *old = here(1), *a[2];
    for (volatile int i = 0; i < 2; i++)
        a[i] = here(100);
    loam_free(a[0]); // two calls old
    loam_free(a[1]); // the free was a call
    void *b = here(100);
    loam_free(old);
    loam_free(b);
    b = here(100);
    CHECK(loam_malloc((size_t)1 << 62) == NULL); // a call that failed is one, too
    loam_free(b);
    b = here(100);
    loam_free(NULL); // this is none
    loam_free(b);
    CHECK(fake_total(p, temporaries) == 1);
}

TEST(realloc_takes_no_temporary_away_but_makes_one)
{
    struct record_process *p = start(4);
    void *a = here(100);
    a = loam_realloc(a, 50000);
    CHECK(fake_total(p, temporaries) == 0);
    loam_free(a);
    CHECK(fake_total(p, temporaries) == 1 && fake_total(p, temporary_bytes) == 50000);
}

static void *only_allocates(void *arg unused_)
{
    return here(8);
}

// Another thread's next call is not this one's.
TEST(another_thread_does_not_count)
{
    struct record_process *p = start(4);
    pthread_t t;
    void *a = here(100), *b;
    pthread_create(&t, NULL, only_allocates, NULL);
    pthread_join(t, &b);
    loam_free(b); // b's thread made one call; but here a was the last
    loam_free(a);
    CHECK(fake_total(p, temporaries) == 0);
    a = here(100);
    pthread_create(&t, NULL, only_allocates, NULL);
    pthread_join(t, &b);
    loam_free(a);
    CHECK(fake_total(p, temporaries) == 1);
}

// ---------------------------------------------------------------- lifetimes

TEST(lifetimes_fall_into_buckets)
{
    struct record_process *p = start(4);
    static const u64 ticks[] = {0, 1, 2, 3, 4, 1000, (u64)1 << 30};
    static const int bucket[] = {-1, 0, 1, 1, 2, 9, LIVES_BUCKETS - 1};
    u64 want[LIVES_BUCKETS] = {0};
    for (volatile u32 i = 0; i < countof(ticks); i++) {
        void *a = here(100);
        tick(ticks[i]);
        loam_free(a);
        if (bucket[i] >= 0)
            want[bucket[i]]++;
    }
    const struct record_site *s = the_site(p);
    for (u32 i = 0; i < LIVES_BUCKETS; i++)
        CHECK(lives(s, i) == want[i]);
    CHECK(s->frees == countof(ticks));
}

// A code is exact at first, then to one part in 2^19; and it never goes back.
TEST(codes_of_time)
{
    u64 last = 0;
    for (u64 t = 0; t < (u64)1 << 35; t += 1 + t / 1000) {
        u64 got = life_ticks(life_code(t));
        CHECK(got <= t && t - got <= t >> 19 && got >= last);
        CHECK(t >> 20 != 0 || got == t);
        CHECK(life_code(t) <= 0xffffff); // tag.birth
        CHECK(life_code(got) == life_code(t));
        last = got;
    }
    CHECK(life_code(UINT64_MAX) == 0xffffff);
    CHECK(life_bucket(life_code(50), life_code(20)) == 0); // a clock that went back
}

TEST(a_count_of_lives_passes_32_bits)
{
    struct record_process *p = start(4);
    void *a = here(100);
    struct record_site *s = the_site(p);
    s->lives.low[0] = UINT32_MAX;
    tick(1);
    loam_free(a);
    CHECK(lives(s, 0) == (u64)1 << 32);
}

// ---------------------------------------------------------------- realloc, waste

TEST(chains_of_realloc)
{
    struct record_process *p = start(4);
    void *a[3];
    for (volatile int i = 0; i < 3; i++) {
        a[i] = here(16);
        memset(a[i], 'x', 16);
    }
    for (volatile int i = 0; i < 3; i++)
        for (volatile size_t size = 32; size <= (size_t)32 << i; size *= 2)
            a[i] = loam_realloc(a[i], size);
    CHECK(fake_total(p, reallocs) == 1 + 2 + 3);
    CHECK(fake_total(p, copied_bytes) == 16 + (16 + 32) + (16 + 32 + 64));
    CHECK(fake_total(p, allocs) == 3 + 6 && fake_total(p, frees) == 6);
    u64 chains = 0;
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++)
        chains += fake_site(p->index, i)->chains;
    CHECK(chains == 3);
    CHECK(loam_realloc(a[0], (size_t)1 << 62) == NULL); // leaves all as it was
    CHECK(fake_total(p, reallocs) == 6 && fake_live_blocks(p) == 3);
    CHECK(((char *)a[2])[15] == 'x');
}

TEST(blocks_that_are_remapped_copy_nothing)
{
    struct record_process *p = start(4);
    char *a = here(1 * MiB);
    void *fence = here(64 * KiB);
    a[MiB - 1] = 'x';
    a = loam_realloc(a, 64 * MiB);
    CHECK(a[MiB - 1] == 'x');
    CHECK(fake_total(p, reallocs) == 1 && fake_total(p, copied_bytes) == 0);
    loam_free(fence);
}

TEST(capacity_is_what_the_class_can_hold)
{
    struct record_process *p = start(4);
    void *a[3];
    static const size_t size[] = {33, 16, 40000};
    for (volatile int i = 0; i < 3; i++)
        a[i] = here(size[i]);
    struct record_site *s = the_site(p);
    u64 sum = 0;
    for (int i = 0; i < 3; i++)
        sum += heap_usable(a[i]);
    CHECK(heap_usable(a[0]) == 48 && heap_usable(a[1]) == 16);
    CHECK(s->alloc_capacity == sum && record_largest(s) == 40000 && record_smallest(s) == 16);
    for (int i = 0; i < 3; i++)
        loam_free(a[i]);
    CHECK(s->free_capacity == sum);
}

// ---------------------------------------------------------------- in between two instructions

static struct record_site *stepped;
static volatile u64 steps;

static void at_each_step(int sig unused_)
{
    tally_alloc(stepped, (struct tally_block){1, 16});
    tally_free(stepped, (struct tally_block){1, 16}, 0, false);
    steps = steps + 1;
}

// The processor's trap flag: a SIGTRAP behind each instruction. Below the red zone.
static always_inline_ void step_on(void)
{
    __asm__ volatile("subq $128, %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
                     "leaq 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
}

static always_inline_ void step_off(void)
{
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
                     "leaq 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
}

TEST(a_handler_at_any_instruction_is_counted)
{
    struct record_process *p = start(4);
    here(100);
    stepped = the_site(p);
    u32 birth = tally_now();
    tick(8);
    CHECK(signal(SIGTRAP, at_each_step) != SIG_ERR);
    step_on();
    tally_alloc(stepped, (struct tally_block){10, 16});
    tally_free(stepped, (struct tally_block){10, 16}, birth, true);
    step_off();
    u64 n = steps;
    struct record_pen sum = fake_whole(p->index, stepped);
    tally_settle();
    CHECK(n > 50);
    CHECK(sum.allocs == n + 2 && sum.alloc_bytes == n + 110);
    CHECK(sum.frees == n + 1 && sum.free_bytes == n + 10);
    CHECK(sum.free_capacity == 16 * (n + 1) && p->live_bytes == 100);
    CHECK(fake_total(p, allocs) == n + 2 && fake_total(p, frees) == n + 1);
    CHECK(fake_total(p, alloc_bytes) == n + 110 && fake_total(p, free_capacity) == 16 * (n + 1));
    CHECK(lives(stepped, 3) == 1 + n);
}

// ---------------------------------------------------------------- all of it, at random

struct shadow {
    u64 allocs, alloc_bytes, alloc_capacity, frees, free_bytes, free_capacity, reallocs;
};
#define ROUNDS 20000
#define SLOTS  512

static u64 random_next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t random_size(u64 *seed)
{
    u64 r = random_next(seed);
    return r % 100 == 0 ? r / 100 % (2 * MiB) : r / 100 % ((u64)1 << (r % 13));
}

struct block {
    void *p;
    size_t size;
};

static void lose(struct shadow *s, const struct block *b)
{
    if (b->p == NULL)
        return;
    s->frees++;
    s->free_bytes += b->size;
    s->free_capacity += heap_usable(b->p);
}

static void gain(struct shadow *s, const struct block *b)
{
    s->allocs++;
    s->alloc_bytes += b->size;
    s->alloc_capacity += heap_usable(b->p);
}

static noinline_ void one_place(struct block *b, size_t size)
{
    b->p = loam_malloc(size);
    b->size = size;
}

static noinline_ void another_place(struct block *b, size_t size)
{
    b->p = loam_calloc(1, size);
    b->size = size;
}

static void random_call(struct shadow *s, struct block *b, u64 *seed)
{
    size_t size = random_size(seed);
    switch (random_next(seed) % 4) {
    case 0:
        lose(s, b);
        loam_free(b->p);
        *b = (struct block){0};
        return;
    case 1:
        if (b->p == NULL || size == 0)
            return;
        lose(s, b);
        b->p = loam_realloc(b->p, size);
        b->size = size;
        s->reallocs++;
        break;
    default:
        lose(s, b);
        loam_free(b->p);
        if (seed[0] & 1)
            one_place(b, size);
        else
            another_place(b, size);
    }
    gain(s, b);
}

static struct shadow shadows[4];
static void *work(void *arg)
{
    struct shadow *s = arg;
    struct block block[SLOTS] = {{0}};
    u64 seed = 88172645463325252u + (u64)(s - shadows);
    for (int i = 0; i < ROUNDS; i++) {
        random_call(s, &block[random_next(&seed) % SLOTS], &seed);
        if (i % 100 == 0)
            tick(1);
    }
    return NULL;
}

static void sum_site(struct shadow *sum, const struct record_site *s, struct record_pen pens)
{
    u64 longer = 0, frees = s->frees + pens.frees;
    u64 allocated = s->alloc_bytes + pens.alloc_bytes, freed = s->free_bytes + pens.free_bytes;
    u64 alloc_capacity = s->alloc_capacity + pens.alloc_capacity;
    u64 free_capacity = s->free_capacity + pens.free_capacity;
    sum->allocs += s->allocs + pens.allocs;
    sum->alloc_bytes += allocated;
    sum->alloc_capacity += alloc_capacity;
    sum->frees += frees;
    sum->free_bytes += freed;
    sum->free_capacity += free_capacity;
    sum->reallocs += s->reallocs;
    for (u32 i = 0; i < LIVES_BUCKETS; i++)
        longer += lives(s, i);
    CHECK(longer <= frees && s->temporaries <= frees && s->chains <= s->reallocs);
    CHECK(alloc_capacity >= allocated && free_capacity >= freed);
}

static void compare(const struct record_process *p, const struct shadow *want)
{
    struct shadow sites = {0};
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++)
        sum_site(&sites, fake_site(p->index, i), fake_pens(p->index, fake_site(p->index, i)->id));
    const struct shadow threads = {fake_total(p, allocs),         fake_total(p, alloc_bytes),
                                   fake_total(p, alloc_capacity), fake_total(p, frees),
                                   fake_total(p, free_bytes),     fake_total(p, free_capacity),
                                   fake_total(p, reallocs)};
    CHECK(memcmp(&sites, want, sizeof sites) == 0);
    CHECK(memcmp(&threads, want, sizeof threads) == 0);
    u64 live = want->alloc_bytes - want->free_bytes;
    CHECK(p->live_bytes - live + p->peak_bytes / 128 <= p->peak_bytes / 64); // HELD in tally.c
    tally_settle();
    CHECK(p->live_bytes == live && p->peak_bytes >= live);
}

TEST(totals_add_up_with_one_thread)
{
    struct record_process *p = start(64);
    work(&shadows[0]);
    compare(p, &shadows[0]);
}

TEST(totals_add_up_with_many_threads)
{
    struct record_process *p = start(64);
    struct shadow sum = {0};
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, work, &shadows[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 4; i++)
        for (u32 k = 0; k < sizeof sum / sizeof(u64); k++)
            ((u64 *)&sum)[k] += ((u64 *)&shadows[i])[k];
    compare(p, &sum);
    CHECK(fake_count(p->index, RECORD_THREAD) == 4);
    CHECK(fake_count(p->index, RECORD_PENS) == 4);
}

// All threads climb to the same height, wait for the others there, and go down again, ten times.
static pthread_barrier_t above, below;
static void *climb(void *arg unused_)
{
    static thread_local_ void *block[2000];
    for (int round = 0; round < 10; round++) {
        for (u32 i = 0; i < countof(block); i++)
            block[i] = loam_malloc(100 + (size_t)round);
        pthread_barrier_wait(&above);
        for (u32 i = 0; i < countof(block); i++)
            loam_free(block[i]);
        pthread_barrier_wait(&below);
    }
    return NULL;
}

TEST(the_peak_of_many_threads_is_right_to_a_hundredth)
{
    struct record_process *p = start(64);
    u64 want = (u64)4 * 2000 * 109, shares = 0;
    pthread_t t[4];
    pthread_barrier_init(&above, NULL, 4);
    pthread_barrier_init(&below, NULL, 4);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, climb, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK(p->peak_bytes >= want - want / 100 && p->peak_bytes <= want + want / 100);
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++) {
        const struct record_site *s = fake_site(p->index, i);
        bool kept = s->serial == (u32)p->peak_serial; // F5
        shares += kept ? s->at_peak : s->alloc_bytes - s->free_bytes;
        shares += fake_pens(p->index, s->id).at_peak;
    }
    CHECK(shares >= want - want / 50 && shares <= want + want / 50);
    tally_settle();
    CHECK(p->live_bytes == 0);
}

// ---------------------------------------------------------------- samples

#define MEAN 8192

static struct record_process *start_sampling(void)
{
    const struct record_program sampled = {1, args, env, MEAN};
    fake_make(64);
    fake_map->sampling = 1;
    CHECK(record_start(fake_path, &sampled) == 0);
    return fake_process(0);
}

// Estimates are near the truth; what they are made of adds up exactly all the same, and when all is
// freed nothing is left.
TEST(samples_add_up)
{
    struct record_process *p = start_sampling();
    static void *block[5000];
    u64 seed = 3, bytes = 0, samples = 0, frees = 0;
    struct shadow sites = {0};
    for (u32 i = 0; i < countof(block); i++) {
        size_t size = random_size(&seed) + 1;
        block[i] = loam_malloc(size);
        bytes += size;
    }
    double live = (double)p->live_bytes;
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++) {
        samples += fake_site(p->index, i)->samples;
        frees += fake_site(p->index, i)->sample_frees;
    }
    CHECK(p->sample_bytes == MEAN && frees == 0);
    CHECK(samples > 30 && samples < countof(block));
    // Six standard deviations of that many samples: once in a billion runs.
    double error = live / (double)bytes - 1, most = 6 / __builtin_sqrt((double)samples);
    CHECK(error < most && error > -most);
    for (u32 i = 0; i < countof(block); i++)
        block[i] = loam_realloc(block[i], 20);
    for (u32 i = 0; i < countof(block); i++)
        loam_free(block[i]);
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++) {
        const struct record_site *s = fake_site(p->index, i);
        CHECK(s->samples == s->sample_frees && s->alloc_bytes == s->free_bytes);
        sites.allocs += s->allocs;
        sites.free_capacity += s->free_capacity;
    }
    CHECK(p->live_bytes == 0 && fake_live_blocks(p) == 0);
    CHECK(sites.allocs == fake_total(p, allocs));
    CHECK(sites.free_capacity == fake_total(p, free_capacity));
    CHECK(fake_total(p, alloc_capacity) == fake_total(p, free_capacity));
}

static noinline_ void *in_child(void *inherited)
{
    for (u32 i = 0; i < 1000; i++)
        loam_free(here(1000));
    loam_free(inherited);
    return NULL;
}

// A child of fork is sampled on, and its parent's samples are not its own.
TEST(samples_in_a_child)
{
    struct record_process *p = start_sampling();
    void *inherited = here(10 * MiB); // a sample, all but certainly
    u64 live = p->live_bytes;
    CHECK(live >= 10 * MiB);
    pid_t pid = fork();
    if (pid == 0) {
        in_child(inherited);
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(p->live_bytes == live);
    struct record_process *c = fake_process(2);
    CHECK(c != NULL && c->sample_bytes == MEAN && c->parent == p->index);
    CHECK(c->live_bytes == 0 && fake_total(c, allocs) > 0);
}

// More threads than have records: the rest counts together.
TEST(threads_by_the_thousand)
{
    struct record_process *p = start(64);
    for (int i = 0; i < 1000; i++) {
        pthread_t t;
        void *q;
        pthread_create(&t, NULL, only_allocates, NULL);
        pthread_join(t, &q);
    }
    CHECK(fake_count(p->index, RECORD_THREAD) == RECORDING_THREADS);
    CHECK(p->rest.allocs == 1000 - RECORDING_THREADS);
    CHECK(fake_total(p, allocs) == 1000);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
