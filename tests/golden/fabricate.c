// fabricate.c: write one of a few recordings whose reports are known by heart.
//
//     fabricate NAME FILE
//
// For names and lines, frames point into functions of this program itself, whose files and lines
// are set by #line, so that the reports are the same wherever and however this is compiled.
#define FAB_BLOCKS 9000 // for `many`
#include "tests/lib/fabricate.h"
#include "tests/lib/self.h"

#include <stdio.h>

#define NOTHING_IN_IT __attribute__((noinline, used, noclone, optimize("O1")))

// clang-format off
#line 88 "src/parse.c"
NOTHING_IN_IT static void parse_header(void) { compiler_barrier(); }
#line 140 "src/parse.c"
NOTHING_IN_IT static void read_file(void) { compiler_barrier(); }
#line 31 "src/main.c"
NOTHING_IN_IT static void run_main(void) { compiler_barrier(); }
#line 12 "src/cache.c"
NOTHING_IN_IT static void cache_put(void) { compiler_barrier(); }
#line 9 "src/xmalloc.c"
NOTHING_IN_IT static void xmalloc(void) { compiler_barrier(); }
#line 25 "tests/golden/fabricate.c"
// clang-format on

static void set(struct record_site *s, u64 allocs, u64 bytes, u64 frees, u64 freed)
{
    s->allocs = allocs;
    s->alloc_bytes = bytes;
    s->frees = frees;
    s->free_bytes = freed;
    s->largest = bytes / (allocs == 0 ? 1 : allocs);
    s->at_peak = bytes;
    s->serial = 1;
}

static struct record_process *first_process(struct fab *f, u32 flags)
{
    struct record_process *p =
        fab_process(f, 1, 4711, 0, "/opt/app/server", "./server\0--once", 15);
    p->flags = flags;
    p->live_bytes = 1512345;
    p->rest.allocs = 12345;
    p->rest.alloc_bytes = 98765432;
    p->rest.frees = 12281;
    p->rest.free_bytes = 98765432 - 1512345;
    p->peak_bytes = 80100000;
    p->peak_ns = FAB_SECOND / 5;
    p->peak_serial = 1;
    return p;
}

// A leak of each kind, something reachable, a peak.
static void leaks(struct fab *f)
{
    struct self s = self_of();
    fab_begin(f, "./server\0--once", 15);
    fab_header(f)->leaks = 1;
    first_process(f, PROCESS_ENDED | PROCESS_SCANNED);
    fab_module(f, 1, 1, s.path, s.id, s.id_len);
    u64 parse[] = {self_inside(&s, xmalloc), self_inside(&s, parse_header),
                   self_inside(&s, read_file), self_inside(&s, run_main)};
    struct record_site *a = fab_site(f, 1, parse, 4);
    set(a, 20, 1000000, 0, 0);
    a->direct_blocks = 20;
    a->direct_bytes = 1000000;
    u64 file[] = {self_inside(&s, read_file), self_inside(&s, run_main)};
    struct record_site *b = fab_site(f, 1, file, 2);
    set(b, 22, 234567, 0, 0);
    b->indirect_blocks = 20;
    b->indirect_bytes = 234000;
    b->cycle_blocks = 2;
    b->cycle_bytes = 567;
    u64 cache[] = {self_inside(&s, cache_put), self_inside(&s, run_main)};
    struct record_site *c = fab_site(f, 1, cache, 2);
    set(c, 12303, 78865433, 12281, 78587655);
    c->reachable_blocks = 22;
    c->reachable_bytes = 277778;
}

// A program that died by a signal, in a module that is gone.
static void killed(struct fab *f)
{
    fab_begin(f, "./server\0--once", 15);
    fab_header(f)->leaks = 1;
    fab_header(f)->end_status = 9;
    first_process(f, 0);
    fab_module(f, 1, 1, "/nowhere/bin/server", (const u8 *)"\1\2\3\4", 4);
    struct record_site *a = fab_site(f, 1, (u64[]){FAB_FRAME(1, 0x1234), FAB_FRAME(1, 0x5678)}, 2);
    set(a, 50, 1500000, 0, 0);
    struct record_site *b = fab_site(f, 1, (u64[]){FAB_FRAME(1, 0x9abc)}, 1);
    set(b, 14, 12345, 0, 0);
    fab_site(f, 1, NULL, 0); // the stacks that found no room: none
}

// A tree: a shell, a child that leaks, one that was not scanned, one that replaced itself.
static void tree(struct fab *f)
{
    fab_begin(f, "sh\0-c\0./a; ./b; exec ./c", 24);
    fab_header(f)->leaks = 1;
    static const struct {
        const char *args;
        u32 len, flags, error;
        u64 peak, leaked;
    } all[] = {
        {"sh\0-c\0./a; ./b; exec ./c", 24, PROCESS_EXECED, 0, 20000, 0},
        {"./a", 3, PROCESS_ENDED | PROCESS_SCANNED | PROCESS_PYTHON, 0, 4000000, 3000},
        {"./b", 3, PROCESS_ENDED, SCAN_NO_PERMISSION, 70000, 0},
        {"./c", 3, PROCESS_ENDED | PROCESS_SCANNED, 0, 1000, 0},
    };
    for (u32 i = 0; i < countof(all); i++) {
        struct record_process *p =
            fab_process(f, i + 1, 100 + i, i == 0 ? 0 : 1, "/nowhere/x", all[i].args, all[i].len);
        p->flags = all[i].flags;
        p->scan_error = all[i].error;
        p->peak_bytes = all[i].peak;
        p->rest.allocs = p->rest.frees = 10;
        p->rest.alloc_bytes = p->rest.free_bytes = all[i].peak;
        p->peak_serial = 1;
        fab_module(f, i + 1, 1, "/nowhere/x", NULL, 0);
        struct record_site *s = fab_site(f, i + 1, (u64[]){FAB_FRAME(1, 0x100 + i)}, 1);
        set(s, 10, all[i].peak, 0, 0);
        s->direct_blocks = all[i].leaked != 0;
        s->direct_bytes = all[i].leaked;
    }
}

static void clean(struct fab *f)
{
    fab_begin(f, "true", 4);
    fab_header(f)->leaks = 1;
    struct record_process *p = fab_process(f, 1, 7, 0, "/bin/true", "true", 4);
    p->flags = PROCESS_ENDED | PROCESS_SCANNED;
    p->rest.allocs = p->rest.frees = 3;
    p->rest.alloc_bytes = p->rest.free_bytes = 300;
    p->peak_bytes = 200;
}

// 150,000 stacks of 22 frames, 20 of them shared, and others that found no room.
static void many(struct fab *f)
{
    u64 outer[20];
    fab_begin(f, "./server", 8);
    struct record_process *p = first_process(f, PROCESS_ENDED | PROCESS_MERGED);
    p->merged = 1000;
    fab_module(f, 1, 1, "/nowhere/bin/server", (const u8 *)"\1\2\3\4", 4);
    set(fab_site(f, 1, NULL, 0), 5000, 70000, 4000, 56000);
    for (u32 i = 0; i < countof(outer); i++)
        outer[i] = FAB_FRAME(1, 0x100000 + 16 * i);
    set(fab_site(f, 1, outer, countof(outer)), 1, 16, 0, 0);
    for (u32 i = 0; i < 150000; i++) {
        u64 own[] = {FAB_FRAME(1, 0x1000 + 16 * (i % 400)), FAB_FRAME(1, 0x9000 + 16 * (i / 400))};
        struct record_site *s = fab_site(f, 1, own, countof(own));
        s->tail = 2;
        set(s, 60 + i % 7, 3000 + i % 1000, 59, 2900);
        s->lives.low[i % 4] = 3;
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(struct fab *);
    } all[] = {
        {"leaks", leaks}, {"killed", killed}, {"tree", tree}, {"clean", clean}, {"many", many}};
    for (size_t i = 0; i < countof(all) && argc == 3; i++) {
        if (strcmp(all[i].name, argv[1]) != 0)
            continue;
        struct fab f;
        all[i].make(&f);
        int r = fab_write(&f, argv[2]);
        fab_done(&f);
        return r == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: fabricate leaks|killed|tree|clean|many FILE\n");
    return 2;
}
