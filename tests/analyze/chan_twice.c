// A channel given back twice.
// gcc: double-free
// clang: Attempt to free released memory
#include <loam/task.h>
void twice(loam_chan *c)
{
    loam_chan_free(c);
    loam_chan_free(c);
}
