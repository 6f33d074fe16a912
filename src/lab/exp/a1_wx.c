// A1 wx: what may be written, and what may be executed.

#include "lab/lab.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

// "ret": a function that does nothing, as bytes.
#if defined(__x86_64__)
static const u8 code[] = {0xc3};
#else
static const u8 code[] = {0xc0, 0x03, 0x5f, 0xd6};
#endif

static u8 data[64] = {0xc3}; // in .data: not const, not zero
static const char text[] = "a literal";

static void call(const void *at)
{
    void (*f)(void);
    memcpy(&f, &at, sizeof f);
    __builtin___clear_cache((char *)f, (char *)f + sizeof code);
    f();
}

static void execute_stack(void *of)
{
    (void)of;
    u8 here[64];
    memcpy(here, code, sizeof code);
    UNKNOWN(*(volatile u8 *)here);
    call(here);
}

static void execute_heap(void *of)
{
    call(memcpy(of, code, sizeof code));
}

static void execute_data(void *of)
{
    (void)of;
    call(memcpy(data, code, sizeof code));
}

static void write_to(void *of)
{
    *(volatile u8 *)of = 1;
}

// The page-fault error code of x86, spelled.
static const char *spell(u64 error, char out[64])
{
    snprintf(out, 64, "%s %s%s%s", error & 1 ? "present" : "absent", error & 2 ? "write" : "read",
             error & 4 ? " user" : "", error & 16 ? " ifetch" : "");
    return out;
}

static bool probe(struct lab *l, const char *what, void (*body)(void *), void *of)
{
    struct lab_fault f = {0};
    char bits[64];
    if (lab_fault(l, body, of, &f) != 0)
        return false;
    if (f.signal == 0)
        lab_row(l, "%s|nothing happened|||", what);
    else
        lab_row(l, "%s|%s|%d|%llu|%#llx %s", what, strsignal(f.signal), f.code,
                (unsigned long long)f.trap, (unsigned long long)f.error, spell(f.error, bits));
    return f.signal == SIGSEGV || f.signal == SIGBUS;
}

static void run(struct lab *l)
{
    void *heap = lab_memory(l, 4096, LAB_4K);
    void *both =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int refused = both == MAP_FAILED ? errno : 0;
    if (heap == NULL)
        return;
    lab_table(l, "what the processor says", "probe|signal|si_code|trap|error code");
    bool stack = probe(l, "execute the stack", execute_stack, NULL);
    bool from_heap = probe(l, "execute the heap", execute_heap, heap);
    bool from_data = probe(l, "execute .data", execute_data, NULL);
    bool in_text = probe(l, "write .text", write_to, (void *)(size_t)write_to);
    bool in_rodata = probe(l, "write .rodata", write_to, (void *)(size_t)text);
    bool wx_faults = refused != 0 || probe(l, "execute a page mapped RWX", execute_heap, both);
    lab_check(l, "data_not_executable", stack && from_heap && from_data,
              "stack %s, heap %s, .data %s", stack ? "faults" : "runs",
              from_heap ? "faults" : "runs", from_data ? "faults" : "runs");
    lab_check(l, "text_not_writable", in_text, "a write to .text %s", in_text ? "faults" : "works");
    lab_check(l, "rodata_not_writable", in_rodata, "a write to a string literal %s",
              in_rodata ? "faults" : "works");
    lab_check(l, "never_both", wx_faults, "%s",
              refused != 0 ? strerror(refused)
                           : "the kernel maps a page that is writable and executable, and runs it: "
                             "never both is a policy, not a law");
    if (both != MAP_FAILED)
        munmap(both, 4096);
}

static const struct claim claims[] = {
    {S3, "topic 2", "stack, heap, .data not executable", "hardware exception (Segfault)",
     "data_not_executable", 0, 0, NULL},
    {S3, "topic 2", "writing .text", "crashes", "text_not_writable", 0, 0, NULL},
    {S3, "topic 2", "writable and executable", "Never both!", "never_both", 0, 0, NULL},
};

LAB_EXPERIMENT(A1) = {
    .question = "Can data be executed, and code be written?",
    .prediction = "No: pages of data carry the no-execute bit and pages of code are read-only, so "
                  "that each try ends with SIGSEGV.",
    .method =
        "Each try runs in a child with a signal handler on a stack of its own, which notes "
        "the signal, its code, the trap number and the error code that the processor pushed. "
        "A function of one instruction (return) is put on the stack, in anonymous memory and "
        "in .data and called; a byte is written to .text and to a string literal. Then a page "
        "is mapped writable and executable at once.",
    .look = "Trap 14 is the page fault. Error 0x15 is present + user + instruction fetch, 0x7 is "
            "present + write + user: the page is there, and what was tried is forbidden. The last "
            "row shows that the kernel itself forbids nothing.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
