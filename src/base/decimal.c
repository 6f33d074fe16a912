// decimal.c: a number as text, for messages that must not allocate.
#include "base/base.h"

size_t decimal(char *out, size_t v)
{
    char digits[DECIMAL_MAX];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}
