// dynamic.h: what the kernel and the loader read: interpreter, dynamic section, notes, relocations.
//
// Found by program headers alone, as the loader does it: section headers may be missing or lie.
#pragma once

#include "inspect/facts.h"

void dynamic_load(struct facts *f, struct image *im);
// The dynamic symbols' names (static programs: all symbols'), one call each until `each` is
// through; FUNC and OBJECT, defined or not.
void dynamic_symbols(const struct facts *f, struct image *im,
                     void (*each)(void *ctx, const char *name, const GElf_Sym *sym), void *ctx);

// facts.c's own, shared: a text kept in the store and made fit for a terminal; a sentence kept.
const char *facts_text(struct facts *f, const char *text, size_t len);
__attribute__((format(printf, 2, 3))) void facts_trouble(struct facts *f, const char *fmt, ...);
