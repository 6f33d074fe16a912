// vec.h: an array that owns its elements and grows.
//
// Elements lie side by side; growing doubles the capacity, so pushing is constant time on the
// whole. Growing may move the elements: pointers to them are dead after a push, unless
// loam_vec_reserve has made room before. Use a region when pointers must stay, a pool when elements
// come and go and others refer to them.
//
//     loam_vec(int) v = {0};                       // empty, on the heap: all zero is ready
//     for (int i = 0; i < 10; i++)
//         if (!loam_vec_push(&v, i * i))
//             return 1;                            // no memory; v is as it was
//     loam_vec_each(&v, p)
//         printf("%d ", *p);
//     loam_vec_at(&v, 3) = loam_vec_pop(&v);       // checked: out of bounds ends the program
//     loam_vec_done(&v);
//
// Fields may be read: at, len, cap. `alloc` may be set while the vec is empty; a vec in a region
// (loam_region_alloc) need not be freed. A vec belongs to one thread at a time, and may be moved
// by copying it if only one copy is used on. The first argument is always the vec's address.
#ifndef LOAM_VEC_H
#define LOAM_VEC_H

#include <loam/alloc.h>
#include <loam/slice.h>

LOAM_BEGIN_C

// The type. Two of them are different types, even for the same T, unless given a name:
//     typedef loam_vec(struct point) points;
#define loam_vec(T)       \
    struct {              \
        T *at;            \
        size_t len, cap;  \
        loam_alloc alloc; \
    }

// How the functions below see every vec.
typedef struct __attribute__((may_alias)) loam_any_vec {
    void *at;
    size_t len, cap;
    loam_alloc alloc;
} loam_any_vec;

LOAM_API LOAM_NODISCARD bool loam_vec_reserve_(void *vec, loam_layout element, size_t more);
LOAM_API LOAM_NODISCARD bool loam_vec_resize_(void *vec, loam_layout element, size_t len);
LOAM_API LOAM_NODISCARD bool loam_vec_append_(void *vec, loam_layout element, const void *from,
                                              size_t n);
LOAM_API LOAM_NODISCARD bool loam_vec_insert_(void *vec, loam_layout element, size_t i,
                                              const void *from);
LOAM_API void *loam_vec_pop_(void *vec, size_t size);
LOAM_API void loam_vec_remove_(void *vec, size_t size, size_t i);
LOAM_API void loam_vec_shrink_(void *vec, loam_layout element);
LOAM_API void loam_vec_done_(void *vec, loam_layout element, void (*drop)(void *));

LOAM_NODISCARD static inline bool loam_vec_push_(void *vec, loam_layout element, const void *from)
{
    loam_any_vec *v = (loam_any_vec *)vec;
    if (__builtin_expect(v->len == v->cap, 0) && !loam_vec_reserve_(vec, element, 1))
        return false;
    memcpy((char *)v->at + v->len++ * element.size, from, element.size);
    return true;
}

#ifndef __cplusplus // C++ has std::vector
#define LOAM_VEC_OF_(v)       loam_layout_make(sizeof *(v)->at, _Alignof(__typeof__(*(v)->at)))
#define LOAM_VEC_ONE_(v, ...) ((__typeof__(*(v)->at)[1]){__VA_ARGS__})

// Put an element behind the last; given as a value or in braces. False, with errno ENOMEM and
// nothing changed, when there is no memory.
//     loam_vec_push(&points, {.x = 1, .y = 2})
#define loam_vec_push(v, ...) loam_vec_push_((v), LOAM_VEC_OF_(v), LOAM_VEC_ONE_(v, __VA_ARGS__))

// Take the last element off. Out of bounds when there is none.
#define loam_vec_pop(v) (*(__typeof__((v)->at))loam_vec_pop_((v), sizeof *(v)->at))

// The i-th element, checked; may be assigned to. The pointer dies with the next growth.
#define loam_vec_at(v, i) (*(__typeof__((v)->at))loam_slice_element_((v), (i), sizeof *(v)->at))

// Make room for `more` elements, so that the next `more` pushes succeed and move nothing.
#define loam_vec_reserve(v, more) loam_vec_reserve_((v), LOAM_VEC_OF_(v), (more))

// Make the length `n`: cut off the end, or add zeroed elements.
#define loam_vec_resize(v, n) loam_vec_resize_((v), LOAM_VEC_OF_(v), (n))

// Put copies of the `n` elements at `from`, which may lie in the vec, behind the last.
#define loam_vec_append(v, from, n) \
    loam_vec_append_((v), LOAM_VEC_OF_(v), 1 ? (from) : (__typeof__((v)->at))NULL, (n))

// Put an element before the i-th, or take the i-th out; the others keep their order and move.
// Linear time.
#define loam_vec_insert(v, i, ...) \
    loam_vec_insert_((v), LOAM_VEC_OF_(v), (i), LOAM_VEC_ONE_(v, __VA_ARGS__))
#define loam_vec_remove(v, i) loam_vec_remove_((v), sizeof *(v)->at, (i))

// Forget the elements, keep the memory. Give back what is beyond the length, if that is possible.
#define loam_vec_clear(v)  ((void)((v)->len = 0))
#define loam_vec_shrink(v) loam_vec_shrink_((v), LOAM_VEC_OF_(v))

// Release the memory; the vec is empty and may be used again. loam_vec_drop calls drop(T *) for
// each element before, the first one first.
#define loam_vec_done(v)       loam_vec_done_((v), LOAM_VEC_OF_(v), NULL)
#define loam_vec_drop(v, drop) loam_vec_done_((v), LOAM_VEC_OF_(v), LOAM_DROP_EACH_(v, drop))
#define LOAM_DROP_EACH_(v, drop) \
    _Generic((drop), void (*)(__typeof__((v)->at)) : (void (*)(void *))(drop))

// A loop over pointers to the elements, from the first to the last. The vec must not grow in it.
#define loam_vec_each(v, p)                                                           \
    for (__typeof__(v) p##_vec_ = (v); p##_vec_ != NULL; p##_vec_ = NULL)             \
        for (__typeof__(p##_vec_->at) p = p##_vec_->at, p##_end_ = p + p##_vec_->len; \
             p != p##_end_; p++)
#endif

LOAM_END_C

#endif
