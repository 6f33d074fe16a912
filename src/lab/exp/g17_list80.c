// G17 list80: the exercise as it is written, watched by loam.

#include "lab/lab.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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
    u64 rss; // resident when it held still
} * shared;

// In a child: start it, wait until it holds still, let loam look at it (what `loam mem` says comes
// out as what this child said), and end it.
static void look(void *of)
{
    char *const *argv = of;
    char self[64], number[16];
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
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
    shared->rss = still == 10 ? last : 0;
    snprintf(self, sizeof self, "/proc/%d/exe", (int)getppid());
    snprintf(number, sizeof number, "%d", (int)pid);
    pid_t loam = fork();
    if (loam == 0) {
        execl(self, "loam", "mem", number, "--json", (char *)NULL);
        _exit(127);
    }
    if (loam > 0)
        waitpid(loam, NULL, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// The first of that name is the process's; those of its mappings follow, and may be cut off.
static double anonymous_mb(const char *said)
{
    static const char key[] = "\"anonymous\": ";
    const char *at = strstr(said, key);
    return at == NULL ? 0 : strtod(at + sizeof key - 1, NULL) / 1e6;
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
    if (lab_child(l, look, with, 10, &end) != 0 || shared->rss == 0) {
        lab_cannot(l, NULL, "the program did not come to rest in time");
        return;
    }
    double asleep = anonymous_mb(end.said), list = by_loam(l, python);
    if (list == 0)
        return;
    lab_exact(l, "list_mb", list / 1e6, "MB");
    lab_exact(l, "resident_mb", (double)shared->rss / 1e6, "MB");
    if (asleep > 0)
        lab_exact(l, "by_loam_mem_mb", asleep, "MB");
    else
        lab_cannot(l, "by_loam_mem_mb", "loam mem could not look at it: %.80s", end.said);
    lab_note(l,
             "The list is one block of %.0f bytes: ten million pointers to the same 0, 8 bytes "
             "each. In the other megabyte that is 1,048,576 bytes: %.1f MiB.",
             list, list / (double)MiB);
}

static const struct claim claims[] = {
    {S4, "exercise 1", "[0] * 10000000", "about 80 MB", "list_mb", 75, 85, "MB"},
    {S4, "exercise 1", "resident while it sleeps", "about 80 MB", "resident_mb", 75, 95, "MB"},
    {S4, "exercise 1", "the same, by loam mem", "about 80 MB", "by_loam_mem_mb", 75, 95, "MB"},
};

LAB_EXPERIMENT(G17) = {
    .question = "How much memory does a Python list of ten million zeros take?",
    .prediction = "80 MB: ten million pointers of 8 bytes, all to one and the same 0.",
    .method = "The exercise's own line runs until it holds still; then the kernel tells what is "
              "resident of it, 'loam mem' looks at it while it sleeps, and it is ended, so that it "
              "need not sleep for a minute. The same list under 'loam run', which knows the block "
              "itself.",
    .look = "The block has 80,000,000 bytes, which is 76.3 MiB: texts that say MB and tools that "
            "divide by 1,048,576 do not contradict each other. The interpreter comes on top.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
