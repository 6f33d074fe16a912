// 07_allocators.c: who gives the memory is the caller's choice.
//
// A function that needs memory takes an allocator value, and does not care what stands behind it:
// the heap, or one that counts and refuses. Sizes are layouts, so that no multiplication overflows
// in silence. The same function is then put through every way of running out of memory, which is
// how code that handles ENOMEM is tested at all. Build it with
// `cc 07_allocators.c /usr/local/lib/libloam.a -pthread`.
#include <loam/track.h>
#include <stdint.h>
#include <stdio.h>

static bool check(bool good, const char *what)
{
    printf("%s %s\n", good ? "yes:" : "NO: ", what);
    return good;
}

// A matrix is a header with an array of rows, each a block of its own.
struct matrix {
    size_t rows, columns;
    double *row[];
};

static loam_layout matrix_layout(size_t rows)
{
    loam_layout array = loam_layout_array(loam_layout_of(double *), rows);
    return loam_layout_pad(loam_layout_extend(loam_layout_of(struct matrix), array, NULL));
}

static void matrix_free(struct matrix *m, loam_alloc a)
{
    loam_layout row = loam_layout_array(loam_layout_of(double), m->columns);
    for (size_t i = 0; i < m->rows; i++)
        loam_alloc_free(a, m->row[i], row); // NULL is allowed
    loam_alloc_free(a, m, matrix_layout(m->rows));
}

static struct matrix *matrix_new(size_t rows, size_t columns, loam_alloc a)
{
    struct matrix *m = loam_alloc_new_zeroed(a, matrix_layout(rows));
    if (m == NULL)
        return NULL;
    m->rows = rows;
    m->columns = columns;
    loam_layout row = loam_layout_array(loam_layout_of(double), columns);
    for (size_t i = 0; i < rows; i++) {
        m->row[i] = loam_alloc_new_zeroed(a, row);
        if (m->row[i] == NULL) {
            matrix_free(m, a);
            return NULL;
        }
    }
    return m;
}

// Let request 1, 2, 3, ... fail until all succeed. Whatever failed, nothing may be left.
static bool every_failure(void)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    size_t n = 0;
    struct matrix *m = NULL;
    while (m == NULL && t.live_blocks == 0) {
        loam_track_fail_at(&t, ++n);
        m = matrix_new(10, 10, loam_track_alloc(&t));
    }
    printf("it took %zu tries until nothing failed\n", n);
    bool ok = check(m != NULL, "each failure before left no block behind") &&
              check(n == 12, "one request for the header, one for each row");
    if (m != NULL)
        matrix_free(m, loam_track_alloc(&t));
    loam_track_done(&t);
    return ok;
}

int main(void)
{
    struct matrix *m = matrix_new(100, 100, loam_alloc_heap());
    bool ok = check(m != NULL, "a matrix on the heap");
    if (m != NULL)
        matrix_free(m, loam_alloc_heap());
    ok = ok &&
         check(matrix_new(SIZE_MAX / 4, 1, loam_alloc_heap()) == NULL,
               "one whose size overflows is refused") &&
         every_failure();
    return ok ? 0 : 1;
}
