// An index behind the end of a slice.
// plain: slice: index out of bounds
#include <loam/slice.h>
int main(int argc, char **argv)
{
    (void)argv;
    loam_bytes b = loam_bytes_text("four");
    return loam_bytes_at(b, (size_t)argc + 3);
}
