// What the heap says of itself: exact figures by class, malloc_info as XML, the thread that trims.
// On glibc only the parts that glibc has too are looked at.
#include "tests/check.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Bool (*figure)(const char *, uint64_t *);
static _Bool (*figure_name)(size_t, char *);
static _Bool (*background)(_Bool);

static int has_loam(void)
{
    *(void **)&figure = dlsym(RTLD_DEFAULT, "loam_heap_figure");
    *(void **)&figure_name = dlsym(RTLD_DEFAULT, "loam_heap_figure_name");
    *(void **)&background = dlsym(RTLD_DEFAULT, "loam_background");
    return figure != NULL && figure_name != NULL && background != NULL;
}

static uint64_t get(const char *name)
{
    uint64_t v = UINT64_MAX;
    CHECK(figure(name, &v));
    return v;
}

enum { N = 5000 };
static void *block[N];

TEST(figures_follow_every_block)
{
    if (!has_loam())
        return;
    uint64_t live = get("class.704.live"), small = get("heap.small_bytes");
    for (int i = 0; i < N; i++)
        CHECK((block[i] = malloc(700)) != NULL);
    CHECK(get("class.704.live") == live + N);
    CHECK(get("heap.small_bytes") == small + N * 704);
    CHECK(get("class.704.capacity") >= live + N);
    for (int i = 0; i < N; i += 2)
        free(block[i]);
    CHECK(get("class.704.live") == live + N / 2);
    CHECK(get("class.704.waste_bytes") >= N / 2 * 704);
    for (int i = 1; i < N; i += 2)
        free(block[i]);
    CHECK(get("class.704.live") == live);
    CHECK(get("heap.small_bytes") == small);
}

TEST(large_blocks_count_apart)
{
    if (!has_loam())
        return;
    uint64_t blocks = get("heap.large_blocks"), bytes = get("heap.large_bytes");
    void *p = malloc(3 << 20);
    CHECK(get("heap.large_blocks") == blocks + 1);
    CHECK(get("heap.large_bytes") >= bytes + (3 << 20));
    free(p);
    CHECK(get("heap.large_blocks") == blocks);
    CHECK(get("heap.large_bytes") == bytes);
}

TEST(every_name_can_be_read_and_no_other)
{
    if (!has_loam())
        return;
    char name[40];
    uint64_t v;
    size_t n = 0;
    for (; figure_name(n, name); n++)
        CHECK(strlen(name) < sizeof name && figure(name, &v));
    CHECK(n > 72 * 4);
    CHECK(!figure("class.65.live", &v) && !figure("", &v) && !figure("heap.", &v));
}

TEST(mallinfo2_adds_up)
{
    struct mallinfo2 before = mallinfo2();
    void *p = malloc(1000);
    struct mallinfo2 after = mallinfo2();
    CHECK(after.uordblks >= before.uordblks + 1000 && after.uordblks < before.uordblks + 1300);
    CHECK(after.uordblks + after.fordblks == after.arena);
    free(p);
}

TEST(malloc_info_writes_elements_that_close)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    CHECK(malloc_info(0, f) == 0);
    CHECK(malloc_info(1, f) != 0);
    fclose(f);
    CHECK(strncmp(text, "<malloc version=", 16) == 0);
    CHECK(strstr(text, "</malloc>\n") == text + len - 10);
    CHECK(!has_loam() || strstr(text, "<class size=\"") != NULL);
    free(text);
}

static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL && fscanf(f, "%*u %lu", &pages) == 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void fill_and_free(size_t mb)
{
    size_t n = mb << 6; // of 16 KiB
    char **p = malloc(n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        memset(p[i] = malloc(16000), 1, 16000);
    for (size_t i = 0; i < n; i++)
        free(p[i]);
    free(p);
}

// Waits for what the thread does, as long as it takes on a busy machine.
static int rests_below(size_t limit)
{
    struct timespec tick = {0, 50 * 1000 * 1000};
    for (int i = 0; i < 400 && resident() >= limit; i++)
        nanosleep(&tick, NULL);
    return resident() < limit;
}

TEST(a_thread_gives_all_back_while_the_program_rests)
{
    if (!has_loam())
        return;
    size_t start = resident();
    fill_and_free(128);
    CHECK(background(1) && background(1));
    CHECK(rests_below(start + (3 << 20)));
    CHECK(background(0) && background(0));
}

TEST(a_forked_child_gets_such_a_thread_of_its_own)
{
    if (!has_loam())
        return;
    CHECK(background(1));
    pid_t pid = fork();
    if (pid == 0) {
        size_t start = resident();
        fill_and_free(64);
        _exit(rests_below(start + (3 << 20)) ? 0 : 1);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(background(0));
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
