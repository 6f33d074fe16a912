// box.h: one object with one owner.
//
// A box is an object on loam's heap that knows its destructor. One variable owns it; ownership is
// moved, never copied, and what it was moved from is NULL. Use it where an object outlives the
// function that made it, but has a single owner at any time. For many objects that die together
// see region.h, for several owners rc.h.
//
//     struct file { int fd; };
//     loam_auto struct file *f = loam_box_new(struct file, NULL, .fd = 3);  // dropped at the end
//     struct file *mine = loam_move(f);                                     // f is NULL now
//     loam_auto struct file *g = mine;
//     loam_drop(g);                                                         // now, and g is NULL
//
// Variables with loam_auto are dropped when their scope is left, the last declared first: by
// falling out, return, break, goto, and by C++ exceptions; by pthread_exit and cancellation if the
// code is compiled with -fexceptions; never by longjmp or exit. They must be initialised where
// they are declared, by a box or NULL. A destructor runs exactly once.
//
// The compiler says no to a destructor for another type, and warns when a box goes to free().
// Always told, by one line and SIGABRT: dropping a box twice (if its memory is not in use again),
// dropping what is no box, dropping a forgotten one. Told by nothing: two variables that hold the
// same box; use loam_move. A box may be dropped by another thread than the one that made it.
#ifndef LOAM_BOX_H
#define LOAM_BOX_H

#include <loam/layout.h>
#include <string.h>

LOAM_BEGIN_C

// Run the destructor, give the memory back. NULL is allowed. Returns NULL. Keeps errno.
LOAM_API LOAM_TAKES(1) void *loam_box_drop(void *box);

// The size of the object in the box, as it was made.
LOAM_API size_t loam_box_size(const void *box);

// What loam_forget has let go since the program began.
typedef struct loam_forgotten {
    size_t boxes, bytes; // bytes as asked for
} loam_forgotten;
LOAM_API loam_forgotten loam_box_forgotten(void);

// What the macros below call.
LOAM_API LOAM_OWNED(loam_box_drop, 1) LOAM_NODISCARD
    void *loam_box_new_(loam_layout layout, void (*drop)(void *), const char *made);
LOAM_API LOAM_NODISCARD void *loam_box_forget_(void *box);
static inline void loam_box_drop_at_(void *variable)
{
    void *box;
    memcpy(&box, variable, sizeof box); // the variable is of type T *, not void *
    loam_box_drop(box);
}
LOAM_NODISCARD static inline void *loam_box_take_(void *variable, const void *put)
{
    void *box;
    memcpy(&box, variable, sizeof box);
    memcpy(variable, &put, sizeof put);
    return box;
}

// A variable that drops its box when its scope ends.
#define loam_auto __attribute__((cleanup(loam_box_drop_at_)))

#ifndef __cplusplus
// A box with a T in it, given as in an initialiser; what is not named is zero. `drop`, of type
// void (*)(T *) or void (*)(void *), releases what the T owns, not the T itself; NULL if nothing.
// Returns NULL with errno ENOMEM, EINVAL when T wants an alignment beyond 1 GiB.
//     struct file *f = loam_box_new(struct file, file_close, .fd = 3);
#define loam_box_new(...) LOAM_BOX_NEW_(__COUNTER__, __VA_ARGS__, )
#define LOAM_BOX_NEW_(n, T, drop, ...)                                                         \
    LOAM_NEW_N_(n, loam_box_new_(loam_layout_of(T), LOAM_DROP_OF_(T, drop), LOAM_MADE_(T)), T, \
                __VA_ARGS__)

// `drop` as a function of void *. A function of anything else has no branch here: an error.
#define LOAM_DROP_OF_(T, drop) \
    _Generic((drop), void (*)(T *): (void (*)(void *))(drop),                             \
             void (*)(void *): (void (*)(void *))(drop), void *: (void (*)(void *))NULL)

// Take the box out of a variable, which is NULL then; what is taken has a new owner.
#define loam_move(variable) ((__typeof__(variable))loam_box_take_(&(variable), NULL))

// Put another box into a variable and take the old one out, which has a new owner.
#define loam_replace(variable, box) \
    ((__typeof__(variable))loam_box_take_(&(variable), 1 ? (box) : (__typeof__(variable))NULL))

// Drop what a variable owns before its scope ends. It is NULL then.
#define loam_drop(variable) ((void)loam_box_drop(loam_box_take_(&(variable), NULL)))

// Let a box live as long as the program: its destructor never runs, the variable is NULL, and the
// result is an ordinary pointer to the object. Counted, so that it can be told from a leak.
#define loam_forget(variable) \
    ((__typeof__(variable))loam_box_forget_(loam_box_take_(&(variable), NULL)))
#endif

LOAM_END_C

#endif
