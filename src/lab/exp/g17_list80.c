// G17 list80: the exercise as it is written, watched by loam.

#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// S4's line, word for word. Its sleep of a minute is cut short: we look, and then it is ended.
static const char line[] = "import time; x = [0] * 10000000; time.sleep(60)";

// What the kernel says: resident anonymous bytes of a process.
static u64 resident(pid_t pid)
{
    char path[64], text[128] = "";
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    unsigned long long size, pages, shared;
    if (n <= 0 || sscanf(text, "%llu %llu %llu", &size, &pages, &shared) != 3)
        return 0;
    return (pages - shared) * (u64)sysconf(_SC_PAGESIZE);
}

static struct shared {
    pid_t python; // its process, when it is known
    u64 before, after;
} * shared;

// In a child: start it, wait until it holds still, ask the kernel, and end it.
static void look(void *of)
{
    char *const *argv = of;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        execvp(argv[0], argv);
        _exit(127);
    }
    u64 last = 0, still = 0;
    for (u32 i = 0; i < 800 && pid > 0 && still < 10; i++) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        u64 now = resident(pid);
        still = now > 40000000 && now == last ? still + 1 : 0;
        last = now;
    }
    shared->after = last;
    kill(pid, SIGKILL);
}

// The same program, but that it ends at once: what is in its list, to loam.
static double by_loam(struct lab *l, const char *python)
{
    char *argv[] = {(char *)python, "-S", "-c", "x = [0] * 10000000", NULL};
    struct lab_watched w;
    double largest = 0;
    size_t i;
    json_t *place;
    if (lab_watch(l, argv, 15, &w) != 0)
        return 0;
    json_array_foreach(json_object_get(w.report, "places"), i, place)
    {
        double bytes = (double)json_integer_value(json_object_get(place, "largest_bytes"));
        largest = bytes > largest ? bytes : largest;
    }
    lab_exact(l, "peak_mb", (double)w.peak_bytes / 1e6, "MB");
    return largest;
}

static void run(struct lab *l)
{
    struct lab_end end;
    const char *python = lab_python(l);
    shared = lab_shared(l, sizeof *shared);
    if (python == NULL || shared == NULL)
        return;
    char *with[] = {(char *)python, "-c", (char *)line, NULL};
    if (lab_child(l, look, with, 10, &end) != 0 || shared->after == 0) {
        lab_cannot(l, NULL, "the program did not come to rest in time");
        return;
    }
    double list = by_loam(l, python);
    if (list == 0)
        return;
    lab_exact(l, "list_mb", list / 1e6, "MB");
    lab_exact(l, "resident_mb", (double)shared->after / 1e6, "MB");
    lab_note(l,
             "The list is one block of %.0f bytes: ten million pointers to the same 0, 8 bytes "
             "each. In the other megabyte that is 1,048,576 bytes: %.1f MiB.",
             list, list / (double)MiB);
}

static const struct claim claims[] = {
    {S4, "exercise 1", "[0] * 10000000", "about 80 MB", "list_mb", 75, 85, "MB"},
    {S4, "exercise 1", "resident while it sleeps", "about 80 MB", "resident_mb", 75, 95, "MB"},
};

LAB_EXPERIMENT(G17) = {
    .question = "How much memory does a Python list of ten million zeros take?",
    .prediction = "80 MB: ten million pointers of 8 bytes, all to one and the same 0.",
    .method = "The exercise's own line runs until it holds still, and the kernel tells what is "
              "resident of it; then it is ended, and need not sleep for a minute. The same list "
              "under 'loam run', which knows the block itself.",
    .look = "The block has 80,000,000 bytes, which is 76.3 MiB: texts that say MB and tools that "
            "divide by 1,048,576 do not contradict each other. The interpreter comes on top.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
