// Stacks in one reservation: the guards fault, with either kind of guard, and nothing else does.
#include "base/compiler.h"
#include "os/context.h"
#include "os/stack.h"
#include "tests/check.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT 200

static bool faults(volatile char *p)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); // a sanitizer would tell at length
        signal(SIGBUS, SIG_DFL);
        *p = 1;
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) || status == 0);
    return WIFSIGNALED(status);
}

static void guards(bool by_pages)
{
    struct stacks s;
    CHECK(stacks_reserve(&s, COUNT, 10000) == 0);
    CHECK(s.max == COUNT);
    CHECK(stacks_size(&s) >= 10000);
    s.by_pages = by_pages;
    for (u32 i = 0; i < COUNT; i++)
        CHECK(stacks_prepare(&s, i) == 0);
    CHECK(stacks_prepare(&s, COUNT) == -ENOMEM);
    for (u32 i = 0; i < COUNT; i += 33) {
        char *low = stacks_low(&s, i), *top = low + stacks_size(&s);
        u32 which = COUNT;
        CHECK(!faults(low));
        CHECK(!faults(top - 1));
        CHECK(faults(low - 1));
        CHECK(faults(low - s.guard));
        CHECK(stacks_in_guard(&s, low - 1, &which));
        CHECK(which == i);
        CHECK(stacks_in_guard(&s, low - s.guard, &which));
        CHECK(which == i);
        CHECK(!stacks_in_guard(&s, low, &which));
        CHECK(!stacks_in_guard(&s, top - 1, &which));
    }
    u32 which;
    CHECK(!stacks_in_guard(&s, s.base - 1, &which));
    CHECK(!stacks_in_guard(&s, s.base + s.max * s.slot, &which));
    stacks_release(&s);
}

TEST(guards_by_advice_fault)
{
    guards(false);
}

TEST(guards_by_protection_fault)
{
    guards(true);
}

TEST(stacks_are_ready_in_steps)
{
    struct stacks s;
    CHECK(stacks_reserve(&s, 1000, 65536) == 0);
    CHECK(s.ready == 0);
    CHECK(faults(stacks_low(&s, 0))); // no access yet
    CHECK(stacks_prepare(&s, 0) == 0);
    CHECK(s.ready > 0);
    CHECK(s.ready < 1000);
    CHECK(!faults(stacks_low(&s, s.ready - 1)));
    CHECK(faults(stacks_low(&s, s.ready)));
    stacks_release(&s);
}

TEST(what_was_touched_is_counted_from_the_top)
{
    struct stacks s;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(stacks_reserve(&s, 2, 600 * page) == 0); // more than one look at the kernel's table
    CHECK(stacks_prepare(&s, 0) == 0);
    CHECK(stacks_touched(&s, 0) == 0);
    char *top = stacks_low(&s, 0) + stacks_size(&s);
    top[-1] = 1;
    CHECK(stacks_touched(&s, 0) == page);
    top[-(long)(100 * page)] = 1;
    CHECK(stacks_touched(&s, 0) == 100 * page);
    stacks_low(&s, 0)[0] = 1;
    CHECK(stacks_touched(&s, 0) == stacks_size(&s));
    CHECK(stacks_touched(&s, 1) == 0);
    stacks_release(&s);
}

TEST(as_many_as_there_are_addresses_for)
{
    struct stacks s;
    CHECK(stacks_reserve(&s, 0, 65536) == -ENOMEM);
    CHECK(stacks_reserve(&s, 10, SIZE_MAX) == -ENOMEM);
    CHECK(stacks_reserve(&s, 10, PTRDIFF_MAX / 2) == -ENOMEM);
    CHECK(stacks_reserve(&s, UINT32_MAX, GiB) == 0); // 4 EiB are not to be had
    CHECK(s.max > 0);
    CHECK(s.max < UINT32_MAX);
    stacks_release(&s);
}

// ---------------------------------------------------------------- the switch

static struct context here, there;
static int trips;

static void code(void)
{
    context_arrived();
    for (;;) {
        trips++;
        context_switch(&there, &here, false);
    }
}

TEST(a_context_goes_on_where_it_stopped)
{
    struct stacks s;
    CHECK(stacks_reserve(&s, 1, 256 * KiB) == 0);
    CHECK(stacks_prepare(&s, 0) == 0);
    context_adopt(&here);
    context_make(&there, stacks_low(&s, 0), stacks_size(&s), code);
    for (int i = 1; i <= 1000; i++) {
        context_switch(&here, &there, false);
        CHECK(trips == i);
        CHECK((char *)there.sp > stacks_low(&s, 0));
        CHECK((char *)there.sp < stacks_low(&s, 0) + stacks_size(&s));
    }
    context_unmake(&there);
    stacks_release(&s);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
