// A signal handler at every instruction of the heap: the program is traced, stopped after each
// instruction, and made to run a handler there that allocates and frees. What the handler finds
// half done is all that there is to find.
#include "tests/stress/shadow.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/syscall.h>

static struct actor outer, inner;
static _Atomic bool forked;
static int turn;

// Blocks of one size, more than a slab of that class holds, so that a slab fills up, is parked or
// kept, and comes back.
#define RING 80
#define LIVE 0xb10cb10cb10cb10c // no block of a mix has this size
static _Atomic(struct block *) ring[RING];
static unsigned ring_at;

// Only heads are written: each instruction of the test costs as much as one of the heap.
static void ring_free(struct block *p)
{
    if (p != NULL) {
        CHECK(p->size == LIVE && p->seed == seed_of(p));
        p->size = 0;
    }
    loam_free(p);
}

static void ring_step(size_t size)
{
    _Atomic(struct block *) *slot = &ring[ring_at++ % RING];
    ring_free(atomic_exchange(slot, NULL));
    struct block *p = loam_malloc(size);
    CHECK(p != NULL);
    CHECK(p->size != LIVE); // else it is handed out twice
    *p = (struct block){LIVE, seed_of(p)};
    ring_free(atomic_exchange(slot, p)); // a handler may have put one there
}

static void handler(int sig)
{
    (void)sig;
    int saved = errno;
    turn++;
    for (int i = 0; i < (turn % 8 == 0 ? 40 : 2); i++)
        ring_step(turn % 3 == 0 ? 1024 : 2048);
    if (turn % 5 == 0)
        act(&inner, 3);
    errno = saved;
}

static void trace_me(void (*on_signal)(int))
{
    struct sigaction act_on = {.sa_handler = on_signal};
    CHECK(sigaction(SIGUSR1, &act_on, NULL) == 0);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); // a tracer that runs out of time leaves nobody
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
}

static int wait_stop(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    if (!WIFSTOPPED(status)) {
        dprintf(2, "the traced program ended: status %#x\n", (unsigned)status);
        _exit(1);
    }
    return WSTOPSIG(status);
}

// Let the handler run where the program is, up to the end of the system call by which it returns.
// True when the program, interrupted in its last call, had come to its end meanwhile.
static bool run_handler(pid_t pid)
{
    int pass = SIGUSR1;
    bool over = false, ended = false;
    for (;;) {
        CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)pass) == 0);
        int sig = wait_stop(pid);
        pass = 0;
        if (over)
            return ended;
        if (sig == (SIGTRAP | 0x80)) {
            long number = ptrace(PTRACE_PEEKUSER, pid, (void *)(ORIG_RAX * sizeof(long)), NULL);
            over = number == SYS_rt_sigreturn;
        } else if (sig == SIGUSR2) {
            ended = true;
        } else if (sig != SIGCHLD) {
            dprintf(2, "the handler met signal %d\n", sig);
            pass = sig;
        }
    }
}

// Step through the program up to its end, with a signal every `every` instructions from
// `first` on. Returns how many instructions there were.
static long step_through(pid_t pid, long first, long every)
{
    CHECK(wait_stop(pid) == SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                 (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)) == 0);
    for (long n = 0;; n++) {
        CHECK(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
        int sig = wait_stop(pid);
        if (sig == SIGUSR2)
            return n;
        CHECK(sig == SIGTRAP);
        if (n % every == first && run_handler(pid))
            return n;
    }
}

static void finish(pid_t pid)
{
    int status;
    CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    if (status != 0)
        dprintf(2, "the traced program ended badly: status %#x\n", (unsigned)status);
    CHECK(status == 0);
}

static void end_well(void)
{
    raise(SIGUSR2); // tells the tracer, who lets us go on as if nothing had been
    sound();
    free_all(&outer);
    free_all(&inner);
    for (int i = 0; i < RING; i++)
        loam_free(ring[i]);
    free_shared();
    sound();
    _exit(0);
}

static void traced(void (*program)(void), void (*on_signal)(int), long every)
{
    for (long first = 0; first < (every > 1 ? 2 : 1); first++) {
        pid_t pid = fork();
        if (pid == 0) {
            trace_me(on_signal);
            program();
            end_well();
        }
        long n = step_through(pid, first, every);
        CHECK(n > 500);
        finish(pid);
    }
}

// ---------------------------------------------------------------- programs

// Few enough instructions to stop at each: sizes without long loops of memset.
static void refills(void)
{
    for (int i = 0; i < 60; i++)
        ring_step(i % 3 == 0 ? 1024 : 2048);
}

TEST(at_every_instruction_of_malloc_and_free)
{
    traced(refills, handler, 1);
}

static void sizes(void)
{
    void *p = loam_malloc(100);
    for (size_t size = 1000; size < 500000; size *= 3) {
        void *q = loam_realloc(p, size);
        CHECK(q != NULL);
        p = q;
        loam_free(loam_aligned_alloc(4096, size));
        loam_free(loam_calloc(1, size % 1000));
    }
    loam_free(p);
}

TEST(in_first_calls_and_large_blocks)
{
    traced(sizes, handler, 41);
}

// ---------------------------------------------------------------- fork at any instruction

// The child goes on where the handler interrupted it, inside the heap, and must come to a good end.
static void forking_handler(int sig)
{
    (void)sig;
    int saved = errno;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, SIG_IGN);
        atomic_store(&forked, true);
        errno = saved;
        return;
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    errno = saved;
}

static void refills_and_forks(void)
{
    refills();
    if (atomic_load(&forked)) { // a child of the handler: nobody traces it
        act(&outer, 50);
        sound();
        _exit(0);
    }
}

TEST(fork_inside_of_the_heap)
{
    traced(refills_and_forks, forking_handler, 151);
}

int main(int argc, char **argv)
{
    check_seconds = 300; // a stop costs two changes of processes, which busy machines make wait
    return check_main(argc, argv);
}
