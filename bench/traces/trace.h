// trace.h: two files: what record.so writes, and the short form that replay reads.
//
// The short form names blocks by slots, which are used again, lowest first: a header, then events.
// An event is one byte of kind, the slot, and where there are any the size and the logarithm of the
// alignment, each as a base-128 number, lowest part first.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum trace_kind {
    TRACE_ALLOC,
    TRACE_FREE,
    TRACE_REALLOC,
    TRACE_ZEROED,
    TRACE_ALIGNED,
    TRACE_KINDS
};

struct raw_event {
    uint8_t kind, align; // align: its logarithm
    uint64_t address, old, size;
};

#define RAW_EVENTS_MAX ((uint64_t)1 << 28)
struct raw_file {
    uint64_t count;
    struct raw_event event[];
};
#define RAW_FILE_SIZE (sizeof(struct raw_file) + RAW_EVENTS_MAX * sizeof(struct raw_event))

struct trace_header {
    char magic[8]; // "trace 1\n"
    uint64_t events, slots;
};
#define TRACE_MAGIC "trace 1\n"
