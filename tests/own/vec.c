// What the compiler knows about vecs and slices.
//
// prints: 1 2 3
#include <loam/vec.h>
#include <stdio.h>

struct point {
    int x;
};
typedef loam_vec(int) ints;

static void drop_point(struct point *p)
{
    (void)p;
}

int main(void)
{
    ints v = {0};
    for (int i = 1; i < 4; i++)
        if (!loam_vec_push(&v, i))
            return 1;
    loam_vec_each (&v, p)
        printf("%d%c", *p, *p == 3 ? '\n' : ' ');
#ifdef WRONG_1
    struct point p = {1};
    (void)!loam_vec_push(&v, p); // error: incompatible types|incompatible type
#endif
#ifdef WRONG_2
    loam_vec_drop(&v, drop_point); // error: not compatible with any
#endif
#ifdef WRONG_3
    loam_vec_push(&v, 4); // error: unused
#endif
#ifdef WRONG_4
    loam_slice(long) s;
    loam_slice_cut(&s, v, 0, 1); // error: incompatible
#endif
#ifdef WRONG_5
    static const int a[] = {1};
    loam_slice(const int) s = {a, 1};
    loam_slice_at(s, 0) = 2; // error: read-only|const-qualified|not assignable
#endif
    loam_vec_done(&v);
    (void)drop_point;
    return 0;
}
