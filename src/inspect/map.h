// map.h: `loam map`: an address space as one picture.
//
// Five layers, from what the file says to what the machine does: ELF section, mapping, page state,
// frame, owner. target/space.h reads three of them; here they are put together and summed.
#pragma once

#include "inspect/section.h"
#include "inspect/status.h"
#include "report/ink.h"
#include "target/account.h"

#include <jansson.h>

// Everything that one owner has: all of libc.so.6, all of loam's heap, all stacks.
struct map_owner {
    enum space_kind kind;
    const char *name; // borrowed: from the view, or from the JSON it was read from
    u64 size, rss, swap;
    u64 by[RES_COUNT];
    u32 parts;
};

struct map_view {
    struct status status;
    struct space space;
    struct sections sections;
    struct account account;
    struct map_owner *owner; // largest first
    size_t owner_count;
    u64 by[RES_COUNT];   // sums over all
    u64 rss, swap, size; // size: of what can be used, reserved addresses left out
    u64 reserved;
};

struct map_options {
    bool all;   // every mapping with its sections
    bool pages; // and every run of pages, with frames
};

// 0 or -errno, as space_load.
int map_load(struct map_view *m, pid_t pid, const struct map_options *o);
// Of a core file: its pages are those that were written into it. 0, or -1 with a sentence.
int map_load_core(struct map_view *m, const char *path, const struct map_options *o,
                  char why[CORE_WHY]);
void map_done(struct map_view *m);

// What an owner is called: "libc.so.6", "loam's heap", "stack of worker". Cleaned. Returns `out`.
#define MAP_LABEL 128
const char *map_label(char out[MAP_LABEL], enum space_kind kind, const char *name);

void map_text(struct ink *k, const struct map_view *m, const struct map_options *o);
json_t *map_json(const struct map_view *m, const struct map_options *o);

// ---- map_diff.c: what has changed between two moments

struct map_moment {
    json_t *json; // owns the names, or NULL
    struct map_owner *owner;
    size_t owner_count;
    u64 rss, swap, size;
};
// From what --json printed. 0, or -1 with a sentence in `why`.
int map_moment_read(struct map_moment *ret, const char *path, char *why, size_t why_size);
// From a view, which may be gone afterwards. 0 or -ENOMEM.
int map_moment_of(struct map_moment *ret, const struct map_view *m);
void map_moment_done(struct map_moment *m);
void map_diff_text(struct ink *k, const struct map_moment *before, const struct map_view *now);
json_t *map_diff_json(const struct map_moment *before, const struct map_view *now);
