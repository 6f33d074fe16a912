// residence_test.c: page states by the kernel's new interface and by its old one, and the sums that
// smaps has. What the old one cannot tell apart is what smaps' counts must settle.
#include "target/residence.h"
#include "target/space.h"

#include "tests/check.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PAGES 64
#define SIZE  ((size_t)PAGES * 4096)

struct seen {
    enum residence_state state[PAGES];
    u64 by[RES_COUNT];
    const struct smap *map; // borrowed while the walk runs
    bool found, writable;
};

static int see(void *ctx, const struct residence_run *run)
{
    struct seen *s = ctx;
    CHECK(run->start >= s->map->map.start);
    CHECK(run->end <= s->map->map.end);
    CHECK(run->start < run->end);
    s->by[run->state] += run->end - run->start;
    for (u64 at = run->start; at < run->end && at - s->map->map.start < SIZE; at += 4096)
        s->state[(at - s->map->map.start) / 4096] = run->state;
    return 0;
}

static u64 in_ram(const struct seen *s)
{
    u64 sum = 0;
    for (int i = 0; i < RES_COUNT; i++)
        sum += residence_takes_ram((enum residence_state)i) ? s->by[i] : 0;
    return sum;
}

// A child that has done `make` and waits, so that it stands still.
static pid_t child(char *(*make)(char *at), char *at)
{
    int fd[2];
    char done;
    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        make(at);
        CHECK(write(fd[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(fd[0], &done, 1) == 1);
    return pid;
}

// A mapping that the kernel merges with no neighbour: there is no access on either side.
static char *reserve(size_t size)
{
    char *p = mmap(NULL, size + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK(mprotect(p + 4096, size, PROT_READ | PROT_WRITE) == 0);
    return p + 4096;
}

// What is seen of every mapping of the process must add up; *ret is what is seen at `at`.
static void look(pid_t pid, const char *at, bool scan, struct seen *ret)
{
    struct smaps maps;
    struct residence r;
    CHECK(smaps_load(&maps, pid) == 0);
    CHECK(residence_open(&r, pid) == 0);
    CHECK(!scan || r.scan);
    r.scan = scan;
    r.frames = false; // as if we were not root
    for (size_t i = 0; i < maps.count; i++) {
        struct seen s = {.map = &maps.smap[i]};
        CHECK(residence_walk(&r, &maps.smap[i], false, see, &s) == 0);
        CHECK(in_ram(&s) == maps.smap[i].rss);
        CHECK(s.by[RES_SWAPPED] == maps.smap[i].swap);
        if (maps.smap[i].map.start == (u64)(uintptr_t)at) {
            *ret = s;
            ret->found = true;
            ret->writable = s.map->map.writable;
        }
    }
    residence_close(&r);
    smaps_done(&maps);
}

static bool have_scan(void)
{
    struct residence r;
    CHECK(residence_open(&r, getpid()) == 0);
    bool scan = r.scan;
    residence_close(&r);
    return scan;
}

static void both_ways(char *(*make)(char *at), void (*check)(const struct seen *s))
{
    char *at = reserve(SIZE);
    pid_t pid = child(make, at);
    for (int scan = 0; scan <= have_scan(); scan++) {
        struct seen s = {.found = false};
        look(pid, at, scan != 0, &s);
        CHECK(s.found);
        check(&s);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static char *some(char *at)
{
    for (int i = 0; i < PAGES; i += 2)
        at[i * 4096] = 1;
    return at;
}

static void check_some(const struct seen *s)
{
    for (int i = 0; i < PAGES; i++)
        CHECK(s->state[i] == (i % 2 == 0 ? RES_SMALL : RES_ABSENT));
}

TEST(written_pages_are_there_and_others_are_not)
{
    both_ways(some, check_some);
}

static char *zeroes(char *at)
{
    volatile char sum = 0;
    for (int i = 0; i < PAGES / 2; i++)
        sum += at[i * 4096];
    at[PAGES / 2 * 4096] = 1;
    return at;
}

static void check_zeroes(const struct seen *s)
{
    for (int i = 0; i < PAGES / 2; i++)
        CHECK(s->state[i] == RES_ZERO);
    CHECK(s->state[PAGES / 2] == RES_SMALL);
}

TEST(pages_that_were_only_read_are_the_zero_page)
{
    both_ways(zeroes, check_zeroes);
}

static char *shared(char *at)
{
    pid_t parent = getpid();
    memset(at, 1, SIZE / 2);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent) // it may have died before it was asked for the signal
            usleep(10000);
        _exit(0);
    }
    memset(at, 2, SIZE / 4);
    return at;
}

static void check_shared(const struct seen *s)
{
    CHECK(s->state[0] == RES_SMALL);
    CHECK(s->state[PAGES / 4] == RES_SHARED);
    CHECK(s->state[PAGES / 2] == RES_ABSENT);
}

TEST(pages_that_a_fork_has_too_are_shared)
{
    both_ways(shared, check_shared);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static char *guarded(char *at)
{
    memset(at, 1, SIZE);
    if (madvise(at + 4096, 4096, MADV_GUARD_INSTALL) != 0)
        mprotect(at, SIZE, PROT_READ); // not in this kernel: nothing to see
    return at;
}

static void check_guarded(const struct seen *s)
{
    if (!s->writable)
        return;
    CHECK(s->state[0] == RES_SMALL);
    CHECK(s->state[1] == RES_GUARD);
    CHECK(s->state[2] == RES_SMALL);
}

TEST(guards_are_no_swapped_pages)
{
    both_ways(guarded, check_guarded);
}

// D1 to D3 of space.h, for a process with everything in it: this one.
TEST(parts_cover_the_mappings_and_runs_the_parts)
{
    struct space s;
    CHECK(space_load(&s, getpid(), SPACE_BLOCKS | SPACE_FRAMES) == 0);
    size_t part = 0, run = 0;
    for (size_t i = 0; i < s.smaps.count; i++) {
        u64 at = s.smaps.smap[i].map.start;
        while (at < s.smaps.smap[i].map.end) {
            CHECK(part < s.part_count);
            CHECK(s.part[part].mapping == i);
            CHECK(s.part[part].start == at); // D1
            at = s.part[part++].end;
        }
        CHECK(at == s.smaps.smap[i].map.end);
    }
    CHECK(part == s.part_count);
    for (size_t i = 0; i < s.part_count; i++) {
        const struct space_part *p = &s.part[i];
        u64 sum = 0, runs = 0;
        for (int k = 0; k < RES_COUNT; k++)
            sum += p->by[k];
        CHECK(sum == p->end - p->start); // D3
        for (; run < s.run_count && s.run[run].start < p->end; run++) {
            CHECK(s.run[run].start >= p->start); // D2
            CHECK(s.run[run].end <= p->end);
            runs += s.run[run].end - s.run[run].start;
        }
        CHECK(runs == sum - p->by[RES_ABSENT]);
        CHECK(space_find(&s, p->start) == p);
        CHECK(space_find(&s, p->end - 1) == p);
    }
    space_done(&s);
}

TEST(a_process_that_is_gone_is_told)
{
    struct space s;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    CHECK(space_load(&s, pid, 0) == -ESRCH);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
