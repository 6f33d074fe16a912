// sites.h: one record per distinct stack.
//
// A hash from stack to site lives in memory of our own; the sites themselves lie in the recording,
// where counting (tally.h) is a few additions in place. Finding a known stack takes no lock. A new
// stack is added under one lock, which also guards the writer. When there is no room, or a signal
// handler interrupted the holder of the lock, the stack is counted in the site "other": counters
// stay exact, only their place is lost.
//
// T1  a site, once its id stands in a tag, lives as long as the process.
// T2  ids grow from process.first_site, which is "other". A smaller id belongs to a block that
//     the parent allocated before the fork: its free is nobody's.
#pragma once

#include "format/recording.h"
#include "record/unwind.h"

#define SITE_ID_MAX ((1u << 20) - 1) // what a tag can hold

// A new process: its record is `process`, already committed. The caller holds the lock, or nobody
// else runs. False when even "other" finds no room.
bool sites_begin(struct record_process *process, u32 first_site);
// The id after the last one in use.
u32 sites_next(void);

// In a forked child: the lock is free, whoever held it in the parent.
void sites_fork_child(void);
// The lock over new sites, modules and the writer. False in a signal handler that interrupted it.
bool sites_lock(void);
void sites_unlock(void);
// By the calling thread.
bool sites_locked(void);

// The site of the calling thread's stack, but for loam's own frames; `from` is one of them, or the
// first that is not. It asks for `bytes`. Never NULL.
struct site_ref {
    struct record_site *site;
    u32 id;
};
struct site_ref sites_here(const struct unwind_caller *from, u64 bytes);
// The same for who comes seldom, and needs no cache for each thread.
struct record_site *sites_here_seldom(const struct unwind_start *start, u64 bytes);
// NULL if the site is not of this process (T2).
struct record_site *sites_of(u32 id);
