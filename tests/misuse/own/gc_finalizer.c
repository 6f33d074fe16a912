// A finalizer that frees the heap whose object it is called for.
// plain: gc: freed by a finalizer of its own
#include <loam/gc.h>
static loam_gc *gc;
static void frees(void *object, void *arg)
{
    (void)object;
    (void)arg;
    gc = loam_gc_free(gc);
}
__attribute__((noipa)) static int makes(void)
{
    void *p = loam_gc_alloc(gc, 100);
    return p == NULL ? -1 : loam_gc_finalizer_add(gc, p, frees, NULL);
}
int main(void)
{
    gc = loam_gc_new("short", &(loam_gc_options){.explicit_roots = true});
    return gc == NULL || makes() < 0 || loam_gc_collect(gc) == 0;
}
