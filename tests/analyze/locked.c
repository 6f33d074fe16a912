// What is only for those who hold the lock, called by somebody who does not.
// clang: locked\.c:19:.*calling function 'add' requires holding mutex
#include <loam/mutex.h>
struct account {
    int cents;
};
static loam_mutex(struct account) shared;
static void add(struct account *a, int cents) LOAM_LOCKED(&shared);
static void add(struct account *a, int cents)
{
    a->cents += cents;
}
int main(void)
{
    struct account mine = {0};
    loam_mutex_init(&shared);
    loam_with (&shared, a)
        add(a, 5);
    add(&mine, 5);
    loam_mutex_done(&shared);
    return 0;
}
