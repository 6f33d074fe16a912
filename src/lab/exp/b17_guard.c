// B17 guard: where the stack ends, and what is there.

#include "lab/lab.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

enum { FRAME = 1024, ALT = 65536 };
#define LARGEST (64 * MiB)

__attribute__((noinline)) static u64 deeper(u64 depth)
{
    volatile char frame[FRAME];
    frame[0] = (char)depth;
    if (depth == ~0ull) // never: but the compiler must not know that it has no end
        return 0;
    u64 below = deeper(depth + 1);
    return below + (u64)frame[0]; // after the call: not a jump
}

// In a child, on its main stack.
static void overflow_main(void *of)
{
    u64 *start = of, here = 0;
    struct rlimit r;
    // A stack without limit would eat the machine.
    if (getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur > LARGEST) {
        r.rlim_cur = 8 * MiB;
        setrlimit(RLIMIT_STACK, &r);
    }
    *start = (u64)(uintptr_t)&here;
    KEEP(deeper(0));
}

// A handler's stack belongs to a thread: the new one needs its own.
static void *thread_body(void *of)
{
    static char alt[ALT];
    stack_t s = {.ss_sp = alt, .ss_size = sizeof alt};
    sigaltstack(&s, NULL);
    u64 *start = of, here = 0;
    *start = (u64)(uintptr_t)&here;
    KEEP(deeper(0));
    return NULL;
}

static void overflow_thread(void *of)
{
    pthread_t t;
    if (pthread_create(&t, NULL, thread_body, of) == 0)
        pthread_join(t, NULL);
}

// A megabyte of ints on the stack, as the text has it.
static void million(void *of)
{
    volatile int a[1000000];
    a[0] = a[999999] = 1;
    *(u64 *)of = sizeof a;
}

static void gauge(struct lab *l, const char *what, double used, double limit)
{
    char bar[41] = "";
    u32 n = limit > 0 && used < limit ? (u32)(used / limit * 40) : 40;
    memset(bar, '#', n);
    lab_line(l, "%-12s [%-40s] %.0f of %.0f KiB", what, bar, used / 1024, limit / 1024);
}

static double end_of(struct lab *l, void (*body)(void *), u64 *start, int *ret_code)
{
    struct lab_fault f = {0};
    if (lab_fault(l, body, start, &f) != 0 || f.signal == 0)
        return 0;
    *ret_code = f.code;
    return (double)(*start - f.address);
}

static void run(struct lab *l)
{
    u64 *start = lab_shared(l, 4096);
    struct rlimit r;
    struct lab_end end;
    pthread_attr_t attr;
    size_t thread_bytes = 0;
    if (start == NULL || getrlimit(RLIMIT_STACK, &r) != 0)
        return;
    bool capped = r.rlim_cur > LARGEST;
    double limit = capped ? 8 * MiB : (double)r.rlim_cur;
    pthread_attr_init(&attr);
    pthread_attr_getstacksize(&attr, &thread_bytes);
    pthread_attr_destroy(&attr);
    int main_code = 0, thread_code = 0;
    double main_used = end_of(l, overflow_main, start, &main_code);
    double thread_used = end_of(l, overflow_thread, start, &thread_code);
    lab_picture(l, "stacks at the moment of overflow");
    gauge(l, "main thread", main_used, limit);
    gauge(l, "new thread", thread_used, (double)thread_bytes);
    if (capped)
        lab_cannot(l, "main_mib", "the limit of the stack is beyond 64 MiB here");
    else
        lab_measured(l, "main_mib", stat_exact(limit / (double)MiB), "MiB");
    lab_check(l, "ends", main_used > 0 && main_used <= limit, "the fault is %.0f KiB below main",
              main_used / 1024);
    lab_exact(l, "thread_mib", (double)thread_bytes / (double)MiB, "MiB");
    lab_why(l, "thread_mib",
            "2 MiB is what Rust's library asks for; C's takes the limit of the "
            "main stack");
    lab_check(l, "guard_main", main_code == SEGV_ACCERR, "below the main stack %s",
              main_code == SEGV_ACCERR ? "is a page that may not be touched" : "nothing is mapped");
    lab_why(l, "guard_main", "the kernel keeps a gap free of mappings there (stack_guard_gap)");
    lab_check(l, "guard_thread", thread_code == SEGV_ACCERR, "below a thread's stack %s",
              thread_code == SEGV_ACCERR ? "is a page that may not be touched"
                                         : "nothing is mapped");
    *start = 0;
    if (lab_child(l, million, start, 0, &end) == 0 && *start != 0)
        lab_exact(l, "million_mb", (double)*start / 1e6, "MB");
    else
        lab_cannot(l, "million_mb", "the stack is too small for it here");
}

static const struct claim claims[] = {
    {S3, "topic 4", "the main thread's stack", "1-8 MB", "main_mib", 1, 8, "MiB"},
    {S4, NULL, "the main thread's stack", "2-8 MB", "main_mib", 2, 8, "MiB"},
    {S4, NULL, "a stack that overflows", "segmentation fault", "ends", 0, 0, NULL},
    {S3, "topic 4", "a guard page below a thread's stack", "protected page", "guard_thread", 0, 0,
     NULL},
    {S3, "topic 4", "a guard page below the main stack", "protected page", "guard_main", 0, 0,
     NULL},
    {S3, "topic 5", "each thread's stack", "2 MB each", "thread_mib", 2, 2, "MiB"},
    {S4, NULL, "int[1000000] on the stack", "4 MB", "million_mb", 4, 4, "MB"},
};

LAB_EXPERIMENT(B17) = {
    .question = "How large is a stack, and what is at its end?",
    .prediction = "1 to 8 MB, with a protected page below that turns an overflow into a fault.",
    .method = "Children recurse until the processor objects, on the main stack and on that of a "
              "new thread; a handler on a stack of its own notes address and reason. 'Nothing is "
              "mapped' and 'not allowed' tell a gap from a guard page.",
    .look = "Both overflows are caught, but by different means: a thread's stack has a guard page, "
            "the main stack only a gap that the kernel leaves free, and its limit.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
