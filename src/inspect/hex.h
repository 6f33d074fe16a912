// hex.h: bytes, and what can be seen in them without being told: pointers, texts, zeroes, repeats.
#pragma once

#include "inspect/fields.h"
#include "inspect/origin.h"

#include <stdio.h>

#define HEX_ROW  16
#define HEX_MOST ((size_t)16 * MiB)

struct hex_pointer {
    size_t offset; // of the word in the bytes
    u64 value;
    const char *what, *kind, *text; // see origin.h; text: what a pointer to characters shows
};

struct hex {
    struct origin *origin;
    u64 at;                       // address of the first byte
    u8 *bytes;                    // in the heap; freed by hex_done
    size_t size;                  // that could be read
    size_t asked;                 // that were asked for
    struct hex_pointer *pointers; // in order of offset
    u32 pointers_count;
    // Patterns.
    size_t zeroes; // bytes
    u32 texts;     // runs of printable characters, six at least
    u64 word; // the word that comes most often, neither 0 nor a pointer, if three times or more
    u32 word_count;              // else 0
    const struct fields *fields; // NULL: no type was asked for
};

// Read `size` bytes at an address and look at them. 0, or -1 with a sentence when not one can be
// read.
int hex_load(struct hex *h, struct origin *o, u64 at, size_t size, char why[IMAGE_WHY]);
void hex_done(struct hex *h);
// The pointer that covers a byte, or NULL.
const struct hex_pointer *hex_pointer_at(const struct hex *h, size_t offset);
// Bytes of the run of printable characters that a byte is in; 0: it is in none of four or more.
size_t hex_text_at(const struct hex *h, size_t offset);

void hex_print(FILE *out, const struct hex *h);  // rows of bytes
void hex_values(FILE *out, const struct hex *h); // values by h->fields
void hex_json(FILE *out, const struct hex *h);   // schema "loam-hex/1"
