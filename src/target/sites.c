// sites.c: a process's sites in a mapped recording, found by their number.
#include "target/sites.h"
#include "scan/leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SITES_MAX ((u32)1 << 20) // a tag has 20 bits for them

static bool is_block_of(const struct record_block *b, const struct record_process *proc)
{
    return memcmp(b->magic, "blk\n", 4) == 0 && b->process == proc->index;
}

// Call `each` for every site record of the process. F4: nothing that stands in the file is trusted,
// a record that reaches past its block ends the block.
static void each_site(struct recording *rec, const struct record_process *proc,
                      void (*each)(struct sites *s, struct record_site *site), struct sites *s)
{
    u64 size = atomic_load_explicit(&rec->size, memory_order_acquire);
    size = size_min(size, rec->size_max);
    for (u64 at = RECORDING_HEADER; at + RECORDING_BLOCK <= size; at += RECORDING_BLOCK) {
        struct record_block *b = (struct record_block *)((char *)rec + at);
        if (!is_block_of(b, proc))
            continue;
        u64 used = atomic_load_explicit(&b->used, memory_order_acquire); // F1
        char *p = (char *)(b + 1), *end = (char *)b + RECORDING_BLOCK;
        if (used < (u64)(end - p))
            end = p + used;
        while (end - p >= (ptrdiff_t)sizeof(struct record)) {
            struct record *r = (struct record *)p;
            if (r->bytes < sizeof *r || r->bytes % 8 != 0 || r->bytes > (u64)(end - p))
                break;
            if (r->kind == RECORD_SITE && r->bytes >= sizeof(struct record_site))
                each(s, (struct record_site *)r);
            p += r->bytes;
        }
    }
}

static void grow(struct sites *s, struct record_site *site)
{
    u32 id = site->id;
    if (id >= s->first && id - s->first < SITES_MAX && id - s->first >= s->count)
        s->count = id - s->first + 1;
}

static void enter(struct sites *s, struct record_site *site)
{
    if (site->id - s->first < s->count)
        s->site[site->id - s->first] = site;
}

int sites_load(struct sites *s, struct recording *rec, const struct record_process *proc)
{
    *s = (struct sites){.first = proc->first_site};
    each_site(rec, proc, grow, s);
    s->site = calloc(s->count + (size_t)1, sizeof *s->site);
    s->found = calloc(s->count + (size_t)1, sizeof *s->found);
    if (s->site == NULL || s->found == NULL) {
        sites_done(s);
        return -ENOMEM;
    }
    each_site(rec, proc, enter, s);
    return 0;
}

void sites_count(struct sites *s, u32 id, unsigned kind, u64 bytes)
{
    u32 i = id - s->first;
    if (i >= s->count || s->site[i] == NULL)
        i = 0;
    s->found[i].blocks[kind]++;
    s->found[i].bytes[kind] += bytes;
}

void sites_store(struct sites *s)
{
    for (u32 i = 0; i < s->count; i++) {
        struct record_site *r = s->site[i];
        const struct site_leaks *f = &s->found[i];
        if (r == NULL)
            continue;
        r->direct_blocks += f->blocks[LEAK_DIRECT];
        r->direct_bytes += f->bytes[LEAK_DIRECT];
        r->indirect_blocks += f->blocks[LEAK_INDIRECT];
        r->indirect_bytes += f->bytes[LEAK_INDIRECT];
        r->cycle_blocks += f->blocks[LEAK_CYCLE];
        r->cycle_bytes += f->bytes[LEAK_CYCLE];
        r->reachable_blocks += f->blocks[LEAK_REACHED];
        r->reachable_bytes += f->bytes[LEAK_REACHED];
    }
}

void sites_done(struct sites *s)
{
    free(s->site);
    free(s->found);
    *s = (struct sites){0};
}
