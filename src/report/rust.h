// rust.h: names that rustc made, back to how people wrote them.
//
// Two manglings exist: the older one is a C++ name with a hash at its end and escapes in it; the
// newer one ("v0", since rustc 1.95 the default) is a language of its own. Hashes are left out.
// Written as binutils' c++filt writes them, which the tests compare with.
#pragma once

#include "base/base.h"

// A v0 name, "_R…", in memory to be freed; NULL if it is none.
char *rust_demangle(const char *mangled);
// What a C++ demangler made of an older name, put right in place. False if it is no Rust name.
bool rust_unescape(char *plain);
