// timeline_test.c: moments, labels, threads and churn, from recordings that no program made.
#include "report/json.h"
#include "report/load.h"
#include "report/place.h"
#include "tests/check.h"
#include "tests/lib/fabricate.h"

static char why[256];

static void load(const struct fab *f, struct model *ret)
{
    CHECK(load_memory("it", f->bytes, f->size, ret, why, sizeof why) == 0);
}

static void begin(struct fab *f)
{
    fab_begin(f, "prog", 4);
    fab_process(f, 1, 100, 0, "/nowhere/prog", "prog", 4);
    fab_module(f, 1, 1, "/nowhere/prog", NULL, 0);
    fab_site(f, 1, NULL, 0);
    fab_site(f, 1, (u64[]){FAB_FRAME(1, 0x10)}, 1)->allocs = 9;
}

TEST(moments_come_in_order_of_time_each_once)
{
    struct fab f;
    struct model m;
    begin(&f);
    const struct record_top tops[] = {{1, 2, 700}, {1, 99, 30}, {5, 1, 20}};
    fab_moment(&f, 300, tops, 3)->live_bytes = 750;
    fab_moment(&f, 100, NULL, 0);
    fab_moment(&f, 300, tops, 3);
    fab_moment(&f, 200, tops, 1)->rss_bytes = 4096;
    load(&f, &m);
    CHECK(m.damaged == 0);
    CHECK(m.moments_count == 3);
    CHECK(m.moments[0].at_ns == 100 && m.moments[0].tops_count == 0);
    CHECK(m.moments[1].at_ns == 200 && m.moments[1].rss_bytes == 4096);
    CHECK(m.moments[2].at_ns == 300 && m.moments[2].tops_count == 3);
    CHECK(m.moments[1].tops[0].site == &m.sites[1]);
    CHECK(m.moments[1].tops[0].live_bytes == 700);
    CHECK(m.moments[2].tops[1].site == NULL); // no such site
    CHECK(m.moments[2].tops[2].site == NULL); // no such process
    load_done(&m);
    fab_done(&f);
}

TEST(labels_find_their_points)
{
    struct fab f;
    struct model m;
    begin(&f);
    const struct record_point a[] = {{2, 0, 70, 7, 9, 90}}, b[] = {{1, 0, 1, 1, 1, 1}, {.site = 2}};
    fab_label(&f, 2, 2000, "idle\x1b");
    fab_points(&f, 2, 1, b, 2);
    fab_label(&f, 1, 1000, "baseline")->live_bytes = 70;
    fab_points(&f, 1, 1, a, 1);
    fab_points(&f, 7, 1, a, 1); // of no label
    load(&f, &m);
    CHECK(m.labels_count == 2);
    CHECK(strcmp(m.labels[0].name, "baseline") == 0);
    CHECK(m.labels[0].moment.live.bytes == 70);
    CHECK(m.labels[0].points_count == 1);
    CHECK(m.labels[0].points[0].site == &m.sites[1]);
    CHECK(m.labels[0].points[0].live.blocks == 7);
    CHECK(m.labels[0].points[0].alloc_bytes == 90);
    CHECK(strchr(m.labels[1].name, '\x1b') == NULL);
    CHECK(m.labels[1].points_count == 2);
    load_done(&m);
    fab_done(&f);
}

TEST(threads_go_to_their_process)
{
    struct fab f;
    struct model m;
    begin(&f);
    fab_process(&f, 2, 101, 0, "/nowhere/b", "b", 1);
    for (u32 i = 0; i < 6; i++) {
        struct record_thread *t = fab_record(&f, 1 + i % 2, RECORD_THREAD, sizeof *t);
        t->tid = 1000 + i;
        t->own.alloc_bytes = i;
        memcpy(t->name, "a name of sixteen", sizeof t->name);
    }
    load(&f, &m);
    CHECK(m.threads_count == 6);
    for (u32 i = 0; i < 2; i++) {
        const struct process *p = &m.processes[i];
        CHECK(p->threads_count == 3);
        CHECK(p->alloc_bytes == (i == 0 ? 0 + 2 + 4 : 1 + 3 + 5)); // F9
        CHECK(p->threads[0].tid == 1004 + i && p->threads[2].tid == 1000 + i);
        CHECK(strlen(p->threads[0].name) == 16);
    }
    load_done(&m);
    fab_done(&f);
}

TEST(short_lives_are_what_the_others_leave)
{
    struct fab f;
    struct model m;
    begin(&f);
    struct record_site *s = fab_site(&f, 1, (u64[]){FAB_FRAME(1, 0x20)}, 1);
    s->allocs = s->frees = ((u64)3 << 32) + 20;
    s->lives.low[0] = 5;
    s->lives.low[4] = 10;
    s->lives.high[4] = 3;
    load(&f, &m);
    const u64 *lives = m.sites[2].lifetimes.lives;
    CHECK(m.sites[2].lifetimes.count == 6);
    CHECK(lives[0] == 5);
    CHECK(lives[1] == 5);
    CHECK(lives[5] == ((u64)3 << 32) + 10);
    CHECK(m.processes[0].lives[5] == lives[5]);
    CHECK(lives_from_ns(0) == 0 && lives_from_ns(1) == CLOCK_TICK_NS);
    load_done(&m);
    fab_done(&f);
}

TEST(samples_are_scaled)
{
    struct fab f;
    struct model m;
    fab_begin(&f, "prog", 4);
    struct record_process *p = fab_process(&f, 1, 100, 0, "/nowhere/prog", "prog", 4);
    p->sample_bytes = 512 * KiB;
    p->rest.allocs = 100 * SAMPLE_UNIT + SAMPLE_UNIT / 2;
    struct record_site *s = fab_site(&f, 1, NULL, 0);
    s->allocs = 10 * SAMPLE_UNIT;
    s->frees = 4 * SAMPLE_UNIT;
    s->samples = 3;
    s->sample_frees = 1;
    load(&f, &m);
    CHECK(m.processes[0].allocs == 101);
    CHECK(m.sites[0].allocs == 10 && m.sites[0].live.blocks == 6);
    CHECK(m.sites[0].samples == 3 && m.sites[0].live_samples == 2);
    CHECK(m.sites[0].churn.temporaries == 0);
    CHECK(m.sites[0].lifetimes.count == 1 && m.sites[0].lifetimes.lives[0] == 1);
    load_done(&m);
    fab_done(&f);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
