// own.c: the ownership toolkit against its models, with operations that libFuzzer makes up.
//
//     make fuzz-own FUZZ_SECONDS=60          all parts
//     build/fuzz/own-vec CRASH-FILE          one again
//
// One target a part: PART is its name.
#include "fuzz/own/layout.h"
#include "fuzz/own/pool.h"
#include "fuzz/own/rc.h"
#include "fuzz/own/region.h"
#include "fuzz/own/slice.h"
#include "fuzz/own/vec.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct input in = {bytes, size};
    PASTE(PART, _play)(&in);
    return 0;
}
