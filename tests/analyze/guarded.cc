// The data of a mutex, touched without its lock. Only C++ lets clang see it.
// clang: writing variable 'loam_guarded_' requires holding mutex
#include <loam/loam.hpp>
struct account {
    int cents;
};
static loam_mutex(account) shared;
int main()
{
    loam_mutex_init(&shared);
    loam_with (&shared, a)
        a->cents += 5;
    shared.loam_guarded_.cents = 1;
    loam_mutex_done(&shared);
    return 0;
}
