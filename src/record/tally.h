// tally.h: the counters: of sites, of threads, and of the process.
//
// Everything that the program does with the heap while it is recorded comes here once, and lands in
// its site and in the totals of its thread; F9 in format/recording.h says what must add up. The
// totals of a thread are written by that thread alone, so they cost no locked instruction.
//
// Each thread also remembers the block that its last call allocated: who frees that one next had it
// for a moment only. Every heap call asks tally_last, also one that counts nothing.
#pragma once

#include "format/life.h"

// A new process: its record, already committed.
void tally_begin(struct record_process *process, const struct recording *map);
// In a forked child: this thread is the only one, and has no record yet.
void tally_fork_child(void);

// The process ends: its bytes live and its peak are exact from here on, if no thread runs.
void tally_settle(void);

// What is counted of a block.
struct tally_block {
    size_t size;     // asked for
    size_t capacity; // that it could hold
};

void tally_alloc(struct record_site *s, struct tally_block b);
// `birth`: what tally_now said when it was allocated.
void tally_free(struct record_site *s, struct tally_block b, u32 birth, bool temporary);
// The block that was just counted came by realloc, for which `copied` bytes were copied; `first`:
// the older one had not.
void tally_realloc(struct record_site *s, bool first, size_t copied);

// The same for a block that was chosen by sampling: it stands for many (F8).
void tally_sample(struct record_site *s, struct tally_block b);
void tally_sample_free(struct record_site *s, struct tally_block b, u32 birth);

extern hidden_ const _Atomic u64 *tally_clock; // the recording's
// The time, as a code of life.h.
static always_inline_ u32 tally_now(void)
{
    return life_code(atomic_load_explicit(tally_clock, memory_order_relaxed));
}

// Inverted, so that a leak scan does not find a pointer to the block here.
extern hidden_ thread_local_ uintptr_t tally_last_block;

// True if p is what this thread's last call allocated, now forgotten.
static always_inline_ bool tally_last(const void *p)
{
    bool is = tally_last_block == ~(uintptr_t)p;
    tally_last_block = 0;
    return is;
}

// The call that is about to return allocated p.
static always_inline_ void tally_remember(const void *p)
{
    tally_last_block = ~(uintptr_t)p;
}
