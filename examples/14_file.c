// 14_file.c: a file as an array of bytes.
//
// A mapped file lies in memory without having been read. This program writes a small file in a
// format of its own and looks at it in place: the header through a checked view, the lines behind
// it without copying one. A file that is too short, or damaged, is noticed before it is believed.
#include <loam/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct header {
    char magic[4];
    unsigned lines;
};

static bool write_file(int fd, unsigned lines)
{
    struct header h = {"LINE", lines};
    static const char text[] = "first\nsecond\nthird\n";
    return write(fd, &h, sizeof h) == sizeof h &&
           write(fd, text, sizeof text - 1) == sizeof text - 1;
}

// The number of lines, or -1 when this is no such file.
static int read_file(const char *path)
{
    loam_file f;
    int r = loam_file_map(path, &f);
    if (r < 0) {
        printf("cannot map it: error %d\n", -r);
        return -1;
    }
    int lines = -1;
    const struct header *h = loam_view(struct header, f.bytes, 0);
    if (h != NULL && loam_bytes_begins(f.bytes, loam_bytes_text("LINE"))) {
        loam_bytes rest = loam_bytes_cut(f.bytes, sizeof *h, f.bytes.len), line;
        for (lines = 0; loam_bytes_line(&rest, &line); lines++)
            printf("line %d: %.*s\n", lines + 1, LOAM_BYTES(line));
        if ((unsigned)lines != h->lines)
            lines = -1;
    }
    loam_file_done(&f);
    return lines;
}

int main(void)
{
    char path[] = "/tmp/loam-example-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || !write_file(fd, 3))
        return 1;
    bool ok = read_file(path) == 3;
    ok = ok && ftruncate(fd, 5) == 0 && read_file(path) == -1; // too short for its header
    printf("a file of five bytes is %s\n", ok ? "refused" : "believed");
    ok = ok && read_file("/tmp") == -1;
    close(fd);
    unlink(path);
    return ok ? 0 : 1;
}
