// As dlopened.c, but the library is closed: its variable is gone, and with it the second block.
// total: 800 bytes
// library: dlopened_lib.c
#include "leak.h"
#include <dlfcn.h>

int main(int argc, char **argv)
{
    void *lib = dlopen(argv[argc - 1], RTLD_NOW);
    if (lib == NULL)
        return 1;
    void (*work)(void) = (void (*)(void))dlsym(lib, "work");
    work();
    if (dlclose(lib) != 0)
        return 1;
    scrub();
    return 0;
}
