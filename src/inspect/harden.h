// harden.h: what a file does, and leaves undone, against those who misuse its mistakes.
#pragma once

#include "inspect/facts.h"

enum verdict { HARDEN_YES, HARDEN_PARTLY, HARDEN_NO, HARDEN_DOES_NOT_APPLY };

struct hardening {
    const char *name; // "RELRO"
    enum verdict verdict;
    const char *says; // half a sentence: what that means here, or how to get it
};
#define HARDEN_MAX 10

// Fill `out`; how many there are comes back. Texts live in the facts' store.
u32 harden_of(struct facts *f, struct image *im, struct hardening out[HARDEN_MAX]);
