// slice.h: a view of an array: a pointer and a length that stay together.
//
// A slice borrows: it must not outlive what it views, and nothing here allocates or copies. Bounds
// are checked at every access; one out of bounds ends the program with one line. loam_bytes is
// the slice of bytes that cannot be written, for text and for what was read from elsewhere: split
// it, search it, and look at it through a type, checked, without a copy. For an array that owns
// and grows see vec.h.
//
//     loam_bytes rest = loam_bytes_text("key=value"), key;
//     if (loam_bytes_split(&rest, '=', &key))
//         printf("%.*s is %.*s\n", LOAM_BYTES(key), LOAM_BYTES(rest));
//     int a[] = {1, 2, 3, 4};
//     loam_slice(int) s = {a, 4}, tail;
//     loam_slice_cut(&tail, s, 1, 4);
//     printf("%d %zu\n", loam_slice_at(tail, 0), s.len);
#ifndef LOAM_SLICE_H
#define LOAM_SLICE_H

#include <loam/layout.h>
#include <string.h>

LOAM_BEGIN_C

// Ends the program: "slice: index out of bounds: 0x<index>".
__attribute__((noreturn, cold)) LOAM_API void loam_out_of_bounds(size_t index);

// The index, if it is less than `len`.
static inline size_t loam_check_index(size_t index, size_t len)
{
    if (__builtin_expect(index >= len, 0))
        loam_out_of_bounds(index);
    return index;
}

// ---------------------------------------------------------------- bytes

typedef struct loam_bytes {
    const unsigned char *at;
    size_t len;
} loam_bytes;

static inline loam_bytes loam_bytes_of(const void *at, size_t len)
{
    loam_bytes b = {(const unsigned char *)at, len};
    return b;
}

// The bytes of a string, without the zero at its end.
static inline loam_bytes loam_bytes_text(const char *text)
{
    return loam_bytes_of(text, strlen(text));
}

// Two arguments for printf's %.*s.
#define LOAM_BYTES(b) (int)(b).len, (const char *)(b).at

static inline unsigned char loam_bytes_at(loam_bytes b, size_t i)
{
    return b.at[loam_check_index(i, b.len)];
}

// The bytes from `from` up to, and without, `to`. Out of bounds unless from <= to <= len.
static inline loam_bytes loam_bytes_cut(loam_bytes b, size_t from, size_t to)
{
    if (__builtin_expect(to > b.len, 0))
        loam_out_of_bounds(to);
    if (__builtin_expect(from > to, 0))
        loam_out_of_bounds(from);
    return loam_bytes_of(b.len == 0 ? b.at : b.at + from, to - from);
}

static inline bool loam_bytes_equal(loam_bytes a, loam_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool loam_bytes_begins(loam_bytes b, loam_bytes with)
{
    return with.len <= b.len && loam_bytes_equal(loam_bytes_cut(b, 0, with.len), with);
}

// Where `needle` stands first; SIZE_MAX when it does not. An empty one stands at 0.
LOAM_API size_t loam_bytes_find(loam_bytes b, loam_bytes needle);

// Take what stands before the first `separator` off the front of *rest, and the separator with it.
// False, and nothing is written, when there is none.
LOAM_API bool loam_bytes_split(loam_bytes *rest, unsigned char separator, loam_bytes *ret);

// Take a line off the front of *rest, without its "\n" or "\r\n". The last line needs no end.
// False when nothing is left.
//     while (loam_bytes_line(&rest, &line)) ...
LOAM_API bool loam_bytes_line(loam_bytes *rest, loam_bytes *ret_line);

// The T at byte `offset`; NULL when it does not lie within `b` as a whole or is not aligned. The
// bytes must have been written as a T, or by nobody in this program (a file, a packet).
#define loam_view(T, b, offset) ((const T *)loam_bytes_view_(b, offset, loam_layout_of(T)))

// `n` of them in a row.
#define loam_view_array(T, b, offset, n) \
    ((const T *)loam_bytes_view_(b, offset, loam_layout_array(loam_layout_of(T), n)))

static inline const void *loam_bytes_view_(loam_bytes b, size_t offset, loam_layout l)
{
    if (!loam_layout_valid(l) || offset > b.len || l.size > b.len - offset)
        return NULL;
    const unsigned char *at = b.at == NULL ? NULL : b.at + offset;
    return ((uintptr_t)at & (l.align - 1)) != 0 ? NULL : at;
}

// ---------------------------------------------------------------- slices of a type

// The type. Two of them are different types, even for the same T, unless given a name:
//     typedef loam_slice(struct point) points;
#define loam_slice(T) \
    struct {          \
        T *at;        \
        size_t len;   \
    }

// How the functions below see every slice, and the beginning of every vec.
typedef struct __attribute__((may_alias)) loam_any_slice {
    void *at;
    size_t len;
} loam_any_slice;

static inline void *loam_slice_element_(const void *slice, size_t i, size_t size)
{
    const loam_any_slice *s = (const loam_any_slice *)slice;
    return (char *)s->at + loam_check_index(i, s->len) * size;
}
LOAM_API void loam_slice_cut_(void *to, const void *from, size_t first, size_t end, size_t size);

#ifndef __cplusplus // C++ has ways of its own
// The i-th element, checked; may be assigned to.
#define loam_slice_at(s, i) (*(__typeof__((s).at))loam_slice_element_(&(s), (i), sizeof *(s).at))

// Make *to, a slice of the same T, view the elements of the variable `s` (a slice, or a vec) from
// `first` up to, and without, `end`. Out of bounds unless first <= end <= len.
#define loam_slice_cut(to, s, first, end) \
    ((void)sizeof((to)->at = (s).at), loam_slice_cut_((to), &(s), (first), (end), sizeof *(s).at))
#endif

LOAM_END_C

#endif
