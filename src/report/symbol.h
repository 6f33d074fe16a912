// symbol.h: from frames to functions, files and lines.
//
// Symbols are read here, in the tool, never in the program: by build-id, from the file itself,
// from its separate debug file (by build-id or debug link, split units and shared parts included),
// from the map that a JIT compiler wrote, or not at all, and only for frames that
// somebody prints. A file that has changed since the recording is not believed.
#pragma once

#include "report/model.h"

struct symbol {
    const char *function; // demangled; "module+0x1234" when nothing is known
    const char *file;     // NULL: unknown
    u32 line;             // 0: unknown
    bool inlined;         // this function was inlined into the next symbol
    bool named;           // the function has a name of its own
    u8 role;              // what report/stack.c makes of it; 0: it was not asked yet
    u64 start;            // stripped code: where the function begins (offset in the module), or 0
};

struct symbols;

// From now on, what is not on this machine is asked of the debuginfod servers that DEBUGINFOD_URLS
// names. Off unless a person asks: it tells servers what runs here, and may take minutes.
void symbols_ask_servers(void);

bool symbols_asks_servers(void);

// Answers live in `store`.
struct symbols *symbols_new(struct store *store);
struct symbols *symbols_free(struct symbols *s);

// The functions at a frame, innermost first: those inlined there, then the real one. At least
// one; borrowed until symbols_free.
const struct symbol *symbols_of(struct symbols *s, struct frame f, size_t *ret_count);

// What another `struct symbols` found, see prefetch.c: the answer for a frame, packed as in struct
// site, whose texts stay; what `from`, a copy of the module, came to know of it (NULL: it has
// lines); and the store that it all lives in, which is taken.
void symbols_put(struct symbols *s, u64 frame, const struct symbol *symbols, size_t count);
void symbols_learn(struct symbols *s, struct module *m, const struct module *from);
void symbols_keep(struct symbols *s, struct store *answers);

// What could be read about a module: lines, names only, neither; or its file is another one now.
enum symbol_state { SYMBOLS_FULL, SYMBOLS_NAMES, SYMBOLS_NONE, SYMBOLS_CHANGED, SYMBOLS_GONE };
enum symbol_state symbols_state(const struct module *m); // SYMBOLS_FULL if never asked
// Frames of a module that were asked for and had no name.
u32 symbols_nameless(const struct module *m);
// For who asks for more names than a reader gets to see, and counts those himself.
void symbols_set_nameless(const struct module *m, u32 n);
