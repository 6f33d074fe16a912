#include "lab/allocators.h"

#include <dlfcn.h>
#include <loam/heap.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TUNABLES "GLIBC_TUNABLES"
#define ROOM     "glibc.rtld.optional_static_tls=16384"

static void libc_trim(void)
{
    malloc_trim(0);
}

static void loam_heap_trim(void)
{
    loam_trim(0);
}

static bool open_peer(struct allocator *a, const char *name, const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return false; // not installed, or it wants more thread-local room than is left
    *a = (struct allocator){.name = name};
    *(void **)&a->take = dlsym(handle, "malloc");
    *(void **)&a->give = dlsym(handle, "free");
    return a->take != NULL && a->give != NULL;
}

u32 allocators_find(struct allocator found[ALLOCATORS_MAX])
{
    static const char *const peer[][2] = {{"jemalloc", "libjemalloc.so.2"},
                                          {"mimalloc", "libmimalloc.so.2"},
                                          {"tcmalloc", "libtcmalloc_minimal.so.4"}};
    u32 n = 0;
    found[n++] = (struct allocator){"libc", malloc, free, libc_trim};
    found[n++] = (struct allocator){"loam", loam_malloc, loam_free, loam_heap_trim};
    for (u32 i = 0; i < countof(peer); i++)
        n += open_peer(&found[n], peer[i][0], peer[i][1]);
    return n;
}

void allocators_make_room(char *const words[])
{
    const char *usual = getenv(TUNABLES);
    if (usual != NULL) {
        if (strcmp(usual, ROOM) == 0)
            unsetenv(TUNABLES); // ours: what experiments start shall run as ever
        return;
    }
    u32 n = 0;
    while (words[n] != NULL)
        n++;
    char self[512];
    char **argv = calloc(n + 3, sizeof *argv);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (argv != NULL && length > 0) {
        self[length] = 0;
        argv[0] = "loam";
        argv[1] = "lab";
        memcpy(argv + 2, words, n * sizeof *argv);
        setenv(TUNABLES, ROOM, 1);
        execv(self, argv);
        unsetenv(TUNABLES);
    }
    free(argv);
}

u64 allocators_resident(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f != NULL && fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    if (f != NULL)
        fclose(f);
    return (u64)pages * (u64)sysconf(_SC_PAGESIZE);
}
