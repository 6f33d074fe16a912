// stack.c: which words of a stack may be read.
#include "record/stack.h"

#include "os/os.h"
#include "os/share.h"

#define OWN_STEP_MAX     (64 * MiB) // a stack pointer farther below what is proven is no deep frame
#define FOREIGN_STEP_MAX (256 * KiB) // a guess may point anywhere, and each OS page is a call

extern void *__libc_stack_end; // of the dynamic linker: stack pointer at the first instruction

static struct {
    _Atomic uintptr_t main_thread; // thread pointer of the main thread
} the;

thread_local_ struct stack_own stack_own;

static u64 page_of(u64 at)
{
    return at & ~(OS_PAGE - 1);
}

static bool readable(u64 at)
{
    return os_readable((const void *)(uintptr_t)at);
}

static uintptr_t thread(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

void stack_init(void)
{
    atomic_store_explicit(&the.main_thread, thread(), memory_order_relaxed);
}

static void find_anchor(void)
{
    bool is_main = thread() == atomic_load_explicit(&the.main_thread, memory_order_relaxed);
    u64 anchor = is_main ? (u64)(uintptr_t)__libc_stack_end : thread();
    stack_own.lo = page_of(anchor);
    stack_own.hi = anchor;
}

// Prove the pages between sp and the part that is known. Going down, not up, finds the guard page
// below the stack at most once; from then on `floor` answers for all foreign stacks below it.
static bool grow_own(u64 sp)
{
    if (stack_own.hi == 0)
        find_anchor();
    if (sp >= stack_own.hi || sp < stack_own.floor || stack_own.lo - sp > OWN_STEP_MAX)
        return sp >= stack_own.lo && sp < stack_own.hi;
    u64 lo = stack_own.lo;
    for (; lo > sp; lo -= OS_PAGE) {
        if (!readable(lo - OS_PAGE)) {
            stack_own.floor = lo;
            break;
        }
    }
    stack_own.lo = lo;
    return lo <= sp;
}

bool stack_enter(struct stack_view *v, u64 sp, bool current)
{
    v->own = likely(sp >= stack_own.lo && sp < stack_own.hi) || grow_own(sp);
    v->hi = v->own ? stack_own.hi : page_of(sp) + OS_PAGE;
    return v->own || current || readable(page_of(sp));
}

bool stack_stretch(struct stack_view *v, u64 to)
{
    if (to <= v->hi)
        return true;
    if (v->own || to - v->hi > FOREIGN_STEP_MAX)
        return false;
    u64 hi = v->hi;
    for (; hi < to; hi += OS_PAGE)
        if (!readable(hi))
            return false;
    v->hi = hi;
    return true;
}

// The dynamic linker, which starts first, rounds its stack pointer down before it calls anything.
bool stack_ends(u64 sp)
{
    return (u64)(uintptr_t)__libc_stack_end - sp <= 16;
}
