// A2 jit: what it costs to change code, by three ways.

#include "lab/lab.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct place {
    u8 *write, *execute; // the same page, perhaps by two addresses
};

// A function that returns `value`, as bytes.
static void put_code(u8 *at, u32 value)
{
#if defined(__x86_64__)
    at[0] = 0xb8; // mov eax, value
    memcpy(at + 1, &value, 4);
    at[5] = 0xc3; // ret
#else
    u32 code[2] = {0x52800000u | (value & 0xffff) << 5, 0xd65f03c0}; // mov w0, value; ret
    memcpy(at, code, sizeof code);
#endif
}

static u32 call(const u8 *at)
{
    u32 (*f)(void);
    memcpy(&f, &at, sizeof f);
    __builtin___clear_cache((char *)at, (char *)at + 8);
    return f();
}

static void only_call(void *of, u64 rounds)
{
    const struct place *p = of;
    for (u64 i = 0; i < rounds; i++)
        KEEP(call(p->execute));
}

static void write_and_call(void *of, u64 rounds)
{
    const struct place *p = of;
    for (u64 i = 0; i < rounds; i++) {
        put_code(p->write, (u32)i);
        KEEP(call(p->execute));
    }
}

// W^X as a JIT has it: writable, write, executable, call.
static void toggle(void *of, u64 rounds)
{
    const struct place *p = of;
    for (u64 i = 0; i < rounds; i++) {
        if (mprotect(p->write, PAGE, PROT_READ | PROT_WRITE) != 0)
            return;
        put_code(p->write, (u32)i);
        if (mprotect(p->write, PAGE, PROT_READ | PROT_EXEC) != 0)
            return;
        KEEP(call(p->execute));
    }
}

// One page of memory, mapped twice: here to write, there to execute.
static bool map_twice(struct place *p)
{
    int fd = memfd_create("loam-lab", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, PAGE) != 0)
        return false;
    p->write = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p->execute = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    return p->write != MAP_FAILED && p->execute != MAP_FAILED;
}

static void run(struct lab *l)
{
    struct place one, two, toggled;
    one.write = one.execute =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    toggled.write = toggled.execute =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (one.write == MAP_FAILED || toggled.write == MAP_FAILED || !map_twice(&two)) {
        lab_cannot(l, NULL, "memory that can be executed is refused here: %s", strerror(errno));
        return;
    }
    put_code(one.write, 1);
    struct arm arms[] = {
        {"call", .run = only_call, .of = &one},
        {"rwx_write_call", .run = write_and_call, .of = &one},
        {"two_mappings_write_call", .run = write_and_call, .of = &two},
        {"toggle_write_call", .run = toggle, .of = &toggled},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "toggle_over_rwx", &arms[3], &arms[1]);
    lab_ratio(l, "write_over_call", &arms[1], &arms[0]);
}

static const struct claim claims[] = {
    {S3, "topic 2", "toggling write and execute", "expensive", "toggle_over_rwx", 2, INFINITY, "x"},
};

LAB_EXPERIMENT(A2) = {
    .question = "What does a just-in-time compiler pay for never having code writable?",
    .prediction = "Two system calls for each change of the code, and what the processor loses when "
                  "it finds that code which it had already decoded was written.",
    .method = "A function of two instructions is rewritten and called: in a page that is writable "
              "and executable, through a second mapping of the same memory, and in a page that is "
              "made writable and executable in turn with mprotect. The plain call is the floor. "
              "One thread only: with more, each mprotect would also interrupt the other "
              "processors.",
    .look = "The toggle costs microseconds. The write itself is not free either: the processor "
            "throws away what it has decoded of the page. Two mappings keep the rule (no page is "
            "both) for the price of the write alone.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
