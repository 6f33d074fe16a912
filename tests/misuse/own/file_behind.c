// A look behind what a file's bytes hold, and a struct that does not fit in there.
// plain: slice: index out of bounds
#include <loam/file.h>
int main(void)
{
    loam_file f;
    if (loam_file_read("/proc/self/comm", (loam_alloc){0}, &f) < 0 ||
        loam_view(double, f.bytes, f.bytes.len - 7) != NULL)
        return 1;
    return loam_bytes_at(f.bytes, f.bytes.len);
}
