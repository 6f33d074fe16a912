// recorded.c: the recording that a running process maps, read through its own memory.
#include "target/recorded.h"

#include "base/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool recorded_is(const struct map *m)
{
    const char *name = strrchr(m->path, '/');
    return m->shared && m->writable && m->offset == 0 && name != NULL &&
           strncmp(name + 1, OPTION_RECORD_PREFIX, strlen(OPTION_RECORD_PREFIX)) == 0;
}

// The number of a process in the innermost of its pid namespaces: what it knows of itself is what
// stands in its record. So any of a copy's records with our root is believed when it is the only
// one; a process that forked has the parent's root, and then the number decides.
static const struct record_process *choose(const struct recorded *r, pid_t pid, u64 root)
{
    const struct record_process *found = NULL;
    size_t matches = 0;
    for (u64 at = RECORDING_HEADER; at + RECORDING_BLOCK <= r->size; at += RECORDING_BLOCK) {
        const struct record_block *b = (const void *)((const char *)r->recording + at);
        const struct record_process *p = (const void *)(b + 1);
        if (memcmp(b->magic, "blk\n", 4) != 0 || p->head.kind != RECORD_PROCESS ||
            p->index != b->process || p->root != root)
            continue;
        if (p->pid == (u32)pid)
            return p;
        found = p;
        matches++;
    }
    return matches == 1 ? found : NULL;
}

// The file may be shorter than the mapping: what lies behind its end cannot be read and stays zero.
static int copy(struct recorded *r, struct target *t, const struct map *m)
{
    struct recording head = {0};
    int e = target_read(t, m->start, &head, sizeof head);
    u64 size = atomic_load_explicit(&head.size, memory_order_relaxed);
    if (e < 0 || memcmp(head.magic, RECORDING_MAGIC, sizeof head.magic) != 0 ||
        head.version != RECORDING_VERSION || size < RECORDING_HEADER)
        return e;
    size = size_min(size_min(size, m->end - m->start), RECORDING_SIZE_MAX);
    r->recording = calloc(1, size);
    r->size = size;
    return r->recording != NULL ? target_read(t, m->start, r->recording, size) : -ENOMEM;
}

int recorded_load(struct recorded *r, struct target *t, const struct smaps *maps, pid_t pid,
                  u64 root)
{
    *r = (struct recorded){0};
    int e = 0;
    for (size_t i = 0; e == 0 && r->process == NULL && i < maps->count; i++) {
        if (!recorded_is(&maps->smap[i].map))
            continue;
        recorded_done(r);
        e = copy(r, t, &maps->smap[i].map);
        if (e == 0 && r->recording != NULL)
            r->process = choose(r, pid, root);
    }
    if (r->process == NULL || e < 0)
        recorded_done(r);
    return e;
}

void recorded_done(struct recorded *r)
{
    free(r->recording);
    *r = (struct recorded){0};
}
