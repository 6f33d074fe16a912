// exit.c: noticing that the program ends in an orderly way.
//
// There are three doors. exit and return from main run the handlers; ours was registered first, so
// it runs last, when every destructor is done and what is still allocated is what the program
// forgot. quick_exit has a list of its own, with the same order. _exit and _Exit run nothing: they
// are taken over. Inside libc exit and quick_exit end in a system call, not in our _exit, so
// each door is passed once.
#include "preload/exit.h"

#include "base/base.h"
#include "record/record.h"
#include "record/unwind.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void on_end(int status, void *arg unused_)
{
    record_end(status);
}

// quick_exit does not tell its handlers the status; the tool knows it from wait.
static void on_quick_end(void)
{
    record_end(0);
}

// Where a function of libc lies.
static u64 extent(void *fn, u64 *ret_end)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    u64 start = (u64)(uintptr_t)fn;
    bool known = dladdr1(fn, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL &&
                 info.dli_saddr == fn;
    *ret_end = known ? start + symbol->st_size : start;
    return start;
}

void exit_init(void)
{
    u64 exit_end, quick_end;
    u64 exit_start = extent((void *)exit, &exit_end);
    u64 quick_start = extent((void *)quick_exit, &quick_end);
    unwind_init_exit(exit_start, exit_end, quick_start, quick_end);
    on_exit(on_end, NULL);
    at_quick_exit(on_quick_end);
}

static noreturn_ void leave(int status)
{
    record_end(status);
    for (;;)
        syscall(SYS_exit_group, status);
}

export_ void _exit(int status)
{
    leave(status);
}

export_ void _Exit(int status)
{
    leave(status);
}
