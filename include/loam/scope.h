// scope.h: do something when a scope is left, whatever way it is left.
//
// What must be undone stands beside what was done, and runs at the end of the scope: the last one
// first, after a return's value was computed. Use it for what is no box and no region: a lock, a
// file, a counter. It costs what the code would cost, written before each return.
//
//     int depth = 0;
//     depth++;
//     loam_defer { depth--; };                          // ends with }; in every compiler
//     printf("%d deep\n", depth);
//
// Runs when the scope is left by falling out, return, break, continue, goto, and by C++
// exceptions; by pthread_exit and cancellation if the code is compiled with -fexceptions; never by
// longjmp, exit or a signal. A `return` in the deferred code ends only that code.
//
// In gcc the code is a nested function that is always inlined (never a trampoline), in C++ a
// lambda; both see variables as they are when the scope ends. In clang it is a block: compile with
// -fblocks (no runtime library is needed). A block sees variables as they were at loam_defer, and
// clang refuses an assignment to one, unless it is declared with __block. For code that must mean
// the same in both, loam_defer_call takes the address of what it works on.
#ifndef LOAM_SCOPE_H
#define LOAM_SCOPE_H

#include <loam/attr.h>

#define LOAM_PASTE_(a, b) a##b
#define LOAM_PASTE(a, b)  LOAM_PASTE_(a, b)

#if defined(__cplusplus)

#include <utility>

namespace loam::detail
{
template <class F> struct deferred {
    F run;
    explicit deferred(F f) : run(std::move(f)) {}
    deferred(const deferred &) = delete;
    ~deferred() { run(); }
};
struct defer_here {
    template <class F> deferred<F> operator+(F f) const { return deferred<F>(std::move(f)); }
};
} // namespace loam::detail

#define loam_defer                                                         \
    [[maybe_unused]] const auto &LOAM_PASTE(loam_deferred_, __COUNTER__) = \
        ::loam::detail::defer_here() + [&]()

#else

// Defer a block: loam_defer { ... };
#if defined(__clang__) && defined(__BLOCKS__)
// What every block points to, as the runtime library has it; weak, so that either may be used.
__attribute__((weak)) void *_NSConcreteStackBlock[32];
static inline void loam_defer_run_(void (^*block)(void))
{
    (*block)();
}
#define loam_defer                                           \
    __attribute__((cleanup(loam_defer_run_), unused)) void ( \
        ^LOAM_PASTE(loam_deferred_, __COUNTER__))(void) = ^

#elif defined(__clang__)
#define loam_defer _Static_assert(0, "loam_defer needs -fblocks in clang");

#else
#define loam_defer     LOAM_DEFER_(__COUNTER__)
#define LOAM_DEFER_(n) LOAM_DEFER_N_(n)
#define LOAM_DEFER_N_(n)                                                         \
    __extension__ auto inline void loam_deferred_##n(char *loam_unused_##n);     \
    __attribute__((cleanup(loam_deferred_##n), unused)) char loam_scope_##n = 0; \
    __extension__ inline __attribute__((always_inline)) void loam_deferred_##n(  \
        __attribute__((unused)) char *loam_unused_##n)
#endif

// Call run(pointer) at the end of the scope. `run` returns void and takes just the pointer's type;
// another function is an error. What is pointed to is seen as it is then.
//     loam_defer_call(unlock, &lock);
typedef struct loam_deferred_call {
    void (*run)(void *);
    void *pointer;
} loam_deferred_call;
static inline void loam_defer_call_run_(loam_deferred_call *c)
{
    c->run(c->pointer);
}
#define loam_defer_call(run, pointer)                                                     \
    __attribute__((cleanup(loam_defer_call_run_), unused)) loam_deferred_call LOAM_PASTE( \
        loam_called_, __COUNTER__) = {_Generic((run), void (*)(__typeof__(pointer))       \
                                               : (void (*)(void *))(run)),                \
                                      (pointer)}

#endif

#endif
