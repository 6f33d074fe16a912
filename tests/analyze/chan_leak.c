// A channel that is not given back.
// gcc: malloc-leak
// clang: Potential leak of memory
#include <loam/task.h>
int leak(int early)
{
    loam_chan *c = loam_chan_new(sizeof early, 1);
    if (c == NULL || early)
        return -1;
    loam_chan_free(c);
    return 0;
}
