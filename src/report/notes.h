// notes.h: what a reader must know to trust a report, as sentences. Shared by text and JSON.
#pragma once

#include "report/place.h"
#include "report/symbol.h"

#define NOTES_MAX 16

struct note {
    const char *code; // for machines: "python-malloc"
    const char *text; // for people: a whole sentence
};

struct notes {
    struct note items[NOTES_MAX];
    u32 count;
};

struct notes notes_of(struct model *m, const struct totals *t);

// Why there are no leak results although they were asked for: a sentence; NULL if there are.
const char *notes_no_scan(struct model *m, const struct totals *t);
