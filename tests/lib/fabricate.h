// fabricate.h: recordings that no program ever made, for tests of what reads them.
//
//     struct fab f;
//     fab_begin(&f, "prog\0--fast", 11);
//     fab_process(&f, 1, 4711, 0)->peak_bytes = 100;
//     fab_module(&f, 1, 1, "/nowhere/prog", NULL, 0);
//     fab_site(&f, 1, (u64[]){FAB_FRAME(1, 0x1234)}, 1)->allocs = 3;
//     fab_write(&f, "file.loam");
//     fab_done(&f);
//
// Pointers returned are valid until fab_done. There is room for FAB_BLOCKS blocks.
#pragma once

#include "format/account.h"
#include "format/timeline.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FAB_BLOCKS
#define FAB_BLOCKS 256
#endif
#define FAB_FRAME(mod, o) ((u64)(mod) << FRAME_MODULE_SHIFT | (o))
#define FAB_SECOND        1000000000ull
#define FAB_START         (1700000000ull * FAB_SECOND)

struct fab {
    char *bytes;
    size_t size; // in use
    u32 blocks, sites;
};

static struct recording *fab_header(struct fab *f)
{
    return (struct recording *)f->bytes;
}

static struct record_block *fab_block(struct fab *f, u32 i)
{
    return (struct record_block *)(f->bytes + RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
}

static void fab_begin(struct fab *f, const char *command, u32 command_len)
{
    *f = (struct fab){0};
    f->bytes = calloc(1, RECORDING_HEADER + FAB_BLOCKS * RECORDING_BLOCK);
    f->size = RECORDING_HEADER;
    struct recording *r = fab_header(f);
    memcpy(r->magic, RECORDING_MAGIC, sizeof r->magic);
    r->version = RECORDING_VERSION;
    r->block_size = RECORDING_BLOCK;
    r->size_max = RECORDING_SIZE_MAX;
    r->size = RECORDING_HEADER + FAB_BLOCKS * RECORDING_BLOCK;
    r->started_ns = FAB_START;
    r->ended_ns = FAB_START + 3 * FAB_SECOND + FAB_SECOND / 5;
    r->command_len = command_len;
    memcpy(r->command, command, command_len);
}

static unused_ void fab_done(struct fab *f)
{
    free(f->bytes);
    *f = (struct fab){0};
}

// Append `bytes` (rounded up) to the last block of a process; to a new one if it has no room.
static void *fab_record(struct fab *f, u32 process, u32 kind, size_t bytes)
{
    u32 i = f->blocks;
    while (i > 0 && fab_block(f, i - 1)->process != process)
        i--;
    struct record_block *b = i > 0 ? fab_block(f, i - 1) : NULL;
    if (b == NULL || round_up(bytes, 8) > RECORDING_BLOCK - sizeof *b - b->used) {
        b = fab_block(f, f->blocks);
        memcpy(b->magic, "blk\n", 4);
        b->process = process;
        fab_header(f)->blocks = ++f->blocks;
        f->size = RECORDING_HEADER + f->blocks * RECORDING_BLOCK;
    }
    struct record *r = (struct record *)((char *)(b + 1) + b->used);
    r->kind = kind;
    r->bytes = (u32)round_up(bytes, 8);
    b->used += r->bytes;
    return r;
}

static struct record_process *fab_process(struct fab *f, u32 index, u32 pid, u32 parent,
                                          const char *exe, const char *args, u32 args_len)
{
    size_t exe_len = strlen(exe);
    struct record_process *p = fab_record(f, index, RECORD_PROCESS, sizeof *p + exe_len + args_len);
    p->index = index;
    p->pid = pid;
    p->ppid = pid - 1;
    p->parent = parent;
    p->first_site = 1;
    p->started_ns = FAB_START;
    p->exe_len = (u16)exe_len;
    p->args_len = (u16)args_len;
    memcpy(p->text, exe, exe_len);
    memcpy(p->text + exe_len, args, args_len);
    return p;
}

static unused_ struct record_module *fab_module(struct fab *f, u32 process, u32 index,
                                                const char *path, const u8 *build_id, u32 id_len)
{
    size_t len = strlen(path);
    struct record_module *m = fab_record(f, process, RECORD_MODULE, sizeof *m + len);
    m->index = index;
    m->build_id_len = id_len;
    if (id_len > 0)
        memcpy(m->build_id, build_id, id_len);
    m->path_len = (u32)len;
    memcpy(m->path, path, len);
    return m;
}

static unused_ struct record_site *fab_site(struct fab *f, u32 process, const u64 *frames,
                                            u32 frames_count)
{
    struct record_site *s =
        fab_record(f, process, RECORD_SITE, sizeof *s + frames_count * sizeof *frames);
    s->id = ++f->sites;
    s->frames_count = frames_count;
    if (frames_count > 0)
        memcpy(s->frames, frames, frames_count * sizeof *frames);
    return s;
}

static unused_ int fab_write(const struct fab *f, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int r = fd < 0 || write(fd, f->bytes, f->size) != (ssize_t)f->size ? -1 : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

static unused_ struct record_moment *fab_moment(struct fab *f, u64 at_ns,
                                                const struct record_top *tops, u32 tops_count)
{
    struct record_moment *m =
        fab_record(f, 0, RECORD_MOMENT, sizeof *m + tops_count * sizeof *tops);
    m->at_ns = at_ns;
    m->tops_count = tops_count;
    if (tops_count > 0)
        memcpy(m->top, tops, tops_count * sizeof *tops);
    return m;
}

static unused_ struct record_label *fab_label(struct fab *f, u32 number, u64 at_ns,
                                              const char *name)
{
    size_t len = strlen(name);
    struct record_label *l = fab_record(f, 0, RECORD_LABEL, sizeof *l + len);
    l->number = number;
    l->at_ns = at_ns;
    l->len = (u32)len;
    memcpy(l->text, name, len);
    return l;
}

static unused_ struct record_points *fab_points(struct fab *f, u32 label, u32 process,
                                                const struct record_point *points, u32 count)
{
    struct record_points *p = fab_record(f, 0, RECORD_POINTS, sizeof *p + count * sizeof *points);
    p->label = label;
    p->process = process;
    p->count = count;
    memcpy(p->point, points, count * sizeof *points);
    return p;
}

// An account whose parts the caller fills in, and adds up.
static unused_ struct record_account *fab_account(struct fab *f, enum account_when when,
                                                  u32 process, u64 at_ns,
                                                  const struct record_pin *pins, u32 pins_count)
{
    struct record_account *a =
        fab_record(f, 0, RECORD_ACCOUNT, sizeof *a + pins_count * sizeof *pins);
    a->when = (u16)when;
    a->process = process;
    a->known = ACCOUNT_HEAP | ACCOUNT_ASKED;
    a->at_ns = at_ns;
    a->pins_count = pins_count;
    if (pins_count > 0)
        memcpy(a->pin, pins, pins_count * sizeof *pins);
    return a;
}
