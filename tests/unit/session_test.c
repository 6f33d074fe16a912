// session_test.c: recordings that outgrow their file: volumes, the archive, and what is kept.
#include "cli/session.h"

#include "report/load.h"
#include "report/place.h"
#include "tests/check.h"
#include "tests/lib/fabricate.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define SITES 200

static char why[256];

// Two processes with many small sites, of which a few leak.
static void sample(struct fab *f, u32 pid)
{
    fab_begin(f, "prog", 4);
    for (u32 i = 1; i <= 2; i++) {
        struct record_process *p =
            fab_process(f, i, pid + i, i - 1, "/nowhere/prog", "prog\0an arg", 11);
        p->flags = PROCESS_ENDED | PROCESS_SCANNED;
        p->peak_serial = 3;
        p->peak_bytes = 100000 * i;
        fab_module(f, i, 1, "/nowhere/prog", (const u8 *)"\1\2", 2);
        fab_site(f, i, NULL, 0)->id = 1; // "other"
        for (u32 j = 0; j < SITES; j++) {
            u64 frames[] = {FAB_FRAME(1, 0x1000 + 16 * j), FAB_FRAME(1, 0x10)};
            struct record_site *s = fab_site(f, i, frames, 2);
            s->id = 2 + j;
            s->allocs = 2;
            s->alloc_bytes = 10 + j;
            s->frees = 1;
            s->free_bytes = 5;
            s->at_peak = j;
            s->serial = 3;
            s->reachable_blocks = 1;
            s->reachable_bytes = 5 + j;
            if (j % 50 == 0) {
                s->direct_blocks = 1;
                s->direct_bytes = 1000 + j;
            }
        }
    }
}

static u64 sum_at_peak(const struct model *m)
{
    u64 sum = 0;
    for (u32 i = 0; i < m->sites_count; i++)
        sum += m->sites[i].at_peak + m->sites[i].allocs + m->sites[i].live.bytes;
    return sum;
}

// The archive says less of each process, and the same of all together.
TEST(archive_keeps_the_sums)
{
    struct fab f;
    struct model before, after;
    struct archive a = {0};
    sample(&f, 100);
    CHECK(load_memory("it", f.bytes, f.size, &before, why, sizeof why) == 0);
    CHECK(archive_add(&a, fab_header(&f), f.size, 3 << 16) == 0);
    CHECK(archive_add(&a, fab_header(&f), f.size, 5 << 16) == 0);
    struct keep_source source = {.head = *fab_header(&f), .parts_count = 1};
    source.parts[0] = (struct keep_part){.blocks = a.blocks, .count = a.count};
    size_t size;
    char *image = keep_image(&source, &size);
    CHECK(load_memory("it", image, size, &after, why, sizeof why) == 0);
    CHECK(after.damaged == 0 && !after.cut);
    CHECK(after.processes_count == 4);
    CHECK(after.processes[0].index == (3 << 16) + 1 && after.processes[3].index == (5 << 16) + 2);
    CHECK(after.processes[1].parent == (3 << 16) + 1);
    CHECK(strcmp(after.processes[3].args, "prog 'an arg'") == 0);
    CHECK(after.sites_count == 4 * (ARCHIVE_SITES + SITES / 50 + 1));
    CHECK(after.sites_count < before.sites_count);
    CHECK(sum_at_peak(&after) == 2 * sum_at_peak(&before));
    struct totals t = totals_of(&before), u = totals_of(&after);
    CHECK(u.direct.bytes == 2 * t.direct.bytes && u.direct.blocks == 2 * t.direct.blocks);
    CHECK(u.reachable.bytes == 2 * t.reachable.bytes);
    CHECK(a.processes == 4);
    // Every leak has its place still.
    struct places p = places_merge(&after, 0);
    CHECK(places_sort(&p, BY_LEAK) == SITES / 50);
    CHECK(p.items[0]->direct.blocks == 4 && p.items[0]->sample->frames_count == 2);
    CHECK(strcmp(site_frame(p.items[0]->sample, 0).module->path, "/nowhere/prog") == 0);
    places_done(&p);
    load_done(&before);
    load_done(&after);
    free(image);
    archive_done(&a);
    fab_done(&f);
}

static bool file_changed(const char *path, ino_t old)
{
    for (int i = 0; i < 200; i++) {
        struct stat st;
        if (stat(path, &st) == 0 && st.st_ino != old)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return false;
}

static bool shrinks_to_one(struct session *s)
{
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&s->lock);
        u32 count = s->count;
        pthread_mutex_unlock(&s->lock);
        if (count == 1)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return false;
}

// As a program does: map what the path names now, and write.
static struct recording *map_path(const char *path)
{
    int fd = open(path, O_RDWR);
    void *at = mmap(NULL, RECORDING_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    CHECK(at != MAP_FAILED);
    return at;
}

// A process id that nobody has.
static u32 dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return (u32)pid;
}

TEST(a_full_recording_makes_room)
{
    char *argv[] = {(char *)"prog", NULL}, kept[] = "/tmp/loam-session-test-XXXXXX";
    static struct session s;
    struct stat old;
    struct model m;
    struct fab f;
    close(mkstemp(kept));
    CHECK(session_begin(&s, argv, &(struct session_mode){.leaks = true}, why, sizeof why) == 0);
    CHECK(session_keep(&s, kept) == 0);
    CHECK(session_serve(&s) == 0);
    CHECK(stat(s.path, &old) == 0);
    // Two processes that are gone, and blocks enough for a crowd.
    struct recording *r = map_path(s.path);
    sample(&f, 0);
    for (u32 i = 0; i < f.blocks; i++) {
        struct record_process *p = (struct record_process *)(fab_block(&f, i) + 1);
        if (p->head.kind == RECORD_PROCESS)
            p->pid = dead_pid();
    }
    memcpy((char *)r + RECORDING_HEADER, f.bytes + RECORDING_HEADER, f.blocks * RECORDING_BLOCK);
    atomic_store(&r->blocks, RECORDING_SIZE_MAX / RECORDING_BLOCK / 5 * 4);
    CHECK(file_changed(s.path, old.st_ino));
    // Who starts now finds an empty recording of the same session.
    struct recording *next = map_path(s.path);
    CHECK(memcmp(next->magic, RECORDING_MAGIC, 8) == 0);
    CHECK(atomic_load(&next->blocks) == 0 && next->leaks == 1);
    CHECK(shrinks_to_one(&s));
    CHECK(atomic_load(&r->closed) == 1);
    memcpy((char *)next + RECORDING_HEADER, f.bytes + RECORDING_HEADER, f.blocks * RECORDING_BLOCK);
    atomic_store(&next->blocks, f.blocks);
    session_close(&s, 0);
    session_done(&s);
    // The file tells of both generations, each process once.
    CHECK(load_file(kept, &m, why, sizeof why) == 0);
    unlink(kept);
    CHECK(m.processes_count == 4 && m.damaged == 0 && !m.cut && !m.full);
    CHECK(m.archived == 2);
    CHECK(totals_of(&m).direct.blocks == 4 * SITES / 50);
    CHECK(m.ended_ns != 0 && m.leaks);
    load_done(&m);
    fab_done(&f);
}

// A block that a program is writing is kept up to what it has finished.
TEST(kept_files_are_whole_at_any_time)
{
    char path[] = "/tmp/loam-keep-test-XXXXXX";
    struct keep k;
    struct model m;
    struct fab f;
    close(mkstemp(path));
    sample(&f, 100);
    u32 first = 0; // blocks of the first process
    while (fab_block(&f, first)->process == 1)
        first++;
    struct keep_source source = {.head = *fab_header(&f), .parts_count = 1};
    source.parts[0] = (struct keep_part){.blocks = f.bytes + RECORDING_HEADER, .count = first};
    CHECK(keep_begin(&k, path) == 0);
    CHECK(keep_copy(&k, &source) == 0);
    CHECK(load_file(path, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 1 && m.sites_count == SITES + 1 && !m.cut);
    load_done(&m);
    struct record_block *b = fab_block(&f, first);
    u32 whole = b->used;
    b->used = 0;
    source.parts[0].count = first + 1;
    CHECK(keep_copy(&k, &source) == 0);
    CHECK(load_file(path, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 1 && m.damaged == 0 && !m.cut);
    load_done(&m);
    b->used = whole;
    source.parts[0].count = f.blocks;
    CHECK(keep_copy(&k, &source) == 0);
    CHECK(load_file(path, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 2 && m.sites_count == 2 * (SITES + 1));
    load_done(&m);
    keep_end(&k);
    unlink(path);
    fab_done(&f);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
