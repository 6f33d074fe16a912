// load_test.c: a hostile recording changes nothing but its own report.
#include "report/load.h"

#include "report/json.h"
#include "report/name.h"
#include "report/place.h"
#include "report/text.h"
#include "report/utf8.h"
#include "tests/check.h"
#include "tests/lib/fabricate.h"

#define ROUNDS 3000

static char why[256];

static void sample(struct fab *f)
{
    fab_begin(f, "prog\0an argument\0it's", 22);
    fab_header(f)->leaks = 1;
    for (u32 i = 1; i <= 3; i++) {
        struct record_process *p = fab_process(f, i, 100 + i, i - 1, "/nowhere/prog", "prog", 4);
        p->flags = PROCESS_ENDED | PROCESS_SCANNED;
        p->peak_bytes = 1000 * i;
        p->peak_serial = 7;
        fab_module(f, i, 1, "/nowhere/prog", (const u8 *)"\1\2", 2);
        fab_module(f, i, 2, "/nowhere/lib.so", NULL, 0);
        u64 frames[] = {FAB_FRAME(1, 0x10), FAB_FRAME(2, 0x20), FAB_FRAME(0, 0x30)};
        struct record_site *s = fab_site(f, i, frames, 3);
        s->allocs = 5;
        s->alloc_bytes = 500;
        s->frees = 2;
        s->free_bytes = 100;
        s->direct_blocks = i;
        s->direct_bytes = 10 * i;
        s->at_peak = 77;
        s->serial = i == 3 ? 6 : 7;
    }
}

// Load from an exact-sized copy, so that a sanitizer sees every byte read past its end; then
// print everything, twice, since printing reads what loading kept.
static int load_and_print(const struct fab *f, size_t size)
{
    struct model m;
    char *copy = malloc(size + 1);
    memcpy(copy, f->bytes, size);
    int r = load_memory("it", copy, size, &m, why, sizeof why);
    free(copy);
    if (r < 0)
        return r;
    FILE *out = fopen("/dev/null", "w");
    struct ink k = {.out = out, .width = 80};
    text_report(&k, &m, &(struct text_options){.next = "loam report", .reachable = true});
    json_report(out, &m);
    fclose(out);
    load_done(&m);
    return 0;
}

// Records of one process id: what it was before exec, and what it became.
TEST(a_later_record_with_the_same_id_tells_of_exec)
{
    struct fab f;
    struct model m;
    fab_begin(&f, "sh", 2);
    fab_process(&f, 1, 50, 0, "/bin/sh", "sh", 2)->flags = PROCESS_ENDED;
    fab_process(&f, 2, 51, 1, "/bin/sh", "sh", 2)->flags = PROCESS_FORKED;
    fab_process(&f, 3, 51, 0, "/bin/ls", "ls", 2)->flags = PROCESS_ENDED;
    fab_process(&f, 4, 52, 1, "/bin/sh", "sh", 2)->flags = PROCESS_FORKED;
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 4);
    CHECK(m.processes[0].flags == PROCESS_ENDED);
    CHECK(m.processes[1].flags == (PROCESS_FORKED | PROCESS_EXECED));
    CHECK(m.processes[2].flags == PROCESS_ENDED);
    CHECK(m.processes[3].flags == PROCESS_FORKED);
    load_done(&m);
    fab_done(&f);
}

// Of two copies of loam in one program, the bypassed one is no process of its own.
TEST(a_bypassed_copy_is_left_out)
{
    struct fab f;
    struct model m;
    fab_begin(&f, "prog", 4);
    fab_process(&f, 1, 60, 0, "/nowhere/prog", "prog", 4)->flags = PROCESS_BYPASSED;
    fab_process(&f, 2, 60, 0, "/nowhere/prog", "prog", 4)->flags = PROCESS_ENDED;
    fab_process(&f, 3, 61, 0, "/nowhere/own", "own", 3)->flags = PROCESS_BYPASSED;
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 2);
    CHECK(m.processes[0].index == 2);
    CHECK(m.processes[1].flags == PROCESS_BYPASSED);
    load_done(&m);
    fab_done(&f);
}

TEST(whole)
{
    struct fab f;
    struct model m;
    sample(&f);
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    CHECK(m.processes_count == 3);
    CHECK(m.sites_count == 3);
    CHECK(m.modules_count == 2); // M2
    CHECK(strcmp(m.command, "prog 'an argument' 'it'\\''s'") == 0);
    CHECK(!m.cut && m.damaged == 0);
    struct totals t = totals_of(&m);
    CHECK(t.direct.bytes == 60 && t.direct.blocks == 6);
    CHECK(t.scanned == 3 && t.peak->pid == 103);
    CHECK(m.sites[0].live.bytes == 400 && m.sites[0].live.blocks == 3);
    CHECK(m.sites[0].at_peak == 77);
    CHECK(m.sites[2].at_peak == 400); // F5: an older serial means its live bytes
    struct places p = places_merge(&m, PLACE_DEPTH);
    CHECK(p.count == 1 && p.items[0]->ways == 1 && p.items[0]->direct.bytes == 60);
    CHECK(p.items[0]->at_peak == 400);
    places_done(&p);
    load_done(&m);
    fab_done(&f);
}

TEST(refuses_what_it_is_not)
{
    struct fab f;
    struct model m;
    sample(&f);
    CHECK(load_memory("it", "hello", 5, &m, why, sizeof why) < 0);
    CHECK(strcmp(why, "it is not a loam recording") == 0);
    CHECK(load_memory("it", f.bytes, 0, &m, why, sizeof why) < 0);
    CHECK(load_memory("it", f.bytes, 100, &m, why, sizeof why) < 0);
    CHECK(strcmp(why, "it is cut off: not even its header is whole") == 0);
    fab_header(&f)->version = 9;
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) < 0);
    CHECK(strcmp(why, "it is a recording of version 9; this loam reads version 4") == 0);
    CHECK(load_file("/nowhere/x", &m, why, sizeof why) < 0);
    CHECK(strcmp(why, "/nowhere/x cannot be opened: No such file or directory") == 0);
    CHECK(load_file("/", &m, why, sizeof why) < 0);
    CHECK(strcmp(why, "/ is a folder, not a recording") == 0);
    fab_done(&f);
}

TEST(cut_anywhere)
{
    struct fab f;
    struct model m;
    sample(&f);
    for (size_t size = 0; size < f.size; size += 1 + size / 9)
        CHECK((load_and_print(&f, size) == 0) == (size >= RECORDING_HEADER));
    // The first process stands in the first block, and is still shown.
    size_t one = RECORDING_HEADER + RECORDING_BLOCK;
    CHECK(load_memory("it", f.bytes, one, &m, why, sizeof why) == 0);
    CHECK(m.cut && m.processes_count == 1 && m.sites_count == 1);
    load_done(&m);
    fab_done(&f);
}

static struct record_site *site_with_tail(struct fab *f, u64 frame, u32 tail, u16 skip)
{
    struct record_site *s = fab_site(f, 1, &frame, 1);
    s->tail = tail;
    s->tail_skip = skip;
    return s;
}

static bool stack_is(const struct site *s, const char *offsets)
{
    bool same = s->frames_count == strlen(offsets);
    for (u32 i = 0; same && i < s->frames_count; i++)
        same = site_frame(s, i).offset == (u64)offsets[i];
    return same;
}

TEST(shared_tails)
{
    struct fab f;
    struct model m;
    fab_begin(&f, "prog", 4);
    fab_process(&f, 1, 100, 0, "/nowhere/prog", "prog", 4);
    fab_process(&f, 2, 101, 0, "/nowhere/prog", "prog", 4);
    u64 frames[] = {'a', 'b', 'c', 'd'};
    fab_site(&f, 1, frames, 4);
    site_with_tail(&f, 'e', 1, 2); // F6
    site_with_tail(&f, 'f', 2, 1);
    site_with_tail(&f, 'g', 1, 4);
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    CHECK(m.sites_count == 4 && m.damaged == 0);
    CHECK(stack_is(&m.sites[0], "abcd") && stack_is(&m.sites[1], "ecd"));
    CHECK(stack_is(&m.sites[2], "fcd") && stack_is(&m.sites[3], "g"));
    CHECK(!m.sites[2].truncated);
    load_done(&m);

    site_with_tail(&f, 'h', 1, 5);        // more than there are
    site_with_tail(&f, 'i', 7, 0);        // itself
    site_with_tail(&f, 'j', 8, 0);        // a later one
    fab_site(&f, 2, frames, 1)->tail = 1; // another process's
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    CHECK(m.sites_count == 8 && m.damaged == 4);
    CHECK(stack_is(&m.sites[4], "h") && stack_is(&m.sites[5], "i"));
    CHECK(stack_is(&m.sites[6], "j") && m.sites[6].truncated);
    CHECK(stack_is(&m.sites[7], "a") && m.sites[7].truncated);
    load_done(&m);
    fab_done(&f);
}

TEST(half_written)
{
    struct fab f;
    struct model m;
    sample(&f);
    fab_header(&f)->blocks = 4; // handed out, not yet begun
    memset(fab_block(&f, 3), 0, sizeof(struct record_block));
    CHECK(load_memory("it", f.bytes, f.size + RECORDING_BLOCK, &m, why, sizeof why) == 0);
    CHECK(!m.cut && m.damaged == 0 && m.processes_count == 3);
    load_done(&m);
    memcpy(fab_block(&f, 3)->magic, "what", 4);
    CHECK(load_memory("it", f.bytes, f.size + RECORDING_BLOCK, &m, why, sizeof why) == 0);
    CHECK(m.damaged == 1);
    load_done(&m);
    fab_done(&f);
}

// Bits where they hurt: the first 512 bytes of header and blocks hold all counts and lengths.
TEST(flipped_bits)
{
    struct fab f;
    sample(&f);
    u64 seed = 20260101;
    for (int round = 0; round < ROUNDS; round++) {
        struct fab g = f;
        g.bytes = malloc(f.size);
        memcpy(g.bytes, f.bytes, f.size);
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = table_mix(seed, (u64)round);
            size_t part = seed % 4; // header, or one of three blocks
            size_t at = part == 0
                            ? 8 + (seed >> 8) % 120
                            : RECORDING_HEADER + (part - 1) * RECORDING_BLOCK + (seed >> 8) % 640;
            g.bytes[at] ^= (char)(1 << (seed >> 40) % 8);
        }
        load_and_print(&g, f.size);
        free(g.bytes);
    }
    fab_done(&f);
}

TEST(texts_of_strangers)
{
    char text[] = "a\033[31mb\xc3\xa4 \xff\xc0\x80 \xed\xa0\x80 \xc2\x9b 1m\n";
    utf8_clean(text);
    CHECK(strcmp(text, "a?[31mb\xc3\xa4 ??? ??? ? 1m?") == 0);
    CHECK(utf8_width("\xc3\xa4\xe2\x80\xa6x") == 3);
    CHECK(utf8_bytes("\xc3\xa4\xe2\x80\xa6x", 2) == 5);
}

TEST(names_cut_short)
{
    static const struct {
        const char *full, *cut;
    } all[] = {
        {"main", "main"},
        {"app::Cache<int>::put(int) const", "app::Cache<int>::put"},
        {"void std::sort<int*>(int*, int*)", "std::sort<int*>"},
        {"std::vector<int, std::allocator<int> >::push_back(int const&)",
         "std::vector<int>::push_back"},
        {"std::map<int, std::__cxx11::basic_string<char, std::char_traits<char>, "
         "std::allocator<char> >, std::less<int>, std::allocator<std::pair<int const, int> > "
         ">::operator[](int&&)",
         "std::map<int, std::string, std::less<int>>::operator[]"},
        {"operator new(unsigned long)", "operator new"},
        {"A::operator()(int) const", "A::operator()"},
        {"A::operator bool() const", "A::operator bool"},
        {"(anonymous namespace)::helper(int)", "(anonymous namespace)::helper"},
        {"main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"},
        {"f(void (*)(int)) [clone .cold]", "f"},
        {"<alloc::vec::Vec<T> as core::iter::FromIterator<T>>::from_iter",
         "alloc::vec::Vec<T>::from_iter"},
        {"<[u8]>::copy_within::<usize>", "[u8]::copy_within::<usize>"},
        {"<fn() -> u8 as A<B>>::call", "fn() -> u8::call"},
        {"<odd", "<odd"},
        {"odd)", "odd)"},
        {"()", "()"},
    };
    struct store s = {0};
    for (size_t i = 0; i < countof(all); i++)
        CHECK(strcmp(name_short(&s, all[i].full), all[i].cut) == 0);
    CHECK(strcmp(name_fit(&s, "a::B<int, long>::c<double>", 20), "a::B<…>::c<double>") == 0);
    CHECK(strcmp(name_fit(&s, "a::B<int, long>::c<double>", 10), "a::B<…>::c<…>") == 0);
    CHECK(strcmp(name_fit(&s, "operator<<", 3), "operator<<") == 0);
    char path[] = "/build/../src/./a/b/c/d.c";
    CHECK(strcmp(name_near_path(path), "b/c/d.c") == 0);
    store_done(&s);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}

TEST(an_account_adds_up_or_is_none)
{
    struct fab f;
    struct model m;
    const struct record_pin pins[] = {{.site = 1, .pinned = 5}, {.site = 99, .pinned = 4}};
    fab_begin(&f, "prog", 4);
    fab_process(&f, 1, 100, 0, "/nowhere/prog", "prog", 4);
    fab_site(&f, 1, NULL, 0);
    for (u32 i = 0; i < 3; i++) { // the second one does not add up, the third has too few pins
        struct record_account *a = fab_account(&f, ACCOUNT_HIGHEST, 1, i, pins, 2);
        a->part[ACCOUNT_LIVE] = 1000 - i;
        a->part[ACCOUNT_FILES] = 30;
        a->rss = i == 1 ? 1030 : 1030 - i;
        a->pins_count = i == 2 ? 3 : 2;
    }
    fab_account(&f, ACCOUNT_LAST, 7, 5, NULL, 0); // of nobody, and empty
    fab_account(&f, ACCOUNT_SUM, 0, 9, NULL, 0);
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    const struct ram *r = &m.processes[0].highest;
    CHECK(r->rss == 1030 && r->at_ns == 0 && r->pinners_count == 2);
    CHECK(r->pinners[0].site == &m.sites[0] && r->pinners[1].site == NULL);
    CHECK(m.processes[0].last.rss == 0 && m.rams_count == 0);
    CHECK(m.damaged == 4);
    load_done(&m);
    fab_done(&f);
}
