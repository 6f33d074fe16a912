// stack.h: a stack cut to what matters to its reader.
//
// A raw stack of 30 frames has perhaps four that a person wants: where the user's code asked for
// memory, and how it came there. Allocator wrappers (malloc, operator new, xmalloc, std::vector's
// insides) are folded away at the inner end, start-up code at the outer one, and of a long middle
// the frames of the user's own files stay first.
#pragma once

#include "report/symbol.h"

struct stack_line {
    const struct symbol *symbol;
    const struct module *module; // NULL: a bare pc
    u64 offset;
    u32 hidden; // frames left out just before (inside of) this one
    bool mine;  // the innermost line in the user's own files; the first line if there is none
};

struct stack {
    struct stack_line *lines; // innermost first
    u32 lines_count;
    u32 hidden_last; // frames left out behind the last line
    const char *via; // the outermost folded wrapper if it says something: strdup, std::vector…
};

// At most `lines_max` lines; 0: every frame, nothing folded. Lives in `store`.
struct stack stack_cut(struct symbols *symbols, struct store *store, const struct site *site,
                       u32 lines_max);
// No line left out in the middle: only wrappers and start-up code folded away.
#define STACK_FOLDED UINT32_MAX
// Whether a line is in the program's own files, not in a library's.
bool stack_is_own(const struct stack_line *line);
// Where a line stands: "src/parse.c:88", "libz.so.1", "".
const char *stack_where(struct store *store, const struct stack_line *line);
