// self.h: the running program as a module of a fabricated recording, so that frames get the names
// and lines of its functions.
#pragma once

#include "tests/lib/fabricate.h"

#include <elf.h>
#include <link.h>

struct self {
    u64 bias;
    u8 id[20];
    u32 id_len;
    char path[4096];
};

static void self_build_id(struct self *s, const char *note, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *n = (const void *)note;
        const char *desc = note + sizeof *n + round_up(n->n_namesz, 4);
        if (n->n_type == NT_GNU_BUILD_ID && n->n_descsz <= sizeof s->id) {
            memcpy(s->id, desc, n->n_descsz);
            s->id_len = n->n_descsz;
        }
        size_t all = (size_t)(desc - note) + round_up(n->n_descsz, 4);
        if (all > size)
            return;
        note += all;
        size -= all;
    }
}

static int self_look(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct self *s = arg;
    (void)size;
    s->bias = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_NOTE)
            self_build_id(s, (const char *)info->dlpi_addr + ph->p_vaddr, ph->p_memsz);
    }
    return 1; // the program itself comes first
}

static unused_ struct self self_of(void)
{
    struct self s = {0};
    dl_iterate_phdr(self_look, &s);
    if (readlink("/proc/self/exe", s.path, sizeof s.path - 1) < 0)
        exit(1);
    return s;
}

// A return address one byte into a function.
static u64 self_inside(const struct self *s, void (*function)(void))
{
    return FAB_FRAME(1, (u64)(uintptr_t)function - s->bias + 1);
}
