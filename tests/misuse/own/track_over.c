// A block that is given back to an allocator which did not give it.
// plain: track: more blocks released than allocated
#include <loam/track.h>
int main(void)
{
    loam_track t;
    loam_layout l = loam_layout_make(100, 8);
    loam_track_init(&t, loam_alloc_heap());
    loam_alloc_free(loam_track_alloc(&t), loam_alloc_new(loam_alloc_heap(), l), l);
    return 0;
}
