// file.h: a file that grows, shrinks and is written to, mapped and read, against its bytes.
#pragma once

#include "fuzz/own/input.h"

#include <errno.h>
#include <loam/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES 40000
#define FILE_VIEWS 6

struct file_model {
    int fd;
    char path[40];
    unsigned char now[FILE_BYTES];
    size_t size;
    struct {
        loam_file file;
        bool open, copy;
        unsigned char *was; // what a copy must hold
    } view[FILE_VIEWS];
};

static void file_write(struct input *in, struct file_model *m)
{
    size_t at = take_below(in, FILE_BYTES), n = take_below(in, 5000);
    unsigned char fill = (unsigned char)take(in);
    n = n < FILE_BYTES - at ? n : FILE_BYTES - at;
    if (n == 0)
        return;
    memset(m->now + at, fill, n);
    SAME(pwrite(m->fd, m->now + at, n, (off_t)at) == (ssize_t)n);
    m->size = at + n > m->size ? at + n : m->size;
}

static void file_cut(struct input *in, struct file_model *m)
{
    size_t size = take_below(in, FILE_BYTES);
    SAME(ftruncate(m->fd, (off_t)size) == 0);
    if (size < m->size)
        memset(m->now + size, 0, m->size - size); // it reads as zero if it grows again
    m->size = size;
}

static void file_close(struct file_model *m, size_t i)
{
    loam_file_done(&m->view[i].file);
    loam_file_done(&m->view[i].file); // does nothing
    SAME(m->view[i].file.bytes.len == 0);
    free(m->view[i].was);
    m->view[i].was = NULL;
    m->view[i].open = false;
}

static void file_open(struct input *in, struct purse *purse, struct file_model *m, size_t i)
{
    bool copy = take(in) % 2, poor = take(in) % 4 == 0;
    loam_file f = {.fd = -77};
    if (poor)
        purse_empty(purse);
    int e = copy ? loam_file_read(m->path, loam_track_alloc(&purse->track), &f)
                 : loam_file_map(m->path, &f);
    purse_fill(purse);
    SAME(e == (poor && copy ? -ENOMEM : 0));
    if (e < 0) {
        SAME(f.fd == -77); // not written
        return;
    }
    SAME(f.bytes.len == m->size);
    m->view[i].file = f;
    m->view[i].open = true;
    m->view[i].copy = copy;
    m->view[i].was = copy ? malloc(m->size + 1) : NULL;
    if (copy)
        memcpy(m->view[i].was, m->now, m->size);
}

// A copy is what was; a mapping is what is, as far as the file still reaches.
static void file_same(struct file_model *m)
{
    for (size_t i = 0; i < FILE_VIEWS; i++) {
        const loam_file *f = &m->view[i].file;
        if (!m->view[i].open)
            continue;
        bool copy = m->view[i].copy, shorter = !copy && m->size < f->bytes.len;
        SAME(loam_file_check(f) == (shorter ? -ESTALE : 0));
        size_t n = shorter ? m->size : f->bytes.len;
        SAME(n == 0 || memcmp(f->bytes.at, copy ? m->view[i].was : m->now, n) == 0);
    }
}

static void file_play(struct input *in)
{
    struct purse purse;
    struct file_model *m = calloc(1, sizeof *m);
    loam_alloc unused = purse_open(&purse);
    (void)unused;
    if (m == NULL || (m->fd = memfd_create("model", MFD_CLOEXEC)) < 0)
        abort();
    snprintf(m->path, sizeof m->path, "/proc/self/fd/%d", m->fd);
    while (in->left > 0) {
        unsigned op = take(in) % 8;
        size_t i = take(in) % FILE_VIEWS;
        if (op < 3)
            file_write(in, m);
        else if (op == 3)
            file_cut(in, m);
        else if (m->view[i].open)
            file_close(m, i);
        else
            file_open(in, &purse, m, i);
        file_same(m);
    }
    for (size_t i = 0; i < FILE_VIEWS; i++)
        if (m->view[i].open)
            file_close(m, i);
    close(m->fd);
    purse_close(&purse);
    free(m);
}
