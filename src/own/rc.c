// rc.c: one object with several owners, counted.
//
// rc and arc are one thing: a bit of the header says whether counts are atomic, so a reference
// cannot be counted the wrong way, and there is one set of functions. The branch is foretold well,
// and costs far less than an atomic operation.
#include "own/rc.h"

#include "heap/fast.h"
#include "own/debug.h"

#include <errno.h>
#include <loam/heap.h>

#define RC_ALIGN  16
#define ATOMIC    (1u << 31)
#define COUNT_MAX (1u << 30)

static bool is_atomic(const struct rc *r)
{
    return (atomic_load_explicit(&r->weak, memory_order_relaxed) & ATOMIC) != 0;
}

// Both return the count before. A plain count needs no atomic instruction, which is the whole
// point of it: a load and a store, relaxed. Taking a reference orders nothing, because the caller
// has one already. Letting go is release, so that what an owner did is done before the last one
// drops; and acquire, so that the last one sees it.
static u32 count_up(_Atomic u32 *count, bool atomic)
{
    if (atomic)
        return atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    u32 before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before + 1, memory_order_relaxed);
    return before;
}

static u32 count_down_by_one(_Atomic u32 *count, bool atomic)
{
    if (atomic)
        return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel);
    u32 before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before - 1, memory_order_relaxed);
    return before;
}

static noreturn_ cold_ void tell_dead(const void *object)
{
    struct note n;
    struct telling t = {"rc: used after the last reference was let go",
                        object,
                        "the last one was let go here",
                        "used here",
                        NULL,
                        NULL};
    t.first = note_find(NOTE_RC_LAST, object, 0, &n) ? &n : NULL;
    debug_die(&t);
}

// Plain counts belong to the thread that made the object. Told once; the counts may still be right.
static cold_ void check_thread(const void *object)
{
    struct note n;
    if (!note_find(NOTE_RC_MADE, object, 0, &n) || n.thread == debug_thread())
        return;
    debug_tell(
        &(struct telling){"rc: plain counts are used by a second thread; loam_arc_new counts "
                          "for several",
                          object, "made here", "used here", &n, NULL});
}

static void check_count(u32 before, const void *object)
{
    if (unlikely(before == 0))
        tell_dead(object); // X3
    if (unlikely(before >= COUNT_MAX))
        die("rc: too many references", object);
}

void *loam_rc_new_(loam_layout l, void (*drop)(void *), bool atomic, const char *made)
{
    if (!loam_layout_valid(l) || l.align > RC_ALIGN) {
        errno = EINVAL;
        return NULL;
    }
    struct rc *r = heap_malloc(sizeof *r + l.size, KIND_MALLOC);
    if (r == NULL)
        return NULL;
    r->drop = drop;
    // X2. In one store: a processor does not hand on two stores to the one load of is_sole.
    atomic_init(&r->both, 1 | (u64)(1 | (atomic ? ATOMIC : 0)) << 32);
    if (debugging())
        note_put(NOTE_RC_MADE, r + 1, 0, made);
    return r + 1;
}

void *loam_rc_ref_(void *object)
{
    if (object == NULL)
        return NULL;
    struct rc *r = rc_of(object);
    if (debugging() && !is_atomic(r))
        check_thread(object);
    check_count(count_up(&r->strong, is_atomic(r)), object);
    return object;
}

static void weak_unref(struct rc *r)
{
    bool atomic = is_atomic(r);
    u32 before = count_down_by_one(&r->weak, atomic) & ~ATOMIC;
    assert(before != 0); // X2
    if (before == 1 && debugging())
        debug_keep(r, loam_usable_size(r));
    else if (before == 1)
        heap_free_fast(r, KIND_MALLOC);
}

// A destructor may do anything to errno; without one nobody does.
static void run_drop(struct rc *r, void *object)
{
    int saved = errno;
    r->drop(object);
    errno = saved;
}

static void last_one(struct rc *r, void *object)
{
    if (debugging())
        note_end(NOTE_RC_MADE, NOTE_RC_LAST, object);
    if (r->drop != NULL)
        run_drop(r, object);
    weak_unref(r);
}

// One reference and no weak one: nobody else can come by another, so nothing need be atomic. Both
// counts in one load: between two, a weak reference could become a strong one and vanish, or the
// other way round. Acquire: pairs with the release of those that let go before.
static bool is_sole(struct rc *r)
{
    if (atomic_load_explicit(&r->strong, memory_order_relaxed) != 1)
        return false;
    u64 both = atomic_load_explicit(&r->both, memory_order_acquire);
    return (u32)both == 1 && ((u32)(both >> 32) & ~ATOMIC) == 1;
}
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "is_sole takes the lower half for `strong`"
#endif

static noinline_ void *unref(struct rc *r, void *object)
{
    bool atomic = is_atomic(r);
    if (debugging() && !atomic)
        check_thread(object);
    u32 before = count_down_by_one(&r->strong, atomic);
    check_count(before, object);
    if (before == 1)
        last_one(r, object);
    return NULL;
}

// The commonest end by itself: without a destructor, and with little to save on the stack.
void *loam_rc_unref(void *object)
{
    if (object == NULL)
        return NULL;
    struct rc *r = rc_of(object);
    if (debugging() || r->drop != NULL || !is_sole(r))
        return unref(r, object);
    u32 bit = atomic_load_explicit(&r->weak, memory_order_relaxed) & ATOMIC;
    atomic_store_explicit(&r->strong, 0, memory_order_relaxed); // X3
    atomic_store_explicit(&r->weak, bit, memory_order_relaxed);
    loam_free(r);
    return NULL;
}

size_t loam_rc_count(const void *object)
{
    return object == NULL ? 0 : atomic_load_explicit(&rc_of(object)->strong, memory_order_relaxed);
}

// ---------------------------------------------------------------- weak

// As its user's compiler sees a weak reference: a struct with a pointer to some T.
typedef struct __attribute__((may_alias)) any_weak {
    void *target;
} any_weak;

void loam_weak_set_(void *weak, void *object)
{
    any_weak *w = weak;
    struct rc *old = w->target == NULL ? NULL : rc_of(w->target);
    if (object != NULL) {
        struct rc *r = rc_of(object);
        if (unlikely(loam_rc_count(object) == 0))
            tell_dead(object);
        check_count(count_up(&r->weak, is_atomic(r)) & ~ATOMIC, object);
    }
    if (debugging() && object != NULL)
        note_put(NOTE_WEAK, w, 0, NULL);
    else if (debugging())
        note_remove(NOTE_WEAK, w, 0);
    w->target = object;
    if (old != NULL)
        weak_unref(old); // last: it may be the same object
}

// X1: a count that is 0 stays so. Acquire: pairs with nothing that the object needs (whoever made
// the weak reference had seen the object), but keeps the answer in order with later reads.
static bool revive(struct rc *r)
{
    if (!is_atomic(r))
        return loam_rc_count(r + 1) != 0 && count_up(&r->strong, false) != 0;
    u32 n = atomic_load_explicit(&r->strong, memory_order_relaxed);
    while (n != 0 && !atomic_compare_exchange_weak_explicit(
                         &r->strong, &n, n + 1, memory_order_acquire, memory_order_relaxed)) {
    }
    return n != 0;
}

void *loam_weak_get_(void *weak)
{
    const any_weak *w = weak;
    return w->target != NULL && revive(rc_of(w->target)) ? w->target : NULL;
}
