// wire.c: varints, and deflate in pieces of 64 KiB.

#include "report/wire.h"

#include <stdlib.h>
#include <string.h>

enum wire_type { WIRE_NUMBER = 0, WIRE_BYTES = 2 };

void wire_clear(struct wire *w)
{
    w->size = 0;
}

void wire_done(struct wire *w)
{
    free(w->bytes);
    *w = (struct wire){0};
}

static u8 *more(struct wire *w, size_t size)
{
    if (w->size + size > w->room) {
        w->room = 2 * (w->size + size) + 256;
        w->bytes = realloc(w->bytes, w->room);
        if (w->bytes == NULL)
            die("loam: no memory for the report", NULL);
    }
    w->size += size;
    return w->bytes + w->size - size;
}

void wire_packed(struct wire *w, u64 n)
{
    for (; n >= 0x80; n >>= 7)
        *more(w, 1) = (u8)(n | 0x80);
    *more(w, 1) = (u8)n;
}

void wire_number(struct wire *w, u32 field, u64 n)
{
    if (n == 0)
        return;
    wire_packed(w, field << 3 | WIRE_NUMBER);
    wire_packed(w, n);
}

void wire_bytes(struct wire *w, u32 field, const void *bytes, size_t size)
{
    wire_packed(w, field << 3 | WIRE_BYTES);
    wire_packed(w, size);
    if (size > 0)
        memcpy(more(w, size), bytes, size);
}

void wire_text(struct wire *w, u32 field, const char *text)
{
    wire_bytes(w, field, text, strlen(text));
}

void wire_message(struct wire *w, u32 field, const struct wire *inner)
{
    wire_bytes(w, field, inner->bytes, inner->size);
}

void wire_open(struct wire_file *f, FILE *out)
{
    *f = (struct wire_file){.out = out};
    // 31: a window of 32 KiB, and gzip's frame.
    if (deflateInit2(&f->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        die("loam: no memory for the report", NULL);
}

static void pump(struct wire_file *f, int flush)
{
    u8 out[64 * KiB];
    do {
        f->z.next_out = out;
        f->z.avail_out = sizeof out;
        deflate(&f->z, flush);
        size_t size = sizeof out - f->z.avail_out;
        f->failed |= fwrite(out, 1, size, f->out) != size;
    } while (f->z.avail_out == 0);
}

void wire_put(struct wire_file *f, const struct wire *w)
{
    f->z.next_in = w->bytes;
    f->z.avail_in = (uInt)w->size;
    pump(f, Z_NO_FLUSH);
}

int wire_close(struct wire_file *f)
{
    f->z.avail_in = 0;
    pump(f, Z_FINISH);
    deflateEnd(&f->z);
    return !f->failed && fflush(f->out) == 0 ? 0 : -1;
}
