// Blocks that libc takes on the program's behalf: strdup, strndup, asprintf, getline.
// total: 12 + 6 + 120 + 12 bytes
#include "leak.h"
#include <stdio.h>
#include <unistd.h>

static apart void read_line(void)
{
    FILE *f = fmemopen((char *)"hello, loam\n", 12, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, f); // lost
    fclose(f);
    if (n > 0)
        memset(opaque(line), 1, room);
}

static apart void print(void)
{
    char *s = NULL;
    if (asprintf(&s, "%s-%d", "number", 7042) > 0) // lost
        memset(opaque(s), 1, 12);
}

static apart void copy(void)
{
    opaque(strdup("hello world"));     // lost
    opaque(strndup("hello world", 5)); // lost
}

int main(void)
{
    copy();
    read_line();
    print();
    scrub();
    return 0;
}
