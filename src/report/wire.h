// wire.h: protocol buffers as bytes, gzipped while they are written.
//
// A message is a row of fields: a tag (number and type), then a number of 7 bits a byte, or a
// length and bytes. That is all of it that a writer needs; a library would be 200 kB for this.
#pragma once

#include "base/base.h"

#include <stdio.h>
#include <zlib.h>

// A message that is being made.
struct wire {
    u8 *bytes;
    size_t size, room;
};

void wire_clear(struct wire *w);
void wire_done(struct wire *w);
void wire_number(struct wire *w, u32 field, u64 n); // 0 is left out, as the format has it
void wire_bytes(struct wire *w, u32 field, const void *bytes, size_t size);
void wire_text(struct wire *w, u32 field, const char *text); // stands even if it is empty
void wire_message(struct wire *w, u32 field, const struct wire *inner);
// A packed list of numbers: raw varints, for wire_message.
void wire_packed(struct wire *w, u64 n);

// A gzip file that messages are put into.
struct wire_file {
    FILE *out;
    z_stream z;
    bool failed;
};

void wire_open(struct wire_file *f, FILE *out);
void wire_put(struct wire_file *f, const struct wire *w);
int wire_close(struct wire_file *f); // 0, or -1 when something was not written
