// sites_test.c: a process records itself; what stands in the recording must be exact.
#include "record/sites.h"

#include "heap/api.h"
#include "os/os.h"
#include "record/process.h"
#include "record/record.h"
#include "record/tally.h"
#include "tests/unit/recording_fake.h"

#include <errno.h>
#include <loam/heap.h>
#include <pthread.h>
#include <sys/syscall.h>

static char *args[] = {"sites_test", "one two", NULL};
static char *env[] = {"A=B", NULL};
static const struct record_program program = {2, args, env, 0};

static struct record_process *start(u32 blocks)
{
    fake_make(blocks);
    CHECK(record_start(fake_path, &program) == 0);
    close(fake_fd); // nothing needs it any more
    struct record_process *p = fake_process(0);
    CHECK(p != NULL);
    return p;
}

static noinline_ void *here(size_t size)
{
    return loam_malloc(size);
}

TEST(process_record)
{
    struct record_process *p = start(4);
    CHECK(p->index != 0 && p->pid == (u32)getpid() && p->ppid == (u32)getppid());
    CHECK(p->parent == 0 && p->flags == 0 && p->first_site == 1);
    CHECK(p->exe_len > 10 && memcmp(p->text + p->exe_len - 10, "sites_test", 10) == 0);
    CHECK(p->args_len == 18);
    CHECK(memcmp(p->text + p->exe_len, "sites_test\0one two", 18) == 0);
    CHECK(fake_site(p->index, 0)->id == 1); // "other"
    CHECK(fake_site(p->index, 0)->frames_count == 0);
}

TEST(one_site_per_stack)
{
    struct record_process *p = start(4);
    void *q[20];
    for (volatile int i = 0; i < 10; i++)
        q[i] = here(100);
    for (volatile int i = 10; i < 20; i++)
        q[i] = here(50);
    CHECK(fake_count(p->index, RECORD_SITE) == 3);
    struct record_site *a = fake_site(p->index, 1), *b = fake_site(p->index, 2);
    CHECK(a->id == 2 && b->id == 3);
    CHECK(a->allocs == 10 && a->alloc_bytes == 1000 && record_largest(a) == 100 && a->frees == 0);
    CHECK(b->allocs == 10 && b->alloc_bytes == 500 && record_largest(b) == 50);
    for (int i = 5; i < 20; i++)
        loam_free(q[i]);
    CHECK(a->frees == 5 && a->free_bytes == 500 && b->frees == 10 && b->free_bytes == 500);
    CHECK(fake_total(p, allocs) == 20 && fake_total(p, frees) == 15 &&
          fake_total(p, alloc_bytes) == 1500);
    CHECK(fake_live_blocks(p) == 5 && p->live_bytes == 500 && p->peak_bytes == 1500);
}

// The module that a frame names, and that its pc lies in it.
TEST(frames_name_modules)
{
    struct record_process *p = start(4);
    here(1);
    struct record_site *s = fake_site(p->index, 1);
    CHECK(s->frames_count > 2 && !s->truncated && s->tail == 0);
    bool met = false;
    for (u32 i = 0; i < s->frames_count; i++) {
        u32 module = (u32)(s->frames[i] >> FRAME_MODULE_SHIFT);
        u64 offset = s->frames[i] & FRAME_OFFSET_MASK;
        struct fake_walk w = {0};
        bool known = false;
        for (struct record *r; (r = fake_next(&w)) != NULL && r != &s->head;) {
            struct record_module *m = (struct record_module *)r;
            if (r->kind != RECORD_MODULE || m->index != module)
                continue;
            known = true;
            CHECK(m->bias + offset > m->start && m->bias + offset <= m->end);
            met |= memcmp(m->path + m->path_len - 10, "sites_test", 10) == 0;
        }
        CHECK(known);
    }
    CHECK(met);
}

// F5: what each site held when the process held most.
TEST(peak)
{
    struct record_process *p = start(4);
    void *a = here(1000), *b = here(10);
    loam_free(a);
    void *c = here(200);
    CHECK(p->peak_bytes == 1010 && p->live_bytes == 210);
    u64 at_peak = 0;
    for (u32 i = 0; i < 4; i++) {
        struct record_site *s = fake_site(p->index, i);
        at_peak += s->serial == p->peak_serial ? s->at_peak : s->alloc_bytes - s->free_bytes;
    }
    CHECK(at_peak == 1010);
    loam_free(b);
    loam_free(c);
}

TEST(odd_sizes)
{
    struct record_process *p = start(4);
    void *zero = here(0), *large = here(100000), *vast = here((size_t)5 << 30);
    CHECK(zero != NULL && large != NULL && vast != NULL);
    CHECK(p->live_bytes == 100000 + ((u64)5 << 30) && fake_live_blocks(p) == 3);
    loam_free(zero);
    loam_free(vast);
    tally_settle();
    CHECK(p->live_bytes == 100000 && fake_live_blocks(p) == 1);
    large = loam_realloc(large, 50); // to another kind of block
    tally_settle();
    CHECK(p->live_bytes == 50 && fake_live_blocks(p) == 1 && fake_total(p, allocs) == 4 &&
          fake_total(p, frees) == 3);
    large = loam_realloc(large, 60);
    tally_settle();
    CHECK(p->live_bytes == 60 && fake_live_blocks(p) == 1);
    loam_free(large);
    loam_free(loam_calloc(10, 10));
    loam_free(loam_aligned_alloc(4096, 4096));
    tally_settle();
    CHECK(p->live_bytes == 0 && fake_live_blocks(p) == 0);
    CHECK(loam_realloc(here(10), (size_t)1 << 62) == NULL);
    tally_settle();
    CHECK(p->live_bytes == 10 && fake_live_blocks(p) == 1);
}

TEST(blocks_from_before_are_not_counted)
{
    void *old[100];
    for (int i = 0; i < 100; i++)
        old[i] = loam_malloc(64);
    struct record_process *p = start(4);
    void *new = here(64); // in the same slab
    for (int i = 0; i < 100; i++)
        loam_free(old[i]);
    CHECK(fake_total(p, frees) == 0 && fake_live_blocks(p) == 1);
    loam_free(new);
    CHECK(fake_total(p, frees) == 1 && fake_live_blocks(p) == 0);
}

TEST(errno_is_kept)
{
    start(4);
    errno = 77;
    loam_free(here(10));
    CHECK(errno == 77);
}

// ---------------------------------------------------------------- many threads

static pthread_barrier_t barrier;

static void *worker(void *arg unused_)
{
    void *p[64];
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < 64; i++)
            p[i] = here(16 + (size_t)i);
        for (int i = 0; i < 64; i++)
            loam_free(p[i]);
    }
    return here(7);
}

TEST(threads)
{
    struct record_process *p = start(8);
    pthread_t t[4];
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, worker, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK(fake_total(p, allocs) == 4 * (500 * 64 + 1) && fake_total(p, frees) == 4 * 500 * 64);
    tally_settle();
    CHECK(fake_live_blocks(p) == 4 && p->live_bytes == 28);
    u64 allocs = 0;
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++)
        allocs += fake_whole(p->index, fake_site(p->index, i)).allocs;
    CHECK(allocs == fake_total(p, allocs));
    CHECK(fake_count(p->index, RECORD_SITE) == 3); // one stack in the loop, one behind it
}

// ---------------------------------------------------------------- no room

static void *path(u32 n, u32 depth);
static noinline_ void *left(u32 n, u32 depth)
{
    void *volatile p = path(n, depth);
    return p;
}
static noinline_ void *right(u32 n, u32 depth)
{
    void *volatile p = path(n, depth);
    return p;
}

static u64 leaf_frames[RECORDING_FRAMES];
static u32 leaf_count;

// As many distinct stacks as n has values.
static noinline_ void *path(u32 n, u32 depth)
{
    void *volatile p;
    struct unwind_start here_too;
    unwind_capture(&here_too);
    leaf_count = unwind_frames(&here_too, leaf_frames, RECORDING_FRAMES);
    if (depth == 0)
        p = loam_malloc(32);
    else if (n & 1)
        p = left(n >> 1, depth - 1);
    else
        p = right(n >> 1, depth - 1);
    return p;
}

static void many_stacks(void)
{
    for (u32 i = 0; i < 1024; i++)
        CHECK(path(i, 10) != NULL);
}

// Every site's stack is whole, although most of its frames stand elsewhere.
TEST(stacks_share_their_tails)
{
    struct record_process *p = start(128);
    u64 frames[RECORDING_FRAMES];
    u32 stored = 0, all = 0;
    for (u32 i = 0; i < 1024; i++) {
        CHECK(path(i, 10) != NULL);
        struct record_site *s = fake_site(p->index, i + 1);
        u32 n = fake_stack(p->index, s, frames);
        CHECK(n >= leaf_count);
        // All but the innermost of ours, which are the same calls at other places.
        for (u32 k = 1; k < leaf_count; k++) {
            u64 ours = leaf_frames[leaf_count - k], theirs = frames[n - k];
            CHECK(ours >> UNWIND_MODULE_SHIFT == theirs >> FRAME_MODULE_SHIFT);
            CHECK(((ours - theirs) & 0xfff) == 0); // a module's bias is whole OS pages
        }
        stored += s->frames_count;
        all += n;
    }
    CHECK(fake_count(p->index, RECORD_SITE) == 1025);
    CHECK(stored < all / 5 * 2);
}

TEST(full_without_tool)
{
    struct record_process *p = start(16);
    many_stacks();
    CHECK(p->flags & PROCESS_FULL);
    CHECK(fake_total(p, allocs) == 1024 && fake_live_blocks(p) == 1024);
    u64 allocs = 0;
    u32 sites = fake_count(p->index, RECORD_SITE);
    for (u32 i = 0; i < sites; i++)
        allocs += fake_whole(p->index, fake_site(p->index, i)).allocs;
    CHECK(sites > 100 && sites < 1024);
    CHECK(allocs == 1024); // "other" has the rest
    CHECK(fake_whole(p->index, fake_site(p->index, 0)).allocs == 1024 - (sites - 1));
}

// Little room: stacks that ask for little are counted together, and one that asks for much still
// gets a place, however late it comes.
TEST(the_smallest_are_merged)
{
    struct record_process *p = start(256);
    fake_map->size_max = RECORDING_HEADER + 48 * RECORDING_BLOCK; // three of them are reserved
    many_stacks();
    u32 sites = fake_count(p->index, RECORD_SITE);
    CHECK(p->flags == PROCESS_MERGED); // and not full
    CHECK(sites > 600 && sites < 1024);
    CHECK(p->merged > 0 && p->merged == 1024 - (sites - 1));
    CHECK(fake_site(p->index, 0)->allocs == p->merged);
    here(MiB);
    CHECK(fake_count(p->index, RECORD_SITE) == sites + 1);
    CHECK(fake_site(p->index, sites)->alloc_bytes == MiB);
    // Many small ones from one place add up.
    for (volatile u32 i = 0; i < 10000; i++)
        here(100);
    CHECK(fake_count(p->index, RECORD_SITE) == sites + 2);
    CHECK(fake_whole(p->index, fake_site(p->index, sites + 1)).allocs > 5000);
    u64 allocs = 0;
    for (u32 i = 0; i < sites + 2; i++)
        allocs += fake_whole(p->index, fake_site(p->index, i)).allocs;
    CHECK(allocs == fake_total(p, allocs) && allocs == 1024 + 1 + 10000);
}

static _Atomic int stop;
static void *tool(void *arg unused_)
{
    u32 heard = 0;
    while (!atomic_load(&stop)) {
        u32 bell = atomic_load(&fake_map->bell);
        if (bell != heard)
            fake_grow(atomic_load(&fake_map->blocks) + 1);
        heard = bell;
        atomic_fetch_add(&fake_map->beat, 1);
        usleep(1000);
    }
    return NULL;
}

TEST(the_tool_makes_room)
{
    fake_make(1);
    CHECK(record_start(fake_path, &program) == 0);
    struct record_process *p = fake_process(0);
    pthread_t t;
    pthread_create(&t, NULL, tool, NULL);
    many_stacks();
    atomic_store(&stop, 1);
    pthread_join(t, NULL);
    CHECK((p->flags & PROCESS_FULL) == 0);
    CHECK(fake_map->bell >= 2);
    CHECK(fake_site(p->index, 0)->allocs == 0);
}

TEST(not_a_recording)
{
    fake_make(1);
    fake_map->version++;
    CHECK(record_start(fake_path, &program) == -EPROTO);
    fake_map->version--;
    fake_map->magic[0]++;
    CHECK(record_start(fake_path, &program) == -EPROTO);
    CHECK(record_start("/dev/null", &program) == -EPROTO);
    CHECK(record_start("/nowhere/at/all", &program) == -ENOENT);
    fake_map->magic[0]--;
    CHECK(ftruncate(fake_fd, 4096) == 0); // header.size is a lie now
    CHECK(record_start(fake_path, &program) == -EPROTO);
    loam_free(here(10));
}

// The kernel refuses its n-th mapping and all later ones: the recorder's tables, its tags, the
// heap.
static long famine;
static void starve(void)
{
    fake_make(64);
    os_fail_after = famine;
    int r = record_start(fake_path, &program);
    CHECK(r == 0 || r == -ENOSPC);
    for (u32 i = 0; i < 600; i++) {
        void *p = path(i, 10);
        if (i % 3 == 0)
            loam_free(p);
    }
    struct record_process *p = fake_process(0);
    if (r < 0)
        return;
    u64 allocs = 0, frees = 0;
    for (u32 i = 0; i < fake_count(p->index, RECORD_SITE); i++) {
        allocs += fake_whole(p->index, fake_site(p->index, i)).allocs;
        frees += fake_whole(p->index, fake_site(p->index, i)).frees;
    }
    CHECK(allocs == fake_total(p, allocs) && frees == fake_total(p, frees) &&
          fake_live_blocks(p) == allocs - frees);
}

static void in_child(void (*run)(void));
TEST(no_memory)
{
    for (famine = 1; famine <= 24; famine++)
        in_child(starve);
}

// ---------------------------------------------------------------- fork and the end

static void in_child(void (*run)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

static void *inherited;
static void child_frees_and_allocates(void)
{
    u32 blocks = fake_map->blocks;
    loam_free(inherited);
    CHECK(fake_map->blocks == blocks); // nothing allocated: no record yet
    void *p = here(30);
    here(40);
    loam_free(p);
}

TEST(fork_makes_a_process)
{
    struct record_process *p = start(4);
    inherited = here(1000);
    u32 next = sites_next();
    in_child(child_frees_and_allocates);
    CHECK(fake_total(p, frees) == 0 && p->live_bytes == 1000 && fake_live_blocks(p) == 1);
    struct record_process *c = fake_process(2);
    CHECK(c != NULL && c->parent == p->index && c->ppid == p->pid && c->pid != p->pid);
    CHECK(c->flags & PROCESS_FORKED);
    CHECK(c->first_site == next);
    CHECK(fake_total(c, allocs) == 2 && fake_total(c, frees) == 1 && c->live_bytes == 40);
    CHECK(fake_site(c->index, 0)->id == next);
    CHECK(fake_site(c->index, 1)->id == next + 1);
    CHECK(fake_count(c->index, RECORD_MODULE) >= 1);
}

static void grandchild(void)
{
    here(5);
    in_child(child_frees_and_allocates);
}

TEST(fork_of_a_fork)
{
    start(6);
    inherited = here(1000);
    in_child(grandchild);
    CHECK(fake_process(2) != NULL && fake_process(3) != NULL);
    CHECK(fake_process(3)->parent == 2);
    CHECK(fake_process(3)->first_site > fake_process(2)->first_site);
    CHECK(fake_total(fake_process(2), frees) == 0);
}

static void ends(void)
{
    here(1);
    record_end(3);
}

TEST(end_is_noted)
{
    struct record_process *p = start(4);
    in_child(ends);
    CHECK(p->flags == 0);
    CHECK(fake_process(2)->flags == (PROCESS_FORKED | PROCESS_ENDED));
    CHECK(fake_process(2)->exit_code == 3);
    CHECK(fake_process(2)->request == REQUEST_NONE);
    record_end(0);
    CHECK(p->flags == PROCESS_ENDED && fake_map->bell == 0);
}

// A vfork child ends, and a copy of the process that no fork handler knows of.
TEST(end_of_others)
{
    struct record_process *p = start(4);
    fake_map->leaks = 1;
    here(1);
    pid_t pid = vfork();
    if (pid == 0) {
        record_end(0);
        _exit(0);
    }
    CHECK(pid > 0 && p->flags == 0 && p->request == REQUEST_NONE);
    pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        record_end(0);
        syscall(SYS_exit_group, 0);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(p->flags == 0 && p->request == REQUEST_NONE);
}

static void *answer(void *arg)
{
    struct record_process *p = arg;
    while (atomic_load(&p->request) != REQUEST_SCAN)
        usleep(1000);
    for (int i = 0; i < 25; i++) { // longer than a dead tool is waited for
        usleep(100000);
        atomic_fetch_add(&fake_map->beat, 1);
    }
    CHECK(atomic_load(&p->request) == REQUEST_SCAN);
    atomic_store(&p->request, REQUEST_DONE);
    return NULL;
}

TEST(scan_is_waited_for)
{
    struct record_process *p = start(4);
    fake_map->leaks = 1;
    pthread_t t;
    pthread_create(&t, NULL, answer, p);
    record_end(0);
    CHECK(p->request == REQUEST_DONE && p->scan_error == SCAN_OK);
    CHECK(fake_map->bell == 1);
    record_end(0); // answered already: comes back at once
    pthread_join(t, NULL);
}

TEST(dead_tool)
{
    struct record_process *p = start(4);
    fake_map->leaks = 1;
    record_end(0);
    CHECK(p->request == REQUEST_REFUSED && p->scan_error == SCAN_NO_TOOL);
}

TEST(closed_recording)
{
    struct record_process *p = start(4);
    fake_map->leaks = 1;
    fake_map->closed = 1;
    alarm(1); // no two seconds here
    record_end(0);
    CHECK(p->request == REQUEST_REFUSED);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
