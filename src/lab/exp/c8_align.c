// C8 align: where a number may begin, and what it costs when it begins elsewhere.

#include "lab/lab.h"

#include <stddef.h>
#include <string.h>

enum { LOADS = 512 };

struct at {
    const char *base;
    u64 step, sum;
};

// Independent 8-byte loads, `step` apart: what counts is where each one begins.
static void loads(void *of, u64 rounds)
{
    struct at *a = of;
    for (u64 i = 0; i < rounds; i++) {
        const char *p = a->base;
        for (u32 k = 0; k < LOADS; k++, p += a->step) {
            u64 v;
            memcpy(&v, p, sizeof v); // one load, wherever it begins
            a->sum += v;
            UNKNOWN(a->sum);
        }
    }
}

struct careless {
    char a;
    int b;
    char c;
    double d;
};
struct careful {
    double d;
    int b;
    char a, c;
};
struct alone {
    _Alignas(64) int counter;
};

static void run(struct lab *l)
{
    char *room = lab_memory(l, 64 * KiB, LAB_4K);
    char *pages = lab_memory(l, (LOADS / 16 + 2) * 4096ull * 16, LAB_4K);
    if (room == NULL || pages == NULL)
        return;
    // 64 bytes apart, so that each load is in the same place of its line; 32 KiB in all.
    struct at aligned = {room, 64, 0}, odd = {room + 1, 64, 0}, line = {room + 60, 64, 0};
    // A page apart, in a few pages again and again, so that the TLB holds them.
    struct at in_page = {pages + 2048, 4096, 0}, page = {pages + 4092, 4096, 0};
    struct arm arms[] = {
        {"aligned", .run = loads, .of = &aligned, .ops = LOADS, .in_cycles = true},
        {"odd_address", .run = loads, .of = &odd, .ops = LOADS, .in_cycles = true},
        {"across_two_lines", .run = loads, .of = &line, .ops = LOADS, .in_cycles = true},
        {"one_a_page", .run = loads, .of = &in_page, .ops = LOADS, .in_cycles = true},
        {"across_two_pages", .run = loads, .of = &page, .ops = LOADS, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "misaligned_over_aligned", &arms[1], &arms[0]);
    lab_ratio(l, "split_line", &arms[2], &arms[0]);
    lab_ratio(l, "split_page", &arms[4], &arms[3]);

    lab_table(l, "the same four members", "order|size|padding");
    lab_row(l, "char int char double|%zu|%zu", sizeof(struct careless),
            sizeof(struct careless) - 14);
    lab_row(l, "double int char char|%zu|%zu", sizeof(struct careful), sizeof(struct careful) - 14);
    lab_exact(l, "offset_of_int", offsetof(struct careless, b), "bytes");
    lab_exact(l, "align_64", sizeof(struct alone), "bytes");
    lab_exact(l, "saved", sizeof(struct careless) - sizeof(struct careful), "bytes");
}

static const struct claim claims[] = {
    {S2, NULL, "offset of an int behind a char", "padding to its alignment", "offset_of_int", 4, 4,
     "bytes"},
    {S3, "topic 4", "size of align(64)", "a line of its own", "align_64", 64, 64, "bytes"},
    {S3, "topic 4", "misaligned access", "slower", "misaligned_over_aligned", 1.05, INFINITY, "x"},
};

LAB_EXPERIMENT(C8) = {
    .question = "What does alignment cost, and what does it save?",
    .prediction = "Members are padded to their alignment, so their order decides the size of a "
                  "struct. A number that lies in two cache lines needs two accesses.",
    .method = "512 loads of 8 bytes, each beginning at the same place of its cache line: at its "
              "start, one byte later, four bytes before its end; then four bytes before a page's "
              "end, against the middle of a page. Sizes and offsets are the compiler's.",
    .look = "An odd address alone costs nothing on processors of today. Crossing a line costs a "
            "little; crossing a page costs more, since two pages are translated.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
