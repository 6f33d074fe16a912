// admit.c: see admit.h. What a stack has asked for is remembered in a table of fixed size, in which
// each place goes to who asks for most: another one wears it down, byte for byte, before it takes
// its place.
#include "record/admit.h"

#include "os/os.h"

#include <string.h>

#define PLACES   16384 // 256 KiB
#define RESERVED 16    // part of the room
#define STEPS    16    // in it
#define FIRST    (4 * KiB)

struct place {
    u64 hash, bytes;
};

static struct {
    struct place *places;
} the;

static u64 least(u32 left, u32 reserved)
{
    u32 step = STEPS - (u32)((u64)left * STEPS / reserved);
    return FIRST << step;
}

bool admit(u64 hash, u64 bytes, u32 left, u32 all, bool *ret_new)
{
    u32 reserved = all / RESERVED;
    *ret_new = false;
    if (left >= reserved)
        return true;
    u64 wanted = least(left, reserved);
    if (the.places == NULL)
        the.places = os_map(PLACES * sizeof *the.places);
    if (bytes >= wanted || the.places == NULL)
        return true;
    struct place *p = &the.places[(hash >> 16) % PLACES];
    if (p->hash != hash) {
        *ret_new = true;
        if (p->bytes > bytes) {
            p->bytes -= bytes;
            return false;
        }
        *p = (struct place){.hash = hash};
    }
    p->bytes += bytes;
    return p->bytes >= wanted;
}

void admit_clear(void)
{
    if (the.places != NULL)
        memset(the.places, 0, PLACES * sizeof *the.places);
}
