// session.h: the tool's side of a recording while programs write it.
//
// Two threads serve the recording. One raises the beat, backs the file with memory ahead of its
// writers and keeps the copy on disk; none of that may wait, so the other scans the processes that
// ask for it, one after another.
//
// V1  the file behind the recording is locked (flock) as long as the tool lives, and unlinked when
//     the session ends. A tool that was killed leaves it behind; the next session, finding it not
//     locked, removes it.
#pragma once

#include "cli/keep.h"

#include <pthread.h>

struct session {
    struct recording *rec;
    char path[512]; // of the recording; programs open it by this name
    int fd;
    _Atomic u64 backed; // bytes of the file that have memory; the header's `size` is only what we
                        // tell others, and a program that runs wild may write there
    struct keep keep;
    pthread_t grower, scanner;
    bool growing, scanning; // that thread runs
    _Atomic bool stop;
    _Atomic bool no_room; // the place of the recording is full: it grows no more
};

// Make a recording of `argv`, not yet served. 0, or -1 with a sentence in `why`.
int session_begin(struct session *s, char **argv, bool leaks, char *why, size_t why_size);
// Also keep a copy in the file `path`. 0 or -errno, see keep.h.
int session_keep(struct session *s, const char *path);
// Start the threads. 0 or -errno.
int session_serve(struct session *s);
// The first process has ended with this wait status: let others finish the scans they asked for,
// for two seconds at most, end the threads, close the recording, bring the copy up to date.
void session_close(struct session *s, u32 status);
// Bytes of the recording in use: its header and whole blocks.
size_t session_used(struct session *s);
// Unlink and unmap. A zeroed session or one that never began is fine.
void session_done(struct session *s);
