// opt.h: commands and their options, told once.
//
// Each command is one file with one table of options; the parser, -h, --help, the completion and
// the test of the man pages all read that table. To add an option: one row, one field.
#pragma once

#include "base/base.h"

#include <stdio.h>

// Exit statuses of our own, as env(1) has them. `loam run` else ends as its program did.
enum {
    EXIT_FAILED = 1,      // what was asked for was judged, and failed
    EXIT_BAD_FILE = 1,    // a recording cannot be read
    EXIT_USAGE = 2,       // wrong usage
    EXIT_LOAM = 125,      // loam itself failed
    EXIT_NO_EXEC = 126,   // the program was found but cannot be executed
    EXIT_NOT_FOUND = 127, // there is no such program
};

enum option_kind {
    OPT_FLAG,  // bool
    OPT_TEXT,  // const char *, borrowed from argv
    OPT_COUNT, // u32, decimal, at least 1
    OPT_MAYBE, // const char *: the text behind '=', or "" without one
};

struct option {
    const char *name;     // without the dashes
    char letter;          // 0: none
    const char *argument; // what stands for the value in help; NULL for flags
    enum option_kind kind;
    size_t offset;    // of the field in the command's options struct
    const char *help; // half a sentence
};

struct command {
    const char *name;
    const char *group;   // run, watch, inspect or learn
    const char *summary; // half a sentence, for `loam help`
    const char *synopsis;
    const char *examples[2][2]; // what to type, what it does
    const struct option *options;
    size_t options_count;
    bool stops;        // options end at the first operand: the rest belongs to a program
    const char *about; // for --help: paragraphs
    int (*run)(const struct command *c, int argc, char **argv); // argv[0] is the command's name
};

// In the order of `loam help`. One definition each, at the end of its file.
// clang-format off
extern const struct command
    command_run,
    command_report,
    command_diff,
    command_label,
    command_sample,
    command_ps,
    command_top,
    command_metrics,
    command_bench,
    command_map,
    command_mem,
    command_translate,
    command_elf,
    command_layout,
    command_asm,
    command_hex,
    command_lab,
    command_help,
    command_version,
    command_completion;
// clang-format on
extern const struct command *const commands[];
extern const size_t commands_count;
const struct command *command_named(const char *name); // or NULL
// The command whose name is nearest to `name`, or NULL if none is near.
const char *command_near(const char *name);

// Parse argv[1..] into the struct at `values`. Returns the number of operands, which have been
// moved to the end of argv: the first is argv[argc - n]. -1: help was asked for and printed;
// -2: wrong usage, and told.
int opt_parse(const struct command *c, int argc, char **argv, void *values);
void opt_print_help(const struct command *c, FILE *out); // one screen
void opt_print_manual(const struct command *c, FILE *out);

// "loam run: text\n" on stderr.
__attribute__((format(printf, 2, 3))) void say(const struct command *c, const char *fmt, ...);
