// moments_test.c: the timeline stays small however long the run; a crowd counts each thing once.
#include "cli/crowd.h"
#include "cli/moments.h"

#include "cli/keep.h"
#include "report/load.h"
#include "tests/check.h"
#include "tests/lib/fabricate.h"

static char why[256];

static void load(struct moments *m, struct model *ret)
{
    struct fab f;
    fab_begin(&f, "prog", 4);
    struct keep_source source = {.head = *fab_header(&f), .parts_count = 2};
    source.parts[0] = (struct keep_part){.blocks = m->names.bytes, .count = m->names.count};
    source.parts[1] = (struct keep_part){.blocks = m->time.bytes, .count = m->time.count};
    size_t size;
    char *image = keep_image(&source, &size);
    CHECK(image != NULL);
    CHECK(load_memory("it", image, size, ret, why, sizeof why) == 0);
    CHECK(ret->damaged == 0 && !ret->cut);
    free(image);
    fab_done(&f);
}

// A week, a moment whenever one is due.
TEST(a_week_takes_no_more_room_than_a_minute)
{
    struct moments m = {0};
    struct model model;
    struct moments_slot slot = {.moment = {.tops_count = TOPS_MAX}};
    u64 week = (u64)7 * 24 * 3600 * 1000000000u, adds = 0;
    for (u64 at = 0; at < week; at += m.interval_ns, adds++) {
        slot.moment.at_ns = at;
        slot.moment.allocs = at;
        moments_add(&m, &slot);
    }
    CHECK(adds < 20000);
    load(&m, &model);
    CHECK(model.moments_count <= MOMENTS_MAX && model.moments_count >= MOMENTS_MAX / 2);
    CHECK(m.time.count * RECORDING_BLOCK < 400 * KiB);
    CHECK(model.moments[0].at_ns == 0);
    CHECK(week - model.moments[model.moments_count - 1].at_ns <= m.interval_ns);
    for (u32 i = 1; i < model.moments_count; i++) {
        CHECK(model.moments[i].at_ns - model.moments[i - 1].at_ns <= m.interval_ns);
        CHECK(model.moments[i].allocs == model.moments[i].at_ns);
    }
    load_done(&model);
    moments_done(&m);
}

TEST(labels_and_points_have_their_share_of_room)
{
    struct moments m = {0};
    struct model model;
    static struct record_point points[1000];
    u32 whole = 0;
    for (u32 i = 0; i < countof(points); i++)
        points[i] = (struct record_point){.site = i + 1, .live_bytes = i};
    const struct record_label label = {.pid = 7, .len = 4};
    for (; moments_label(&m, &label, "name") == 0; whole++)
        if (moments_points(&m, 1, points, countof(points)) < 0) {
            moments_cut(&m);
            break;
        }
    CHECK(whole > 100 && m.names.count <= 1025);
    load(&m, &model);
    CHECK(model.labels_count == whole + 1);
    for (u32 i = 0; i < whole; i++) {
        CHECK(model.labels[i].points_count == countof(points) && !model.labels[i].cut);
        CHECK(model.labels[i].points[999].live.bytes == 999);
    }
    CHECK(model.labels[whole].cut && model.labels[whole].points_count < countof(points));
    load_done(&model);
    moments_done(&m);
}

TEST(labels_are_counted)
{
    struct moments m = {0};
    const struct record_label label = {.len = 1};
    u32 n = 0;
    while (moments_label(&m, &label, "x") == 0)
        n++;
    CHECK(n == LABELS_MAX);
    moments_done(&m);
}

// ---------------------------------------------------------------- the crowd

static struct volume volume_of(struct fab *f)
{
    return (struct volume){.rec = fab_header(f), .number = 3, .backed = fab_header(f)->size};
}

#define ADD (3 << 16)

static u32 count_points(struct crowd *c, u32 process)
{
    u32 count;
    free(crowd_points(c, process, &count));
    return count;
}

// Records come while it looks: at the end of a block, in new blocks, of new processes.
TEST(everything_is_met_once)
{
    struct fab f;
    struct crowd c = {0};
    struct record_moment m;
    struct record_top top[TOPS_MAX];
    fab_begin(&f, "prog", 4);
    struct volume v = volume_of(&f);
    u32 sites = 0;
    for (u32 p = 1; p <= 2; p++) {
        fab_process(&f, p, (u32)getpid() * (p == 1), 0, "/nowhere/prog", "prog", 4)->live_bytes = 5;
        for (u32 i = 0; i < 100; i++) {
            struct record_site *s = fab_site(&f, p, NULL, 0);
            s->allocs = 2;
            s->frees = 1;
            s->alloc_bytes = 1000 + ++sites;
            s->free_bytes = 1000;
            crowd_meet(&c, &v, ADD);
            crowd_meet(&c, &v, ADD);
        }
        struct record_thread *t = fab_record(&f, p, RECORD_THREAD, sizeof *t);
        t->own.allocs = 200;
        t->own.frees = 100;
        t->own.alloc_bytes = 7000;
        t->own.free_bytes = 4000;
    }
    crowd_meet(&c, &v, ADD);
    CHECK(c.sites_count == 200 && c.processes_count == 2 && c.threads_count == 2);
    CHECK(count_points(&c, 0) == 100 && count_points(&c, 1) == 100);
    CHECK(c.processes[1].index == ADD + 2);
    crowd_look(&c, &m, top);
    // The second process has a pid that cannot be: it counts as living for the last time.
    CHECK(m.processes == 2 && m.live_bytes == 6000 && m.live_blocks == 200 && m.allocs == 400);
    CHECK(m.rss_bytes > 0 && m.tops_count == TOPS_MAX);
    CHECK(top[0].live_bytes == 200 && top[0].process == ADD + 2 && top[0].site == 200);
    CHECK(top[TOPS_MAX - 1].live_bytes == 200 - TOPS_MAX + 1);
    crowd_look(&c, &m, top);
    CHECK(m.processes == 1 && m.live_bytes == 3000 && m.live_blocks == 100);
    CHECK(m.allocs == 400 && m.alloc_bytes == 14000 && m.frees == 200); // totals never fall
    CHECK(top[0].live_bytes == 100 && c.sites_count == 100);
    crowd_forget(&c, 3);
    crowd_look(&c, &m, top);
    CHECK(m.processes == 0 && m.tops_count == 0 && c.sites_count == 0);
    crowd_done(&c);
    fab_done(&f);
}

// One volume goes; what is known of the other one stays right, and goes on.
TEST(a_volume_is_forgotten)
{
    struct fab f[2];
    struct crowd c = {0};
    struct record_moment m;
    struct record_top top[TOPS_MAX];
    for (u32 i = 0; i < 2; i++) {
        fab_begin(&f[i], "prog", 4);
        fab_process(&f[i], 1, i == 0 ? 1 : (u32)getpid(), 0, "/nowhere/prog", "prog", 4)
            ->rest.alloc_bytes = 100 + i;
        fab_site(&f[i], 1, NULL, 0)->alloc_bytes = 50 + i;
        struct volume v = volume_of(&f[i]);
        v.number = i;
        crowd_meet(&c, &v, i << 16);
    }
    crowd_look(&c, &m, top);
    CHECK(m.processes == 2 && m.live_bytes == 201 && m.tops_count == 2);
    crowd_forget(&c, 0);
    CHECK(c.processes_count == 1 && c.sites_count == 1);
    fab_site(&f[1], 1, NULL, 0)->alloc_bytes = 70;
    struct volume v = volume_of(&f[1]);
    v.number = 1;
    crowd_meet(&c, &v, 1 << 16);
    crowd_look(&c, &m, top);
    CHECK(m.processes == 1 && m.live_bytes == 101 && m.tops_count == 2);
    CHECK(m.alloc_bytes == 201); // totals never fall
    CHECK(top[0].live_bytes == 70 && top[0].process == (1 << 16) + 1);
    CHECK(top[1].live_bytes == 51 && top[1].process == (1 << 16) + 1);
    crowd_done(&c);
    fab_done(&f[0]);
    fab_done(&f[1]);
}

// A point tells what is held now; who did nothing and holds nothing since the last label has none.
TEST(points_tell_what_changed)
{
    struct fab f;
    struct crowd c = {0};
    fab_begin(&f, "prog", 4);
    struct volume v = volume_of(&f);
    fab_process(&f, 1, (u32)getpid(), 0, "/nowhere/prog", "prog", 4);
    struct record_site *a = fab_site(&f, 1, NULL, 0), *b = fab_site(&f, 1, NULL, 0);
    a->allocs = b->allocs = 3;
    a->frees = b->frees = 3;
    crowd_meet(&c, &v, ADD);
    CHECK(count_points(&c, 0) == 2);
    CHECK(count_points(&c, 0) == 0);
    b->allocs = 4;
    CHECK(count_points(&c, 0) == 1);
    CHECK(count_points(&c, 0) == 1); // it holds a block still
    b->frees = 4;
    CHECK(count_points(&c, 0) == 0);
    crowd_done(&c);
    fab_done(&f);
}

// F4: whatever stands in a block, nothing is read past it.
TEST(hostile_blocks)
{
    u64 seed = 1;
    for (int round = 0; round < 300; round++) {
        struct fab f;
        struct crowd c = {0};
        struct record_moment m;
        struct record_top top[TOPS_MAX];
        fab_begin(&f, "prog", 4);
        struct volume v = volume_of(&f);
        for (u32 p = 1; p <= 3; p++) {
            fab_process(&f, p, 1 << 30, 0, "/nowhere/prog", "prog", 4);
            for (u32 i = 0; i < 40; i++)
                fab_site(&f, p, NULL, 0);
        }
        for (int i = 0; i < 200; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            f.bytes[RECORDING_HEADER + (seed >> 33) % (f.blocks * RECORDING_BLOCK)] = (char)seed;
            if (i % 20 == 0)
                crowd_meet(&c, &v, ADD);
        }
        crowd_look(&c, &m, top);
        crowd_done(&c);
        fab_done(&f);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
