// collect.h: what happens while programs run: the clock, moments, labels, accounts of RSS.
//
// Two threads of the session. One does nothing but tell the time in every volume's header, four
// hundred microseconds of work a second. The other looks at all counters at even intervals, and
// whenever somebody asks for a label. A look takes time, most of it for waiting on memory when
// there are many sites; so looks are as far apart as makes them a fiftieth of a processor.
//
// V3  a volume is unmapped only by who holds both `reading` and `ticking`; each of the two threads
//     holds its own while it touches volumes. `reading` comes before session.lock, and that before
//     `ticking`.
#pragma once

#include "cli/accounts.h"
#include "cli/crowd.h"
#include "cli/moments.h"

#include <pthread.h>

struct session;

struct collect {
    struct crowd crowd;
    struct moments moments;           // under session.lock
    struct accounts accounts;         // the same for its blocks; the rest under `reading`
    pthread_mutex_t reading, ticking; // V3
    u64 began_ns;                     // of a monotonic clock: time 0 of the recording
    u64 next_ns;                      // when the next moment is due
    pthread_t looker, ticker;
    bool looking, telling; // that thread runs
};

// Time begins.
void collect_begin(struct collect *c);
// Start both threads. 0 or -errno.
int collect_start(struct session *s);
// The session stops: end the threads, look once more.
void collect_stop(struct session *s);
// A process waits for its end, having been scanned: take its last account.
void collect_account(struct session *s, const struct volume *v, const struct record_process *p);
// Bracket the unmapping of volume `number`, with session.lock not held.
void collect_forget_begin(struct collect *c, u32 number);
void collect_forget_end(struct collect *c);
void collect_done(struct collect *c);
