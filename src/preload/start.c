// start.c: from LOAM=… in the environment to a running mode, before the program's first line.
//
// The library is linked initfirst: this constructor runs before those of all other libraries, so
// the exit handler that it registers runs after all of theirs, and after every destructor of the
// program. (Tried: the ELF destructor of a preloaded library runs before those of the libraries
// that the program opened itself, and a normal exit never passes through an interposed _exit.)
#include "base/options.h"
#include "heap/api.h"
#include "heap/background.h"
#include "preload/exit.h"
#include "record/record.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_BYTES  4096

#define QUOTE_BYTES 200

// What somebody else wrote, as it can be shown: not without end, and no orders to the terminal.
static size_t quote(struct option_text t, char *ret)
{
    size_t n = t.len < QUOTE_BYTES ? t.len : QUOTE_BYTES;
    for (size_t i = 0; i < n; i++)
        ret[i] = (unsigned char)t.at[i] < ' ' || t.at[i] == 0x7f ? '?' : t.at[i];
    if (n < t.len)
        memcpy(ret + n - 3, "...", 3);
    return n;
}

static void warn(const char *what, struct option_text which, const char *why)
{
    char shown[QUOTE_BYTES];
    size_t len = quote(which, shown);
    struct iovec line[] = {
        {(void *)"loam: ", 6}, {(void *)what, strlen(what)},
        {shown, len},          {(void *)why, strlen(why)},
        {(void *)"\n", 1},
    };
    if (writev(STDERR_FILENO, line, countof(line)) < 0) {
        // Nobody reads stderr.
    }
}

static const char *reason(int error)
{
    switch (error) {
    case -ENOENT:
        return ": there is no such file; the program runs untracked";
    case -EACCES:
    case -EPERM:
        return ": permission denied; the program runs untracked";
    case -EPROTO:
        return ": not a recording of this version of loam; the program runs untracked";
    case -ENOMEM:
        return ": no memory to map it; the program runs untracked";
    }
    return ": it cannot be opened; the program runs untracked";
}

// A program that defines malloc itself is asked before we are, and libc calls the program's. So
// does strdup: is the block it returns ours?
static bool program_has_malloc(void)
{
    struct heap_block b;
    char *p = strdup("loam");
    if (p == NULL || heap_find(p, &b))
        return heap_free(p), false;
    return true; // the block stays: the program's free may not be ready for it yet
}

static bool made_by_tool(const char *path)
{
    size_t name = strlen(path);
    while (name > 0 && path[name - 1] != '/')
        name--;
    return strncmp(path + name, OPTION_RECORD_PREFIX, sizeof OPTION_RECORD_PREFIX - 1) == 0;
}

static void start_record(struct option_text value, const struct record_program *program)
{
    char path[PATH_BYTES];
    if (value.len >= sizeof path) {
        warn("record=", value, ": the path is too long; the program runs untracked");
        return;
    }
    memcpy(path, value.at, value.len);
    path[value.len] = 0;
    bool bypassed = program_has_malloc();
    int r = record_start(path, program);
    // What the tool knows or cannot help is told by its report, if at all: a full recording, one
    // that has ended before this process began, one of another user. A word from here would stand
    // in the output of a program somewhere down the tree, which may be read by its parent.
    bool of_tool = made_by_tool(path);
    bool quiet = r == -ENOSPC || (of_tool && (r == -ENOENT || r == -EACCES));
    if (r < 0 && !quiet)
        warn("record=", value, reason(r));
    else if (bypassed)
        record_bypassed();
}

static const char *environment(char **envp, const char *name)
{
    size_t len = strlen(name);
    for (char **e = envp; e != NULL && *e != NULL; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return *e + len + 1;
    return NULL;
}

// 102: the heap's own constructors are 101.
__attribute__((constructor(102))) static void start(int argc, char **argv, char **envp)
{
    int saved = errno;
    struct options options;
    exit_init();
    // A setuid program must not write where its caller likes.
    options_parse(getauxval(AT_SECURE) == 0 ? environment(envp, "LOAM") : NULL, &options);
    if (options.unknown.at != NULL)
        warn("LOAM: ignored: ", options.unknown, "");
    struct record_program program = {argc, argv, envp, 0};
    if (options.value[OPTION_SAMPLE].at != NULL)
        option_size(options.value[OPTION_SAMPLE], &program.sample_bytes);
    if (options.value[OPTION_RECORD].at != NULL)
        start_record(options.value[OPTION_RECORD], &program);
    else if (getauxval(AT_SECURE) == 0)
        record_ready(&program);
    if (option_is(options.value[OPTION_BACKGROUND], "on") && !background_start())
        warn("background=", options.value[OPTION_BACKGROUND],
             ": the kernel gives no thread; the program runs without it");
    errno = saved;
}
