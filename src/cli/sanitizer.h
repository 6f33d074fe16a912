// sanitizer.h: does a program bring a sanitizer's allocator, which wants to come before ours?
//
// AddressSanitizer's runtime ends the program when another library comes first in LD_PRELOAD;
// the others replace malloc behind our back. They are told from their traces in the dynamic
// section: a needed library, or a symbol when the runtime is linked in.
#pragma once

// The sanitizer's name, or NULL.
const char *sanitizer_of(int fd);
