// A library opened while the program runs loses a block; another one hangs on its variable.
// total: 96 bytes
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
    scrub();
    return 0;
}
