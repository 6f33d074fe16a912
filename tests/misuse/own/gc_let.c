// A collected heap that is let go more often than it was held.
// plain: gc: let go more often than held
#include <loam/gc.h>
int main(void)
{
    loam_gc *gc = loam_gc_new("held", NULL);
    if (gc == NULL)
        return 1;
    loam_gc_hold(gc);
    loam_gc_let(gc);
    loam_gc_let(gc);
    return 0;
}
