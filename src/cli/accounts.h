// accounts.h: the accounts of RSS that go into a recording, taken while programs run.
//
// An account means reading a process's mappings and the heap's tables, some milliseconds and more
// for large heaps. So they are taken when memory has grown by an eighth since the highest one, and
// now and then besides, further apart the longer the session is, and never for more than a
// hundredth of the time. A program that grows and ends within that time may have been larger.
#pragma once

#include "cli/crowd.h"
#include "cli/moments.h"
#include "format/account.h"

struct accounts_slot { // an account with room for its pins
    struct record_account account;
    struct record_pin pin[ACCOUNT_PINS];
};
struct accounts_process {
    struct accounts_slot highest, last; // the same process; rss 0: none yet
};

struct accounts {
    struct accounts_process *processes; // A2
    u32 processes_count;
    struct record_account *line; // ACCOUNTS_MAX sums
    u32 line_count;
    u64 interval_ns; // between two of them, if nothing grows
    u64 next_ns;     // not before: what the last ones cost
    u64 taken_ns, highest_rss;
    bool changed;                 // since accounts_write
    struct moments_blocks blocks; // under session.lock
};

// Take the accounts of all processes, if they are due. `rss`: what they have now.
void accounts_look(struct accounts *a, const struct crowd *c, u64 rss, u64 now_ns, u64 at_ns);
// Take one of a process that waits for its end: `p` is its record, `index` as readers know it.
void accounts_end(struct accounts *a, const struct record_process *p, u32 index, u64 at_ns);
// Put what changed into the blocks.
void accounts_write(struct accounts *a);
void accounts_done(struct accounts *a);
