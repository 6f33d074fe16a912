// 01_segments.c: where things live.
//
// Every object of a running program has an address, and where it lies tells what kind of object it
// is. This program prints the address of one object of each kind, in order, next to what the
// kernel says about that place. No part of loam is needed: build it with `cc 01_segments.c`.
//
// Run it twice: the addresses change (the kernel picks them at random, so that attackers cannot
// guess them), the order does not. Run it under LD_PRELOAD=libloam.so: only the heap has moved,
// because loam keeps its blocks in a stretch of addresses of their own.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int constant = 1; // read-only data: written by nobody after the program was loaded
int global = 2;         // data: its first value stands in the program's file
int zeroed[1000];       // bss: starts as zero, so the file only says how large it is

struct place {
    const char *what;
    const void *addr;
    const char *rights; // what must be allowed there: r read, w write, x execute
};

static int by_address(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->addr > y->addr) - (x->addr < y->addr);
}

// The kernel lists a process's mappings in /proc/self/maps, one a line:
//     55d0c8a3a000-55d0c8a3b000 r-xp 00001000 fe:01 1234   /path/of/file
// Copy the line that holds `addr`; false when no mapping does.
static bool kernel_says(const void *addr, char *line, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    bool found = false;
    while (maps != NULL && !found && fgets(line, (int)size, maps) != NULL) {
        unsigned long from, to;
        found = sscanf(line, "%lx-%lx", &from, &to) == 2 && (unsigned long)addr >= from &&
                (unsigned long)addr < to;
    }
    if (maps != NULL)
        fclose(maps);
    return found;
}

static bool show(const struct place *p)
{
    char line[512], rights[8] = "", name[256] = "(no file)";
    if (!kernel_says(p->addr, line, sizeof line))
        return false;
    sscanf(line, "%*s %7s %*s %*s %*s %255s", rights, name);
    printf("%14p  %-18s %s  %s\n", (void *)p->addr, p->what, rights, name);
    for (const char *r = p->rights; *r != '\0'; r++)
        if (strchr(rights, *r) == NULL)
            return false;
    return true;
}

// The caller's local lies above the local of the function it calls: the stack grows downwards.
__attribute__((noinline)) static bool stack_grows_down(const int *callers_local)
{
    volatile int local = 0;
    printf("\ncaller's local %p, mine %p: the stack grows towards lower addresses\n",
           (void *)callers_local, (void *)&local);
    return (const char *)&local < (const char *)callers_local;
}

int main(void)
{
    int local = 3;                  // stack: gone when its function returns
    int *small = malloc(100);       // heap: ours until free
    int *large = malloc(100 << 20); // glibc gives large blocks a mapping of their own
    struct place places[] = {
        {"code: main", (const void *)main, "rx"},
        {"constant", &constant, "r"},
        {"global", &global, "rw"},
        {"zeroed global", zeroed, "rw"},
        {"small heap block", small, "rw"},
        {"large heap block", large, "rw"},
        {"code: libc's exit", (const void *)exit, "rx"},
        {"local variable", &local, "rw"},
    };
    size_t count = sizeof places / sizeof places[0];
    qsort(places, count, sizeof places[0], by_address);

    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = show(&places[i]) && ok;
    ok = ok && (const char *)main < (const char *)&constant &&
         (const char *)&constant < (const char *)&global && (char *)&global < (char *)zeroed;
    ok = stack_grows_down(&local) && ok;

    printf("\nThe program's own file comes in its order: code, constants, globals. Behind it lies\n"
           "the data segment, which sbrk grows (02_sbrk.c); far above what mmap gave (03_mmap.c),\n"
           "libraries among it; and near the top the stack.\n");
    free(small);
    free(large);
    return ok ? 0 : 1;
}
