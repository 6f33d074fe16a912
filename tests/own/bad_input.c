// What cannot be done has a defined result: every line here is one of docs/ownership.md's table.
//
// prints: sizes: 5 refused
// prints: alignments: 4 refused
// prints: handles from nowhere: nothing, not freed
// prints: region over its limit: refused, and goes on below it
// prints: no memory at request 1, 2, 3 ...: refused, nothing lost
// prints: task that overflows its stack: SIGABRT
// prints: channel closed twice: told, still closed
// prints: fork in a task: the child has none, and ends with status 0
// prints: empty file: 0 bytes; no file, folder, device: told
// prints: truncated under the reader: asked, it says so; touched, SIGBUS
#include <errno.h>
#include <loam/loam.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct thing {
    long a, b;
};
LOAM_POOL(things, struct thing)

// The results of a few calls, all of which must be refused with that error.
static int refused;
static void refuse(const void *result, int error)
{
    refused += result == NULL && errno == error;
    errno = 0;
}

static void sizes(void)
{
    loam_region r;
    loam_vec(struct thing) v = {0};
    volatile size_t most = SIZE_MAX; // compilers know that it is too large
    loam_region_init(&r, "sizes");
    refuse(loam_malloc(most), ENOMEM);
    refuse(loam_region_push(&r, most, 1), ENOMEM);
    refuse(loam_new_array(&r, struct thing, most / 2), EINVAL);
    refuse(loam_alloc_new(loam_alloc_heap(), loam_layout_array(loam_layout_of(int), most)), EINVAL);
    refuse(loam_vec_reserve(&v, most / 4) ? &v : NULL, ENOMEM);
    loam_region_done(&r);
    printf("sizes: %d refused\n", refused);
}

static void alignments(void)
{
    loam_region r;
    volatile size_t three = 3, none = 0;
    refused = 0;
    loam_region_init(&r, "alignments");
    refuse(loam_region_push(&r, 8, three), EINVAL);
    refuse(loam_region_push(&r, 8, none), EINVAL);
    refuse(loam_aligned_alloc(three, 8), EINVAL);
    refuse(loam_alloc_new(loam_alloc_heap(), loam_layout_make(8, three)), EINVAL);
    loam_region_done(&r);
    printf("alignments: %d refused\n", refused);
}

static void handles(void)
{
    things all = things_make(LOAM_HERE);
    things_handle h, wild = {{4000000000u, 77}}, none = {{0, 0}};
    if (things_new(&all, &h) == NULL)
        return;
    bool nothing = things_get(&all, wild) == NULL && things_get(&all, none) == NULL;
    bool freed = things_free(&all, wild) || things_free(&all, none);
    printf("handles from nowhere: %s, %s\n", nothing ? "nothing" : "something",
           freed ? "freed" : "not freed");
    things_done(&all);
}

static void limit(void)
{
    loam_region r;
    loam_region_init(&r, "limit");
    loam_region_set_limit(&r, 100000);
    bool over = loam_region_push(&r, 200000, 1) == NULL && errno == ENOMEM;
    bool below = loam_region_push(&r, 50000, 1) != NULL;
    printf("region over its limit: %s, and %s\n", over ? "refused" : "given",
           below ? "goes on below it" : "is stuck");
    loam_region_done(&r);
}

// A region, a vec and a pool out of an allocator whose n-th request fails, as do all later ones.
static bool try_with(size_t n)
{
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_track_fail_at(&t, n);
    loam_alloc a = loam_track_alloc(&t);
    loam_region r;
    loam_region_init_in(&r, a, "famine");
    things all = things_make_in(a, LOAM_HERE);
    loam_vec(int) v = {.alloc = a};
    bool ok = true;
    for (int i = 0; i < 2000 && ok; i++) {
        things_handle h;
        size_t len = v.len;
        ok = loam_new(&r, struct thing, .a = i) != NULL && things_new(&all, &h) != NULL;
        ok = ok && loam_vec_push(&v, i);
        if (!ok && v.len != len)
            abort();
    }
    loam_vec_done(&v);
    things_done(&all);
    loam_region_done(&r);
    loam_track_done(&t); // ends the program if anything is left
    return ok;
}

static void famine(void)
{
    size_t n = 1;
    while (!try_with(n))
        n++;
    printf("no memory at request 1, 2, 3 ...: %s\n",
           n > 20 ? "refused, nothing lost" : "hardly any requests");
}

// How a child that calls fn ends.
static int ends(void (*fn)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        fn();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

static int deep(volatile char *above, int n)
{
    volatile char room[1000];
    room[0] = above[0];
    return n == 0 ? room[0] : deep(room, n - 1) + room[0];
}
static void too_deep(void *arg)
{
    volatile char zero = 0;
    *(int *)arg = deep(&zero, 100000);
}
static void run_too_deep(void)
{
    int result;
    signal(SIGABRT, SIG_DFL);
    if (loam_task_run(NULL, too_deep, &result) != 0)
        _exit(1);
}

static void close_twice(void *arg)
{
    loam_chan *c = loam_chan_new(sizeof(int), 1);
    if (c == NULL)
        return;
    int one = 1;
    bool told = loam_chan_close(c) == 0 && loam_chan_close(c) == -EALREADY;
    *(bool *)arg = told && loam_chan_send(c, &one) == -EPIPE;
    loam_chan_free(c);
}

static void fork_inside(void *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (loam_task_yield() != -EPERM)
            _exit(9);
        return; // the child ends with its task
    }
    waitpid(pid, &status, 0);
    *(int *)arg = status;
}

static void tasks(void)
{
    bool closed = false;
    int status = ends(run_too_deep), forked = -1;
    printf("task that overflows its stack: %s\n",
           WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "SIGABRT" : "no word");
    if (loam_task_run(NULL, close_twice, &closed) != 0)
        return;
    printf("channel closed twice: %s\n", closed ? "told, still closed" : "not told");
    fflush(stdout);
    if (loam_task_run(NULL, fork_inside, &forked) != 0)
        return;
    printf("fork in a task: the child has none, and ends with status %d\n", forked);
}

static char path[] = "/tmp/loam-bad-input-XXXXXX";
static loam_file mapped;
static void touch(void)
{
    signal(SIGBUS, SIG_DFL);
    printf("%d", mapped.bytes.at[8000]);
}

static void files(void)
{
    loam_file f;
    int fd = mkstemp(path);
    if (fd < 0 || loam_file_map(path, &f) != 0)
        return;
    printf("empty file: %zu bytes; ", f.bytes.len);
    loam_file_done(&f);
    bool told = loam_file_map("/no/such/file", &f) == -ENOENT &&
                loam_file_map("/", &f) == -EISDIR && loam_file_map("/dev/null", &f) == -EINVAL;
    printf("no file, folder, device: %s\n", told ? "told" : "not told");
    if (ftruncate(fd, 10000) != 0 || loam_file_map(path, &mapped) != 0 || ftruncate(fd, 10) != 0)
        return;
    int status = ends(touch);
    printf("truncated under the reader: asked, it %s; touched, %s\n",
           loam_file_check(&mapped) == -ESTALE ? "says so" : "says nothing",
           WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS ? "SIGBUS" : "nothing");
    loam_file_done(&mapped);
    close(fd);
    unlink(path);
}

int main(void)
{
    sizes();
    alignments();
    handles();
    limit();
    famine();
    tasks();
    files();
    return 0;
}
