// record.c: a preloaded library that writes down every call of malloc and its kin.
//
//     BENCH_TRACE=/tmp/t LD_PRELOAD=record.so prog      one file a process: /tmp/t.PID.N
//
// Calls go on to glibc's own malloc by its internal names. Events are written through a shared
// mapping of a sparse file, so that a program that ends by _exit or a signal loses none. A lock
// keeps their order true: a free is written before it is done, an allocation after it, a realloc
// around it; so no address is ever handed out in the file while it is still taken there.

#include "traces/trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static struct {
    pthread_mutex_t lock;
    struct raw_file *file;         // NULL: nothing is recorded
    size_t (*usable_size)(void *); // libc's own: it has no internal name
} the = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void stop_in_child(void)
{
    the.file = NULL; // it would write into its parent's file
}

// RTLD_NEXT would find the one of another allocator that the program is linked to.
static void find_usable_size(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOLOAD | RTLD_LAZY);
    if (libc != NULL)
        the.usable_size = (size_t(*)(void *))dlsym(libc, "malloc_usable_size");
}

__attribute__((constructor)) static void begin(void)
{
    char path[4096];
    const char *prefix = getenv("BENCH_TRACE");
    int fd = -1;
    if (prefix == NULL)
        return;
    for (int i = 0; fd < 0 && i < 100; i++) {
        snprintf(path, sizeof path, "%s.%d.%d", prefix, (int)getpid(), i);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd < 0 || ftruncate(fd, RAW_FILE_SIZE) != 0)
        return;
    void *map =
        mmap(NULL, RAW_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return;
    pthread_atfork(NULL, NULL, stop_in_child);
    find_usable_size();
    the.file = map;
}

// Under the lock.
static void write_event(struct raw_event event)
{
    struct raw_file *f = the.file;
    if (f != NULL && f->count < RAW_EVENTS_MAX)
        f->event[f->count++] = event;
}

static void *got(enum trace_kind kind, void *p, size_t size, size_t align)
{
    if (p == NULL || the.file == NULL)
        return p;
    pthread_mutex_lock(&the.lock);
    write_event((struct raw_event){.kind = kind,
                                   .align = (uint8_t)__builtin_ctzl(align | 1ul << 63),
                                   .address = (uintptr_t)p,
                                   .size = size});
    pthread_mutex_unlock(&the.lock);
    return p;
}

// ---------------------------------------------------------------- the libc names

void *malloc(size_t size)
{
    return got(TRACE_ALLOC, __libc_malloc(size), size, 1);
}

void *calloc(size_t n, size_t size)
{
    return got(TRACE_ZEROED, __libc_calloc(n, size), n * size, 1);
}

void free(void *p)
{
    if (p != NULL && the.file != NULL) {
        pthread_mutex_lock(&the.lock);
        write_event((struct raw_event){.kind = TRACE_FREE, .address = (uintptr_t)p});
        pthread_mutex_unlock(&the.lock);
    }
    __libc_free(p);
}

void *realloc(void *p, size_t size)
{
    if (p == NULL)
        return malloc(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    if (the.file == NULL)
        return __libc_realloc(p, size);
    pthread_mutex_lock(&the.lock);
    void *q = __libc_realloc(p, size);
    if (q != NULL)
        write_event((struct raw_event){
            .kind = TRACE_REALLOC, .address = (uintptr_t)q, .old = (uintptr_t)p, .size = size});
    pthread_mutex_unlock(&the.lock);
    return q;
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

void *memalign(size_t align, size_t size)
{
    return got(TRACE_ALIGNED, __libc_memalign(align, size), size, align);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    void *p = memalign(align, size);
    if (p == NULL)
        return ENOMEM;
    *ret = p;
    return 0;
}

size_t malloc_usable_size(void *p)
{
    if (the.usable_size == NULL)
        find_usable_size();
    return p == NULL ? 0 : the.usable_size(p);
}
