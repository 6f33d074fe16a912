// Files as bytes: empty, odd, truncated under the reader, no files at all; each as file.h says.
#include "tests/check.h"

#include <errno.h>
#include <fcntl.h>
#include <loam/file.h>
#include <loam/track.h>
#include <sys/stat.h>

static char path[64];

static void make(const void *bytes, size_t n)
{
    strcpy(path, "/tmp/loam-file-XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

TEST(the_same_bytes_mapped_and_read)
{
    static char text[200001];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    make(text, sizeof text);
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_file m, r;
    CHECK(loam_file_map(path, &m) == 0);
    CHECK(loam_file_read(path, loam_track_alloc(&t), &r) == 0);
    CHECK(loam_bytes_equal(m.bytes, loam_bytes_of(text, sizeof text)));
    CHECK(loam_bytes_equal(r.bytes, m.bytes));
    CHECK(loam_file_check(&m) == 0);
    CHECK(loam_file_check(&r) == 0);
    loam_file_done(&m);
    loam_file_done(&m);
    loam_file_done(&r);
    loam_file_done(&r);
    loam_file_done(NULL);
    loam_track_done(&t);
    unlink(path);
}

TEST(an_empty_file_has_no_bytes)
{
    make("", 0);
    loam_file m, r;
    CHECK(loam_file_map(path, &m) == 0);
    CHECK(m.bytes.len == 0);
    CHECK(loam_file_check(&m) == 0);
    CHECK(loam_view(char, m.bytes, 0) == NULL);
    CHECK(loam_file_read(path, loam_alloc_heap(), &r) == 0);
    CHECK(r.bytes.len == 0);
    loam_file_done(&m);
    loam_file_done(&r);
    unlink(path);
}

TEST(what_is_no_file_is_told)
{
    loam_file f = {.fd = 77};
    CHECK(loam_file_map("/no/such/file", &f) == -ENOENT);
    CHECK(loam_file_map("/tmp", &f) == -EISDIR);
    CHECK(loam_file_map("/dev/null", &f) == -EINVAL);
    CHECK(loam_file_read("/no/such/file", loam_alloc_heap(), &f) == -ENOENT);
    CHECK(loam_file_read("/tmp", loam_alloc_heap(), &f) == -EISDIR);
    CHECK(f.fd == 77);
    make("", 0);
    unlink(path);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK(loam_file_map(path, &f) == -EINVAL); // and does not wait for a writer
    unlink(path);
}

TEST(files_without_a_size_can_be_read)
{
    loam_file f;
    CHECK(loam_file_read("/proc/self/maps", loam_alloc_heap(), &f) == 0);
    CHECK(f.bytes.len > 100);
    CHECK(loam_bytes_find(f.bytes, loam_bytes_text("[stack]")) != SIZE_MAX);
    loam_file_done(&f);
}

TEST(no_descriptor_and_no_memory_is_left)
{
    make("text", 4);
    int before = open("/dev/null", O_RDONLY);
    close(before);
    for (size_t n = 1; n < 4; n++) {
        loam_track t;
        loam_track_init(&t, loam_alloc_heap());
        loam_track_fail_at(&t, n);
        loam_file f;
        int r = loam_file_read("/proc/self/maps", loam_track_alloc(&t), &f);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK(n > 1 || r == -ENOMEM);
        if (r == 0)
            loam_file_done(&f);
        loam_track_done(&t);
        CHECK(loam_file_map(path, &f) == 0);
        loam_file_done(&f);
        CHECK(loam_file_map("/tmp", &f) == -EISDIR);
    }
    int after = open("/dev/null", O_RDONLY);
    CHECK(after == before);
    unlink(path);
}

static volatile char seen;

TEST(truncated_under_the_reader)
{
    static char text[3 * 65536];
    make(text, sizeof text);
    loam_file m, r;
    CHECK(loam_file_map(path, &m) == 0);
    CHECK(loam_file_read(path, loam_alloc_heap(), &r) == 0);
    CHECK(truncate(path, 10) == 0);
    CHECK(loam_file_check(&m) == -ESTALE);
    CHECK(loam_file_check(&r) == 0);
    seen = (char)loam_bytes_at(r.bytes, sizeof text - 1); // a copy is whole
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGBUS, SIG_DFL); // a sanitizer's handler would tell at length
        seen = (char)loam_bytes_at(m.bytes, sizeof text - 1);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGBUS);
    CHECK(truncate(path, sizeof text + 1) == 0);
    CHECK(loam_file_check(&m) == 0);
    loam_file_done(&m);
    loam_file_done(&r);
    unlink(path);
}

TEST(a_file_that_is_replaced_stays)
{
    make("old", 3);
    loam_file m;
    CHECK(loam_file_map(path, &m) == 0);
    unlink(path);
    CHECK(loam_bytes_equal(m.bytes, loam_bytes_text("old")));
    CHECK(loam_file_check(&m) == 0);
    loam_file_done(&m);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
