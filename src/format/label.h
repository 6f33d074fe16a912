// label.h: how a label gets from whoever sets it to the tool, which writes it.
//
//     take -> fill in the slot -> label_ready, ring the bell -> wait while *state == ready
//                                                               -> label_withdraw when time is up
//     the tool: sees ready -> writes the label -> label_done, wakes
//
// The lower two bits of a slot's state say what it is, the others count its uses: so nobody
// withdraws or answers what is somebody else's by now. Who dies between the first two steps leaves
// the slot taken; there are seven more.
#pragma once

#include "format/recording.h"

#include <string.h>

enum label_state { LABEL_FREE = 0, LABEL_TAKEN, LABEL_READY, LABEL_STATES = 4 };

static inline bool label_is(u32 state, enum label_state is)
{
    return state % LABEL_STATES == (u32)is;
}

// A free slot of the header, now ours; NULL if all are in use. *ret_state is for the next calls.
static inline struct label_slot *label_take(struct recording *map, u32 *ret_state)
{
    for (u32 i = 0; i < LABEL_SLOTS; i++) {
        struct label_slot *s = &map->label[i];
        u32 state = atomic_load_explicit(&s->state, memory_order_relaxed);
        if (label_is(state, LABEL_FREE) &&
            atomic_compare_exchange_strong_explicit(&s->state, &state, state + LABEL_TAKEN,
                                                    memory_order_acquire, memory_order_relaxed)) {
            *ret_state = state;
            return s;
        }
    }
    return NULL;
}

// Fill in the slot and let the tool have it. Returns the state that it has until the tool answers.
static inline u32 label_ready(struct label_slot *s, u32 state, u32 pid, const char *text,
                              size_t len)
{
    s->pid = pid;
    s->len = (u32)size_min(len, LABEL_MAX);
    memcpy(s->text, text, s->len);
    // Release: pairs with the acquire of the tool's look at it.
    atomic_store_explicit(&s->state, state + LABEL_READY, memory_order_release);
    return state + LABEL_READY;
}

// The end of a label that is ready: by the tool when it is written, or by who waits no longer.
// False if the other one was first.
static inline bool label_done(struct label_slot *s, u32 ready)
{
    return atomic_compare_exchange_strong_explicit(&s->state, &ready,
                                                   ready - LABEL_READY + LABEL_STATES,
                                                   memory_order_acq_rel, memory_order_relaxed);
}
