// trials.h: what a benchmark measured: one row a run, and the file that keeps all rows.
//
// Allocators and programs are told apart by their index. The file is CSV with two lines before the
// rows: a comment that tells command, machine and libraries, and the names of the columns. From
// that file every table and plot can be made again.
#pragma once

#include "base/base.h"

#include <stdio.h>

enum {
    TRIALS_NAMES_MAX = 128, // programs, and allocators
    TRIALS_NAME = 64,
    TRIALS_FIGURES = 128,
};

// In which geometric means a program counts.
enum mean { MEAN_NONE = 0, MEAN_TIME = 1, MEAN_MEMORY = 2, MEAN_BOTH = 3 };

struct trial {
    u32 program, allocator;       // indexes into the names
    u32 round;                    // all runs of a round stand close together in time
    double user, sys, wall;       // seconds; of the program and all children that it waited for
    u64 peak;                     // bytes: the largest VmHWM of all its processes
    u64 faults;                   // minor page faults
    char outcome[32];             // "ok", or what went wrong, in words without a comma
    char figures[TRIALS_FIGURES]; // what the program itself told: "name=value unit;..."
};

struct trials {
    char about[4096]; // line 1 of the file, without its "# "
    char program[TRIALS_NAMES_MAX][TRIALS_NAME];
    enum mean mean[TRIALS_NAMES_MAX];
    u32 programs;
    char allocator[TRIALS_NAMES_MAX][TRIALS_NAME];
    u32 allocators;
    u32 rounds; // the highest round of a row, plus one
    struct trial *rows;
    size_t count, room;
};

// The index of a name, which is added if it is new. -1: there are too many.
int trials_program(struct trials *t, const char *name, enum mean mean);
int trials_allocator(struct trials *t, const char *name);
int trials_find_allocator(const struct trials *t, const char *name); // -1: none
void trials_add(struct trials *t, const struct trial *row);
void trials_done(struct trials *t);

const char *trials_mean_word(enum mean mean);
int trials_mean_from(const char *word); // -1: no such word

void trials_write_head(const struct trials *t, FILE *out);
void trials_write_row(const struct trials *t, const struct trial *row, FILE *out);
// 0; -EINVAL with a sentence in `why` if it is no such file.
int trials_read(struct trials *t, FILE *in, char *why, size_t why_size);
