// facts.h: what matters in an ELF file: its parts in the file and in memory, and what it asks for.
//
// One pass over a file that may be hostile makes a plain table of facts; everything that prints
// reads the table. All of it lives in the store.
#pragma once

#include "inspect/image.h"
#include "report/store.h"

#define FACTS_ID_MAX 64

struct section {
    const char *name;
    u32 type;
    u64 flags, address, offset;
    u64 size;      // in memory, if it is loaded
    u64 file_size; // 0 for .bss and its like
    u32 segment;   // index of the loaded segment that holds it, or FACTS_NONE
};
#define FACTS_NONE UINT32_MAX

struct segment {
    u32 type, flags;
    u64 offset, file_size, address, mem_size, align;
    u64 resident, copied, swapped; // bytes, with --vs: see resident.h
    bool mapped;                   // found in the process
};

struct reloc_kind {
    const char *name;
    u64 count;
};

struct library {
    const char *name;
    const char *path;   // NULL: nobody found it
    const char *wanted; // the library that needs it; NULL: the file itself
};

enum linking { LINKING_DYNAMIC, LINKING_STATIC, LINKING_STATIC_PIE, LINKING_OBJECT, LINKING_CORE };

struct facts {
    struct store store;
    const char *path;
    u64 file_size;
    u32 class_bits; // 32 or 64
    bool big_endian;
    u32 machine, type; // EM_*, ET_*
    enum linking linking;
    u64 entry;
    const char *entry_name; // or NULL
    const char *interpreter, *soname, *rpath, *runpath;
    const char *compiler; // from .comment, or NULL
    u8 id[FACTS_ID_MAX];  // the build-id
    u32 id_len;

    struct segment *segments; // all program headers
    struct section *sections;
    u32 segments_count, sections_count;

    struct reloc_kind relocs[32];
    u32 relocs_count;

    // From the dynamic section.
    const char **needed;
    u32 needed_count;
    u64 flags, flags_1; // DT_FLAGS, DT_FLAGS_1
    bool bind_now, text_relocs, dynamic;
    u32 cet; // NT_GNU_PROPERTY: X86_FEATURE_1_AND, or its aarch64 cousin

    // Debug information.
    u32 dwarf; // version of the first unit; 0: none in the file
    u64 debug_size;
    bool split, symbols; // units' bodies in .dwo files; a .symtab
    const char *debug_link, *debug_alt;
    const char *debug_file; // found beside it, or NULL

    const char *trouble[8]; // sentences about what is wrong with the file
    u32 trouble_count;
};

void facts_load(struct facts *f, struct image *im);
// Only segments and what the loader reads: quick, for a library that is needed.
void facts_load_dynamic(struct facts *f, struct image *im);
void facts_done(struct facts *f);

const struct section *facts_section(const struct facts *f, const char *name); // or NULL
// The kernel's and the loader's words for numbers.
const char *facts_machine(u32 machine);
const char *facts_kind(const struct facts *f); // "program (PIE)", "shared library", ...
// Bytes that stand in the file and are never loaded, and bytes of memory that no file backs.
u64 facts_disk_only(const struct facts *f);
u64 facts_memory_only(const struct facts *f);
const char *facts_rights(u32 flags);      // "r-x"
bool facts_native(const struct facts *f); // made for this machine
