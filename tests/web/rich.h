// rich.h: a recording that has something of everything that a report can show.
//
// A server with a worker: temporaries, lifetimes, leaks of each kind, reallocs, threads, a timeline
// of 200 moments with three labels. `growth`, a number of bytes, is added to what one site holds:
// for diffs. Everything is computed, nothing random: two runs give the same bytes.
#pragma once

#include "tests/lib/fabricate.h"
#include "tests/lib/self.h"

#include <stdio.h>

#define NOTHING_IN_IT __attribute__((noinline, used, noclone, optimize("O1")))

// clang-format off
#line 88 "src/parse.c"
NOTHING_IN_IT static void parse_header(void) { compiler_barrier(); }
#line 140 "src/parse.c"
NOTHING_IN_IT static void parse_body(void) { compiler_barrier(); }
#line 31 "src/main.c"
NOTHING_IN_IT static void run_main(void) { compiler_barrier(); }
#line 77 "src/main.c"
NOTHING_IN_IT static void serve_request(void) { compiler_barrier(); }
#line 12 "src/cache.c"
NOTHING_IN_IT static void cache_put(void) { compiler_barrier(); }
#line 49 "src/cache.c"
NOTHING_IN_IT static void cache_grow(void) { compiler_barrier(); }
#line 201 "src/net/buffer.c"
NOTHING_IN_IT static void buffer_new(void) { compiler_barrier(); }
#line 15 "src/log.c"
NOTHING_IN_IT static void log_line(void) { compiler_barrier(); }
#line 8 "src/session.c"
NOTHING_IN_IT static void session_open(void) { compiler_barrier(); }
#line 9 "src/xmalloc.c"
NOTHING_IN_IT static void xmalloc(void) { compiler_barrier(); }
#line 37 "tests/web/rich.h"
// clang-format on

struct rich_shape {
    void (*stack[6])(void); // innermost first
    u32 size, capacity;     // of each block
    u64 allocs, frees;
    u64 temporaries, copied;
    u32 life; // log2 of ticks, roughly, of what was freed
    u64 peak;
    u64 direct, indirect, cycle; // blocks
};

static const struct rich_shape rich_shapes[] = {
    {{cache_put, serve_request, run_main}, 4096, 4096, 12000, 4000, 0, 0, 12, 40000000, 0, 0, 0},
    {{cache_grow, cache_put, serve_request, run_main},
     262144,
     262144,
     90,
     84,
     0,
     9000000,
     9,
     6000000,
     0,
     0,
     0},
    {{xmalloc, parse_header, serve_request, run_main},
     33,
     48,
     900000,
     899000,
     850000,
     0,
     0,
     120000,
     900,
     0,
     0},
    {{parse_body, serve_request, run_main},
     1030,
     1152,
     50000,
     49800,
     12000,
     0,
     3,
     2400000,
     0,
     200,
     0},
    {{buffer_new, serve_request, run_main}, 16384, 16384, 50000, 49990, 0, 0, 2, 3200000, 0, 0, 0},
    {{log_line, parse_header, serve_request, run_main},
     120,
     128,
     400000,
     400000,
     400000,
     0,
     0,
     120,
     0,
     0,
     0},
    {{log_line, run_main}, 80, 80, 2000, 2000, 2000, 0, 0, 80, 0, 0, 0},
    {{session_open, serve_request, run_main}, 200, 208, 5000, 4800, 0, 0, 7, 60000, 60, 40, 100},
};

static void rich_fill(struct record_site *r, const struct rich_shape *s, u64 growth)
{
    r->allocs = s->allocs;
    r->frees = s->frees;
    r->alloc_bytes = s->allocs * s->size + growth;
    r->free_bytes = s->frees * s->size;
    r->alloc_capacity = s->allocs * s->capacity + growth;
    r->free_capacity = s->frees * s->capacity;
    r->largest = r->smallest = s->size;
    r->at_peak = s->peak;
    r->serial = 1;
    r->temporaries = s->temporaries;
    r->temporary_bytes = s->temporaries * s->size;
    r->reallocs = s->copied != 0 ? s->allocs / 2 : 0;
    r->chains = r->reallocs / 8;
    r->copied_bytes = s->copied;
    for (u32 i = 0; i < 4 && s->life != 0; i++)
        r->lives.low[s->life + i - 1] = (u32)(s->frees - s->temporaries) >> (i + 1);
    r->direct_blocks = s->direct;
    r->direct_bytes = s->direct * s->size;
    r->indirect_blocks = s->indirect;
    r->indirect_bytes = s->indirect * s->size;
    r->cycle_blocks = s->cycle;
    r->cycle_bytes = s->cycle * s->size;
    u64 lost = s->direct + s->indirect + s->cycle, live = s->allocs - s->frees;
    r->reachable_blocks = live - lost;
    r->reachable_bytes = (live - lost) * s->size;
}

// The process's totals are the sums of its sites, F9.
static void rich_sum_up(struct record_process *p, const struct record_site *r)
{
    struct record_totals *t = &p->rest;
    t->allocs += r->allocs;
    t->alloc_bytes += r->alloc_bytes;
    t->frees += r->frees;
    t->free_bytes += r->free_bytes;
    t->alloc_capacity += r->alloc_capacity;
    t->free_capacity += r->free_capacity;
    t->temporaries += r->temporaries;
    t->temporary_bytes += r->temporary_bytes;
    t->reallocs += r->reallocs;
    t->copied_bytes += r->copied_bytes;
    p->live_bytes += r->alloc_bytes - r->free_bytes;
    p->peak_bytes += r->at_peak;
}

static void rich_sites(struct fab *f, const struct self *self, struct record_process *p, u64 growth)
{
    for (u32 i = 0; i < countof(rich_shapes); i++) {
        u64 frames[6];
        u32 n = 0;
        while (n < 6 && rich_shapes[i].stack[n] != NULL) {
            frames[n] = self_inside(self, rich_shapes[i].stack[n]);
            n++;
        }
        struct record_site *r = fab_site(f, 1, frames, n);
        rich_fill(r, &rich_shapes[i], i == 0 ? growth : 0);
        rich_sum_up(p, r);
    }
}

// A thread that did a part of what no other thread did so far.
static void rich_thread(struct fab *f, struct record_process *p, u32 tid, const char *name,
                        u32 part)
{
    struct record_thread *t = fab_record(f, 1, RECORD_THREAD, sizeof *t);
    t->tid = tid;
    snprintf(t->name, sizeof t->name, "%s", name);
    _Atomic u64 *from = &p->rest.allocs, *to = &t->own.allocs;
    for (size_t i = 0; i < sizeof p->rest / sizeof *from; i++) {
        to[i] = from[i] / part;
        from[i] -= to[i];
    }
}

#define RICH_MOMENTS 200

// Up to the peak at three quarters, then down again.
static u64 rich_height(u32 i)
{
    u32 top = RICH_MOMENTS * 3 / 4;
    return 52000000ull * (i <= top ? i : 2 * top - i) / top;
}

static void rich_timeline(struct fab *f)
{
    for (u32 i = 0; i < RICH_MOMENTS; i++) {
        u64 live = rich_height(i);
        struct record_top tops[] = {
            {1, 1, live * 3 / 4}, {1, 2, live / 9}, {1, 5, 3000000 * (i % 20) / 20}};
        struct record_moment *m = fab_moment(f, i * (FAB_SECOND / 50), tops, 3);
        m->processes = 2;
        m->live_bytes = live;
        m->live_blocks = live / 4096;
        m->rss_bytes = 9000000 + rich_height(i < 150 ? i : 150) * 11 / 10;
        m->allocs = i * 7000;
    }
}

static void rich_labels(struct fab *f, u64 growth)
{
    static const struct {
        const char *name;
        u32 at;
        u64 live[2]; // of the first two sites
    } all[] = {{"warm", 20, {4000000, 500000}},
               {"after load", 120, {34000000, 2500000}},
               {"idle", 190, {30000000, 500000}}};
    for (u32 i = 0; i < countof(all); i++) {
        struct record_label *l = fab_label(f, i + 1, all[i].at * (FAB_SECOND / 50), all[i].name);
        struct record_point points[2] = {0};
        for (u32 k = 0; k < 2; k++) {
            points[k].site = k + 1;
            points[k].live_bytes = all[i].live[k] + (k == 0 && i > 0 ? growth : 0);
            points[k].live_blocks = points[k].live_bytes / 4096;
            points[k].allocs = 1000 * (i + 1);
            points[k].alloc_bytes = 50000000 * (i + 1);
            l->live_bytes += points[k].live_bytes;
            l->live_blocks += points[k].live_blocks;
        }
        l->allocs = 2000 * (i + 1);
        l->alloc_bytes = 100000000 * (i + 1);
        fab_points(f, i + 1, 1, points, 2);
    }
}

static void rich_parts(struct record_account *a, u64 live, u64 unused)
{
    const u64 parts[ACCOUNT_PARTS] = {
        [ACCOUNT_LIVE] = live,           [ACCOUNT_WASTE] = live / 20, [ACCOUNT_FREE] = unused,
        [ACCOUNT_TABLES] = 2100000,      [ACCOUNT_STACKS] = 90000,    [ACCOUNT_FILES] = 4200000,
        [ACCOUNT_OTHER] = live / 50 + 1,
    };
    for (u32 i = 0; i < ACCOUNT_PARTS; i++) {
        a->part[i] = parts[i];
        a->rss += parts[i];
    }
    a->live_blocks = live / 4096;
}

// What was in RAM: at the highest nearly all live, at the end kept by few blocks of the cache.
static void rich_accounts(struct fab *f)
{
    const struct record_pin pins[] = {
        {.site = 1,
         .slabs = 900,
         .blocks = 1200,
         .bytes = 4915200,
         .pinned = 14000000,
         .freed = 11000000},
        {.site = 5, .slabs = 40, .blocks = 50, .bytes = 819200, .pinned = 1500000}};
    for (u32 i = 0; i < RICH_MOMENTS; i += 5) {
        u64 live = rich_height(i);
        struct record_account *a = fab_account(f, ACCOUNT_SUM, 0, i * (FAB_SECOND / 50), NULL, 0);
        rich_parts(a, live, rich_height(i < 150 ? i : 150) - live + 1000000);
        a->processes = 2;
    }
    rich_parts(fab_account(f, ACCOUNT_HIGHEST, 1, 3 * FAB_SECOND, NULL, 0), 52000000, 1000000);
    struct record_account *last = fab_account(f, ACCOUNT_LAST, 1, 4 * FAB_SECOND, pins, 2);
    rich_parts(last, 34000000, 19000000);
    last->slabs = 940;
    last->slabs_rss = 21234400;
    last->slabs_live = 5734400;
}

// A child that another build of the same program made: a module without a file.
static void rich_worker(struct fab *f)
{
    struct record_process *p =
        fab_process(f, 2, 4712, 1, "/nowhere/worker", "./worker\0<script>alert(1)</script>", 34);
    p->flags = PROCESS_ENDED | PROCESS_SCANNED | PROCESS_FORKED;
    p->started_ns += FAB_SECOND;
    fab_module(f, 2, 1, "/nowhere/worker", (const u8 *)"\1\2\3\4", 4);
    struct record_site *r = fab_site(f, 2, (u64[]){FAB_FRAME(1, 0x1234), FAB_FRAME(1, 0x99)}, 2);
    const struct rich_shape s = {
        .size = 100, .capacity = 112, .allocs = 300, .frees = 300, .peak = 900};
    rich_fill(r, &s, 0);
    rich_sum_up(p, r);
    p->peak_serial = 1;
}

// Whose functions the frames are: those of `self`.
static void rich_make(struct fab *f, const struct self *self, u64 growth)
{
    fab_begin(f, "./server\0--port\08080", 20);
    fab_header(f)->leaks = 1;
    fab_header(f)->ended_ns = FAB_START + 4 * FAB_SECOND;
    struct record_process *p =
        fab_process(f, 1, 4711, 0, "/opt/app/server", "./server\0--port\08080", 20);
    p->flags = PROCESS_ENDED | PROCESS_SCANNED;
    p->peak_ns = 3 * FAB_SECOND;
    p->peak_serial = 1;
    fab_module(f, 1, 1, self->path, self->id, self->id_len);
    rich_sites(f, self, p, growth);
    rich_thread(f, p, 4711, "server", 3);
    rich_thread(f, p, 4715, "worker/1", 1);
    rich_worker(f);
    rich_timeline(f);
    rich_labels(f, growth);
    rich_accounts(f);
}
