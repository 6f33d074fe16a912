// debug_tell.c: what LOAM=debug=on says: what is wrong, where it began, where it ended.
//
//     loam: pool: a stale handle: 0x7f0e3c0010a0
//       freed here:
//         conn_close+0x1c (server+0x11a9)
//         main+0x50 (server+0x1200)
//       used here:
//         answer+0x33 (server+0x1377)
//         main+0x61 (server+0x1211)
#include "heap/trace.h"
#include "os/os.h"
#include "own/debug.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAID_MAX 1024

// Text goes out in one piece where it fits, so that lines of two threads do not mix.
static struct {
    struct lock lock;
    size_t len;
    char text[4096];
    u32 said_count;
    u64 said[SAID_MAX];
} the;

void words_put(struct words *w, const char *s)
{
    while (*s != 0 && w->len + 1 < w->max)
        w->at[w->len++] = *s++;
    w->at[w->len] = 0;
}

void words_put_number(struct words *w, u64 n)
{
    char digits[DECIMAL_MAX + 1];
    digits[decimal(digits, n)] = 0;
    words_put(w, digits);
}

void debug_flush(void)
{
    size_t at = 0;
    while (at < the.len) {
        ssize_t n = write(STDERR_FILENO, the.text + at, the.len - at);
        if (n <= 0)
            break; // nobody reads stderr
        at += (size_t)n;
    }
    the.len = 0;
}

void debug_put(const char *s)
{
    size_t n = strlen(s);
    if (n > sizeof the.text - the.len)
        debug_flush();
    n = size_min(n, sizeof the.text);
    memcpy(the.text + the.len, s, n);
    the.len += n;
}

void debug_put_number(u64 n)
{
    char digits[DECIMAL_MAX + 1];
    digits[decimal(digits, n)] = 0;
    debug_put(digits);
}

void debug_put_hex(u64 n)
{
    char digits[17];
    size_t at = sizeof digits - 1;
    digits[at] = 0;
    do
        digits[--at] = "0123456789abcdef"[n & 15];
    while ((n >>= 4) != 0);
    debug_put("0x");
    debug_put(digits + at);
}

void debug_put_trace(u32 trace)
{
    const u64 *pc;
    char name[512];
    u32 n = debug_frames(trace, &pc);
    if (n == 0)
        debug_put("    (no stack)\n");
    for (u32 i = 0; i < n; i++) {
        trace_name(pc[i], name, sizeof name);
        debug_put("    ");
        debug_put(name);
        debug_put("\n");
    }
}

static void put_event(const char *words, u32 thread, u32 trace)
{
    debug_put("  ");
    debug_put(words);
    if (thread != 0) {
        debug_put(", by thread ");
        debug_put_number(thread);
    }
    debug_put(":\n");
    debug_put_trace(trace);
}

// The same mistake in a loop is told once.
static bool is_new(const struct telling *t, u32 here)
{
    u64 key = (u64)(uintptr_t)t->what * 31 + here;
    for (u32 i = 0; i < the.said_count; i++)
        if (the.said[i] == key)
            return false;
    if (the.said_count < SAID_MAX)
        the.said[the.said_count++] = key;
    return true;
}

static void put_telling(const struct telling *t, u32 here)
{
    u32 me = debug_thread();
    bool apart = t->first != NULL && t->first->thread != me;
    debug_put("loam: ");
    debug_put(t->what);
    debug_put(": ");
    debug_put_hex((uintptr_t)t->object);
    debug_put("\n");
    if (t->first != NULL && t->first->made != NULL) {
        debug_put("  it is a ");
        debug_put(t->first->made);
        debug_put("\n");
    }
    if (t->line != NULL) {
        debug_put("  ");
        debug_put(t->line);
        debug_put("\n");
    }
    if (t->first != NULL)
        put_event(t->was, apart ? t->first->thread : 0, t->first->trace);
    put_event(t->now, apart ? me : 0, here);
    debug_flush();
}

void debug_tell(const struct telling *t)
{
    u32 here = debug_trace();
    if (!lock_take(&the.lock))
        return;
    if (is_new(t, here))
        put_telling(t, here);
    lock_give(&the.lock);
}

noreturn_ void debug_die(const struct telling *t)
{
    if (!debugging())
        die(t->what, t->object);
    u32 here = debug_trace();
    lock_take(&the.lock); // held by us already, in a signal handler: the words matter more
    put_telling(t, here);
    abort();
}
