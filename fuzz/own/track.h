// track.h: an allocator that counts, against the same counts by hand; and one beneath it that
// fails.
#pragma once

#include "fuzz/own/input.h"

#define TRACK_BLOCKS 200

struct track_block {
    unsigned char *at;
    loam_layout layout;
    unsigned char fill;
};
struct track_model {
    struct track_block block[TRACK_BLOCKS];
    size_t blocks, bytes, bytes_max, requests, failures, limit, fail_at;
};

// What will be said to a request for so many bytes more. `beneath` knows no more memory.
static bool track_allows(struct track_model *m, size_t more, bool beneath)
{
    m->requests++;
    bool yes = !beneath && (m->fail_at == 0 || m->requests < m->fail_at) &&
               (m->limit == 0 || m->bytes + more <= m->limit);
    m->failures += !yes;
    if (yes && m->bytes + more > m->bytes_max)
        m->bytes_max = m->bytes + more;
    return yes;
}

static void track_same(const loam_track *t, const struct track_model *m)
{
    SAME(t->live_blocks == m->blocks);
    SAME(t->live_bytes == m->bytes);
    SAME(t->live_bytes_max == m->bytes_max);
    SAME(t->requests == m->requests);
    SAME(t->failures == m->failures);
}

static void track_whole(const struct track_block *b)
{
    for (size_t i = 0; i < b->layout.size; i++)
        SAME(b->at[i] == b->fill);
}

static void track_new(struct input *in, loam_alloc a, struct track_model *m, bool beneath)
{
    struct track_block b = {.fill = (unsigned char)take(in)};
    b.layout = loam_layout_make(1 + take_below(in, 3000), (size_t)1 << take(in) % 8);
    bool zeroed = take(in) % 2;
    if (m->blocks == TRACK_BLOCKS)
        return;
    b.at = zeroed ? loam_alloc_new_zeroed(a, b.layout) : loam_alloc_new(a, b.layout);
    SAME((b.at != NULL) == track_allows(m, b.layout.size, beneath));
    if (b.at == NULL)
        return;
    SAME((uintptr_t)b.at % b.layout.align == 0);
    for (size_t i = 0; zeroed && i < b.layout.size; i++)
        SAME(b.at[i] == 0);
    memset(b.at, b.fill, b.layout.size);
    m->bytes += b.layout.size;
    m->block[m->blocks++] = b;
}

static void track_resize_one(struct input *in, loam_alloc a, struct track_model *m, bool beneath)
{
    if (m->blocks == 0)
        return;
    struct track_block *b = &m->block[take_below(in, m->blocks)];
    size_t was = b->layout.size, size = 1 + take_below(in, 3000),
           more = size > was ? size - was : 0;
    unsigned char *at = loam_alloc_resize(a, b->at, b->layout, size);
    // To make a block smaller may need a new one: beneath, it may fail too.
    SAME((at != NULL) == track_allows(m, more, beneath));
    if (at == NULL)
        return;
    b->at = at;
    b->layout.size = size < was ? size : was;
    track_whole(b);
    b->layout.size = size;
    memset(at, b->fill, size);
    m->bytes += size - was;
}

static void track_free_one(struct input *in, loam_alloc a, struct track_model *m)
{
    if (m->blocks == 0)
        return;
    struct track_block *b = &m->block[take_below(in, m->blocks)];
    track_whole(b);
    loam_alloc_free(a, b->at, b->layout);
    m->bytes -= b->layout.size;
    *b = m->block[--m->blocks];
}

static void track_play(struct input *in)
{
    struct purse purse;
    loam_track t;
    struct track_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return;
    loam_track_init(&t, purse_open(&purse));
    loam_alloc a = loam_track_alloc(&t);
    for (bool beneath = false; in->left > 0; track_same(&t, m))
        switch (take(in) % 10) {
        case 0:
        case 1:
        case 2:
            track_new(in, a, m, beneath);
            break;
        case 3:
        case 4:
            track_resize_one(in, a, m, beneath);
            break;
        case 5:
        case 6:
            track_free_one(in, a, m);
            break;
        case 7:
            m->limit = take(in) % 2 ? take_below(in, 60000) : 0;
            loam_track_set_limit(&t, m->limit);
            break;
        case 8: {
            size_t n = take(in) % 8;
            loam_track_fail_at(&t, n);
            m->fail_at = n == 0 ? 0 : m->requests + n;
            break;
        }
        case 9:
            beneath = take(in) % 2;
            beneath ? purse_empty(&purse) : purse_fill(&purse);
            break;
        }
    while (m->blocks > 0)
        track_free_one(in, a, m);
    track_same(&t, m);
    loam_track_done(&t);
    purse_close(&purse);
    free(m);
}
