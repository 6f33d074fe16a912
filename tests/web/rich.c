// rich.c: write the recording of rich.h.
//
//     rich FILE [GROWTH]
#include "tests/web/rich.h"

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        return 2;
    struct fab f;
    struct self self = self_of();
    rich_make(&f, &self, argc == 3 ? strtoull(argv[2], NULL, 10) : 0);
    int r = fab_write(&f, argv[1]);
    fab_done(&f);
    return r != 0;
}
