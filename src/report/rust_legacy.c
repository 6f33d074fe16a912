// rust_legacy.c: the older mangling: a C++ name, in which what C++ cannot say stands between
// dollars.

#include "report/rust.h"

#include <stdlib.h>
#include <string.h>

// "::h" and 16 hexadecimal digits.
static char *legacy_hash(char *plain)
{
    size_t size = strlen(plain);
    char *at = plain + size - 19;
    if (size < 20 || strncmp(at, "::h", 3) != 0 || strspn(at + 3, "0123456789abcdef") != 16)
        return NULL;
    return at;
}

// What an escape between dollars stands for; 0 if it is none.
static char escaped(const char *text, size_t size)
{
    static const struct {
        const char *name;
        char c;
    } all[] = {{"SP", '@'}, {"BP", '*'}, {"RF", '&'}, {"LT", '<'},
               {"GT", '>'}, {"LP", '('}, {"RP", ')'}, {"C", ','}};
    for (size_t i = 0; i < countof(all); i++) {
        if (strlen(all[i].name) == size && memcmp(text, all[i].name, size) == 0)
            return all[i].c;
    }
    if (size < 2 || size > 3 || *text != 'u')
        return 0;
    unsigned long n = strtoul(text + 1, NULL, 16);
    return n >= 0x20 && n < 0x7f ? (char)n : 0;
}

bool rust_unescape(char *plain)
{
    char *end = legacy_hash(plain), *to = plain;
    if (end == NULL)
        return false;
    for (const char *at = plain; at < end;) {
        bool first = at == plain || (at - plain >= 2 && at[-1] == ':' && at[-2] == ':');
        const char *dollar = *at == '$' ? memchr(at + 1, '$', (size_t)(end - at - 1)) : NULL;
        char c = dollar == NULL ? 0 : escaped(at + 1, (size_t)(dollar - at - 1));
        if (c != 0) {
            *to++ = c;
            at = dollar + 1;
        } else if (at[0] == '.' && at[1] == '.' && at + 1 < end) {
            *to++ = ':';
            *to++ = ':';
            at += 2;
        } else if (first && at[0] == '_' && at[1] == '$') {
            at++; // a name may not begin with a dollar
        } else {
            *to++ = *at++;
        }
    }
    *to = 0;
    return true;
}
