// image.h: an ELF file, opened with every doubt about it.
//
// Everything that a file says about itself may be wrong: offsets past its end, counts in the
// billions, names without an end. libelf checks what it hands out; what is computed from it here
// never becomes an index or a length without a check of its own.
#pragma once

#include "base/base.h"

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <sys/types.h>

#define IMAGE_WHY 512

struct image {
    char *path; // where it was found
    char *real; // the same without links, as /proc/PID/maps tells it; or NULL
    int fd;
    Elf *elf;
    GElf_Ehdr head;
    u64 size; // bytes on disk
    dev_t device;
    ino_t inode;
    Dwfl *dwfl; // opened by image_dwarf
    Dwfl_Module *mod;
    Dwarf_Addr bias; // dwfl address minus address in the file
};

// Open `name`: a path; else a command in $PATH, else the program of a process by its number.
// 0, or -1 with a sentence in `why` that says what it is instead, and what to do.
int image_open(struct image *im, const char *name, char why[IMAGE_WHY]);
void image_done(struct image *im);
// The file's debug information, from itself or from the file that its build-id or its debug link
// names; NULL with a sentence in `why`. Borrowed. *ret_bias is what to add to addresses in it to
// get dwfl's.
Dwarf *image_dwarf(struct image *im, Dwarf_Addr *ret_bias, char why[IMAGE_WHY]);
// im->mod, opened with whatever symbols there are; NULL if dwfl refuses the file.
Dwfl_Module *image_module(struct image *im);

// Bytes of the file as `type`, translated to this machine's order; NULL if they are not in it.
Elf_Data *image_data(const struct image *im, u64 offset, u64 size, Elf_Type type);
// Where the byte at an address stands in the file, by the program headers; UINT64_MAX if nowhere.
u64 image_offset(const struct image *im, u64 address);
