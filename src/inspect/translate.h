// translate.h: `loam translate`: one address, from its bits down to its frame and block.
//
//     63      48 47     39 38     30 29     21 20     12 11         0
//     [ sign    ][  PGD  ][  PUD   ][  PMD   ][  PTE   ][  offset   ]
//                 9 bits    9 bits    9 bits    9 bits    12 bits
//
// With five levels of tables (LA57) a P4D of nine more bits stands between PGD and PUD.
#pragma once

#include "inspect/blame.h"
#include "inspect/section.h"
#include "inspect/sharer.h"
#include "inspect/status.h"
#include "report/ink.h"
#include "target/space.h"

#include <jansson.h>

#define TRANSLATE_LEVELS 5

struct translate_level {
    const char *name; // "PGD"
    u32 shift;        // of its index in the address
    u32 index;
    u64 start, covers; // addresses that the entry stands for
    u64 resident;      // bytes of the process in RAM among them
};

// Whose the address is in loam's heap.
struct translate_block {
    bool known; // it lies in a slab or a large block
    bool live;
    bool single;            // one large block
    u64 start, size, asked; // asked: 0 when it is not recorded
    u64 offset;             // of the address in the block
    u32 index, blocks;      // number in its slab, of so many
    u32 site;               // from its tag, 0: none
};

struct translate {
    struct status status;
    struct space space;
    struct sections sections;
    struct blame blame;
    u64 addr;
    struct translate_level level[TRANSLATE_LEVELS]; // from the outermost
    u32 levels;
    u32 used_levels;               // the walk ends there: a huge page is an entry of the PMD
    const struct space_part *part; // NULL: nothing is mapped there
    const struct space_part *below, *above; // the neighbours, when there is nothing
    const struct map *map;
    u64 entry; // the kernel's word for the page
    enum residence_state state;
    bool huge; // mapped by a huge entry, of whatever kind
    u64 frame; // 0: not told, or not in RAM
    u64 frame_flags, frame_count;
    bool flags_known;
    struct sharers sharers;
    bool sharers_known;
    const struct section *section;
    struct translate_block block;
};

// 0; -ESRCH, -EACCES, -ENODATA, -ENOMEM, as space_load.
int translate_load(struct translate *t, pid_t pid, u64 addr);
void translate_done(struct translate *t);

void translate_text(struct ink *k, struct translate *t);
json_t *translate_json(struct translate *t);

// Cut the address into its four or five indices.
void translate_levels(struct translate *t, bool five);
// Name of bit `bit` of a frame's flags, NULL if it has none.
const char *translate_flag(u32 bit);
// Whether an address is in the half that programs have.
bool translate_is_user(u64 addr, u32 levels);
