// unwind_test.c: our backtraces against libgcc's, through every kind of frame that we know of.
#include "record/module.h"
#include "record/rule.h"
#include "record/trace.h"
#include "record/unwind.h"

#include "format/recording.h"
#include "os/os.h"
#include "tests/check.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unwind.h>

// What a sanitizer needs on each stack for itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EXTRA (2 * MiB)
#else
#define EXTRA 0
#endif

#define PC(frame) ((frame)&FRAME_OFFSET_MASK)

struct theirs {
    u64 pc[RECORDING_FRAMES];
    u32 count;
};

static _Unwind_Reason_Code add(struct _Unwind_Context *c, void *arg)
{
    struct theirs *t = arg;
    int before = 0;
    u64 pc = _Unwind_GetIPInfo(c, &before);
    if (pc != 0 && t->count < RECORDING_FRAMES)
        t->pc[t->count++] = pc + (before != 0); // as unwind.h says of interrupted frames
    return _URC_NO_REASON;
}

static unsigned compared;    // frames
static volatile int checked; // traces
static struct unwind_trace last;
static u64 last_frames[RECORDING_FRAMES];

// The same by what the thread's cache remembers, twice: the second time it was just here.
static void compare_remembered(const struct unwind_start *here)
{
    static __thread struct trace_cache *cache;
    if (cache == NULL)
        cache = os_map(round_up(sizeof *cache, OS_PAGE)); // not malloc: we may be in a handler
    struct unwind_caller from = {here->pc + 1, here->rsp, here->rbp};
    for (int i = 0; i < 2; i++) {
        struct unwind_trace t;
        if (trace_hash(cache, &from, &t))
            CHECK(t.hash == last.hash && t.count == last.count && t.truncated == last.truncated);
    }
}

// The caller's stack, by both. Frame 0 is this function, at two different places.
static noinline_ void compare(void)
{
    static struct theirs t;
    struct unwind_start here;
    t.count = 0;
    _Unwind_Backtrace(add, &t);
    unwind_capture(&here);
    last = unwind_hash(&here);
    compare_remembered(&here);
    struct unwind_trace full = unwind_full(&here, NULL, RECORDING_FRAMES);
    CHECK(full.hash == last.hash && full.count == last.count);
    u32 n = unwind_frames(&here, last_frames, RECORDING_FRAMES);
    CHECK(n == last.count);
    if (n != t.count)
        dprintf(2, "%u frames, libgcc %u\n", n, t.count);
    for (u32 i = 1; i < n && i < t.count; i++)
        if (PC(last_frames[i]) != t.pc[i])
            dprintf(2, "frame %u: %#lx, libgcc %#lx\n", i, PC(last_frames[i]), t.pc[i]);
    CHECK(n == t.count);
    for (u32 i = 1; i < n; i++)
        CHECK(PC(last_frames[i]) == t.pc[i]);
    compared += n;
    checked++;
}

static void init(void)
{
    unwind_init(0, 0);
}

static noinline_ int recurse(int n, void (*at_end)(void))
{
    volatile char pad[40];
    pad[0] = (char)n;
    if (n == 0)
        at_end();
    else
        recurse(n - 1, at_end);
    return pad[0];
}

TEST(recursion)
{
    init();
    recurse(0, compare);
    u64 shallow = last.hash;
    recurse(50, compare);
    CHECK(last.hash != shallow);
    CHECK(!last.truncated);
    CHECK(compared > 50);
}

TEST(same_stack_same_hash)
{
    init();
    u64 hash[2];
    for (volatile int i = 0; i < 2; i++) { // volatile: one call, not two copies of it
        recurse(7, compare);
        hash[i] = last.hash;
    }
    CHECK(hash[0] == hash[1]);
}

static void count_only(void)
{
    struct unwind_start here;
    unwind_capture(&here);
    last = unwind_hash(&here);
}

TEST(too_deep)
{
    init();
    recurse(2000, count_only);
    CHECK(last.count == RECORDING_FRAMES);
    CHECK(last.truncated);
}

__attribute__((optimize("O2", "omit-frame-pointer"))) static noinline_ u64
many_registers(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    u64 g = a * b, h = c * d, i = e * f, j = a * d, k = b * e;
    compare();
    u64 l = g ^ h ^ i;
    compare();
    return l + g + h + i + j + k + a + b + c + d + e + f;
}

TEST(callee_saved_registers)
{
    init();
    CHECK(many_registers(1, 2, 3, 4, 5, 6) != 0);
    CHECK(checked == 2);
}

__attribute__((optimize("O2", "omit-frame-pointer"))) static noinline_ int
realigned(int n, void (*next)(void))
{
    _Alignas(64) volatile char buf[128];
    volatile char *more = __builtin_alloca((size_t)n);
    buf[0] = more[0] = 1;
    next();
    return buf[0] + more[0];
}

static void realigned_again(void)
{
    realigned(300, compare);
}

TEST(realigned_and_alloca)
{
    init();
    realigned(100, compare);
    realigned(1000, realigned_again);
    CHECK(checked == 2);
}

static int order(const void *a, const void *b)
{
    if (checked < 3)
        compare();
    return *(const int *)a - *(const int *)b;
}

TEST(through_libc)
{
    init();
    int v[] = {3, 1, 2, 9, 7};
    qsort(v, countof(v), sizeof v[0], order);
    CHECK(checked == 3);
}

// ---------------------------------------------------------------- signals

static void handler(int signal unused_)
{
    recurse(2, compare);
}

static void catch_signal(int signal, int flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal, &a, NULL);
}

static void raise_usr1(void)
{
    raise(SIGUSR1);
}

TEST(signal_handler)
{
    init();
    catch_signal(SIGUSR1, 0);
    recurse(3, raise_usr1);
    CHECK(checked == 1);
    CHECK(!last.truncated);
}

static sigjmp_buf out;
static void handler_that_leaves(int signal unused_)
{
    recurse(2, compare);
    siglongjmp(out, 1);
}

// Interrupted at an instruction that is no call, the first of its function.
__attribute__((naked, noinline)) static void trap(void)
{
    __asm__("ud2");
}

TEST(interrupted_at_first_instruction)
{
    init();
    struct sigaction a = {.sa_handler = handler_that_leaves};
    sigaction(SIGILL, &a, NULL);
    if (sigsetjmp(out, 1) == 0)
        recurse(3, trap);
    CHECK(checked == 1);
    u32 found = 0;
    for (u32 i = 0; i < last.count; i++)
        found += PC(last_frames[i]) == (u64)(uintptr_t)trap + 1;
    CHECK(found == 1);
}

// A stack with nothing readable around it.
static char *fenced_stack(size_t size)
{
    char *p = mmap(NULL, size + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK(mprotect(p + 4096, size, PROT_READ | PROT_WRITE) == 0);
    return p + 4096;
}

TEST(signal_stack)
{
    init();
    stack_t s = {.ss_sp = fenced_stack(64 * KiB), .ss_size = 64 * KiB};
    CHECK(sigaltstack(&s, NULL) == 0);
    catch_signal(SIGUSR1, SA_ONSTACK);
    for (int i = 0; i < 3; i++)
        recurse(3, raise_usr1);
    CHECK(checked == 3);
}

static void count_in_handler(int signal unused_)
{
    count_only();
}

TEST(small_signal_stack)
{
    init();
    recurse(3, compare); // pages of the stack and rules are known from here on
    size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + 2048;
    size = round_up(size, 4096) + EXTRA;
    stack_t s = {.ss_sp = fenced_stack(size), .ss_size = size};
    CHECK(sigaltstack(&s, NULL) == 0);
    struct sigaction a = {.sa_handler = count_in_handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &a, NULL);
    recurse(3, raise_usr1);
    CHECK(last.count > 6);
    CHECK(!last.truncated);
}

// ---------------------------------------------------------------- threads and other stacks

static void *thread(void *arg unused_)
{
    recurse(5, compare);
    recurse(50, compare);
    catch_signal(SIGUSR1, 0);
    recurse(5, raise_usr1);
    return NULL;
}

TEST(threads)
{
    init();
    for (int i = 0; i < 3; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        pthread_join(t, NULL);
    }
    CHECK(checked == 9);
    CHECK(!last.truncated);
}

TEST(thread_on_smallest_stack)
{
    init();
    pthread_attr_t a;
    pthread_t t;
    size_t size = 64 * KiB + EXTRA;
    pthread_attr_init(&a);
    CHECK(pthread_attr_setstack(&a, fenced_stack(size), size) == 0);
    CHECK(pthread_create(&t, &a, thread, NULL) == 0);
    pthread_join(t, NULL);
    CHECK(checked == 3);
}

static ucontext_t main_context, co_context;
static void coroutine(void)
{
    recurse(3, compare);
    swapcontext(&co_context, &main_context);
    recurse(30, compare);
}

TEST(coroutines)
{
    init();
    recurse(3, compare);
    for (int i = 0; i < 3; i++) {
        char *stack = fenced_stack(64 * KiB);
        getcontext(&co_context);
        co_context.uc_stack.ss_sp = stack;
        co_context.uc_stack.ss_size = 64 * KiB;
        co_context.uc_link = &main_context;
        makecontext(&co_context, coroutine, 0);
        swapcontext(&main_context, &co_context);
        recurse(4, compare);
        swapcontext(&main_context, &co_context);
        CHECK(munmap(stack - 4096, 64 * KiB + 2 * 4096) == 0); // what was proven is no more
    }
    CHECK(checked == 10);
}

// ---------------------------------------------------------------- code that comes and goes

// A library with one function, which calls back.
static void *open_library(const char *dir, const char *name, const char *body)
{
    char file[128], command[512];
    snprintf(command, sizeof command,
             "printf 'volatile int x; int call(void (*f)(void)) { %s f(); return x; }' |"
             " ${CC:-cc} -O1 -shared -fPIC -x c - -o %s/%s.so",
             body, dir, name);
    CHECK(system(command) == 0);
    snprintf(file, sizeof file, "%s/%s.so", dir, name);
    void *h = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    CHECK(h != NULL);
    return h;
}

static void call_in(void *library)
{
    int (*call)(void (*)(void));
    *(void **)&call = dlsym(library, "call");
    CHECK(call != NULL);
    call(compare);
}

static u32 module_of_caller(void)
{
    return (u32)(last_frames[1] >> UNWIND_MODULE_SHIFT);
}

// Two libraries of one shape; the second usually lands where the first one was.
TEST(libraries_come_and_go)
{
    init();
    char dir[] = "/tmp/unwind_test.XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    void *a = open_library(dir, "a", "");
    call_in(a);
    u32 first = module_of_caller();
    struct link_map *map;
    CHECK(dlinfo(a, RTLD_DI_LINKMAP, &map) == 0);
    CHECK(first != 0 && module_at(first)->map == map);
    CHECK(module_at(first)->bias == map->l_addr);
    CHECK(module_at(first)->build_id_len == 20 || module_at(first)->build_id_len == 0);
    dlclose(a);
    module_gone(map);
    void *b = open_library(dir, "b", "char room[200]; room[x] = 1; x = room[x + 1];");
    call_in(b);
    CHECK(module_of_caller() != first);
    dlclose(b);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(system(command) == 0);
}

// push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret
static const u8 jit_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

// The same, but calls its first argument with its second: mov %rdi,%rax; mov %rsi,%rdi; call *%rax
static const u8 jit_caller[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8,
                                0x48, 0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3};

static noinline_ void record_frames(void)
{
    struct unwind_start here;
    unwind_capture(&here);
    last = unwind_hash(&here);
    unwind_frames(&here, last_frames, RECORDING_FRAMES);
}

// A frame that claims to have been called from jit_return.
static void *jit_return;
static noinline_ void fake_call(void)
{
    u64 frame[2] = {(u64)(uintptr_t)__builtin_frame_address(0), (u64)(uintptr_t)jit_return};
    struct unwind_start s;
    unwind_capture(&s);
    s.pc = (u64)(uintptr_t)jit_return; // in code without a description
    s.rbp = (u64)(uintptr_t)frame;
    s.rsp = s.rbp - 8;
    __asm__ volatile("" ::"r"(frame) : "memory");
    last = unwind_hash(&s);
}

TEST(code_without_tables)
{
    init();
    u8 *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    memcpy(code, jit_code, sizeof jit_code);
    void (*jit)(void (*)(void));
    *(void **)&jit = code;
    jit(record_frames);
    CHECK(last_frames[1] == (u64)(uintptr_t)code + 6); // module 0, behind the call
    CHECK(!last.truncated);
    CHECK(last.count > 4);

    memcpy(code + 64, jit_caller, sizeof jit_caller);
    void (*outer)(void *, void (*)(void));
    *(void **)&outer = code + 64;
    outer(code, record_frames);
    CHECK(last_frames[1] == (u64)(uintptr_t)code + 6);
    CHECK(last_frames[2] == (u64)(uintptr_t)code + 64 + 12);
    CHECK(!last.truncated);

    code[4] = 0x90; // no call before the return address: not believed
    code[5] = 0x90;
    rule_flush();
    last.truncated = 0;
    jit_return = code + 6;
    fake_call();
    CHECK(last.truncated);
}

// ---------------------------------------------------------------- garbage

static u64 seed = 1;
static u64 random64(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed ^ seed >> 31;
}

// A word that leads somewhere: code, the stack, or nonsense.
static u64 bait(u64 text, u64 text_size, u64 stack, u64 stack_size)
{
    switch (random64() % 4) {
    case 0:
        return text + random64() % text_size;
    case 1:
        return stack + random64() % stack_size;
    case 2:
        return random64() % 4096;
    }
    return random64();
}

// Every walk from random registers over a random stack ends, and none faults.
TEST(garbage)
{
    init();
    Dl_info info;
    CHECK(dladdr((void *)qsort, &info) != 0);
    u64 text = (u64)(uintptr_t)info.dli_fbase, text_size = 0x1a0000, size = 16 * KiB;
    u64 *stack = (u64 *)(void *)fenced_stack(size), at = (u64)(uintptr_t)stack;
    u64 total = 0;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < size / 8; i++)
            stack[i] = bait(text, text_size, at, size);
        for (int i = 0; i < 500; i++) {
            struct unwind_start s;
            for (size_t k = 0; k < sizeof s / 8; k++)
                ((u64 *)&s)[k] = bait(text, text_size, at, size);
            s.pc = text + random64() % text_size;
            s.rsp = at + random64() % size / 8 * 8;
            total += unwind_hash(&s).count;
            total += unwind_frames(&s, last_frames, RECORDING_FRAMES);
        }
    }
    CHECK(total > 200 * 500 * 2); // walks that go on are the point
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
