// rounds.h: every allocator in turn on the same programs, again and again.
//
// In each round each program is run under each allocator, allocators in random order, so that a
// machine that slows down, or a neighbour that wakes up, meets all of them alike.
#pragma once

#include "cli/peers.h"
#include "cli/suite.h"
#include "report/trials.h"

#include <stdio.h>

struct command;
struct rounds {
    const struct command *c; // for messages
    const struct peers *peers;
    struct suite *suite;   // NULL: `argv` is the one program
    const char *dir;       // the bench folder, for a suite
    char *const *argv;     // the user's program
    const char *name;      // its name in the tables
    u32 count;             // rounds
    u32 limit;             // seconds for one run
    u64 seed;              // of the order
    struct trials *trials; // rows are added here, and
    FILE *csv;             // written here at once; NULL: nowhere
};

// Also fills in the names of programs and allocators. 0; -EINTR: stopped by ^C, the rows of whole
// rounds are good; else an exit status, and told.
int rounds_run(struct rounds *r);
