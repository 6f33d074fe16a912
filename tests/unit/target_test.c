// target_test.c: the leak scan of a real process, from its stop to the counters in its sites.
//
// A child plays the recorded program: it uses the heap through heap_alloc and writes its tags and
// its recording itself, so that each case says in one line what is held and what is lost.
#include "heap/api.h"
#include "os/os.h"
#include "scan/blocks.h"
#include "target/leaks.h"
#include "target/maps.h"
#include "target/memory.h"

#include "tests/check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#define SITES     16
#define FIRST     1
#define REC_BYTES (RECORDING_HEADER + RECORDING_BLOCK)
#define TAG_ROOM  (16 * MiB)

static struct recording *rec;
static struct record_process *proc;
static char *tag_base;
static u32 tag_next = 1;

static struct record_site *site_at(u32 id)
{
    struct record_site *s = (struct record_site *)((char *)proc + proc->head.bytes);
    return &s[id - FIRST];
}

// A recording with one process and SITES empty sites, in a file that both sides map.
static void make_recording(void)
{
    int fd = memfd_create("target_test", MFD_CLOEXEC);
    CHECK(ftruncate(fd, REC_BYTES) == 0);
    rec = mmap(NULL, REC_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    memcpy(rec->magic, RECORDING_MAGIC, 8);
    rec->size = rec->size_max = REC_BYTES;
    struct record_block *b = (struct record_block *)((char *)rec + RECORDING_HEADER);
    memcpy(b->magic, "blk\n", 4);
    b->process = 3;
    proc = (struct record_process *)(b + 1);
    proc->head = (struct record){RECORD_PROCESS, (u32)round_up(sizeof *proc, 8)};
    proc->index = 3;
    proc->first_site = FIRST;
    for (u32 id = FIRST; id < FIRST + SITES; id++) {
        site_at(id)->head = (struct record){RECORD_SITE, sizeof(struct record_site)};
        site_at(id)->id = id;
    }
    b->used = proc->head.bytes + SITES * (u32)sizeof(struct record_site);
}

// ---------------------------------------------------------------- the child

__attribute__((noinline)) static void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

// A block of `size` bytes from `site`, zeroed.
__attribute__((noinline)) static void *take(u32 site, size_t size)
{
    char *p = heap_alloc(size, 0, true);
    struct heap_block b;
    heap_find(p, &b);
    u64 tags[2] = {(u64)size << TAG_SIZE_SHIFT | site, size >> 16};
    if (b.far != NULL) {
        memcpy(b.far->tag, tags, sizeof tags);
        return p;
    }
    if (b.desc->tags == 0) {
        b.desc->tags = tag_next;
        tag_next += b.desc->kind == PAGE_LARGE ? 1 : (b.desc->blocks + 1u) / 2;
    }
    memcpy(tag_base + 16 * (size_t)b.desc->tags + 8 * b.index, tags,
           b.desc->kind == PAGE_LARGE ? 16 : 8);
    return p;
}

// Overwrite the dead stack below the caller.
__attribute__((noinline)) static void scrub(void)
{
    char dead[32768];
    memset(dead, 0, sizeof dead);
    opaque(dead);
}

__attribute__((noinline)) static void ask(void)
{
    scrub();
    atomic_store(&proc->request, REQUEST_SCAN);
    while (atomic_load(&proc->request) == REQUEST_SCAN)
        os_wait(&proc->request, REQUEST_SCAN, 100);
}

static void be_the_child(void (*play)(void))
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    tag_base = os_map(TAG_ROOM);
    proc->pid = (u32)getpid();
    proc->root = (u64)(uintptr_t)&loam_heap_root;
    proc->tags = (u64)(uintptr_t)tag_base;
    play();
    ask();
    _exit(11);
}

// Play, scan, and let it end.
static int scan_of(void (*play)(void))
{
    make_recording();
    pid_t pid = fork();
    if (pid == 0)
        be_the_child(play);
    for (int i = 0; i < 20000 && atomic_load(&proc->request) != REQUEST_SCAN; i++)
        usleep(1000);
    int e = target_scan(pid, rec, proc);
    CHECK((int)atomic_load(&proc->scan_error) == e);
    atomic_store(&proc->request, REQUEST_DONE);
    os_wake(&proc->request);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 11);
    CHECK(e != 0 || (proc->flags & PROCESS_SCANNED) != 0);
    return e;
}

static bool is_lost(u32 id)
{
    const struct record_site *s = site_at(id);
    CHECK(s->direct_blocks + s->indirect_blocks + s->cycle_blocks + s->reachable_blocks == 1);
    return s->reachable_blocks == 0;
}

// ---------------------------------------------------------------- what is held, what is lost

static void *global;
static __thread void *in_tls;

__attribute__((noinline)) static void play_plain(void)
{
    opaque(take(1, 100));       // lost
    global = take(2, 200);      // held
    void **list = take(3, 300); // lost, with what hangs from it
    list[7] = take(4, 40);
    void **ring = take(5, 50);
    ring[0] = ring;
    void **other = take(5, 70);
    ring[0] = other;
    other[1] = ring;
    in_tls = take(6, 60);
    opaque(&in_tls);
    void **big = take(7, 3000000);
    ((void **)global)[5] = big;
    big[300000] = (char *)take(8, 33) + 32;
    opaque(take(0, 10)); // from before recording began
}

TEST(plain_leaks)
{
    CHECK(scan_of(play_plain) == 0);
    CHECK(site_at(1)->direct_blocks == 1);
    CHECK(site_at(1)->direct_bytes == 100);
    CHECK(site_at(2)->reachable_bytes == 200);
    CHECK(site_at(3)->direct_bytes == 300);
    CHECK(site_at(4)->indirect_bytes == 40);
    CHECK(site_at(5)->cycle_blocks == 2);
    CHECK(site_at(5)->cycle_bytes == 120);
    CHECK(!is_lost(6));
    CHECK(site_at(7)->reachable_bytes == 3000000);
    CHECK(!is_lost(8));
}

static _Atomic int threads_ready;

static void *in_stack(void *arg)
{
    void *volatile held = take(1, 100);
    opaque(take(2, 200)); // lost
    scrub();
    in_tls = take(3, 300);
    opaque(&in_tls);
    opaque((void *)&held);
    atomic_fetch_add(&threads_ready, 1);
    for (;;)
        pause();
    return arg;
}

static void *in_register(void *arg)
{
    void *p = take(4, 400);
    scrub();
    uintptr_t hidden = ~(uintptr_t)p;
    p = NULL;
    __asm__ volatile("mov %0, %%r12\n\tnot %%r12\n\txor %0, %0\n\tlock incl %1\n1:\tpause\n\tjmp 1b"
                     : "+r"(hidden)
                     : "m"(threads_ready)
                     : "r12", "memory", "cc");
    return arg;
}

static void *in_vector(void *arg)
{
    uintptr_t hidden = ~(uintptr_t)take(5, 500);
    scrub();
    __asm__ volatile("not %0\n\tmovq %0, %%xmm11\n\txor %0, %0\n\tlock incl %1\n1:\tpause\n\tjmp 1b"
                     : "+r"(hidden)
                     : "m"(threads_ready)
                     : "xmm11", "memory", "cc");
    return arg;
}

// Leaves pointers all over its stack and ends; libc keeps the stack.
static void *ends(void *arg)
{
    void *volatile here[512];
    here[0] = take(6, 600);
    for (int i = 1; i < 512; i++)
        here[i] = here[0];
    in_tls = take(7, 700);
    opaque(&in_tls);
    return arg;
}

static void play_threads(void)
{
    pthread_t t;
    pthread_create(&t, NULL, ends, NULL);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, ends, NULL);
    pthread_t t2;
    pthread_create(&t2, NULL, in_stack, NULL);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, in_register, NULL);
    pthread_create(&t, NULL, in_vector, NULL);
    while (atomic_load(&threads_ready) < 3)
        usleep(1000);
}

TEST(threads)
{
    CHECK(scan_of(play_threads) == 0);
    CHECK(!is_lost(1));
    CHECK(is_lost(2));
    CHECK(!is_lost(3));
    CHECK(!is_lost(4));
    CHECK(!is_lost(5));
    CHECK(site_at(6)->direct_blocks == 2);
    CHECK(site_at(7)->direct_blocks == 2);
}

static void play_elsewhere(void)
{
    void **map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map[131071] = take(1, 100);
    void **shared = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[70000] = take(2, 100);
    void **sparse =
        mmap(NULL, TiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    sparse[TiB / 16] = take(3, 100);
    int fd = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = take(4, 100)};
    int fds[2];
    if (pipe(fds) == 0)
        epoll_ctl(fd, EPOLL_CTL_ADD, fds[0], &e);
    memset(&e, 0, sizeof e);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
    event.sigev_value.sival_ptr = take(5, 100);
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    memset(&event, 0, sizeof event);
    void **gone = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    gone[100] = take(6, 100); // lost: nobody may read it
    mprotect(gone, 1 << 20, PROT_NONE);
}

TEST(pointers_elsewhere)
{
    CHECK(scan_of(play_elsewhere) == 0);
    for (u32 id = 1; id <= 5; id++)
        CHECK(!is_lost(id));
    CHECK(is_lost(6));
}

__attribute__((noinline)) static void lose(u32 site)
{
    opaque(take(site, 100));
}

static void *last_thread(void *arg)
{
    pthread_join(*(pthread_t *)arg, NULL);
    lose(1);
    ask();
    _exit(11);
}

static void play_main_gone(void)
{
    static pthread_t self;
    pthread_t t;
    self = pthread_self();
    global = take(2, 200);
    pthread_create(&t, NULL, last_thread, &self);
    pthread_exit(NULL);
}

TEST(the_first_thread_is_gone)
{
    CHECK(scan_of(play_main_gone) == 0);
    CHECK(is_lost(1));
    CHECK(!is_lost(2));
}

// Inside the heap for a while, with a block that is nowhere else.
static void *busy_thread(void *arg)
{
    uintptr_t hidden = ~(uintptr_t)take(1, 100);
    scrub();
    u64 id = loam_heap_root.heaps_count;
    struct heap *mine = ((struct heap **)(uintptr_t)loam_heap_root.heaps)[id];
    *(volatile u8 *)&mine->busy = 1;
    atomic_fetch_add(&threads_ready, 1);
    while (atomic_load(&proc->request) == REQUEST_NONE)
        ;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    for (u64 end = (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec + 15000000;
         (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec < end;)
        clock_gettime(CLOCK_MONOTONIC, &t);
    global = (void *)~hidden;
    *(volatile u8 *)&mine->busy = 0;
    for (;;)
        pause();
    return arg;
}

static void play_busy(void)
{
    pthread_t t;
    pthread_create(&t, NULL, busy_thread, NULL);
    while (atomic_load(&threads_ready) < 1)
        usleep(1000);
}

TEST(a_thread_inside_the_heap_is_let_out)
{
    CHECK(scan_of(play_busy) == 0);
    CHECK(!is_lost(1));
}

// The child's number is 1 where it lives; here that is init, which must be left alone. Where the
// kernel allows no namespace the child is an ordinary one.
static void be_in_a_namespace(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWPID) != 0)
        (void)unshare(CLONE_NEWUSER | CLONE_NEWPID);
    pid_t pid = fork();
    if (pid == 0)
        be_the_child(play_plain);
    int status = 0;
    waitpid(pid, &status, 0);
    _exit(WEXITSTATUS(status));
}

TEST(a_number_from_another_namespace)
{
    make_recording();
    pid_t pid = fork();
    if (pid == 0)
        be_in_a_namespace();
    for (int i = 0; i < 20000 && atomic_load(&proc->request) != REQUEST_SCAN; i++)
        usleep(1000);
    CHECK(target_scan((pid_t)proc->pid, rec, proc) == 0);
    CHECK(site_at(1)->direct_bytes == 100);
    atomic_store(&proc->request, REQUEST_DONE);
    os_wake(&proc->request);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WEXITSTATUS(status) == 11);
}

// ---------------------------------------------------------------- refusals

static void play_nothing(void) {}

static void play_broken(void)
{
    global = take(1, 100);
    struct heap_block b;
    heap_find(global, &b);
    b.desc->blocks = 60000;
}

TEST(reasons_why_not)
{
    CHECK(scan_of(play_broken) == SCAN_UNREADABLE);
    CHECK(site_at(1)->reachable_blocks == 0);
    make_recording();
    proc->root = (u64)(uintptr_t)&loam_heap_root;
    CHECK(target_scan(getppid(), rec, proc) != 0); // does not map the recording
    CHECK(target_scan(999999999, rec, proc) == SCAN_VANISHED);
}

// A pid that is right and a process that did not ask: nothing may be written.
TEST(only_who_asked)
{
    make_recording();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    proc->root = (u64)(uintptr_t)&loam_heap_root;
    CHECK(target_scan(pid, rec, proc) == SCAN_VANISHED);
    kill(pid, SIGKILL);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WTERMSIG(status) == SIGKILL);
}

TEST(a_process_without_blocks)
{
    CHECK(scan_of(play_nothing) == 0);
    for (u32 id = 1; id <= SITES; id++)
        CHECK(site_at(id)->reachable_blocks == 0);
}

// ---------------------------------------------------------------- memory

struct seen {
    u64 start[8], end[8];
    int count;
};

static int see(void *ctx, u64 start, u64 end)
{
    struct seen *s = ctx;
    if (s->count < 8) {
        s->start[s->count] = start;
        s->end[s->count] = end;
    }
    s->count++;
    return 0;
}

TEST(only_touched_pages_are_read)
{
    struct memory m;
    memory_open(&m, getpid());
    size_t size = 64 << 20, page = m.os_page;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(p, size, MADV_NOHUGEPAGE);
    p[10 * page] = 1;
    p[11 * page] = 2;
    p[5000 * page + 7] = 3;
    u64 at = (u64)(uintptr_t)p;
    int real = m.pagemap;
    for (int way = 0; way < 2; way++) {
        struct seen s = {0};
        CHECK(memory_present(&m, at, at + size, see, &s) == 0);
        CHECK(s.count == 2);
        CHECK(s.start[0] == at + 10 * page);
        CHECK(s.end[0] == at + 12 * page);
        CHECK(s.start[1] == at + 5000 * page);
        CHECK(s.end[1] == at + 5001 * page);
        if (way == 0) // a descriptor without the ioctl, but with the table's contents
            m.pagemap = memfd_create("pagemap", MFD_CLOEXEC);
        u64 entry[5001] = {[10] = 1ull << 63, [11] = 1ull << 62, [5000] = 1ull << 63};
        CHECK(way != 0 || pwrite(m.pagemap, entry, sizeof entry,
                                 (off_t)(at / page * sizeof *entry)) == sizeof entry);
        CHECK(way != 0 || ftruncate(m.pagemap, (off_t)((at + size) / page * sizeof *entry)) == 0);
    }
    close(m.pagemap);
    m.pagemap = real;
    char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(target_read(&m.target, at, copy, size) == 0);
    CHECK(copy[10 * page] == 1);
    CHECK(copy[5000 * page + 7] == 3);
    memory_close(&m);
}

TEST(pages_that_are_gone_cost_only_themselves)
{
    for (int slow = 0; slow < 2; slow++) {
        struct memory m;
        memory_open(&m, getpid());
        m.slow = slow;
        size_t page = m.os_page;
        char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(p, 'x', 4 * page);
        munmap(p + 2 * page, page);
        char copy[4 * 4096 - 100] = {0}, second[8] = {0};
        CHECK(page == 4096);
        struct piece pieces[] = {{(u64)(uintptr_t)p + 100, copy, sizeof copy},
                                 {(u64)(uintptr_t)p + 2 * page, second, 4},
                                 {(u64)(uintptr_t)p + 8, second, 4}};
        CHECK(m.target.read(&m.target, pieces, 3) == 0);
        CHECK(copy[0] == 'x');
        CHECK(copy[2 * page - 101] == 'x');
        CHECK(copy[2 * page - 100] == 0);
        CHECK(copy[3 * page - 101] == 0);
        CHECK(copy[3 * page - 100] == 'x');
        CHECK(second[0] == 'x');
        memory_close(&m);
    }
    struct memory m;
    memory_open(&m, 999999999);
    char c;
    CHECK(target_read(&m.target, 4096, &c, 1) == -ESRCH);
    memory_close(&m);
}

TEST(mappings_are_told)
{
    struct maps m;
    CHECK(maps_load(&m, getpid()) == 0);
    const struct map *stack = maps_find(&m, (u64)(uintptr_t)&m);
    CHECK(stack != NULL);
    CHECK(strcmp(stack->path, "[stack]") == 0);
    CHECK(stack->writable);
    const struct map *code = maps_find(&m, (u64)(uintptr_t)&maps_load);
    CHECK(code != NULL);
    CHECK(!code->writable);
    CHECK(strstr(code->path, "target_test") != NULL);
    CHECK(maps_find(&m, 0) == NULL);
    CHECK(maps_find(&m, ~(u64)0) == NULL);
    maps_done(&m);
    CHECK(maps_load(&m, 999999999) == -ESRCH);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
