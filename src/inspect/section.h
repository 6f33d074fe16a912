// section.h: which section of which ELF file lies where in a process.
//
// Reads headers only, by itself: a few hundred bytes of each mapped file. Files are opened as the
// process sees them (/proc/PID/root), so that a container's files are its own; one that is not the
// mapped one any more (another inode) is not believed.
#pragma once

#include "target/space.h"

struct section {
    u64 start, end; // in the process
    char name[32];  // cut, not cleaned: a file may say anything
};

struct sections {
    struct section *section; // in order of address; those of one file do not overlap
    size_t count, room;
};

// 0 or -ENOMEM. A file that cannot be read, or is no ELF file, has no sections.
int sections_load(struct sections *s, const struct space *space);
void sections_done(struct sections *s);
// The first section that ends behind `addr`, or NULL. Those behind it follow in the list.
const struct section *sections_from(const struct sections *s, u64 addr);
// The section that holds an address, or NULL.
const struct section *sections_at(const struct sections *s, u64 addr);
