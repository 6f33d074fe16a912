// module.h: the mapped ELF files whose code was seen in a backtrace.
//
// A module has an index for the life of the process (and of its forked children). Rules of the
// unwinder carry it, so a stack is known as (module, pc) pairs at no cost: a library that replaces
// another one at the same addresses gets another index, and its stacks are other stacks.
//
// When does a module vanish? dlclose can be called from inside libc, where nothing can be
// interposed, and its lists may only be read under a lock. But the dynamic linker allocates its
// description of a module (struct link_map) by the program's malloc and frees it at the end of
// dlclose. So the block's tag is marked, and whoever frees a marked block calls module_gone.
#pragma once

#include "record/cfi.h"

#include <link.h>
#include <stdatomic.h>

#define MODULES_MAX   4096 // an index takes 12 bits in a rule
#define BUILD_ID_SIZE 20

struct module {
    u64 start, end, bias;
    u64 known;                  // its part that the dynamic linker tells of
    const u8 *hdr;              // .eh_frame_hdr
    const struct link_map *map; // NULL: it was unloaded
    u32 build_id_len;
    u8 build_id[BUILD_ID_SIZE];
    u32 owner; // index of the process whose recording has its record; 0: none
};

// The module that holds pc: its index, or 0 if none does (code made at run time), or if too many
// are loaded. -EAGAIN when the table is held by the code that this thread interrupted.
// *ret_cfi is written whenever a module was found.
int module_find(u64 pc, struct cfi_module *ret_cfi);
struct module *module_at(u32 index);
// The path of a loaded module: its length, at most MODULE_PATH_MAX, and unless ret is NULL the path
// itself, without a terminator.
#define MODULE_PATH_MAX 4096
size_t module_path(const struct module *m, char *ret);
// What the dynamic linker does not say: the program's own path (it must stay valid), and the
// folder that relative paths start from. Makes a system call; at start only.
void module_init(const char *program);
// The block at p was freed and described a module.
void module_gone(const void *p);
// Where blocks are not watched: find out what was unloaded by asking for each module, which takes
// about a microsecond.
void module_verify(void);
// In a forked child: nobody else holds the table.
void module_fork_child(void);
// Leave the table out of core files: it is of use to a recording alone. For the start of a program.
void module_undumped(void);
// Addresses of loam's own code: all of libloam.so, or what libloam_malloc.a brought into the
// program.
void module_self(u64 *ret_start, u64 *ret_end);
