// value.h: one value in bytes, written as a person would.
#pragma once

#include "inspect/hex.h"

#define VALUE_SIZE 256

// The value of a field that begins at byte `base` of the bytes; "?" if it is not all there.
// *ret_pointer is the pointer that it is, if it points to something.
const char *value_of(const struct hex *h, size_t base, const struct field *f, char out[VALUE_SIZE],
                     const struct hex_pointer **ret_pointer);
