// compile.h: a source file made into an object file, to look at what the compiler did.
#pragma once

#include "inspect/image.h"

// Whether a name is that of a C or C++ source file.
bool compile_is_source(const char *path);
// Compile `source` with `flags` (words with blanks between them) and -g by $CC, else cc; C++ by
// $CXX, else c++. The object's name goes into ret_path; remove it by compile_remove. 0, or -1 with
// a sentence; what the compiler says goes to stderr.
int compile_source(const char *source, const char *flags, char ret_path[256], char why[IMAGE_WHY]);
void compile_remove(const char *path);
