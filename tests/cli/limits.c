// limits.c: what limits.t runs on loam's heap: each case sets a limit or refuses calls, and then
// lives on. Exit status 0: fine; 77: this machine does not let it; 1 with a line on stderr: wrong.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MIB  ((size_t)1 << 20)
#define SKIP 77

static void wrong(int line, const char *what)
{
    fprintf(stderr, "limits.c:%d: not so: %s\n", line, what);
    _exit(1);
}
#define CHECK(x) ((x) ? (void)0 : wrong(__LINE__, #x))

static void *own_map(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// A number from a file of /proc that stands behind `name`, in the units of that file.
static size_t proc_number(const char *path, const char *name)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    setvbuf(f, NULL, _IONBF, 0);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    char *at = strstr(text, name);
    CHECK(at != NULL);
    return strtoul(at + strlen(name), NULL, 10);
}

static void limit(int which, size_t soft)
{
    struct rlimit r;
    CHECK(getrlimit(which, &r) == 0);
    r.rlim_cur = soft;
    CHECK(setrlimit(which, &r) == 0);
}

// ---------------------------------------------------------------- blocks that know what is in them

enum { SLOTS = 400 };
static struct slot {
    unsigned char *p;
    size_t size;
} slots[SLOTS];
static uint64_t seed = 1;
static size_t refusals;

static size_t below(size_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

static unsigned char mark_of(size_t i, size_t at)
{
    return (unsigned char)(i * 31 + (at >> 6) + 1);
}

// Every 64th byte, and the last.
static void fill(size_t i, size_t from)
{
    struct slot *s = &slots[i];
    for (size_t at = (from + 63) & ~(size_t)63; at < s->size; at += 64)
        s->p[at] = mark_of(i, at);
    s->p[s->size - 1] = mark_of(i, s->size - 1);
}

static void verify(size_t i, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        CHECK(slots[i].p[at] == mark_of(i, at));
}

static void drop(size_t i)
{
    verify(i, slots[i].size);
    free(slots[i].p);
    slots[i] = (struct slot){0};
}

// NULL is an answer, but only with ENOMEM.
static int granted(const void *p)
{
    if (p != NULL)
        return 1;
    CHECK(errno == ENOMEM);
    refusals++;
    return 0;
}

static void regrow(size_t i, size_t size)
{
    struct slot *s = &slots[i];
    size_t old = s->size;
    unsigned char *p = realloc(s->p, size);
    if (!granted(p)) {
        verify(i, old);
        return;
    }
    *s = (struct slot){p, size};
    verify(i, (old < size ? old : size) & ~(size_t)63);
    fill(i, (old < size ? old : size) & ~(size_t)63);
}

static void renew(size_t i, size_t size)
{
    size_t how = below(4), align = (size_t)16 << below(12);
    unsigned char *p = how == 0   ? calloc(1, size)
                       : how == 1 ? aligned_alloc(align, (size + align - 1) & -align)
                                  : malloc(size);
    if (!granted(p))
        return;
    if (how == 0)
        for (size_t at = 0; at < size; at += 64)
            CHECK(p[at] == 0);
    if (how == 1)
        CHECK((uintptr_t)p % align == 0);
    slots[i] = (struct slot){p, size};
    fill(i, 0);
}

static size_t any_size(size_t large)
{
    size_t kind = below(16);
    return 1 + (kind == 0 ? below(large) : kind < 4 ? below(40000) : below(600));
}

static void churn(size_t steps, size_t large)
{
    for (size_t n = 0; n < steps; n++) {
        size_t i = below(SLOTS);
        if (slots[i].p == NULL)
            renew(i, any_size(large));
        else if (below(3) == 0)
            regrow(i, any_size(large));
        else
            drop(i);
    }
}

static void drop_all(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].p != NULL)
            drop(i);
}

// Blocks of `size` until there are no more; all of them are whole, and can be had again.
static size_t to_the_end(size_t size, size_t most)
{
    static unsigned char *held[1 << 16];
    size_t n = 0;
    errno = 0;
    for (; n < most && (held[n] = malloc(size)) != NULL; n++)
        memset(held[n], (int)n, size < 64 ? size : 64);
    CHECK(n == most || errno == ENOMEM);
    for (size_t i = 0; i < n; i++)
        CHECK(held[i][0] == (unsigned char)i && held[i][15] == (unsigned char)i);
    for (size_t i = 0; i < n; i++)
        free(held[i]);
    return n;
}

// ---------------------------------------------------------------- limits of the kernel

// Under `ulimit -v`: what was to be had once is to be had again, small after large.
static int case_ulimit(void)
{
    size_t n = to_the_end(MIB, 1 << 16);
    CHECK(n >= 8 && n < 1 << 16);
    CHECK(to_the_end(MIB, 1 << 16) >= n - 2);
    CHECK(to_the_end(100, 1 << 16) == 1 << 16);
    churn(20000, 4 * MIB);
    drop_all();
    return 0;
}

// The heap has taken no more addresses than it needs: the program's own mapping finds room.
static int case_lowered(void)
{
    churn(5000, MIB);
    size_t now = proc_number("/proc/self/status", "VmSize:") << 10;
    limit(RLIMIT_AS, now + 24 * MIB);
    void *mine = own_map(20 * MIB);
    CHECK(mine != MAP_FAILED);
    churn(20000, 4 * MIB);
    munmap(mine, 20 * MIB);
    churn(20000, 4 * MIB);
    limit(RLIMIT_AS, 4 * MIB); // below what is mapped: what is free can still be had
    drop_all();
    CHECK(to_the_end(1000, 1000) == 1000);
    churn(20000, 4 * MIB);
    drop_all();
    limit(RLIMIT_AS, RLIM_INFINITY);
    CHECK(to_the_end(MIB, 64) == 64);
    return 0;
}

// What vm.overcommit_memory=2 would charge: private writable mappings that the kernel accounts.
static size_t charged(void)
{
    static char line[4096];
    size_t sum = 0, size = 0;
    FILE *f = fopen("/proc/self/smaps", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "Size:", 5) == 0)
            size = strtoul(line + 5, NULL, 10) << 10;
        if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " ac") != NULL)
            sum += size;
    }
    fclose(f);
    return sum;
}

static int case_charge(void)
{
    free(malloc(1));
    size_t before = charged();
    CHECK(before < 24 * MIB);
    static void *held[4096];
    for (size_t i = 0; i < 4096; i++)
        CHECK((held[i] = malloc(30000)) != NULL); // 120 MiB
    size_t after = charged();
    CHECK(after >= before + 110 * MIB); // else nothing was measured
    CHECK(after <= before + 120 * MIB * 5 / 4);
    return 0;
}

// At most `most` may be locked, and become somebody for whom that counts.
static void lock_at_most(size_t most)
{
    struct rlimit r;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &r) == 0);
    limit(RLIMIT_MEMLOCK, most < r.rlim_max ? most : r.rlim_max);
    if (geteuid() == 0)
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
}

// Everything that is mapped from now on is locked, and the limit is soon reached: mmap then says
// EAGAIN. No NULL but with ENOMEM, and no wait for ever.
static int case_lock_small(void)
{
    churn(2000, MIB);
    lock_at_most(24 * MIB);
    if (mlockall(MCL_FUTURE) != 0)
        return SKIP;
    alarm(20);
    refusals = 0;
    to_the_end(MIB, 256);
    churn(5000, 32 * MIB);
    CHECK(refusals > 0);
    drop_all();
    CHECK(to_the_end(1000, 1000) == 1000);
    return 0;
}

// Locked memory cannot be given back, and reads as it was: calloc must know.
static int case_lock_large(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) // root's are not limited
        return SKIP;
    alarm(20);
    churn(10000, 2 * MIB);
    CHECK(proc_number("/proc/self/status", "VmLck:") > 1000);
    for (int round = 0; round < 4; round++) {
        unsigned char *p = malloc(4 * MIB);
        CHECK(granted(p));
        memset(p, 0xff, 4 * MIB);
        free(p);
        CHECK(granted(p = calloc(4, MIB)));
        for (size_t i = 0; i < 4 * MIB; i++)
            CHECK(p[i] == 0);
        free(p);
    }
    drop_all();
    malloc_trim(0);
    churn(10000, 2 * MIB);
    drop_all();
    return 0;
}

static int case_huge(void)
{
#ifdef PR_SET_THP_DISABLE
    CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
    churn(10000, 4 * MIB);
    CHECK(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0);
#endif
    for (int advice = MADV_HUGEPAGE; advice <= MADV_NOHUGEPAGE; advice++) {
        char *p = aligned_alloc(2 * MIB, 8 * MIB);
        CHECK(p != NULL);
        if (madvise(p, 8 * MIB, advice) != 0 && errno == EINVAL)
            return SKIP; // a kernel without huge pages
        memset(p, 1, 8 * MIB);
        churn(5000, 4 * MIB);
        free(p);
        churn(5000, 4 * MIB);
    }
    drop_all();
    return 0;
}

// 45 MiB live at most, again and again, in other sizes: no more than 64 MiB in all.
static int case_cgroup(void)
{
    static unsigned char *held[1 << 16];
    static const size_t sizes[] = {700, 30000, 200000, 5000000, 3000, 90000};
    for (size_t round = 0; round < 12; round++) {
        size_t size = sizes[round % 6], n = 45 * MIB / size;
        for (size_t i = 0; i < n; i++) {
            CHECK(granted(held[i] = malloc(size)));
            memset(held[i], 1, size);
        }
        for (size_t i = 0; i < n; i++)
            free(held[i * 7919 % n]); // in another order; 7919 divides no n here
    }
    return 0;
}

// ---------------------------------------------------------------- the limit of mappings

static size_t mappings(void)
{
    char text[4096];
    size_t n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f != NULL);
    for (size_t got; (got = fread(text, 1, sizeof text, f)) > 0;)
        for (size_t i = 0; i < got; i++)
            n += text[i] == '\n';
    fclose(f);
    return n;
}

// Blocks that grow in turn stand in each other's way. Returns how many found another place.
static size_t grow_in_turn(void)
{
    size_t moved = 0;
    for (size_t size = 300000; size < 3 * MIB; size += size / 3)
        for (size_t i = 0; i < 12; i++) {
            unsigned char *p = slots[i].p;
            if (p == NULL)
                renew(i, size);
            else
                regrow(i, size);
            moved += p != NULL && slots[i].p != p;
        }
    for (size_t i = 0; i < 12; i++)
        if (slots[i].p != NULL)
            drop(i);
    return moved;
}

// They move by remapping, and each move may cost mappings.
static int case_moves(void)
{
    size_t most = proc_number("/proc/sys/vm/max_map_count", ""), moved = 0;
    churn(2000, MIB);
    for (int round = 0; round < 40; round++)
        moved += grow_in_turn();
    CHECK(moved > 100);
    CHECK(mappings() < most / 2);
    drop_all();
    return 0;
}

// The program has used the limit up.
static int case_mappings(void)
{
    size_t most = proc_number("/proc/sys/vm/max_map_count", "");
    if (most > 200000)
        return SKIP;
    churn(5000, MIB);
    size_t pages = 2 * most, page = (size_t)sysconf(_SC_PAGESIZE), used = 0;
    char *many = mmap(NULL, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(many != MAP_FAILED);
    while (used < pages && mprotect(many + used * page, page, PROT_READ) == 0)
        used += 2;
    CHECK(used < pages);
    churn(20000, 4 * MIB);
    to_the_end(MIB, 256);
    void *odd = aligned_alloc((size_t)1 << 31, 100); // further aligned than the arena
    CHECK(odd == NULL || (uintptr_t)odd % ((size_t)1 << 31) == 0);
    free(odd);
    churn(5000, 4 * MIB);
    munmap(many, pages * page);
    CHECK(to_the_end(MIB, 64) == 64);
    churn(5000, 4 * MIB);
    drop_all();
    return 0;
}

// ---------------------------------------------------------------- calls that are refused

// The filter traps what the heap asks for; the handler refuses every n-th and makes the others
// itself, with a sixth argument that the filter knows. (An anonymous mapping has no use for it.)
#define PASS 0x10a3000

static int every = 1, refuse_nr, refuse_errno; // refuse_nr -1: any of them
static size_t trapped, refused;

#if defined __x86_64__
static const int argument_register[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8};
#define REG(uc, i) ((uc)->uc_mcontext.gregs[argument_register[i]])
#define RESULT(uc) ((uc)->uc_mcontext.gregs[REG_RAX])
#elif defined __aarch64__
#define REG(uc, i) ((uc)->uc_mcontext.regs[i])
#define RESULT(uc) ((uc)->uc_mcontext.regs[0])
#endif

static void on_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    ucontext_t *uc = context;
    int saved = errno;
    int nr = info->si_syscall;
    long r = -refuse_errno;
    if ((refuse_nr == -1 || refuse_nr == nr) && ++trapped % (size_t)every == 0) {
        refused++;
    } else {
        r = syscall(nr, REG(uc, 0), REG(uc, 1), REG(uc, 2), REG(uc, 3), REG(uc, 4), (long)PASS);
        r = r == -1 ? -errno : r;
    }
    RESULT(uc) = r;
    errno = saved;
}

static int trap_calls(void)
{
    struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSYS, &act, NULL);
    const unsigned nr = offsetof(struct seccomp_data, nr);
    const unsigned flags = offsetof(struct seccomp_data, args[3]);
    const unsigned sixth = offsetof(struct seccomp_data, args[5]);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sixth),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PASS, 7, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int case_refused(int nr, int error)
{
    refuse_nr = nr;
    refuse_errno = error;
    if (!trap_calls())
        return SKIP;
    for (every = 1; every <= 7; every += 1 + every / 2) {
        churn(2000, 4 * MIB);
        grow_in_turn();
        malloc_trim(0);
    }
    every = 1;
    churn(8000, 4 * MIB);
    CHECK(refused > 5);
    every = 1 << 30;
    drop_all();
    CHECK(to_the_end(MIB, 32) == 32);
    return 0;
}

// The kernel takes nothing back. To ask it for the same again at every free would make free a
// walk over all that is free.
static int case_storm(void)
{
    enum { COUNT = 8000 };
    static void *held[COUNT];
    refuse_nr = SYS_madvise;
    refuse_errno = EINVAL;
    if (!trap_calls())
        return SKIP;
    for (size_t i = 0; i < COUNT; i++)
        CHECK((held[i] = malloc(40000)) != NULL);
    for (size_t i = 0; i < COUNT; i += 2) // every other one: no two free spans are neighbours
        free(held[i]);
    if (refused > 4 * (size_t)COUNT)
        fprintf(stderr, "%zu refused calls in %d frees\n", refused, COUNT / 2);
    CHECK(refused > 0 && refused <= 4 * (size_t)COUNT);
    return 0;
}

// ---------------------------------------------------------------- to be looked at

static int case_core(void)
{
    static void *held[1000];
    for (int i = 0; i < 1000; i++)
        memset(held[i] = malloc(1000), 1, 1000);
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}

static int case_live(void)
{
    churn(2000, MIB);
    drop_all();
    puts("fine");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } cases[] = {
        {"ulimit", case_ulimit},         {"lowered", case_lowered}, {"charge", case_charge},
        {"lock-small", case_lock_small}, {"huge", case_huge},       {"lock-large", case_lock_large},
        {"cgroup", case_cgroup},         {"moves", case_moves},     {"mappings", case_mappings},
        {"storm", case_storm},           {"core", case_core},       {"live", case_live},
    };
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return cases[i].run();
    if (strcmp(name, "refused") == 0 && argc == 4) {
        int nr = strcmp(argv[2], "mmap") == 0      ? SYS_mmap
                 : strcmp(argv[2], "madvise") == 0 ? SYS_madvise
                 : strcmp(argv[2], "mremap") == 0  ? SYS_mremap
                                                   : -1;
        return case_refused(nr, strcmp(argv[3], "EINVAL") == 0 ? EINVAL : ENOMEM);
    }
    return 2;
}
