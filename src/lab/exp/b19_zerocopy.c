// B19 zerocopy: reading a file, or mapping it.

#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WINDOW = 1 << 20, WINDOWS = 32 };

struct file {
    int fd;
    u64 *mapped, *buffer;
    u64 next, x;
};

static u64 sum(const u64 *at, size_t bytes)
{
    u64 s = 0;
    for (size_t i = 0; i < bytes / sizeof *at; i++)
        s += at[i];
    return s;
}

static u64 next_window(struct file *f)
{
    f->next = (f->next + 1) % WINDOWS;
    return f->next * WINDOW;
}

static void by_read(void *of, u64 rounds)
{
    struct file *f = of;
    for (u64 i = 0; i < rounds; i++) {
        ssize_t n = pread(f->fd, f->buffer, WINDOW, (off_t)next_window(f));
        KEEP(sum(f->buffer, n < 0 ? 0 : (size_t)n));
    }
}

static void by_mmap(void *of, u64 rounds)
{
    struct file *f = of;
    for (u64 i = 0; i < rounds; i++) {
        void *at = mmap(NULL, WINDOW, PROT_READ, MAP_SHARED, f->fd, (off_t)next_window(f));
        if (at == MAP_FAILED)
            return;
        KEEP(sum(at, WINDOW));
        munmap(at, WINDOW);
    }
}

static void already_mapped(void *of, u64 rounds)
{
    struct file *f = of;
    for (u64 i = 0; i < rounds; i++)
        KEEP(sum(f->mapped + next_window(f) / sizeof *f->mapped, WINDOW));
}

static u64 somewhere(struct file *f)
{
    f->x = f->x * 6364136223846793005u + 1442695040888963407u;
    return (f->x >> 33) % ((u64)WINDOWS * WINDOW / 8);
}

static void random_pread(void *of, u64 rounds)
{
    struct file *f = of;
    u64 word = 0;
    for (u64 i = 0; i < rounds; i++) {
        if (pread(f->fd, &word, 8, (off_t)(somewhere(f) * 8)) != 8)
            return;
        KEEP(word);
    }
}

static void random_mapped(void *of, u64 rounds)
{
    struct file *f = of;
    for (u64 i = 0; i < rounds; i++)
        KEEP(f->mapped[somewhere(f)]);
}

static bool fill(int fd, char *buffer, struct rng *rng)
{
    for (u32 i = 0; i < WINDOW / 8; i++)
        ((u64 *)(void *)buffer)[i] = rng_next(rng);
    for (u32 i = 0; i < WINDOWS; i++)
        if (write(fd, buffer, WINDOW) != WINDOW)
            return false;
    return true;
}

static void run(struct lab *l)
{
    const char *folder = lab_folder(l);
    char path[512];
    struct file f = {.buffer = lab_memory(l, WINDOW, LAB_4K), .x = 1};
    if (folder == NULL || f.buffer == NULL)
        return;
    snprintf(path, sizeof path, "%s/file", folder);
    f.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool filled = f.fd >= 0 && fill(f.fd, (char *)f.buffer, &l->rng);
    f.mapped =
        filled ? mmap(NULL, (size_t)WINDOWS * WINDOW, PROT_READ, MAP_SHARED | MAP_POPULATE, f.fd, 0)
               : MAP_FAILED;
    if (f.mapped == MAP_FAILED) {
        lab_cannot(l, NULL, "no file could be made in %s: %s", folder, strerror(errno));
    } else {
        struct arm arms[] = {
            {"read_per_kib", .run = by_read, .of = &f, .ops = WINDOW / 1024},
            {"mmap_per_kib", .run = by_mmap, .of = &f, .ops = WINDOW / 1024},
            {"mapped_per_kib", .run = already_mapped, .of = &f, .ops = WINDOW / 1024},
            {"random_pread", .run = random_pread, .of = &f},
            {"random_mapped", .run = random_mapped, .of = &f},
        };
        lab_time(l, arms, countof(arms));
        lab_ratio(l, "stream", &arms[0], &arms[1]);
        lab_ratio(l, "stream_mapped", &arms[0], &arms[2]);
        lab_ratio(l, "random", &arms[3], &arms[4]);
        lab_why(l, "stream", "what is saved by not copying is paid in page faults");
        munmap(f.mapped, (size_t)WINDOWS * WINDOW);
    }
    if (f.fd >= 0)
        close(f.fd);
}

// "Ultra-fast" and "unnecessary" are no figures: twice as fast is taken for the least.
static const struct claim claims[] = {
    {S3, "topic 3", "map a file and walk it once, against read", "ultra-fast", "stream", 2,
     INFINITY, "x"},
    {S3, "topic 3", "8 bytes at random, against pread", "read is unnecessary", "random", 2,
     INFINITY, "x"},
};

LAB_EXPERIMENT(B19) = {
    .question = "Is mapping a file faster than reading it?",
    .prediction = "Much faster: nothing is copied.",
    .method = "A file of 32 MiB that is in the page cache is walked in windows of 1 MiB: read into "
              "a buffer, mapped and unmapped, and where it is mapped for good. Then 8 bytes at "
              "random places, by a system call and by a load. The same sum is formed everywhere, "
              "so that no way gets off without touching the data.",
    .look = "A stream gains little: a fault costs about what a copy costs. What gains is what is "
            "mapped once and used often, and most of all small reads at random places.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
