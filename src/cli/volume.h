// volume.h: one mapped recording, the tool's end of it.
//
// A session has one at a time for programs that start, and older ones for programs that started
// earlier and still run.
#pragma once

#include "format/recording.h"

#include <sys/types.h>

#define VOLUME_PATH  512
#define VOLUME_AHEAD (2 * MiB) // backed and not yet used

struct volume {
    struct recording *rec;
    int fd;
    u32 number;           // from 0, in order of making
    u64 retired_ns;       // when another took its name
    bool closing;         // being archived: leave it alone
    _Atomic u64 backed;   // bytes of the file that have memory; the header's `size` is only what we
                          // tell others, and a program that runs wild may write there
    _Atomic bool no_room; // the place of the file is full: it grows no more
};

// Make one in `folder`; its path goes to `ret_path`. 0 or -errno.
int volume_create(struct volume *v, const char *folder, char ret_path[VOLUME_PATH]);
// Unmap and close; the path is the caller's to unlink.
void volume_done(struct volume *v);

// Back more of the file; true if its writers are busy.
bool volume_grow(struct volume *v);
// Bytes in use: the header and whole blocks.
size_t volume_used(const struct volume *v);
u32 volume_blocks(const struct volume *v);
// Three quarters of all blocks are handed out.
bool volume_nearly_full(const struct volume *v);
// All blocks are handed out.
bool volume_full(const struct volume *v);

// The process whose record stands in block i, or NULL.
struct record_process *volume_process(const struct volume *v, u32 i);
// True when every process in it is gone.
bool volume_over(const struct volume *v);

// Remove what killed tools left in `folder`.
void volume_sweep(const char *folder);
