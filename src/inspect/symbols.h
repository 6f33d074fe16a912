// symbols.h: the names in a file: where a function stands, and what stands at an address.
#pragma once

#include "inspect/image.h"
#include "report/store.h"

struct found {
    const char *name; // as people write it
    u64 at, size;     // address in the file
    u32 section;      // of an object file, whose sections all begin at 0; else 0
};

struct names {
    struct image *im;
    struct store *store;
    char *(*demangle)(const char *, char *, size_t *, int *);
    void *library; // that it comes from
};

void names_open(struct names *n, struct image *im, struct store *store);
void names_close(struct names *n);
// The function called so: its symbol, its demangled name with or without parameters, the last part
// of that. 0, or -1 with a sentence that names what is near.
int names_find(struct names *n, const char *wanted, struct found *ret_found, char why[IMAGE_WHY]);
// The symbol at an address in the file: "name" or "name+0x12"; calls through the PLT have the name
// of what is called. NULL: none.
const char *names_at(struct names *n, u64 address);
// The same for a slot of the GOT, which the loader fills.
const char *names_slot(struct names *n, u64 slot);
// A name without C++'s mangling. Kept.
const char *names_readable(struct names *n, const char *name);
// A readable text at an address that is only read, in quotes and cut; or NULL.
const char *names_text(struct names *n, u64 address);
