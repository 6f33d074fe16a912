// suite.h: the programs of a benchmark suite, read from the file `programs` of the bench folder.
#pragma once

#include "report/trials.h"

#include <limits.h>

enum { SUITE_PROGRAMS_MAX = TRIALS_NAMES_MAX, SUITE_WORDS_MAX = 16 };

struct suite_program {
    char name[TRIALS_NAME];
    enum mean mean;
    char command[PATH_MAX]; // in the bench folder
    bool is_script;         // a .sh: run by sh, with "run" or "prepare" behind it
    char words[256];        // its arguments, each terminated
    char *argv[SUITE_WORDS_MAX];
};

struct suite {
    struct suite_program program[SUITE_PROGRAMS_MAX];
    u32 count;
};

// The programs of suite `name` in the folder `dir`; of those, with `only` ("name,name"), the ones
// whose names begin so. 0, or -1 with a sentence in `why`.
int suite_read(struct suite *s, const char *dir, const char *name, const char *only, char *why,
               size_t why_size);
