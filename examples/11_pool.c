// 11_pool.c: handles instead of pointers, because things die.
//
// In a game, a missile follows its target. The target may be shot down by another one, and its
// memory be used for the next plane: a pointer would then follow the wrong plane, in silence. A
// handle goes stale instead, and the missile notices.
#include <loam/pool.h>
#include <stdio.h>

struct plane {
    char sign;
    int x;
};
LOAM_POOL(planes, struct plane)

struct missile {
    planes_handle target;
    int x;
};
LOAM_POOL(missiles, struct missile)

static planes_handle launch_plane(planes *all, char sign, int x)
{
    planes_handle h = {{0, 0}};
    struct plane *p = planes_new(all, &h);
    if (p != NULL)
        *p = (struct plane){sign, x};
    return h; // if there was no memory, the handle of no plane
}

// True while the missile flies.
static bool fly(missiles *all, missiles_handle h, planes *targets)
{
    struct missile *m = missiles_get(all, h);
    if (m == NULL)
        return false;
    struct plane *p = planes_get(targets, m->target);
    if (p == NULL) {
        printf("missile at %d: my target is gone\n", m->x);
        missiles_free(all, h);
        return false;
    }
    m->x++;
    if (m->x < p->x)
        return true;
    printf("missile at %d: hit %c\n", m->x, p->sign);
    planes_free(targets, m->target);
    missiles_free(all, h);
    return false;
}

int main(void)
{
    planes sky = planes_make(LOAM_HERE);
    missiles air = missiles_make(LOAM_HERE);
    planes_handle a = launch_plane(&sky, 'A', 3);
    missiles_handle near, far;
    struct missile *m = missiles_new(&air, &near), *n = missiles_new(&air, &far);
    if (m == NULL || n == NULL)
        return 1;
    *m = (struct missile){a, 0};
    *n = (struct missile){a, -10};

    while (fly(&air, near, &sky))
        fly(&air, far, &sky);
    planes_handle b = launch_plane(&sky, 'B', 100); // in the memory where A was
    printf("B stands where A stood: %s\n", a.handle.index == b.handle.index ? "yes" : "no");
    while (fly(&air, far, &sky)) {
    }
    bool ok = planes_get(&sky, a) == NULL && planes_get(&sky, b)->sign == 'B' &&
              planes_count(&sky) == 1 && missiles_count(&air) == 0;
    planes_done(&sky);
    missiles_done(&air);
    return ok ? 0 : 1;
}
