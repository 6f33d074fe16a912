// utf8.h: texts that strangers wrote, made fit for a terminal, and how wide they are there.
#pragma once

#include <stddef.h>

// Replace what a terminal or a JSON reader would choke on by '?': control characters, also those
// above 0x7f, and bytes that are no UTF-8. In place; never longer than before.
void utf8_clean(char *text);
// Characters in `text` (not columns: wide scripts are rare in symbol names).
size_t utf8_width(const char *text);
// Bytes of the first `width` characters.
size_t utf8_bytes(const char *text, size_t width);
