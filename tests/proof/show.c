// show.c: print what stands in a file of proof.h: `show FILE`; or make an empty one: `show -n
// FILE`.
#include "tests/proof/proof.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct proof p;
    memset(&p, 0, sizeof p);
    bool new = argc == 3 && strcmp(argv[1], "-n") == 0;
    FILE *f = argc >= 2 ? fopen(argv[argc - 1], new ? "w" : "r") : NULL;
    if (f == NULL)
        return 1;
    if ((new ? fwrite(&p, sizeof p, 1, f) : fread(&p, sizeof p, 1, f)) != 1)
        return 1;
    fclose(f);
    if (!new)
        printf(
            "traces=%lu frames=%lu differ=%lu truncated=%lu asked=%lu asked_frames=%lu wrong=%lu "
            "shorter=%lu longer=%lu\n",
            p.traces, p.frames, p.differ, p.truncated, p.asked, p.asked_frames, p.wrong, p.shorter,
            p.longer);
    return 0;
}
