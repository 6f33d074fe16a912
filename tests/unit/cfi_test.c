// cfi_test.c: the tables of libc, whole and damaged.
#include "record/cfi.h"

#include "os/share.h"
#include "tests/check.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct cfi_module libc;
static struct cfi_module copy; // the same bytes elsewhere, between unreadable pages
static u64 text, text_size;    // offsets
static u64 seed = 1;

static u64 random64(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed ^ seed >> 31;
}

static void find_libc(void)
{
    struct dl_find_object found;
    CHECK(_dl_find_object((void *)qsort, &found) == 0);
    libc = (struct cfi_module){found.dlfo_map_start, found.dlfo_map_end, found.dlfo_eh_frame};
    const ElfW(Ehdr) *e = (const void *)libc.start;
    const ElfW(Phdr) *p = (const void *)(libc.start + e->e_phoff);
    for (int i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X)) {
            text = p[i].p_vaddr;
            text_size = p[i].p_memsz;
        }
    }
    CHECK(text_size > 100000);
}

static void copy_libc(void)
{
    size_t size = round_up((size_t)(libc.end - libc.start), 4096);
    u8 *at = mmap(NULL, size + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    at += 4096;
    CHECK(mprotect(at, size, PROT_READ | PROT_WRITE) == 0);
    for (size_t i = 0; i < size; i += 4096)
        if (os_readable(libc.start + i))
            memcpy(at + i, libc.start + i, 4096);
    copy = (struct cfi_module){at, at + size, at + (libc.hdr - libc.start)};
}

static u64 random_pc(const struct cfi_module *m)
{
    return (u64)(uintptr_t)m->start + text + random64() % text_size;
}

// What every row of code that compilers made looks like.
TEST(rows_make_sense)
{
    find_libc();
    u32 found = 0, simple = 0;
    for (int i = 0; i < 20000; i++) {
        struct cfi_row row;
        if (!cfi_find(&libc, random_pc(&libc), &row))
            continue;
        found++;
        if (row.cfa.how != CFI_VALUE)
            continue;
        CHECK(row.cfa.base < CFI_PC && row.cfa.off >= 0);
        const struct cfi_place *pc = &row.reg[CFI_PC];
        simple += pc->how == CFI_AT && pc->base == CFI_CFA && pc->off == -8;
    }
    CHECK(found > 15000); // some assembly and the gaps between functions are not described
    CHECK(simple > found / 100 * 95);
}

TEST(position_does_not_matter)
{
    find_libc();
    copy_libc();
    for (int i = 0; i < 20000; i++) {
        struct cfi_row here, there;
        u64 pc = random_pc(&libc);
        bool found = cfi_find(&libc, pc, &here);
        u64 moved = pc - (u64)(uintptr_t)libc.start + (u64)(uintptr_t)copy.start;
        CHECK(cfi_find(&copy, moved, &there) == found);
        CHECK(!found || memcmp(&here, &there, sizeof here) == 0);
    }
}

TEST(outside)
{
    find_libc();
    struct cfi_row row;
    CHECK(!cfi_find(&libc, 0, &row));
    CHECK(!cfi_find(&libc, (u64)(uintptr_t)libc.end, &row));
    CHECK(!cfi_find(&libc, UINT64_MAX, &row));
    struct cfi_module none = libc;
    none.hdr = NULL;
    CHECK(!cfi_find(&none, random_pc(&libc), &row));
    none.hdr = libc.end;
    CHECK(!cfi_find(&none, random_pc(&libc), &row));
    none.hdr = libc.end - 1;
    CHECK(!cfi_find(&none, random_pc(&libc), &row));
}

// Flip bytes of the tables: any answer will do, but reading outside of the module will not. The
// tables are what stands from the index on, up to the end of its segment.
TEST(damaged)
{
    find_libc();
    copy_libc();
    u8 *tables = (u8 *)(uintptr_t)copy.hdr;
    size_t size = 200 * KiB;
    CHECK((size_t)(copy.end - tables) > size);
    u32 found = 0;
    for (int round = 0; round < 3000; round++) {
        size_t at[20];
        u8 old[20];
        for (int k = 0; k < 20; k++) {
            at[k] = random64() % (k < 2 ? 16 : size);
            old[k] = tables[at[k]];
            if (k >= 2 || round % 4 == 0) // the header too, but not always
                tables[at[k]] = (u8)random64();
        }
        for (int i = 0; i < 50; i++) {
            struct cfi_row row;
            found += cfi_find(&copy, random_pc(&copy), &row);
        }
        for (int k = 20; k-- > 0;)
            tables[at[k]] = old[k];
    }
    CHECK(found > 3000); // damage is met, not only refused at the door
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
