// value.c: bits to text.

#include "inspect/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static u64 bits_at(const struct hex *h, u64 bit, u64 count)
{
    u64 low = 0, byte = bit / 8, shift = bit % 8;
    u8 last = 0;
    size_t n = size_min(8, (shift + count + 7) / 8);
    memcpy(&low, h->bytes + byte, n);
    low >>= shift;
    if (shift + count > 64) {
        last = h->bytes[byte + 8];
        low |= (u64)last << (64 - shift);
    }
    return count >= 64 ? low : low & (((u64)1 << count) - 1);
}

static int64_t extended(u64 v, u64 bits)
{
    return bits >= 64 || (v >> (bits - 1) & 1) == 0 ? (int64_t)v : (int64_t)(v | ~0ull << bits);
}

static int put_float(const struct hex *h, u64 bit, u64 bits, char *out, size_t room)
{
    float f;
    double d;
    long double l;
    const u8 *p = h->bytes + bit / 8;
    if (bits == 32)
        return memcpy(&f, p, sizeof f), snprintf(out, room, "%g", (double)f);
    if (bits == 64)
        return memcpy(&d, p, sizeof d), snprintf(out, room, "%g", d);
    if (bits == 8 * sizeof l)
        return memcpy(&l, p, sizeof l), snprintf(out, room, "%Lg", l);
    return snprintf(out, room, "?");
}

static int put_enum(const struct field *f, int64_t v, u64 bits, char *out, size_t room)
{
    u64 mask = bits >= 64 ? ~0ull : ((u64)1 << bits) - 1;
    for (u32 i = 0; i < f->enumerators_count; i++) {
        if (((u64)f->enumerators[i].value & mask) == ((u64)v & mask))
            return snprintf(out, room, "%s (%lld)", f->enumerators[i].name, (long long)v);
    }
    return snprintf(out, room, "%lld, which has no name", (long long)v);
}

static int put_char(u64 v, char *out, size_t room)
{
    if (v < 128 && isprint((int)v))
        return snprintf(out, room, "'%c'", (char)v);
    return snprintf(out, room, "%llu", (unsigned long long)v);
}

static int put_text(const u8 *p, size_t size, char *out, size_t room)
{
    size_t at = 0, len = strnlen((const char *)p, size);
    out[at++] = '"';
    for (size_t i = 0; i < len && at + 8 < room && at < 60; i++)
        at += (size_t)snprintf(out + at, room - at, isprint(p[i]) ? "%c" : "\\x%02x", p[i]);
    return (int)at + snprintf(out + at, room - at, at >= 60 ? "\"…" : "\"");
}

static int put_bytes(const u8 *p, size_t size, char *out, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; i < size && i < 16; i++)
        at += (size_t)snprintf(out + at, room - at, i == 0 ? "%02x" : " %02x", p[i]);
    return (int)at + (size > 16 ? snprintf(out + at, room - at, " …") : 0);
}

static int put_one(const struct hex *h, u64 bit, u64 bits, const struct field *f, char *out,
                   size_t room)
{
    if (f->kind == FIELD_FLOAT)
        return put_float(h, bit, bits, out, room);
    if (bits == 0 || bits > 64)
        return put_bytes(h->bytes + bit / 8, bits / 8, out, room);
    u64 v = bits_at(h, bit, bits);
    switch (f->kind) {
    case FIELD_SIGNED:
        return snprintf(out, room, "%lld", (long long)extended(v, bits));
    case FIELD_BOOL:
        return snprintf(out, room,
                        v == 0   ? "false"
                        : v == 1 ? "true"
                                 : "%llu, neither true nor false",
                        (unsigned long long)v);
    case FIELD_CHAR:
        return put_char(v, out, room);
    case FIELD_ENUM:
        return put_enum(f, extended(v, bits), bits, out, room);
    case FIELD_POINTER:
        return snprintf(out, room, v == 0 ? "NULL" : "0x%llx", (unsigned long long)v);
    case FIELD_BYTES:
        return put_bytes(h->bytes + bit / 8, bits / 8, out, room);
    case FIELD_UNSIGNED:
        return snprintf(out, room, v >= 65536 ? "%llu (0x%llx)" : "%llu", (unsigned long long)v,
                        (unsigned long long)v);
    case FIELD_FLOAT:
    case FIELD_TEXT:
    case FIELD_OPENS:
    case FIELD_CLOSES:
        break;
    }
    return 0;
}

const char *value_of(const struct hex *h, size_t base, const struct field *f, char out[VALUE_SIZE],
                     const struct hex_pointer **ret_pointer)
{
    u64 from = base + f->at / 8, end = base + (f->at + f->size + 7) / 8;
    *ret_pointer = NULL;
    out[0] = 0;
    if (f->kind == FIELD_OPENS || f->kind == FIELD_CLOSES)
        return out;
    if (end > h->size || end < from)
        return strcpy(out, "? (not read)");
    if (f->kind == FIELD_TEXT) {
        put_text(h->bytes + from, end - from, out, VALUE_SIZE);
        return out;
    }
    if (f->kind == FIELD_POINTER && f->repeat == 1)
        *ret_pointer = hex_pointer_at(h, from);
    size_t at = f->repeat > 1 ? (size_t)snprintf(out, VALUE_SIZE, "{") : 0;
    u64 each = f->size / f->repeat;
    for (u32 i = 0; i < f->repeat && at + 40 < VALUE_SIZE && at < 70; i++) {
        at += i == 0 ? 0 : (size_t)snprintf(out + at, VALUE_SIZE - at, ", ");
        at += (size_t)put_one(h, base * 8 + f->at + i * each, each, f, out + at, VALUE_SIZE - at);
        at = size_min(at, VALUE_SIZE - 1);
    }
    if (f->repeat > 1)
        snprintf(out + at, VALUE_SIZE - at, at >= 70 ? ", …}" : "}");
    return out;
}
