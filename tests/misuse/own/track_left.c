// An allocator that is done counting while a block is still out.
// plain: track: blocks are left
#include <loam/track.h>
int main(void)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    void *p = loam_alloc_new(loam_track_alloc(&t), loam_layout_make(100, 8));
    loam_track_done(&t);
    return p == NULL;
}
