// jot.h: the commonest values of JSON, written the same way everywhere.
#pragma once

#include "base/base.h"

#include <jansson.h>

// JSON's integers end at 2^63; what the tool counts stays far below.
static inline json_t *jot_int(u64 n)
{
    return json_integer((json_int_t)n);
}

// A text that is known to be fit; null for NULL.
static inline json_t *jot_text(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

// Names and paths from outside may hold what is no UTF-8: jansson would refuse them.
json_t *jot_foreign(const char *text);
