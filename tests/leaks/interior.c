// Pointers into the middle and to the last byte hold a block just as well: nothing is lost. A
// pointer one past the end does not.
// total: 160 bytes
#include "leak.h"

static char *middle, *last, *past;

static apart void fill(void)
{
    middle = malloc(1000);
    memset(middle, 1, 1000);
    middle += 500;
    last = malloc(50000);
    memset(last, 1, 50000);
    last += 49999;
    past = malloc(160); // lost
    memset(past, 1, 160);
    past += 160;
}

int main(void)
{
    fill();
    scrub();
    opaque(&middle);
    opaque(&last);
    opaque(&past);
    return 0;
}
