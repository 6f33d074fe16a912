// crooked.cc: allocates from every kind of stack that changes under one's feet. tests/real/traces.t
// has each of its backtraces compared.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static thread_local unsigned seed = 1;
static unsigned dice(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

NOINLINE static void take(size_t n)
{
    void *volatile p = malloc(n);
    free(p);
}

// ---- many ways to one depth: frames of one size, so that stack pointers coincide

NOINLINE static int walk(int depth);
template <int which> NOINLINE static int branch(int depth)
{
    volatile int here = which;
    int r = walk(depth - 1);
    if (which % 2 != 0)
        take(24);
    return r + here;
}
NOINLINE static int walk(int depth)
{
    if (depth == 0) {
        take(16);
        return 0;
    }
    switch (dice(4)) {
    case 0:
        return branch<0>(depth) + 1;
    case 1:
        return branch<1>(depth) + 1;
    case 2:
        return branch<2>(depth) + 1;
    }
    return branch<3>(depth); // a tail call, where the compiler likes
}

// ---- frames whose size is not in the tables

NOINLINE static void with_alloca(int depth)
{
    char *room = static_cast<char *>(alloca(16 + dice(300)));
    memset(room, 1, 16);
    take(32);
    if (depth > 0)
        with_alloca(depth - 1);
    asm volatile("" ::"r"(room) : "memory");
}

NOINLINE static void realigned(int depth)
{
    alignas(64) volatile char buffer[64];
    buffer[0] = 1;
    take(40);
    if (depth > 0)
        dice(2) ? realigned(depth - 1) : with_alloca(2);
    buffer[1] = buffer[0];
}

// ---- ways out

static thread_local jmp_buf out;
NOINLINE static void jumps(int depth)
{
    take(48);
    if (depth == 0)
        longjmp(out, 1);
    if (depth > 0)
        jumps(depth - 1);
    asm volatile("");
}

NOINLINE static void throws(int depth)
{
    std::string text(30 + dice(40), 'x');
    if (depth == 0)
        throw text;
    throws(depth - 1);
    asm volatile("" ::"r"(text.data()) : "memory");
}

NOINLINE static void leave()
{
    if (setjmp(out) == 0)
        jumps(int(dice(10)));
    try {
        throws(int(dice(10)));
    } catch (const std::string &) {
        take(56);
    }
}

// ---- signals

static void handler(int)
{
    int saved = int(dice(6));
    walk(saved);
}

static void on_stack(void *stack, size_t size)
{
    stack_t s = {};
    s.ss_sp = stack;
    s.ss_size = size;
    s.ss_flags = stack != nullptr ? 0 : SS_DISABLE;
    sigaltstack(&s, nullptr);
}

NOINLINE static void signals(int depth)
{
    if (depth > 0) {
        signals(depth - 1);
        asm volatile("");
        return;
    }
    raise(SIGUSR1); // on the same stack
    raise(SIGUSR2); // on another
}

static void catch_signal(int which, int flags)
{
    struct sigaction a = {};
    a.sa_handler = handler;
    a.sa_flags = flags;
    sigaction(which, &a, nullptr);
}

// ---- coroutines, on stacks that are unmapped and mapped anew

static const size_t CO_SIZE = 64 * 1024;
static thread_local ucontext_t home, co;
static void coroutine()
{
    for (int i = 0; i < 20; i++) {
        walk(int(dice(8)));
        with_alloca(12); // past the first page of the stack
        swapcontext(&co, &home);
    }
}

NOINLINE static void coroutines()
{
    void *stack =
        mmap(nullptr, CO_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&co);
    co.uc_stack.ss_sp = stack;
    co.uc_stack.ss_size = CO_SIZE;
    co.uc_link = &home;
    makecontext(&co, coroutine, 0);
    for (int i = 0; i < 10 + int(dice(10)); i++) {
        swapcontext(&home, &co);
        walk(int(dice(5)));
    }
    munmap(stack, CO_SIZE);
}

// ---- code without tables, and code that is replaced

// push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret
static const unsigned char jit_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
static void five()
{
    walk(5);
}
NOINLINE static void jit()
{
    void *code =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(code, jit_code, sizeof jit_code);
    void (*call)(void (*)());
    memcpy(&call, &code, sizeof call);
    for (int i = 0; i < 20; i++)
        call(five);
    munmap(code, 4096);
}

NOINLINE static void plugins(char **files)
{
    for (; *files != nullptr; files++) {
        void *h = dlopen(*files, RTLD_NOW | RTLD_LOCAL);
        if (h == nullptr) {
            fprintf(stderr, "%s\n", dlerror());
            exit(1);
        }
        void *f = dlsym(h, "call");
        void (*call)(void (*)());
        memcpy(&call, &f, sizeof call);
        for (int i = 0; i < 10; i++)
            call(five);
        dlclose(h);
    }
}

// ---- all of it

static void round_of_all(int rounds)
{
    static thread_local char stack[64 * 1024];
    on_stack(stack, sizeof stack);
    for (int i = 0; i < rounds; i++) {
        walk(int(dice(30)));
        with_alloca(int(dice(8)));
        realigned(int(dice(6)));
        leave();
        signals(int(dice(8)));
        if (i % 8 == 0)
            coroutines();
        jit();
    }
    on_stack(nullptr, 0);
}

static void *thread(void *arg)
{
    seed = unsigned(size_t(arg)) + 7;
    round_of_all(100);
    return nullptr;
}

int main(int, char **argv)
{
    catch_signal(SIGUSR1, 0);
    catch_signal(SIGUSR2, SA_ONSTACK);
    round_of_all(400);
    for (int round = 0; round < 5; round++) {
        pthread_t t[3];
        for (size_t i = 0; i < 3; i++)
            pthread_create(&t[i], nullptr, thread, reinterpret_cast<void *>(i));
        for (pthread_t each : t)
            pthread_join(each, nullptr);
        plugins(argv + 1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        round_of_all(100);
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    puts("went everywhere");
    return status != 0;
}
