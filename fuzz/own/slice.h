// slice.h: bytes that are cut, split and searched, against loops over single bytes.
#pragma once

#include "fuzz/own/input.h"

static size_t slice_find(loam_bytes b, loam_bytes needle)
{
    for (size_t i = 0; i + needle.len <= b.len; i++) {
        size_t k = 0;
        while (k < needle.len && b.at[i + k] == needle.at[k])
            k++;
        if (k == needle.len)
            return i;
    }
    return SIZE_MAX;
}

// Each line ends before the next line feed, and before a carriage return that stands there.
static void slice_lines(loam_bytes all)
{
    loam_bytes rest = all, line;
    size_t at = 0;
    while (at < all.len) {
        size_t end = at;
        while (end < all.len && all.at[end] != '\n')
            end++;
        size_t len = end - at;
        if (len > 0 && all.at[end - 1] == '\r')
            len--;
        SAME(loam_bytes_line(&rest, &line));
        SAME(line.at == all.at + at && line.len == len);
        at = end + 1;
    }
    SAME(!loam_bytes_line(&rest, &line));
    SAME(rest.len == 0);
}

static void slice_split(loam_bytes all, unsigned char separator)
{
    loam_bytes rest = all, piece;
    size_t at = 0;
    while (loam_bytes_split(&rest, separator, &piece)) {
        SAME(piece.at == all.at + at);
        SAME(all.at[at + piece.len] == separator);
        at += piece.len + 1;
    }
    SAME(rest.len == all.len - at);
    SAME(slice_find(rest, loam_bytes_of(&separator, 1)) == SIZE_MAX);
}

// A view is there if, and only if, its bytes are and stand aligned.
static void slice_view(loam_bytes b, size_t offset)
{
    const uint32_t *p = loam_view(uint32_t, b, offset);
    bool inside = offset <= b.len && b.len - offset >= sizeof *p;
    bool aligned = inside && (uintptr_t)(b.at + offset) % _Alignof(uint32_t) == 0;
    SAME((p != NULL) == aligned);
    SAME(p == NULL || memcmp(p, b.at + offset, sizeof *p) == 0);
}

static void slice_play(struct input *in)
{
    size_t n = in->left < 600 ? in->left : 600;
    unsigned char text[600] = {0};
    memcpy(text, in->at, n);
    for (size_t i = 0; i < n; i++) // enough line ends to be of interest
        text[i] = text[i] % 16 == 1 ? '\n' : text[i] % 16 == 2 ? '\r' : text[i];
    loam_bytes all = loam_bytes_of(text, n);
    slice_lines(all);
    while (in->left > 0) {
        size_t from = take_below(in, n + 1), to = from + take_below(in, n - from + 1);
        loam_bytes part = loam_bytes_cut(all, from, to);
        SAME(part.len == to - from);
        size_t at = take_below(in, part.len + 1), length = take(in) % 4;
        if (length > part.len - at)
            length = part.len - at;
        loam_bytes needle = loam_bytes_cut(part, at, at + length);
        SAME(loam_bytes_find(part, needle) == slice_find(part, needle));
        SAME(loam_bytes_begins(part, needle) == (slice_find(part, needle) == 0));
        slice_split(part, (unsigned char)take(in));
        slice_view(part, take_below(in, n + 8));
    }
}
