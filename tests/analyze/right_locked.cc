// A mutex as it is meant, in C++: nothing to say.
#include <loam/loam.hpp>
struct account {
    int cents;
};
struct bank {
    loam_mutex(account) total;
};
static void add(struct bank *b, account *a, int cents) LOAM_LOCKED(&b->total);
static void add(struct bank *b, account *a, int cents)
{
    (void)b;
    a->cents += cents;
}
int pay(struct bank *b, int cents)
{
    loam_with (&b->total, a)
        add(b, a, cents);
    loam_with (&b->total, a) {
        if (a->cents > 10)
            return a->cents;
    }
    return 0;
}
