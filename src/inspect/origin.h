// origin.h: where bytes come from: a file, a process, a core; and what its addresses mean.
//
// A process is read while it goes on. Pages that it has never touched are not read but told as
// zeroes, because reading them could make the kernel allocate them.
#pragma once

#include "inspect/image.h"
#include "inspect/symbols.h"
#include "report/store.h"
#include "target/space.h"

enum origin_kind { ORIGIN_FILE, ORIGIN_ELF, ORIGIN_PROCESS, ORIGIN_CORE };

struct origin {
    enum origin_kind kind;
    struct store store;
    const char *name; // as it was given
    u64 at;           // the address or offset that was asked for
    bool at_given;
    u64 end; // ORIGIN_FILE: its size
    int fd;  // of the file, or of /proc/PID/mem
    int pagemap;
    pid_t pid;
    struct image im; // ORIGIN_ELF and ORIGIN_CORE: the file; ORIGIN_PROCESS: the program
    bool has_image;
    Dwfl *dwfl; // of a process or core: its modules
    struct names names;
    struct space space;
    bool has_space;
};

// Open "FILE", "FILE:ADDR", "PID:ADDR", "CORE:ADDR", where ADDR is a number or a symbol, with +N
// behind it if need be. 0, or -1 with a sentence.
int origin_open(struct origin *o, const char *what, char why[IMAGE_WHY]);
void origin_close(struct origin *o);
// Read bytes at an address; how many could be read from its beginning.
size_t origin_read(struct origin *o, u64 at, void *buf, size_t size);
// What an address is: "main+0x12", "heap block of 64 bytes, +8", "stack of worker"; NULL: nothing.
// *ret_kind says it in one word: "code", "data", "heap", "stack", "mapping".
const char *origin_what(struct origin *o, u64 address, const char **ret_kind);
// The text that an address points to, in quotes; NULL if there is none.
const char *origin_text(struct origin *o, u64 address);
// The file whose debug information describes what is there; NULL: none.
struct image *origin_image(struct origin *o);
