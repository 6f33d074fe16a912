// sites.h: a process's sites in a mapped recording, found by their number.
#pragma once

#include "format/recording.h"

// What a scan found for one site.
struct site_leaks {
    u64 blocks[4], bytes[4]; // by enum leak_kind
};

struct sites {
    struct record_site **site; // by id - first
    struct site_leaks *found;
    u32 first; // the lowest id; that site is "other"
    u32 count;
};

// Find the sites of `proc`. 0 or -ENOMEM; a recording that makes no sense just has fewer sites.
int sites_load(struct sites *s, struct recording *rec, const struct record_process *proc);
// Count a block. Ids that are not in the recording count for "other".
void sites_count(struct sites *s, u32 id, unsigned kind, u64 bytes);
// Add everything that was counted to the recording.
void sites_store(struct sites *s);
void sites_done(struct sites *s);
