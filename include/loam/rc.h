// rc.h: one object with several owners, counted.
//
// Each owner holds a reference; the last one to let go drops the object. Use it when no owner is
// the last by design: shared caches, configurations, graphs. If there is one owner at a time, a box
// is simpler (box.h); if all die together, a region is (region.h).
//
//     struct config { int level; };
//     struct config *c = loam_rc_new(struct config, NULL, .level = 3);
//     loam_auto_rc struct config *mine = loam_rc_ref(c);  // let go at the end of the scope
//     loam_weak(struct config) w = {NULL};
//     loam_weak_set(&w, c);                               // does not keep it alive
//     loam_rc_drop(c);                                    // c is NULL
//     loam_auto_rc struct config *again = loam_weak_get(&w);
//     printf("%s\n", again == NULL ? "dead" : "alive");   // alive: `mine` holds it
//     loam_weak_clear(&w);
//
// Counts of loam_rc_new are plain: all references stay in one thread. Those of loam_arc_new are
// atomic: references may be taken and let go by any thread; the object itself needs a lock, or is
// not written (mutex.h). Everything else is the same for both.
//
// Objects that refer to each other in a circle keep each other alive for ever: one of the
// references must be weak. LOAM=debug=on tells such circles, and `loam run --leaks`, as leaks.
//
// A header of 16 bytes stands before the object. The compiler says no to a destructor for another
// type, and to a weak reference that is followed. Always told, by one line and SIGABRT: letting go
// more often than was taken (if the memory is not in use again), more than a billion references.
// Told by nothing: a reference that is copied without loam_rc_ref.
#ifndef LOAM_RC_H
#define LOAM_RC_H

#include <loam/box.h>

LOAM_BEGIN_C

// Let go of a reference. The last one runs the destructor; the memory goes when the last weak
// reference has gone too. NULL is allowed. Returns NULL. Keeps errno.
LOAM_API void *loam_rc_unref(void *object);

// References there are now; for tests and for copy on write: 1 means that nobody else has it.
LOAM_API size_t loam_rc_count(const void *object);

// With LOAM=debug=on: look for objects that nobody holds but a circle of themselves. Each circle is
// told on stderr: the way around it, object by object, and which reference is to be made weak.
// Returns how many objects are lost so. Done by itself at exit. Without debug it does nothing and
// returns 0. References are looked for in the objects themselves: a circle that leads through a
// vec or another block is found by `loam run --leaks` alone. No other thread may use counted
// references meanwhile.
LOAM_API size_t loam_rc_cycles(void);

// What the macros below call.
LOAM_API LOAM_NODISCARD void *loam_rc_new_(loam_layout layout, void (*drop)(void *), bool atomic,
                                           const char *made);
LOAM_API LOAM_NODISCARD void *loam_rc_ref_(void *object);
LOAM_API LOAM_NONNULL(1) void loam_weak_set_(void *weak, void *object);
LOAM_API LOAM_NODISCARD LOAM_NONNULL(1) void *loam_weak_get_(void *weak);
static inline void loam_rc_unref_at_(void *variable)
{
    void *object;
    memcpy(&object, variable, sizeof object); // the variable is of type T *, not void *
    loam_rc_unref(object);
}

// A variable that lets go of its reference when its scope ends. Must be initialised.
#define loam_auto_rc __attribute__((cleanup(loam_rc_unref_at_)))

// The type of a weak reference to a T; all zero refers to nothing. Cannot be followed, only asked.
// As a member it must be cleared by the destructor.
#define loam_weak(T)          \
    struct {                  \
        T *loam_weak_target_; \
    }

#ifndef __cplusplus // C++ has std::shared_ptr
// A T with one reference, the caller's; given as in an initialiser. `drop`, of type
// void (*)(T *) or void (*)(void *), releases what the T owns, not the T itself; NULL if nothing.
// NULL with errno ENOMEM, or EINVAL when T wants an alignment beyond 16.
//     struct config *c = loam_rc_new(struct config, config_drop, .level = 3);
#define loam_rc_new(...)  LOAM_RC_NEW_(__COUNTER__, false, __VA_ARGS__, )
#define loam_arc_new(...) LOAM_RC_NEW_(__COUNTER__, true, __VA_ARGS__, )
#define LOAM_RC_NEW_(n, atomic, T, drop, ...)                                                      \
    LOAM_NEW_N_(n, loam_rc_new_(loam_layout_of(T), LOAM_DROP_OF_(T, drop), atomic, LOAM_MADE_(T)), \
                T, __VA_ARGS__)

// One more reference to the same object, for another owner. NULL is allowed, and gives NULL.
#define loam_rc_ref(p) ((__typeof__(p))loam_rc_ref_(p))

// Let go of the reference in a variable, which is NULL then. loam_move takes it out instead.
#define loam_rc_drop(variable) ((void)loam_rc_unref(loam_box_take_(&(variable), NULL)))

// Make the weak reference *w refer to the object p, or to nothing: NULL. What it referred to
// before does not matter. A weak reference must be set by one thread at a time.
#define loam_weak_set(w, p) loam_weak_set_((w), 1 ? (p) : (__typeof__((w)->loam_weak_target_))NULL)
#define loam_weak_clear(w)  loam_weak_set_((w), NULL)

// A reference to the object, which the caller must let go; NULL when it has died, or there is none.
#define loam_weak_get(w) ((__typeof__((w)->loam_weak_target_))loam_weak_get_(w))
#endif

LOAM_END_C

#endif
