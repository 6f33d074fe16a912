// options.h: the one table of what LOAM=key=value,key=value can say.
//
// The library reads it when a program starts, the tool prints it (`loam help options`). A value
// ends at the next comma. Nothing here allocates or prints.
#pragma once

#include "base/base.h"

enum option_key {
    OPTION_MODE,
    OPTION_RECORD,
    OPTION_SAMPLE,
    OPTION_DEBUG,
    OPTION_BACKGROUND,
    OPTION_COUNT,
};

struct option_info {
    const char *name;
    const char *type;     // what values look like, for people
    const char *fallback; // the value if none is given
    const char *sentence;
};
extern const struct option_info option_info[OPTION_COUNT];

// How the name of a recording begins that `loam run` made and will remove. A process that finds it
// gone, or not its own, is one that was left behind or changed its user: it says nothing.
#define OPTION_RECORD_PREFIX "loam-recording-"

// A piece of the text that was parsed; not terminated.
struct option_text {
    const char *at; // NULL: not given
    size_t len;
};

struct options {
    struct option_text value[OPTION_COUNT];
    struct option_text unknown; // the first piece that means nothing, for one warning
};

bool option_is(struct option_text t, const char *word);

// "512K", "1M", "100000": bytes, from 1 to 2^40. False if it is no size.
bool option_size(struct option_text t, u64 *ret);

// Read the text of LOAM; NULL reads as empty. What is unknown is skipped.
void options_parse(const char *text, struct options *ret);
