// Allocation before main and inside dlopen: in an ifunc resolver, in constructors of a linked and
// of an opened library, in a thread-local variable's first touch; and freed by somebody else.
// library: early_lib.c
#include "tests/check.h"

#include <dlfcn.h>
#include <stdlib.h>

char *early_constructed(void);
char *early_fresh(void);
int early_resolved(void);
static const char *path;

__attribute__((constructor(101))) static void first(void)
{
    for (int i = 0; i < 1000; i++)
        free(malloc((size_t)i));
}

TEST(a_constructor_of_a_library_allocated)
{
    char *p = early_constructed();
    CHECK(p != NULL && strcmp(p, "made by a constructor") == 0);
    free(p);
}

TEST(a_resolver_ran_before_everything)
{
    CHECK(early_resolved() == 42);
}

TEST(dlopen_and_dlclose_a_hundred_times)
{
    for (int i = 0; i < 100; i++) {
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        CHECK(lib != NULL);
        char *(*fresh)(void) = (char *(*)(void))dlsym(lib, "early_fresh");
        CHECK(fresh != NULL);
        char *p = fresh();
        CHECK(strcmp(p, "made on request") == 0);
        CHECK(dlclose(lib) == 0);
        free(p);
    }
}

TEST(many_libraries_at_once)
{
    // libc keeps handles, names and TLS of these in blocks of ours.
    static const char *const names[] = {"libm.so.6",    "libpthread.so.0", "libdl.so.2",
                                        "librt.so.1",   "libresolv.so.2",  "libstdc++.so.6",
                                        "libgcc_s.so.1"};
    for (int round = 0; round < 20; round++) {
        void *lib[sizeof names / sizeof *names];
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            CHECK((lib[i] = dlopen(names[i], RTLD_NOW)) != NULL);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            CHECK(dlclose(lib[i]) == 0);
    }
}

TEST(a_failed_dlopen_has_a_message)
{
    CHECK(dlopen("/nowhere/to/be/found.so", RTLD_NOW) == NULL);
    const char *message = dlerror();
    CHECK(message != NULL && strstr(message, "found.so") != NULL);
}

int main(int argc, char **argv)
{
    Dl_info info;
    if (dladdr((void *)early_fresh, &info) == 0)
        return 1;
    path = info.dli_fname;
    return check_main(argc, argv);
}
