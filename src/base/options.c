// options.c: the one table of what LOAM=key=value,key=value can say.
#include "base/options.h"

#include <string.h>

const struct option_info option_info[OPTION_COUNT] = {
    [OPTION_MODE] = {"mode", "default", "default",
                     "What the heap does with the program's mistakes."},
    [OPTION_RECORD] = {"record", "PATH", "(none)",
                       "Count every allocation by its stack in this recording, made by loam run."},
    [OPTION_SAMPLE] = {"sample", "SIZE", "as the recording says",
                       "Of what is recorded, count one block in so many bytes, as in 512K."},
    [OPTION_BACKGROUND] = {"background", "on|off", "off",
                           "A thread that gives free memory back while the program rests."},
    [OPTION_DEBUG] = {"debug", "on|off", "off",
                      "Check how the program uses loam's toolkit; tell both places of a mistake."},
};

bool option_is(struct option_text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

bool option_size(struct option_text t, u64 *ret)
{
    const u64 most = (u64)1 << 40;
    u64 n = 0, unit = 1;
    size_t i = 0;
    for (; i < t.len && t.at[i] >= '0' && t.at[i] <= '9' && n <= most; i++)
        n = n * 10 + (u64)(t.at[i] - '0');
    if (i > 0 && i + 1 == t.len) {
        char c = t.at[i++];
        unit = c == 'K' || c == 'k' ? KiB : c == 'M' ? MiB : c == 'G' ? GiB : 0;
    }
    if (i == 0 || i != t.len || unit == 0 || n == 0 || n > most / unit)
        return false;
    *ret = n * unit;
    return true;
}

static struct option_text piece_until(const char *at, const char *end, char stop)
{
    const char *c = at;
    while (c < end && *c != stop)
        c++;
    return (struct option_text){at, (size_t)(c - at)};
}

static bool acceptable(enum option_key key, struct option_text value)
{
    switch (key) {
    case OPTION_MODE:
        return option_is(value, "default");
    case OPTION_RECORD:
        return value.len > 0;
    case OPTION_SAMPLE: {
        u64 bytes;
        return option_size(value, &bytes);
    }
    case OPTION_BACKGROUND:
    case OPTION_DEBUG:
        return option_is(value, "on") || option_is(value, "off");
    case OPTION_COUNT:
        break;
    }
    return false;
}

static bool take(struct option_text piece, struct options *o)
{
    struct option_text name = piece_until(piece.at, piece.at + piece.len, '=');
    if (name.len == piece.len)
        return false;
    struct option_text value = {name.at + name.len + 1, piece.len - name.len - 1};
    for (enum option_key key = 0; key < OPTION_COUNT; key++) {
        if (!option_is(name, option_info[key].name) || !acceptable(key, value))
            continue;
        o->value[key] = value;
        return true;
    }
    return false;
}

void options_parse(const char *text, struct options *ret)
{
    *ret = (struct options){0};
    if (text == NULL)
        return;
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        struct option_text piece = piece_until(at, end, ',');
        if (piece.len > 0 && !take(piece, ret) && ret->unknown.at == NULL)
            ret->unknown = piece;
        at = piece.at + piece.len + 1;
    }
}
