// input.h: operations out of bytes, for whoever makes the bytes: a fuzzer, or a seed.
//
// Every part of the toolkit has a file here with one function, NAME_play, that reads bytes as a
// sequence of operations, does them to the part and to a model of it (an array, a count), and
// compares the two. fuzz/own.c hands it what libFuzzer makes up; tests/unit/own_model_test.c hands
// it bytes from seeds, by one thread and by several at once. Bytes that are missing read as zero.
#pragma once

#include <loam/loam.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const unsigned char *at;
    size_t left;
};

static inline unsigned take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

// A number below n, of which small ones are as likely as large ones.
static inline size_t take_below(struct input *in, size_t n)
{
    size_t x = take(in);
    x = x << 8 | take(in);
    x = take(in) % 4 == 0 ? x << 4 : x;
    return n == 0 ? 0 : x % n;
}

#define SAME(x)                                                                          \
    do {                                                                                 \
        if (!(x)) {                                                                      \
            fprintf(stderr, "%s:%d: not as in the model: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                                     \
        }                                                                                \
    } while (0)

// What is given back is scribbled over, so that whoever still looks at it is found out. Without a
// `resize` every growth moves.
static void *scribble_fresh(void *self, loam_layout l, bool zero)
{
    (void)self;
    return zero ? loam_alloc_new_zeroed(loam_alloc_heap(), l)
                : loam_alloc_new(loam_alloc_heap(), l);
}
static void scribble_release(void *self, void *p, loam_layout l)
{
    (void)self;
    memset(p, 0xdd, l.size);
    loam_alloc_free(loam_alloc_heap(), p, l);
}
static const loam_alloc_ops scribble_ops = {scribble_fresh, NULL, scribble_release};

// An allocator that fails now and then, and knows whether everything came back.
struct purse {
    loam_track track;
};
static inline loam_alloc purse_open(struct purse *p)
{
    loam_track_init(&p->track, (loam_alloc){&scribble_ops, NULL});
    return loam_track_alloc(&p->track);
}
// The next request for memory fails, and all that follow until purse_fill.
static inline void purse_empty(struct purse *p)
{
    loam_track_fail_at(&p->track, 1);
}
static inline void purse_fill(struct purse *p)
{
    loam_track_fail_at(&p->track, 0);
}
static inline void purse_close(struct purse *p)
{
    SAME(p->track.live_blocks == 0);
    SAME(p->track.live_bytes == 0);
    loam_track_done(&p->track);
}
