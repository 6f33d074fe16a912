// trie.h: many stacks as one tree of frames, for pages: what two stacks share stands once.
//
// Frames, their functions, files and modules are numbered from 0 in order of first sight. A stack
// enters whole, but for allocator wrappers at its inner and start-up code at its outer end.
#pragma once

#include "report/symbol.h"

#include <jansson.h>

struct trie {
    struct store *store;
    struct store lines;                     // of the stack that is being added
    struct table functions, files, modules; // hash of a text -> struct trie_text
    struct table frames;                    // symbol -> 1 + number
    struct table nodes;                     // 1 + parent, frame -> 1 + number
    u32 functions_count, files_count, modules_count, frames_count, nodes_count;
    json_t *functions_json, *files_json, *modules_json; // lists of texts
    json_t *frames_json;                                // five numbers a frame: see trie_put
    json_t *parents_json, *node_frames_json;
};

void trie_init(struct trie *t, struct store *store);
void trie_done(struct trie *t);

// Add a stack. The number of its innermost node comes back, and of the frame that stands for it:
// the innermost in the program's own files. -1 for a stack without frames.
int trie_add(struct trie *t, struct symbols *symbols, const struct site *site, int *ret_own);

// The node where a stack leaves the tree, which it does not enter; -1 if it shares not even its
// outermost frame. No deeper than `depth`.
int trie_find(struct trie *t, struct symbols *symbols, const struct site *site, u32 depth);

// Move functions, files, modules, frames and nodes into `page`.
void trie_put(struct trie *t, json_t *page);
