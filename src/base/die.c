// die.c: the last words of a program that broke the heap's rules.
//
// OpenBSD's malloc shows the form: static strings, one writev, abort. Nothing here may allocate
// or take a lock, because the heap's own state is suspect.
#include "base/base.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t hex(char *out, uintptr_t v)
{
    char digits[2 * sizeof v];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

noreturn_ void die(const char *what, const void *p)
{
    char num[2 * sizeof(uintptr_t)];
    size_t n = hex(num, (uintptr_t)p);
    struct iovec line[] = {
        {(void *)"loam: ", 6}, {(void *)what, strlen(what)}, {(void *)": 0x", 4}, {num, n},
        {(void *)"\n", 1},
    };
    if (writev(STDERR_FILENO, line, countof(line)) < 0) {
        // Nobody reads stderr; the signal still tells.
    }
    abort();
}

#ifndef NDEBUG
static size_t put(char *out, size_t at, size_t max, const char *s)
{
    while (*s != 0 && at < max)
        out[at++] = *s++;
    return at;
}

noreturn_ void assert_failed(const char *expr, const char *file, int line)
{
    char buf[256];
    char num[12];
    int i = sizeof num - 1;
    num[i] = 0;
    do {
        num[--i] = (char)('0' + line % 10);
        line /= 10;
    } while (line != 0);
    size_t n = put(buf, 0, sizeof buf - 1, "loam: broken invariant: ");
    n = put(buf, n, sizeof buf - 1, expr);
    n = put(buf, n, sizeof buf - 1, " at ");
    n = put(buf, n, sizeof buf - 1, file);
    n = put(buf, n, sizeof buf - 1, ":");
    n = put(buf, n, sizeof buf - 1, num + i);
    buf[n++] = '\n';
    if (write(STDERR_FILENO, buf, n) < 0) {
    }
    abort();
}
#endif
