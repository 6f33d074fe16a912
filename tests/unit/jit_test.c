// jit_test.c: perf map files, as V8 and CPython write them, and as nobody should.
#include "report/jit.h"

#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct jit *map_of(const char *text, size_t size)
{
    char path[] = "/tmp/loam-jit-test.XXXXXX";
    int fd = mkstemp(path);
    CHECK(write(fd, text, size) == (ssize_t)size);
    close(fd);
    struct jit *j = jit_open(path);
    unlink(path);
    return j;
}

static bool is(const struct jit *j, u64 at, const char *function, const char *file, u32 line)
{
    struct jit_name n;
    if (!jit_find(j, at, &n))
        return function == NULL;
    return function != NULL && n.function_size == strlen(function) &&
           memcmp(n.function, function, n.function_size) == 0 &&
           (n.file == NULL) == (file == NULL) &&
           (file == NULL ||
            (n.file_size == strlen(file) && memcmp(n.file, file, n.file_size) == 0)) &&
           n.line == line;
}

TEST(names)
{
    static const char text[] = "7f00001000 300 Builtin:Lazy\n"
                               "7f00002000 10 JS:*hot /home/a b/j.js:12:13\n"
                               "7f00002010 10 LazyCompile:~ /j.js:1:1\n"
                               "7f00003000 20 py::outer:/home/p.py\n"
                               "7f00004000 8 JS:^odd\n"
                               "7f00002000 10 JS:~newer node:fs:7:1\n";
    struct jit *j = map_of(text, sizeof text - 1);
    CHECK(j != NULL);
    CHECK(is(j, 0x7f00001000, "Builtin:Lazy", NULL, 0));
    CHECK(is(j, 0x7f000012ff, "Builtin:Lazy", NULL, 0));
    CHECK(is(j, 0x7f00001300, NULL, NULL, 0));
    CHECK(is(j, 0x7f00000fff, NULL, NULL, 0));
    CHECK(is(j, 0x7f0000200f, "newer", "node:fs", 7)); // what was there last
    CHECK(is(j, 0x7f00002010, "(anonymous)", "/j.js", 1));
    CHECK(is(j, 0x7f00003001, "outer", "/home/p.py", 0));
    CHECK(is(j, 0x7f00004001, "odd", NULL, 0));
    jit_free(j);
}

TEST(blanks_in_a_path)
{
    static const char text[] = "1000 10 JS:*hot /home/j.js:12:13\n";
    struct jit *j = map_of(text, sizeof text - 1);
    CHECK(is(j, 0x1000, "hot", "/home/j.js", 12));
    jit_free(j);
}

TEST(rubbish)
{
    static const char text[] =
        "\n\n 12\nzz 1 name\n10 zz name\n10 0 empty\n20 5 \n30 5\n40 5 ok\nffffffffffffffff "
        "ffffffffffffffff last\n99 1 cut";
    struct jit *j = map_of(text, sizeof text - 1);
    CHECK(is(j, 0x42, "ok", NULL, 0));
    CHECK(is(j, 0x10, NULL, NULL, 0));
    CHECK(is(j, 0x20, NULL, NULL, 0));
    CHECK(is(j, 0x99, "cut", NULL, 0));
    CHECK(is(j, UINT64_MAX, "last", NULL, 0));
    jit_free(j);
    CHECK(map_of("", 0) == NULL);
}

TEST(which_files)
{
    char out[64];
    CHECK(jit_is_map("/tmp/perf-12.map"));
    CHECK(!jit_is_map("/tmp/perf-12.map2"));
    CHECK(!jit_is_map("/tmp/perf-.map"));
    CHECK(!jit_is_map("/usr/lib/libc.so.6"));
    CHECK(!jit_path(out, sizeof out, 4194304 + 7, 0)); // no process has such an id
    CHECK(jit_open("/dev/zero") == NULL);
    CHECK(jit_open("/nowhere/perf-1.map") == NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
