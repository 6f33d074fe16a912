// moments.c: records into blocks, and thinning them out.

#include "cli/moments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_NS  10000000 // of the first moments
#define NAMES_BLOCKS 1024     // 8 MiB of labels and points
#define POINTS_MAX   ((RECORDING_BLOCK - 64) / sizeof(struct record_point))

static struct record_block *block_at(const struct moments_blocks *b, u32 i)
{
    return (void *)(b->bytes + (size_t)i * RECORDING_BLOCK);
}

static int more_blocks(struct moments_blocks *b)
{
    if (b->count == b->room) {
        u32 room = b->room == 0 ? 4 : 2 * b->room;
        char *bytes = realloc(b->bytes, (size_t)room * RECORDING_BLOCK);
        if (bytes == NULL)
            return -ENOMEM;
        b->bytes = bytes;
        b->room = room;
    }
    struct record_block *block = block_at(b, b->count++);
    memset(block, 0, RECORDING_BLOCK);
    memcpy(block->magic, "blk\n", sizeof block->magic);
    return 0;
}

void *moments_put(struct moments_blocks *b, u32 kind, size_t bytes)
{
    bytes = round_up(bytes, 8);
    if (b->count > 0 &&
        block_at(b, b->last)->used + bytes > RECORDING_BLOCK - sizeof(struct record_block))
        b->last++;
    if (b->last >= b->count && more_blocks(b) < 0)
        return NULL;
    struct record_block *block = block_at(b, b->last);
    struct record *r = (void *)((char *)(block + 1) + block->used);
    *r = (struct record){kind, (u32)bytes};
    block->used += (u32)bytes;
    return r;
}

// ---------------------------------------------------------------- moments

static void write_slot(struct moments *m, const struct moments_slot *slot)
{
    size_t bytes = sizeof slot->moment + slot->moment.tops_count * sizeof slot->top[0];
    struct record_moment *r = moments_put(&m->time, RECORD_MOMENT, bytes);
    if (r == NULL)
        return;
    struct record head = r->head;
    memcpy(r, slot, bytes);
    r->head = head;
}

void moments_empty(struct moments_blocks *b)
{
    for (u32 i = 0; i < b->count; i++) {
        memset(block_at(b, i) + 1, 0, block_at(b, i)->used);
        block_at(b, i)->used = 0;
    }
    b->last = 0;
}

// L1: every second one goes.
static void thin_out(struct moments *m)
{
    moments_empty(&m->time);
    for (u32 i = 0; 2 * i < m->count; i++)
        m->slots[i] = m->slots[2 * i];
    m->count = (m->count + 1) / 2;
    m->interval_ns *= 2;
    for (u32 i = 0; i < m->count; i++)
        write_slot(m, &m->slots[i]);
}

void moments_add(struct moments *m, const struct moments_slot *slot)
{
    if (m->slots == NULL)
        m->slots = calloc(MOMENTS_MAX, sizeof *m->slots);
    if (m->slots == NULL)
        return;
    if (m->interval_ns == 0)
        m->interval_ns = INTERVAL_NS;
    if (m->count == MOMENTS_MAX)
        thin_out(m);
    m->slots[m->count++] = *slot;
    write_slot(m, slot);
}

// ---------------------------------------------------------------- labels

int moments_label(struct moments *m, const struct record_label *label, const char *text)
{
    if (m->labels == LABELS_MAX || m->names.count > NAMES_BLOCKS)
        return -ENOSPC;
    struct record_label *r = moments_put(&m->names, RECORD_LABEL, sizeof *r + label->len);
    if (r == NULL)
        return -ENOMEM;
    struct record head = r->head;
    *r = *label;
    r->head = head;
    r->number = ++m->labels;
    memcpy(r->text, text, label->len);
    return 0;
}

static int put_points(struct moments *m, u32 process, const struct record_point *points, u32 count)
{
    if (m->names.count >= NAMES_BLOCKS)
        return -ENOSPC;
    struct record_points *r =
        moments_put(&m->names, RECORD_POINTS, sizeof *r + count * sizeof r->point[0]);
    if (r == NULL)
        return -ENOMEM;
    r->label = m->labels;
    r->process = process;
    r->count = count;
    memcpy(r->point, points, count * sizeof *points);
    return 0;
}

int moments_points(struct moments *m, u32 process, const struct record_point *points, u32 count)
{
    int e = 0;
    for (u32 at = 0; at < count && e == 0; at += POINTS_MAX)
        e = put_points(m, process, points + at, (u32)size_min(count - at, POINTS_MAX));
    return e;
}

void moments_cut(struct moments *m)
{
    for (u32 i = 0; i < m->names.count; i++) {
        struct record_block *b = block_at(&m->names, i);
        for (u32 at = 0; at < b->used;) {
            struct record *r = (void *)((char *)(b + 1) + at);
            if (r->kind == RECORD_LABEL && ((struct record_label *)r)->number == m->labels)
                ((struct record_label *)r)->cut = 1;
            at += r->bytes;
        }
    }
}

void moments_done(struct moments *m)
{
    free(m->slots);
    free(m->time.bytes);
    free(m->names.bytes);
    *m = (struct moments){0};
}
