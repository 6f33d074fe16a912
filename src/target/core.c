// core.c: a core file as something to look at.
#include "target/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX ((u64)1 << 20)
#define NOTES_MAX    (64 * MiB) // a thread has 5 kB of them
#define OS_PAGE_SIZE 4096

static bool read_at(const struct core *c, void *to, size_t size, u64 at)
{
    return at <= c->size && size <= c->size - at &&
           pread(c->fd, to, size, (off_t)at) == (ssize_t)size;
}

// ---------------------------------------------------------------- as a target

static const struct core_segment *segment_at(const struct core *c, u64 addr)
{
    size_t low = 0, high = c->segment_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c->segment[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->segment_count && c->segment[low].start <= addr ? &c->segment[low] : NULL;
}

// What is not in the core stays zero.
static void read_piece(const struct core *c, const struct piece *p)
{
    for (u64 done = 0; done < p->size;) {
        u64 at = p->from + done;
        const struct core_segment *s = segment_at(c, at);
        if (s == NULL || at - s->start >= s->bytes) {
            done += OS_PAGE_SIZE - at % OS_PAGE_SIZE;
            continue;
        }
        u64 in = at - s->start, want = size_min(p->size - done, s->bytes - in);
        ssize_t n = pread(c->fd, (char *)p->to + done, want, (off_t)(s->offset + in));
        done += n > 0 ? (u64)n : OS_PAGE_SIZE;
    }
}

static int core_read(struct target *t, const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        read_piece((const struct core *)t, &pieces[i]);
    return 0;
}

static void *core_map(struct target *t, size_t size)
{
    (void)t;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p != MAP_FAILED ? p : NULL;
}

static void core_unmap(struct target *t, void *at, size_t size)
{
    (void)t;
    munmap(at, size);
}

// ---------------------------------------------------------------- notes

static void note_files(struct core *c, const char *desc, u64 size)
{
    if (c->files != NULL)
        return;
    c->files = calloc(1, size + 1);
    if (c->files == NULL)
        return;
    memcpy(c->files, desc, size);
    c->files_size = size;
}

static void note_thread(struct core *c, const char *desc, u64 size)
{
    struct elf_prstatus status;
    struct core_thread *more;
    if (size < sizeof status)
        return;
    memcpy(&status, desc, sizeof status);
    more = realloc(c->thread, (c->thread_count + 1) * sizeof *more);
    if (more == NULL)
        return;
    c->thread = more;
    // Field 19 of the registers is the stack pointer: struct user_regs_struct of x86-64.
    c->thread[c->thread_count++] = (struct core_thread){status.pr_pid, status.pr_reg[19]};
}

static void note_process(struct core *c, const char *desc, u64 size)
{
    struct elf_prpsinfo info;
    if (size < sizeof info)
        return;
    memcpy(&info, desc, sizeof info);
    c->pid = info.pr_pid;
    snprintf(c->name, sizeof c->name, "%.16s", info.pr_fname);
    snprintf(c->command, sizeof c->command, "%.80s", info.pr_psargs);
}

static void note_auxv(struct core *c, const char *desc, u64 size)
{
    for (u64 at = 0; at + 16 <= size; at += 16) {
        u64 pair[2];
        memcpy(pair, desc + at, sizeof pair);
        if (pair[0] == AT_ENTRY)
            c->entry = pair[1];
        if (pair[0] == AT_SYSINFO_EHDR)
            c->vdso = pair[1];
    }
}

static void note(struct core *c, u32 type, const char *desc, u64 size)
{
    switch (type) {
    case NT_PRSTATUS:
        note_thread(c, desc, size);
        break;
    case NT_PRPSINFO:
        note_process(c, desc, size);
        break;
    case NT_AUXV:
        note_auxv(c, desc, size);
        break;
    case NT_FILE:
        note_files(c, desc, size);
        break;
    }
}

// name size, desc size, type, name, desc; both padded to four bytes.
static void notes(struct core *c, const char *at, u64 left)
{
    while (left >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr h;
        memcpy(&h, at, sizeof h);
        u64 name = ((u64)h.n_namesz + 3) & ~(u64)3, desc = ((u64)h.n_descsz + 3) & ~(u64)3;
        u64 whole = sizeof h + name + desc;
        if (whole > left)
            return;
        if (h.n_namesz == 5 && memcmp(at + sizeof h, "CORE", 5) == 0)
            note(c, h.n_type, at + sizeof h + name, h.n_descsz);
        at += whole;
        left -= whole;
    }
}

static void read_notes(struct core *c, const Elf64_Phdr *p)
{
    u64 size = size_min(p->p_filesz, NOTES_MAX);
    char *buffer = malloc(size + 1);
    if (buffer != NULL && read_at(c, buffer, size, p->p_offset))
        notes(c, buffer, size);
    free(buffer);
}

// ---------------------------------------------------------------- segments

static void add_segment(struct core *c, const Elf64_Phdr *p)
{
    if (p->p_memsz == 0 || p->p_memsz > (u64)1 << 57 || p->p_vaddr > UINT64_MAX - p->p_memsz)
        return;
    u64 there = p->p_offset < c->size ? c->size - p->p_offset : 0;
    u64 bytes = size_min(p->p_filesz, p->p_memsz);
    c->cut = c->cut || bytes > there;
    c->segment[c->segment_count++] = (struct core_segment){
        .start = p->p_vaddr,
        .end = p->p_vaddr + p->p_memsz,
        .offset = p->p_offset,
        .bytes = size_min(bytes, there),
        .readable = (p->p_flags & PF_R) != 0,
        .writable = (p->p_flags & PF_W) != 0,
        .executable = (p->p_flags & PF_X) != 0,
    };
}

static int by_start(const void *a, const void *b)
{
    const struct core_segment *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

// Sorted, and those that overlap an earlier one left out.
static void tidy(struct core *c)
{
    size_t kept = 0;
    if (c->segment_count > 1)
        qsort(c->segment, c->segment_count, sizeof *c->segment, by_start);
    for (size_t i = 0; i < c->segment_count; i++)
        if (kept == 0 || c->segment[i].start >= c->segment[kept - 1].end)
            c->segment[kept++] = c->segment[i];
    c->segment_count = kept;
}

// More than 65,534 segments: the number stands in the first section's header.
static u64 count_segments(const struct core *c, const Elf64_Ehdr *h)
{
    Elf64_Shdr first;
    if (h->e_phnum != PN_XNUM)
        return h->e_phnum;
    return read_at(c, &first, sizeof first, h->e_shoff) ? first.sh_info : 0;
}

static int read_segments(struct core *c, const Elf64_Ehdr *h)
{
    u64 count = count_segments(c, h);
    if (count == 0 || count > SEGMENTS_MAX)
        return -EBADMSG;
    Elf64_Phdr *all = malloc(count * sizeof *all);
    c->segment = calloc(count, sizeof *c->segment);
    int e = all != NULL && c->segment != NULL ? 0 : -ENOMEM;
    if (e == 0 && !read_at(c, all, count * sizeof *all, h->e_phoff))
        e = -EBADMSG;
    for (u64 i = 0; e == 0 && i < count; i++) {
        if (all[i].p_type == PT_LOAD)
            add_segment(c, &all[i]);
        if (all[i].p_type == PT_NOTE)
            read_notes(c, &all[i]);
    }
    free(all);
    if (e == 0)
        tidy(c);
    return e == 0 && c->segment_count == 0 ? -EBADMSG : e;
}

// ---------------------------------------------------------------- opening

static const char *check_head(const struct core *c, Elf64_Ehdr *h)
{
    if (!read_at(c, h, sizeof *h, 0) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return "is no core file, and no process number";
    if (h->e_type != ET_CORE)
        return "is a program or a library, no core file: 'loam elf' shows it";
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        h->e_machine != EM_X86_64 || h->e_phentsize != sizeof(Elf64_Phdr))
        return "is a core file of another machine; this loam reads those of x86-64";
    return NULL;
}

static int refuse(struct core *c, const char *path, const char *what, char why[CORE_WHY])
{
    snprintf(why, CORE_WHY, "%.300s %s", path, what);
    core_close(c);
    return -1;
}

int core_open(struct core *c, const char *path, char why[CORE_WHY])
{
    struct stat st;
    Elf64_Ehdr h;
    *c = (struct core){.target = {core_read, core_map, core_unmap}};
    c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c->fd < 0 || fstat(c->fd, &st) != 0) {
        char what[96];
        snprintf(what, sizeof what, "cannot be opened: %s", strerror(errno));
        return refuse(c, path, what, why);
    }
    if (!S_ISREG(st.st_mode))
        return refuse(c, path, "is no regular file", why);
    c->size = (u64)st.st_size;
    const char *wrong = check_head(c, &h);
    if (wrong != NULL)
        return refuse(c, path, wrong, why);
    int e = read_segments(c, &h);
    if (e == -ENOMEM)
        return refuse(c, path, "needs more memory than there is", why);
    return e < 0 ? refuse(c, path, "is a core file that was cut before its first segment", why) : 0;
}

void core_close(struct core *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->segment);
    free(c->thread);
    free(c->files);
    *c = (struct core){.fd = -1};
}

// ---------------------------------------------------------------- mappings

// The note of files: count, page size, then start, end and offset in pages for each, then names.
static void name_maps(const struct core *c, struct smaps *maps)
{
    u64 head[2] = {0};
    if (c->files_size < sizeof head)
        return;
    memcpy(head, c->files, sizeof head);
    u64 count = head[0], page = head[1];
    if (count > c->files_size / 24 || page == 0 || page > GiB)
        return;
    const char *name = c->files + 16 + count * 24, *end = c->files + c->files_size;
    size_t at = 0;
    for (u64 i = 0; i < count && name < end; i++, name += strlen(name) + 1) {
        u64 triple[3];
        memcpy(triple, c->files + 16 + i * 24, sizeof triple);
        while (at < maps->count && maps->smap[at].map.start < triple[0])
            at++;
        for (; at < maps->count && maps->smap[at].map.start < triple[1]; at++) {
            struct map *m = &maps->smap[at].map;
            m->path = name;
            m->offset = triple[2] * page + (m->start - triple[0]);
            m->inode = 1;
            for (const char *p = name; *p != 0; p++)
                m->inode = m->inode * 31 + (unsigned char)*p; // tells files apart by their paths
        }
    }
}

int core_maps(const struct core *c, struct smaps *ret)
{
    *ret = (struct smaps){calloc(c->segment_count + 1, sizeof *ret->smap), c->segment_count, NULL};
    if (ret->smap == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < c->segment_count; i++) {
        const struct core_segment *s = &c->segment[i];
        ret->smap[i].map = (struct map){.start = s->start,
                                        .end = s->end,
                                        .readable = s->readable,
                                        .writable = s->writable,
                                        .executable = s->executable,
                                        .path = ""};
        if (c->vdso >= s->start && c->vdso < s->end && c->vdso != 0)
            ret->smap[i].map.path = "[vdso]";
    }
    name_maps(c, ret);
    return 0;
}

int core_present(const struct core *c, const struct core_segment *s,
                 int (*each)(void *ctx, u64 start, u64 end), void *ctx)
{
    off_t at = (off_t)s->offset, stop = (off_t)(s->offset + s->bytes);
    u64 told = 0; // bytes of the segment; an offset may be no multiple of a page
    int e = 0;
    while (e == 0 && at < stop) {
        off_t data = lseek(c->fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return 0;
        data = data < at ? at : data; // a file system that knows no holes
        off_t hole = data < stop ? lseek(c->fd, data, SEEK_HOLE) : stop;
        hole = hole <= data || hole > stop ? stop : hole;
        u64 from = (u64)data - s->offset, to = (u64)hole - s->offset;
        from = size_max(from & ~(u64)(OS_PAGE_SIZE - 1), told);
        to = size_min(round_up(to, OS_PAGE_SIZE), s->end - s->start);
        told = to;
        if (data < stop && from < to)
            e = each(ctx, s->start + from, s->start + to);
        at = hole;
    }
    return e;
}
