// B5 mem_chunk: a size in, a pointer out, and a record of it.

#include "lab/lab.h"

#include <errno.h>
#include <loam/chunk.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

LAB_EXERCISE(B5, "examples/04_mem_chunk.c");

// What a child found out: the data segment is one for the whole process, and ours may be in use.
struct seen {
    bool given, listed, held, gone, refused;
    loam_chunk chunk[8];
    u32 chunks;
    u64 count_before, count_with, count_after;
};

static bool in_record(const void *at, size_t size, loam_chunk_source source)
{
    loam_chunk c;
    for (size_t i = 0; loam_mem_chunk_at(i, &c); i++)
        if (c.addr == at && c.size >= size && c.source == source && !c.released)
            return true;
    return false;
}

static void use(void *of)
{
    struct seen *s = of;
    s->count_before = loam_mem_chunk_count();
    char *low = loam_mem_chunk(5000, LOAM_CHUNK_SBRK), *high = loam_mem_chunk(100, LOAM_CHUNK_SBRK);
    char *mapped = loam_mem_chunk(100000, LOAM_CHUNK_MMAP);
    s->given = low != NULL && high != NULL && mapped != NULL;
    if (!s->given)
        return;
    strcpy(low, "low");
    strcpy(mapped, "mapped");
    s->count_with = loam_mem_chunk_count();
    s->listed = in_record(low, 5000, LOAM_CHUNK_SBRK) && in_record(high, 100, LOAM_CHUNK_SBRK) &&
                in_record(mapped, 100000, LOAM_CHUNK_MMAP);
    while (s->chunks < countof(s->chunk) && loam_mem_chunk_at(s->chunks, &s->chunk[s->chunks]))
        s->chunks++;
    s->held = strcmp(low, "low") == 0 && strcmp(mapped, "mapped") == 0;
    char *again = mapped;
    UNKNOWN(again); // gcc would warn of its second release, and is right
    loam_mem_chunk_release(mapped);
    loam_mem_chunk_release(high);
    loam_mem_chunk_release(low);
    s->count_after = loam_mem_chunk_count();
    s->gone = !in_record(low, 1, LOAM_CHUNK_SBRK) && !in_record(again, 1, LOAM_CHUNK_MMAP);
    s->refused = loam_mem_chunk_release(again) != 0 && errno == EINVAL;
}

static void run(struct lab *l)
{
    struct seen *s = lab_shared(l, sizeof *s);
    struct lab_end end;
    if (s == NULL || lab_child(l, use, s, 0, &end) != 0)
        return;
    lab_table(l, "the record, with three chunks in it", "address|bytes|from|whose");
    for (u32 i = 0; i < s->chunks; i++)
        lab_row(l, "%p|%zu|%s|%s", s->chunk[i].addr, s->chunk[i].size,
                loam_chunk_source_name(s->chunk[i].source),
                s->chunk[i].heap ? "loam's heap" : "the caller");
    lab_check(l, "pointer", s->given && s->held,
              "both ways gave memory that holds what is "
              "written");
    // The record may have taken a mapping for itself: so three or more, not exactly three.
    lab_check(l, "tracked", s->listed && s->count_with >= s->count_before + 3,
              "%llu chunks before, %llu with three more", (unsigned long long)s->count_before,
              (unsigned long long)s->count_with);
    lab_check(l, "released", s->gone && s->count_after == s->count_with - 3,
              "%llu chunks after three releases", (unsigned long long)s->count_after);
    lab_check(l, "refused", s->refused, "a second release %s", s->refused ? "is refused" : "works");
}

static const struct claim claims[] = {
    {S1, "milestone", "mem_chunk(size)", "returns the pointer", "pointer", 0, 0, NULL},
    {S1, "milestone", "what the kernel gave", "is kept track of", "tracked", 0, 0, NULL},
    {S1, "milestone", "what is given back", "leaves the record", "released", 0, 0, NULL},
    {S1, "milestone", "what is not in the record", "is refused", "refused", 0, 0, NULL},
};

LAB_EXPERIMENT(B5) = {
    .question = "Can all memory that a program asks the kernel for be listed?",
    .prediction = "Yes, if one function does all the asking and writes down what it got.",
    .method = "loam_mem_chunk() asks by sbrk twice and by mmap once, in a child; the record is "
              "listed, the chunks are released, and one of them is released once more.",
    .look = "Two chunks by sbrk lie one behind the other; the mapping lies far away. Sizes are "
            "whole pages, whatever was asked.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .exercise = lab_exercise_B5,
};
