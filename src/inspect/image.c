// image.c: opening, and saying what a file is when it is no ELF file.

#include "inspect/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---------------------------------------------------------------- finding

static char *in_path(const char *name)
{
    const char *at = getenv("PATH");
    while (at != NULL && *at != 0) {
        size_t len = strcspn(at, ":");
        char *path;
        if (asprintf(&path, "%.*s/%s", (int)len, at, name) < 0)
            return NULL;
        if (access(path, X_OK) == 0)
            return path;
        free(path);
        at += len + (at[len] == ':');
    }
    return NULL;
}

static char *found(const char *name)
{
    char *path = NULL;
    if (access(name, F_OK) == 0 || strchr(name, '/') != NULL)
        return strdup(name);
    if (name[0] != 0 && strspn(name, "0123456789") == strlen(name))
        return asprintf(&path, "/proc/%s/exe", name) < 0 ? NULL : path;
    path = in_path(name);
    return path != NULL ? path : strdup(name);
}

// ---------------------------------------------------------------- what it is instead

// The first line of a script, fit for a sentence.
static void first_line(const char *head, size_t len, char out[64])
{
    size_t n = 0;
    for (; n < len && n < 60 && head[n] >= ' ' && head[n] < 127; n++)
        out[n] = head[n];
    out[n] = 0;
}

static void tell_kind(const struct image *im, char why[IMAGE_WHY])
{
    char head[64], line[64];
    ssize_t n = pread(im->fd, head, sizeof head, 0);
    if (n == 0) {
        snprintf(why, IMAGE_WHY, "%.400s is empty", im->path);
    } else if (n > 2 && memcmp(head, "#!", 2) == 0) {
        first_line(head + 2, (size_t)n - 2, line);
        snprintf(why, IMAGE_WHY, "%.300s is a script for%s%s: look at that program instead",
                 im->path, line[0] == ' ' ? "" : " ", line);
    } else if (n > 7 && memcmp(head, "!<arch>", 7) == 0) {
        snprintf(why, IMAGE_WHY, "%.400s is an archive: take a member out with 'ar x'", im->path);
    } else if (n > 3 && memcmp(head, "\177ELF", 4) == 0) {
        snprintf(why, IMAGE_WHY, "%.300s begins as an ELF file does, but its header is damaged",
                 im->path);
    } else {
        snprintf(why, IMAGE_WHY, "%.400s is no ELF file", im->path);
    }
}

// ---------------------------------------------------------------- opening

static int open_elf(struct image *im, char why[IMAGE_WHY])
{
    elf_version(EV_CURRENT);
    im->elf = elf_begin(im->fd, ELF_C_READ_MMAP, NULL);
    if (im->elf == NULL || elf_kind(im->elf) != ELF_K_ELF ||
        gelf_getehdr(im->elf, &im->head) == NULL) {
        tell_kind(im, why);
        return -1;
    }
    return 0;
}

int image_open(struct image *im, const char *name, char why[IMAGE_WHY])
{
    struct stat st;
    *im = (struct image){.path = found(name), .fd = -1};
    if (im->path == NULL)
        die("loam: out of memory", NULL);
    // O_NONBLOCK: a pipe without a writer must not hang us.
    im->fd = open(im->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (im->fd < 0 || fstat(im->fd, &st) != 0) {
        snprintf(why, IMAGE_WHY, "%.400s cannot be opened: %s", im->path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        snprintf(why, IMAGE_WHY, "%.400s is %s, not a file", im->path,
                 S_ISDIR(st.st_mode) ? "a folder" : "a device or a pipe");
    } else {
        im->size = (u64)st.st_size;
        im->device = st.st_dev;
        im->inode = st.st_ino;
        im->real = realpath(im->path, NULL);
        if (open_elf(im, why) == 0)
            return 0;
    }
    image_done(im);
    return -1;
}

void image_done(struct image *im)
{
    if (im->dwfl != NULL)
        dwfl_end(im->dwfl);
    if (im->elf != NULL)
        elf_end(im->elf);
    if (im->fd >= 0)
        close(im->fd);
    free(im->path);
    free(im->real);
    *im = (struct image){.fd = -1};
}

// ---------------------------------------------------------------- symbols and debug information

Dwfl_Module *image_module(struct image *im)
{
    static const Dwfl_Callbacks callbacks = {
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    if (im->dwfl != NULL)
        return im->mod;
    unsetenv("DEBUGINFOD_URLS"); // an answer now, rather than a better one in minutes
    im->dwfl = dwfl_begin(&callbacks);
    if (im->dwfl == NULL)
        return NULL;
    im->mod = dwfl_report_offline(im->dwfl, im->path, im->path, -1);
    dwfl_report_end(im->dwfl, NULL, NULL);
    if (im->mod != NULL && dwfl_module_getelf(im->mod, &im->bias) == NULL)
        im->mod = NULL;
    return im->mod;
}

Dwarf *image_dwarf(struct image *im, Dwarf_Addr *ret_bias, char why[IMAGE_WHY])
{
    Dwfl_Module *mod = image_module(im);
    Dwarf *dwarf = mod == NULL ? NULL : dwfl_module_getdwarf(mod, ret_bias);
    if (dwarf == NULL)
        snprintf(why, IMAGE_WHY,
                 "%.300s has no debug information: build it with -g, or install its debug "
                 "symbols (-dbgsym, -dbg)",
                 im->path);
    return dwarf;
}

// ---------------------------------------------------------------- bytes

Elf_Data *image_data(const struct image *im, u64 offset, u64 size, Elf_Type type)
{
    if (size == 0 || offset > im->size || size > im->size - offset)
        return NULL;
    return elf_getdata_rawchunk(im->elf, (int64_t)offset, size, type);
}

u64 image_offset(const struct image *im, u64 address)
{
    size_t count = 0;
    if (elf_getphdrnum(im->elf, &count) != 0)
        return UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        if (gelf_getphdr(im->elf, (int)i, &p) != NULL && p.p_type == PT_LOAD &&
            address - p.p_vaddr < p.p_filesz)
            return p.p_offset + (address - p.p_vaddr);
    }
    return UINT64_MAX;
}
