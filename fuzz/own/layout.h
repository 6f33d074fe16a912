// layout.h: layouts against the same sums in twice as many bits.
#pragma once

#include "fuzz/own/input.h"

__extension__ typedef unsigned __int128 wide;

struct wide_layout {
    wide size, align; // align 0: not valid
};

static struct wide_layout wide_check(struct wide_layout l)
{
    bool power = l.align != 0 && (l.align & (l.align - 1)) == 0;
    if (!power || l.align > PTRDIFF_MAX || l.size > PTRDIFF_MAX)
        return (struct wide_layout){0, 0};
    return l;
}
static struct wide_layout wide_pad(struct wide_layout l)
{
    if (l.align != 0)
        l.size = (l.size + l.align - 1) / l.align * l.align;
    return wide_check(l);
}
static struct wide_layout wide_extend(struct wide_layout l, struct wide_layout f, wide *at)
{
    if (l.align == 0 || f.align == 0)
        return (struct wide_layout){0, 0};
    *at = (l.size + f.align - 1) / f.align * f.align;
    return wide_check((struct wide_layout){*at + f.size, l.align > f.align ? l.align : f.align});
}

static void layout_same(loam_layout l, struct wide_layout w)
{
    SAME(loam_layout_valid(l) == (w.align != 0));
    SAME(!loam_layout_valid(l) || (l.size == w.size && l.align == w.align));
}

// Sizes at the edges are as likely as small ones.
static size_t layout_size(struct input *in)
{
    static const size_t edges[] = {0,
                                   1,
                                   PTRDIFF_MAX,
                                   (size_t)PTRDIFF_MAX + 1,
                                   SIZE_MAX,
                                   SIZE_MAX / 2,
                                   (size_t)1 << 62,
                                   (size_t)1 << 32};
    size_t off = take(in) % 16, pick = take(in) % 16;
    return pick < 8 ? edges[pick] + off - 8 : take_below(in, 100000);
}

static void layout_play(struct input *in)
{
    loam_layout l = loam_layout_make(0, 1);
    struct wide_layout w = {0, 1};
    while (in->left > 0) {
        size_t size = layout_size(in), n = layout_size(in), at = 12345;
        size_t align = take(in) % 4 != 0 ? (size_t)1 << take(in) % 64 : layout_size(in);
        loam_layout f = loam_layout_make(size, align);
        struct wide_layout wf = wide_check((struct wide_layout){size, align});
        wide where = 0;
        layout_same(f, wf);
        switch (take(in) % 4) {
        case 0:
            l = loam_layout_extend(l, f, &at);
            w = wide_extend(w, wf, &where);
            SAME(loam_layout_valid(l) ? at == where : at == 12345);
            break;
        case 1:
            l = loam_layout_array(f, n);
            w = wide_pad(wf);
            w.size *= n;
            w = wide_check(w);
            break;
        case 2:
            l = loam_layout_pad(l);
            w = wide_pad(w);
            break;
        case 3:
            l = f;
            w = wf;
            break;
        }
        layout_same(l, w);
    }
}
