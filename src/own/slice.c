// slice.c: views of arrays: what is too long to be inline.
#include <loam/slice.h>

#include "base/base.h"

void loam_out_of_bounds(size_t index)
{
    die("slice: index out of bounds", (const void *)index);
}

size_t loam_bytes_find(loam_bytes b, loam_bytes needle)
{
    if (needle.len == 0)
        return 0;
    for (size_t from = 0; from < b.len && b.len - from >= needle.len; from++) {
        size_t starts = b.len - from - needle.len + 1; // places where it can stand
        const unsigned char *hit = memchr(b.at + from, needle.at[0], starts);
        if (hit == NULL)
            return SIZE_MAX;
        from = (size_t)(hit - b.at);
        if (memcmp(hit, needle.at, needle.len) == 0)
            return from;
    }
    return SIZE_MAX;
}

bool loam_bytes_split(loam_bytes *rest, unsigned char separator, loam_bytes *ret)
{
    loam_bytes b = *rest;
    size_t at = loam_bytes_find(b, loam_bytes_of(&separator, 1));
    if (at == SIZE_MAX)
        return false;
    *rest = loam_bytes_cut(b, at + 1, b.len);
    *ret = loam_bytes_cut(b, 0, at);
    return true;
}

bool loam_bytes_line(loam_bytes *rest, loam_bytes *ret_line)
{
    loam_bytes line;
    if (rest->len == 0)
        return false;
    if (!loam_bytes_split(rest, '\n', &line)) {
        line = *rest;
        *rest = loam_bytes_cut(line, line.len, line.len);
    }
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    *ret_line = line;
    return true;
}

void loam_slice_cut_(void *to, const void *from, size_t first, size_t end, size_t size)
{
    const loam_any_slice *s = from;
    if (unlikely(end > s->len))
        loam_out_of_bounds(end);
    if (unlikely(first > end))
        loam_out_of_bounds(first);
    void *at = s->at == NULL ? NULL : (char *)s->at + first * size;
    *(loam_any_slice *)to = (loam_any_slice){at, end - first};
}
