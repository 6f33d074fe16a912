// session.h: the tool's side of a recording while programs write it.
//
// Two threads serve it. One raises the beat, backs the file with memory ahead of its writers and
// keeps the copy on disk; none of that may wait, so the other scans the processes that ask for it,
// one after another. Two more watch what goes on: see collect.h.
//
// A recording has room for a thousand processes at most. When it is three quarters full, another
// file takes its name, so that programs that start from then on write there; this one is a volume
// of the session. When all processes of an older volume have ended, what matters of it goes to the
// archive and the rest is forgotten.
//
// V1  the file behind a recording is locked (flock) as long as the tool lives, and unlinked when
//     the session ends. A tool that was killed leaves it behind; the next session, finding it not
//     locked, removes it.
// V2  the list of volumes changes under the lock only. A volume is taken out by the thread that
//     scans, which alone uses volumes without the lock; but see V3 in collect.h.
#pragma once

#include "cli/archive.h"
#include "cli/collect.h"
#include "cli/keep.h"
#include "cli/volume.h"

#include <pthread.h>

#define SESSION_VOLUMES 8

struct session {
    char path[VOLUME_PATH];                 // of the newest volume; programs open it by this name
    pthread_mutex_t lock;                   // V2
    struct volume volumes[SESSION_VOLUMES]; // oldest first; the last one is the newest
    u32 count;
    u32 made; // volumes so far
    struct archive archive;
    struct recording head; // for the reader: how it began and ended
    bool no_room;          // the place of the recordings is full: they grow no more

    struct collect collect;
    struct keep keep;
    pthread_t grower, scanner;
    bool growing, scanning; // that thread runs
    _Atomic bool stop;
};

// How programs are recorded.
struct session_mode {
    bool leaks;       // scan for leaks when they end
    u64 sample_bytes; // sample one block in so many bytes; 0: count all
    bool sampling;    // from the start
};
// Make a recording of `argv`, not yet served. 0, or -1 with a sentence in `why`.
int session_begin(struct session *s, char **argv, const struct session_mode *mode, char *why,
                  size_t why_size);
// Also keep a copy in the file `path`. 0 or -errno, see keep.h.
int session_keep(struct session *s, const char *path);
// Start the threads. 0 or -errno.
int session_serve(struct session *s);
// The first process has ended with this wait status: let others finish the scans they asked for,
// for two seconds at most, end the threads, close the recording, bring the copy up to date.
void session_close(struct session *s, u32 status);
// As a status: it may not have ended, or nobody knows how.
#define SESSION_UNFINISHED UINT32_MAX
// What is added to the indices of a volume's processes in all that is kept.
static inline u32 session_index(const struct volume *v)
{
    return v->number << 16; // more than a volume has blocks
}
// What was recorded. Valid until the session is served again or done.
struct keep_source session_source(struct session *s);
// Unlink and unmap. A zeroed session or one that never began is fine.
void session_done(struct session *s);
