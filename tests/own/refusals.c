// What tasks, channels, files and collected heaps refuse, each with what their headers say.
// prints: tasks: outside of a run: EPERM EPERM EPERM EPERM EPERM EPERM
// prints: tasks: a run: EINVAL EBUSY ENOMEM
// prints: tasks: join: ESRCH ESRCH ESRCH EDEADLK EINVAL EINVAL
// prints: tasks: cancelled: ECANCELED ECANCELED ECANCELED ECANCELED ECANCELED ECANCELED
// prints: tasks: all wait for each other: EDEADLK EDEADLK
// prints: channels: outside of a run: EPERM EPERM
// prints: channels: of another run: EPERM EPERM EPERM EPERM
// prints: channels: closed: EALREADY EPIPE EPIPE
// prints: channels: too large: ENOMEM ENOMEM
// prints: channels: select: EINVAL EINVAL ETIMEDOUT ETIMEDOUT
// prints: files: ENOENT EISDIR EINVAL ENOENT EISDIR ENOMEM
// prints: heaps: new: EINVAL
// prints: heaps: objects: ENOMEM ENOMEM EINVAL EINVAL EINVAL
// prints: heaps: types: EINVAL EINVAL EINVAL
// prints: heaps: roots: EINVAL EINVAL ENOENT EINVAL ENOENT
// prints: heaps: weak references and finalizers: EINVAL EINVAL EINVAL EINVAL
// prints: heaps: held: EBUSY
// prints: once: EIO EIO, then none
#include <errno.h>
#include <loam/loam.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *separator = "";
static void begin(const char *what)
{
    printf("%s", what);
    separator = " ";
}
static void end(void)
{
    printf("\n");
}
// The name of a negative error.
static void refused(int e)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {EPERM, "EPERM"},         {EINVAL, "EINVAL"},     {EBUSY, "EBUSY"},
        {ENOMEM, "ENOMEM"},       {ESRCH, "ESRCH"},       {EDEADLK, "EDEADLK"},
        {ECANCELED, "ECANCELED"}, {EALREADY, "EALREADY"}, {EPIPE, "EPIPE"},
        {ETIMEDOUT, "ETIMEDOUT"}, {ENOENT, "ENOENT"},     {EISDIR, "EISDIR"},
    };
    const char *name = "not refused";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == -e)
            name = names[i].name;
    printf("%s%s", separator, name);
}
static void null(const void *p)
{
    refused(p == NULL ? -errno : 0);
}

static void nothing(void *arg)
{
    (void)arg;
}

// ---------------------------------------------------------------- tasks

static int joined;
static void joins(void *t)
{
    joined = loam_task_join(*(loam_task *)t);
}

static void lingers(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        loam_task_yield();
}

static void joining(void)
{
    loam_task ended = {0, 0}, waits = {0, 0}, none = {0, 0}, never = {60000, 1};
    loam_task self = loam_task_self();
    int e = loam_go("ended", nothing, NULL, &ended) | loam_task_join(ended);
    begin("tasks: join:");
    refused(e == 0 ? loam_task_join(ended) : e);
    refused(loam_task_join(none));
    refused(loam_task_join(never));
    refused(loam_task_join(self));
    if (loam_go("joins", joins, &self, &waits) == 0) // the first task, which nobody may join
        loam_task_join(waits);
    refused(joined);
    if (loam_go("lingers", lingers, NULL, &ended) == 0 &&
        loam_go("joins", joins, &ended, &waits) == 0 && loam_task_yield() == 0)
        refused(loam_task_join(ended)); // `waits` does already
    loam_task_join(waits);
    end();
}

static void cancelled(void *chan)
{
    loam_chan *c = chan;
    loam_case one = {.kind = LOAM_RECV, .chan = c};
    loam_task_cancel(loam_task_self());
    refused(loam_task_yield());
    refused(loam_task_sleep(1));
    refused(loam_chan_send(c, NULL));
    refused(loam_chan_recv(c, NULL));
    refused(loam_select(&one, 1, LOAM_FOREVER));
    refused(loam_task_block(nothing, NULL));
}

static void receives(void *chan)
{
    refused(loam_chan_recv(chan, NULL));
}

static void task_first(void *unused)
{
    (void)unused;
    refused(loam_task_run(NULL, nothing, NULL));
    int e = 0;
    for (int i = 0; i < 8 && e == 0; i++)
        e = loam_go("too many", nothing, NULL, NULL);
    refused(e);
    end();
    while (loam_task_yield() != 0) {
    }
    joining();
    loam_chan *c = loam_chan_new(0, 0);
    loam_task t = {0, 0};
    begin("tasks: cancelled:");
    if (loam_go("cancelled", cancelled, c, &t) == 0)
        loam_task_join(t);
    end();
    begin("tasks: all wait for each other:");
    if (loam_go("receives", receives, c, &t) == 0)
        refused(loam_chan_recv(c, NULL));
    loam_task_join(t);
    end();
    loam_chan_free(c);
}

static void tasks(void)
{
    begin("tasks: outside of a run:");
    refused(loam_go("none", nothing, NULL, NULL));
    refused(loam_task_yield());
    refused(loam_task_sleep(1));
    refused(loam_task_join((loam_task){0, 0}));
    refused(loam_task_cancel((loam_task){0, 0}));
    refused(loam_task_block(nothing, NULL));
    end();
    begin("tasks: a run:");
    refused(loam_task_run(&(loam_task_options){.workers = 65}, nothing, NULL));
    if (loam_task_run(&(loam_task_options){.tasks = 6}, task_first, NULL) != 0)
        printf("the run was refused\n");
}

// ---------------------------------------------------------------- channels

static void *foreign_run(void *chan);

static void foreign(void *chan)
{
    loam_chan *c = chan;
    loam_case one = {.kind = LOAM_SEND, .chan = c};
    begin("channels: of another run:");
    refused(loam_chan_send(c, NULL));
    refused(loam_chan_recv(c, NULL));
    refused(loam_chan_close(c));
    refused(loam_select(&one, 1, 0));
    end();
}

static void other_thread(void *chan)
{
    pthread_t t;
    if (pthread_create(&t, NULL, foreign_run, chan) == 0)
        pthread_join(t, NULL);
}

static void *foreign_run(void *chan)
{
    if (loam_task_run(NULL, foreign, chan) != 0)
        printf("the run was refused\n");
    return NULL;
}

static void channel_first(void *unused)
{
    (void)unused;
    loam_chan *c = loam_chan_new(4, 1);
    int n = 1;
    other_thread(c);
    begin("channels: closed:");
    loam_chan_close(c);
    refused(loam_chan_close(c));
    refused(loam_chan_send(c, &n));
    refused(loam_chan_recv(c, &n));
    end();
    begin("channels: too large:");
    null(loam_chan_new(SIZE_MAX / 2, 3));
    null(loam_chan_new(1, SIZE_MAX - 8));
    end();
    loam_case many[LOAM_CASES_MAX + 1];
    memset(many, 0, sizeof many);
    loam_case never = {.kind = LOAM_RECV, .chan = NULL};
    begin("channels: select:");
    refused(loam_select(many, LOAM_CASES_MAX + 1, 0));
    many[0].kind = (loam_case_kind)7;
    refused(loam_select(many, 1, 0));
    refused(loam_select(&never, 1, 0));
    refused(loam_select(NULL, 0, 1));
    end();
    loam_chan_free(c);
}

static void channels(void)
{
    begin("channels: outside of a run:");
    null(loam_chan_new(4, 1));
    refused(loam_select(NULL, 0, 0));
    end();
    if (loam_task_run(NULL, channel_first, NULL) != 0)
        printf("the run was refused\n");
}

// ---------------------------------------------------------------- the others

static void files(void)
{
    loam_file f;
    loam_track poor;
    loam_track_init(&poor, loam_alloc_heap());
    loam_track_fail_at(&poor, 1);
    begin("files:");
    refused(loam_file_map("/no/such/file", &f));
    refused(loam_file_map("/", &f));
    refused(loam_file_map("/dev/null", &f));
    refused(loam_file_read("/no/such/file", loam_alloc_heap(), &f));
    refused(loam_file_read("/", loam_alloc_heap(), &f));
    refused(loam_file_read("/proc/self/comm", loam_track_alloc(&poor), &f));
    end();
    loam_track_done(&poor);
}

static void finalizer(void *p, void *arg)
{
    (void)p;
    (void)arg;
}

static void heap_objects(loam_gc *gc)
{
    static const volatile size_t vast = SIZE_MAX;
    static const size_t odd = 4;
    loam_gc_type none = {0}, wild = {1000}, type;
    begin("heaps: objects:");
    null(loam_gc_alloc(gc, vast));
    null(loam_gc_alloc_leaf(gc, vast));
    null(loam_gc_alloc_layout(gc, loam_layout_make(8, 3)));
    null(loam_gc_alloc_typed(gc, none, 1));
    null(loam_gc_alloc_typed(gc, wild, 1));
    end();
    begin("heaps: types:");
    refused(loam_gc_type_add(gc, 12, NULL, 0, &type));
    refused(loam_gc_type_add(gc, 520, NULL, 0, &type));
    refused(loam_gc_type_add(gc, 16, &odd, 1, &type));
    end();
}

static void heaps(void)
{
    loam_gc_options much = {.growth = 10001};
    begin("heaps: new:");
    null(loam_gc_new("much", &much));
    end();
    loam_gc *gc = loam_gc_new("refuses", NULL);
    char *p = loam_gc_alloc(gc, 100);
    loam_gc_weak weak;
    heap_objects(gc);
    begin("heaps: roots:");
    refused(loam_gc_root_add(gc, NULL, 8));
    refused(loam_gc_root_add(gc, &gc, SIZE_MAX));
    refused(loam_gc_root_remove(gc, &gc));
    refused(loam_gc_root_region(gc, NULL));
    refused(loam_gc_root_region_remove(gc, NULL));
    end();
    begin("heaps: weak references and finalizers:");
    refused(loam_gc_weak_add(gc, &gc, &weak));
    refused(loam_gc_finalizer_add(gc, &gc, finalizer, NULL));
    refused(loam_gc_finalizer_add(gc, p + 1, finalizer, NULL));
    refused(loam_gc_finalizer_add(gc, p, NULL, NULL));
    end();
    begin("heaps: held:");
    loam_gc_hold(gc);
    refused(loam_gc_collect(gc));
    loam_gc_let(gc);
    end();
    loam_gc_free(gc);
}

static int fails_twice(void *count)
{
    return ++*(int *)count <= 2 ? -EIO : 0;
}

static void once(void)
{
    loam_once o = {0, 0};
    int count = 0, e[4];
    for (int i = 0; i < 4; i++)
        e[i] = loam_once_run(&o, fails_twice, &count);
    printf("once: %s %s, %s\n", e[0] == -EIO ? "EIO" : "?", e[1] == -EIO ? "EIO" : "?",
           e[2] == 0 && e[3] == 0 && count == 3 ? "then none" : "and more");
}

int main(void)
{
    tasks();
    channels();
    files();
    heaps();
    once();
    return 0;
}
