// registry.h: the table of experiments, and how to find one.
#pragma once

#include "lab/lab.h"

struct entry {
    const char *id;   // "D1", "E4b": chapter, number, letter
    const char *name; // "false-sharing"
    const struct experiment *experiment;
    const char *code; // the text of its file
};

extern const struct entry registry[];
extern const size_t registry_count;

struct chapter {
    char letter;
    const char *title;
};
extern const struct chapter chapters[];
extern const size_t chapters_count;

// By ID or name, in any case, with - or _. NULL if there is none.
const struct entry *registry_find(const char *word);
// The one whose name or ID is spelled almost so, or NULL.
const struct entry *registry_near(const char *word);
// Does `word` (an ID, a name, a chapter's letter or "all") choose `e`?
bool registry_chosen(const struct entry *e, const char *word);
