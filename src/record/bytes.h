// bytes.h: reading DWARF's numbers from memory that may be damaged.
//
// A read past the end yields 0 and sets `bad`, so a parser need not look after every field.
#pragma once

#include "base/base.h"

#include <string.h>

struct bytes {
    const u8 *at, *end;
    bool bad; // a read went past the end
};

static inline u64 take(struct bytes *b, size_t size)
{
    u64 v = 0;
    if ((size_t)(b->end - b->at) < size) {
        b->bad = true;
        b->at = b->end;
        return 0;
    }
    memcpy(&v, b->at, size);
    b->at += size;
    return v;
}

static inline u64 take_uleb(struct bytes *b)
{
    u64 v = 0;
    for (unsigned shift = 0;; shift += 7) {
        u8 byte = (u8)take(b, 1);
        if (shift < 64)
            v |= (u64)(byte & 127) << shift;
        if ((byte & 128) == 0)
            return v;
    }
}

static inline int64_t take_sleb(struct bytes *b)
{
    u64 v = 0;
    unsigned shift = 0;
    u8 byte;
    do {
        byte = (u8)take(b, 1);
        if (shift < 64)
            v |= (u64)(byte & 127) << shift;
        shift += 7;
    } while ((byte & 128) != 0);
    if (shift < 64 && (byte & 64) != 0)
        v |= ~(u64)0 << shift;
    return (int64_t)v;
}

// DW_EH_PE: the low half is the width, 0x10 says relative to the field itself.
enum { PE_ABSOLUTE = 0, PE_PCREL = 0x10, PE_WIDTH = 0x0f, PE_BASE = 0x70, PE_INDIRECT = 0x80 };

static inline u64 take_width(struct bytes *b, u8 encoding)
{
    switch (encoding & PE_WIDTH) {
    case 0:
    case 4:
    case 12:
        return take(b, 8);
    case 1:
        return take_uleb(b);
    case 2:
        return take(b, 2);
    case 3:
        return take(b, 4);
    case 9:
        return (u64)take_sleb(b);
    case 10:
        return (u64)(int16_t)take(b, 2);
    case 11:
        return (u64)(int32_t)take(b, 4);
    }
    b->bad = true;
    return 0;
}

static inline u64 take_address(struct bytes *b, u8 encoding)
{
    u64 field = (u64)(uintptr_t)b->at;
    u64 v = take_width(b, encoding);
    if ((encoding & PE_BASE) == PE_PCREL)
        return v + field;
    if ((encoding & PE_BASE) != PE_ABSOLUTE)
        b->bad = true;
    return v;
}
