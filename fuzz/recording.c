// recording.c: libFuzzer gives bytes, the tool makes reports of them: `make fuzz`.

#include "fuzz/hostile.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static FILE *out;
    if (out == NULL)
        out = fopen("/dev/null", "w");
    hostile_try(data, size, out);
    return 0;
}
