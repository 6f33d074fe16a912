// debug.h: LOAM=debug=on: what happened first, so that a mistake can be told with both its places.
//
// While it is on, the toolkit takes notes: where an object was let go, a region closed, a lock
// taken. A note is found by kind, address and a number (a generation, another lock). When something
// is wrong, the note says where it began and the stack says where it ended. While it is off each
// check is one branch on a word that never changes, on paths that are not the shortest ones.
//
// Notes are a cache: a set of eight a hash, the oldest one gives way. What is forgotten is not told
// wrongly, only told without its first place, or not at all.
#pragma once

#include "base/base.h"

extern hidden_ struct debug_state {
    bool on; // set once, before main
} the_debug;
#define debugging() unlikely(the_debug.on)

enum note_kind {
    NOTE_BOX_MADE = 1,
    NOTE_BOX_DROPPED,
    NOTE_BOX_FORGOTTEN,
    NOTE_RC_MADE,
    NOTE_RC_LAST,     // the last reference was let go
    NOTE_WEAK,        // a weak reference that refers to something
    NOTE_POOL_FREED,  // number: the generation that died
    NOTE_REGION_GONE, // closed, or cut back
    NOTE_LOCK_TAKEN,
};

struct note {
    const void *object;
    const char *made; // what the object is and where it was made, as LOAM_MADE says; or NULL
    u64 number;
    u32 thread; // id of the thread, as the kernel counts
    u32 trace;  // 0: not known
    u32 kind;   // enum note_kind; 0: empty
    u32 age;
};

void note_put(enum note_kind kind, const void *object, u64 number, const char *made);
bool note_find(enum note_kind kind, const void *object, u64 number, struct note *ret);
// The life that `from` began ends with `to`, which keeps what the first says about its making.
void note_end(enum note_kind from, enum note_kind to, const void *object);
void note_remove(enum note_kind kind, const void *object, u64 number);
// Each note of one kind, in no order; under the lock of notes, so `see` may not ask for others.
void note_each(enum note_kind kind, void (*see)(void *ctx, const struct note *n), void *ctx);
u32 debug_thread(void);

// The stack of the caller as a number, the same for the same stack; 0 when there is none.
u32 debug_trace(void);

// ---- debug_tell.c: what is said

// Lines on stderr: what is wrong with which object; `was` and the place of the first event; `now`
// and the caller's. `first` may be NULL. The same words from the same place are said once.
struct telling {
    const char *what;
    const void *object;
    const char *was, *now;
    const struct note *first;
    const char *line; // one more, or NULL
};
void debug_tell(const struct telling *t);
// The same, and the end.
noreturn_ void debug_die(const struct telling *t);
// The frames of a trace, a line each, indented.
void debug_put_trace(u32 trace);
void debug_put(const char *s);
void debug_put_number(u64 n);
void debug_put_hex(u64 n);
void debug_flush(void);

// Text in a buffer; what does not fit is cut.
struct words {
    char *at;
    size_t len, max;
};
void words_put(struct words *w, const char *s);
void words_put_number(struct words *w, u64 n);

// ---- debug.c: memory that was let go is kept for a while, so that its note stays true

// Keep a block of the heap from being used again; some later call frees it.
void debug_keep(void *block, size_t size);
// The same for whole OS pages that were part of a region: whoever touches them is told.
void debug_keep_fenced(void *block, size_t size, const char *name, const char *place);
// In the handler of a fault at `at`: tells and ends the program if the memory is fenced.
void debug_fault(const void *at);
// The frames of a trace that debug_trace returned.
u32 debug_frames(u32 trace, const u64 **ret_pc);
