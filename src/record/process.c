// process.c: this process's own record: who it is, and its end.
#include "record/process.h"

#include "heap/heap.h"
#include "os/os.h"
#include "os/share.h"
#include "record/tags.h"
#include "record/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EXE_MAX      1024
#define ARGS_MAX     2048
#define TOOL_DEAD_NS 2000000000u // `beat` moves at least every 0.1 s
#define WAIT_MS      100

static struct {
    u32 pid, ppid, parent;
    u32 flags; // enum process_flags
    u16 exe_len, args_len;
    char exe[EXE_MAX + 1];
    char args[ARGS_MAX];
} the;

static void read_exe(void)
{
    int saved = errno;
    ssize_t n = readlink("/proc/self/exe", the.exe, EXE_MAX);
    the.exe_len = n > 0 ? (u16)n : 0;
    errno = saved;
}

static void read_args(const struct record_program *program)
{
    size_t at = 0;
    for (int i = 0; i < program->argc && program->argv[i] != NULL; i++) {
        size_t len = strlen(program->argv[i]) + (i > 0);
        if (len > ARGS_MAX - at)
            break;
        if (i > 0)
            the.args[at++] = 0;
        memcpy(the.args + at, program->argv[i], len - (i > 0));
        at += len - (i > 0);
    }
    the.args_len = (u16)at;
}

static bool is_python(const struct record_program *program)
{
    const char *name = the.exe;
    for (const char *c = the.exe; *c != 0; c++)
        if (*c == '/')
            name = c + 1;
    if (strncmp(name, "python", 6) != 0)
        return false;
    for (char **e = program->envp; *e != NULL; e++)
        if (strcmp(*e, "PYTHONMALLOC=malloc") == 0)
            return true;
    return false;
}

void process_init(const struct record_program *program)
{
    the.pid = (u32)getpid();
    the.ppid = (u32)getppid();
    read_exe();
    read_args(program);
    the.flags = is_python(program) ? PROCESS_PYTHON : 0;
}

void process_forked(u32 parent)
{
    the.ppid = the.pid;
    the.pid = os_thread_id(); // a fresh child has one thread
    the.parent = parent;
    the.flags |= PROCESS_FORKED;
}

const char *process_exe(void)
{
    return the.exe;
}

struct record_process *process_write(u32 first_site)
{
    struct record_process *p;
    size_t bytes = round_up(sizeof *p + the.exe_len + the.args_len, 8);
    p = writer_reserve(RECORD_PROCESS, bytes);
    if (p == NULL)
        return NULL;
    p->index = writer_process();
    p->pid = the.pid;
    p->ppid = the.ppid;
    p->parent = the.parent;
    atomic_store_explicit(&p->flags, the.flags, memory_order_relaxed);
    p->started_ns = os_realtime_ns();
    p->root = (u64)(uintptr_t)&loam_heap_root;
    p->tags = tags_base();
    p->first_site = first_site;
    p->exe_len = the.exe_len;
    p->args_len = the.args_len;
    memcpy(p->text, the.exe, the.exe_len);
    memcpy(p->text + the.exe_len, the.args, the.args_len);
    writer_commit(p, bytes);
    return p;
}

bool process_is_me(void)
{
    return os_is_thread(os_thread_id());
}

// Give up a request that nobody answers. The tool may answer this very moment: then its word stays.
static void give_up(struct record_process *p)
{
    u32 asked = REQUEST_SCAN;
    if (atomic_compare_exchange_strong(&p->request, &asked, REQUEST_REFUSED))
        atomic_store(&p->scan_error, SCAN_NO_TOOL);
}

static void wait_for_answer(struct recording *map, struct record_process *p)
{
    u32 beat = atomic_load(&map->beat);
    u64 moved_ns = os_monotonic_ns();
    while (atomic_load(&p->request) == REQUEST_SCAN) {
        os_wait(&p->request, REQUEST_SCAN, WAIT_MS);
        u64 now_ns = os_monotonic_ns();
        if (atomic_load(&map->beat) != beat) {
            beat = atomic_load(&map->beat);
            moved_ns = now_ns;
        } else if (atomic_load(&map->closed) != 0 || now_ns - moved_ns > TOOL_DEAD_NS) {
            give_up(p);
        }
    }
}

// Threads that come here later wait too: the first to leave would take the memory with it.
void process_ask_scan(struct recording *map, struct record_process *p,
                      const struct unwind_start *from)
{
    u64 unknown = 0;
    if (from != NULL && __atomic_compare_exchange_n(&p->exit_sp, &unknown, from->rsp, false,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        const u64 kept[] = {from->rbx, from->rbp, from->r12, from->r13, from->r14, from->r15};
        memcpy(p->exit_kept, kept, sizeof p->exit_kept);
    }
    u32 none = REQUEST_NONE;
    if (atomic_compare_exchange_strong(&p->request, &none, REQUEST_SCAN)) {
        atomic_fetch_add(&map->bell, 1);
        os_wake(&map->bell);
    }
    wait_for_answer(map, p);
}
