// utf8.c: a validator that repairs.

#include "report/utf8.h"

#include "base/base.h"

// Length of the sequence at `s` and its code point; 0 if it is none (RFC 3629: no overlong forms,
// no surrogates, nothing past U+10FFFF).
static size_t decode(const unsigned char *s, u32 *ret_point)
{
    static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (n == 0)
        return 0;
    u32 point = n == 1 ? s[0] : s[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) // also stops at the terminator
            return 0;
        point = point << 6 | (s[i] & 0x3f);
    }
    if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    *ret_point = point;
    return n;
}

void utf8_clean(char *text)
{
    unsigned char *in = (unsigned char *)text, *out = in;
    while (*in != 0) {
        u32 point = 0;
        size_t n = decode(in, &point);
        bool bad = n == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0);
        if (bad)
            *out++ = '?';
        for (size_t i = 0; i < n && !bad; i++)
            *out++ = in[i];
        in += n == 0 ? 1 : n;
    }
    *out = 0;
}

size_t utf8_width(const char *text)
{
    size_t n = 0;
    for (; *text != 0; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

size_t utf8_bytes(const char *text, size_t width)
{
    size_t at = 0;
    while (text[at] != 0) {
        if (((unsigned char)text[at] & 0xc0) != 0x80 && width-- == 0)
            break;
        at++;
    }
    return at;
}
