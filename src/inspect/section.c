// section.c: which section of which ELF file lies where in a process.
#include "inspect/section.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTIONS_MAX 512        // of one file; a program has 40
#define SEGMENTS_MAX 64         // likewise, 13
#define NAMES_MAX    (64 * KiB) // of the table of their names

struct file {
    int fd;
    Elf64_Ehdr head;
    Elf64_Phdr segment[SEGMENTS_MAX];
    Elf64_Shdr section[SECTIONS_MAX];
    char names[NAMES_MAX + 1];
    size_t names_size;
};

// ---------------------------------------------------------------- reading

static bool read_at(int fd, void *to, size_t size, u64 at)
{
    return at <= INT64_MAX && pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

static bool read_head(struct file *f)
{
    Elf64_Ehdr *h = &f->head;
    return read_at(f->fd, h, sizeof *h, 0) && memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 &&
           h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_ident[EI_DATA] == ELFDATA2LSB &&
           h->e_phentsize == sizeof *f->segment && h->e_shentsize == sizeof *f->section &&
           h->e_phnum <= SEGMENTS_MAX && h->e_shnum <= SECTIONS_MAX && h->e_shstrndx < h->e_shnum;
}

static bool read_file(struct file *f)
{
    if (!read_head(f) ||
        !read_at(f->fd, f->segment, f->head.e_phnum * sizeof *f->segment, f->head.e_phoff) ||
        !read_at(f->fd, f->section, f->head.e_shnum * sizeof *f->section, f->head.e_shoff))
        return false;
    const Elf64_Shdr *names = &f->section[f->head.e_shstrndx];
    f->names_size = size_min(names->sh_size, NAMES_MAX);
    f->names[f->names_size] = 0;
    return read_at(f->fd, f->names, f->names_size, names->sh_offset);
}

// The file behind a mapping, as the process sees it; -1 when it is not there or another one.
static int open_mapped(const struct space *s, const struct map *m)
{
    char path[4200];
    struct stat st;
    if (space_is_core(s)) // the file of today, if there is one
        return open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    snprintf(path, sizeof path, "/proc/%d/root%s", s->pid, m->path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) { // deleted, or not ours to walk to; root may take it from the mapping itself
        snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", s->pid,
                 (unsigned long long)m->start, (unsigned long long)m->end);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_ino != m->inode)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// ---------------------------------------------------------------- placing

// What is added to the file's addresses, from a mapping of it; false if no segment is mapped there.
static bool bias_of(const struct file *f, const struct map *m, u64 *ret_bias)
{
    for (u32 i = 0; i < f->head.e_phnum; i++) {
        const Elf64_Phdr *p = &f->segment[i];
        u64 page = p->p_offset & ~(u64)4095;
        if (p->p_type != PT_LOAD || page != m->offset || p->p_filesz == 0)
            continue;
        *ret_bias = m->start - (p->p_vaddr & ~(u64)4095);
        return true;
    }
    return false;
}

static int add(struct sections *s, u64 start, u64 size, const char *name)
{
    if (s->count == s->room) {
        s->room = s->room != 0 ? 2 * s->room : 256;
        struct section *more = realloc(s->section, s->room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        s->section = more;
    }
    struct section *x = &s->section[s->count++];
    *x = (struct section){.start = start, .end = start + size};
    snprintf(x->name, sizeof x->name, "%s", name);
    return 0;
}

static int place(struct sections *s, const struct file *f, u64 bias)
{
    int e = 0;
    for (u32 i = 0; e == 0 && i < f->head.e_shnum; i++) {
        const Elf64_Shdr *h = &f->section[i];
        u64 start = h->sh_addr + bias;
        bool in_memory = (h->sh_flags & SHF_ALLOC) != 0 && h->sh_size != 0 &&
                         !(h->sh_type == SHT_NOBITS && h->sh_flags & SHF_TLS);
        if (in_memory && h->sh_size < (u64)1 << 40 && start < (u64)1 << 57)
            e = add(s, start, h->sh_size, h->sh_name < f->names_size ? f->names + h->sh_name : "");
    }
    return e;
}

static int load_file(struct sections *s, const struct space *space, const struct map *m,
                     struct file *f)
{
    u64 bias;
    int e = 0;
    f->fd = open_mapped(space, m);
    if (f->fd < 0)
        return 0;
    if (read_file(f) && bias_of(f, m, &bias))
        e = place(s, f, bias);
    close(f->fd);
    return e;
}

static int by_start(const void *a, const void *b)
{
    const struct section *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

int sections_load(struct sections *s, const struct space *space)
{
    *s = (struct sections){0};
    struct file *f = malloc(sizeof *f);
    int e = f != NULL ? 0 : -ENOMEM;
    const struct map *last = NULL;
    for (size_t i = 0; e == 0 && i < space->part_count; i++) {
        const struct space_part *p = &space->part[i];
        const struct map *m = &space->smaps.smap[p->mapping].map;
        bool elf = (p->kind == SPACE_PROGRAM || p->kind == SPACE_LIBRARY) && m->inode != 0;
        if (!elf || (last != NULL && maps_same_file(last, m) && last->offset < m->offset))
            continue;
        last = m;
        e = load_file(s, space, m, f);
    }
    free(f);
    if (e == 0 && s->count > 1)
        qsort(s->section, s->count, sizeof *s->section, by_start);
    if (e < 0)
        sections_done(s);
    return e;
}

void sections_done(struct sections *s)
{
    free(s->section);
    *s = (struct sections){0};
}

// ---------------------------------------------------------------- questions

const struct section *sections_from(const struct sections *s, u64 addr)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->section[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->count ? &s->section[low] : NULL;
}

const struct section *sections_at(const struct sections *s, u64 addr)
{
    const struct section *x = sections_from(s, addr);
    return x != NULL && x->start <= addr ? x : NULL;
}
