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

void exit_init(void)
{
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
