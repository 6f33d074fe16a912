// html_tree.c: who ran: processes and their threads.

#include "report/html_parts.h"

#include "report/words.h"

#include <sys/wait.h>

#define PROCESSES_MAX 500
#define THREADS_SHOWN 200

static json_t *ended(const struct process *p)
{
    char text[WORDS_SIZE];
    if ((p->flags & PROCESS_ENDED) == 0)
        return json_null();
    return json_string(words_status(text, p->exit_code << 8));
}

static bool is_parent(const struct process *q, const struct process *p, u32 sign)
{
    switch (sign) {
    case 0:
        return q->pid == p->pid; // it became this one by exec
    case 1:
        return p->parent != 0 && q->index == p->parent;
    default:
        return q->pid == p->ppid;
    }
}

// An earlier process, so that no hostile recording makes a circle of them. The surest sign first.
static int parent_of(const struct model *m, u32 child)
{
    for (u32 sign = 0; sign < 3; sign++) {
        for (u32 i = child; i-- > 0;) {
            if (is_parent(&m->processes[i], &m->processes[child], sign))
                return (int)i;
        }
    }
    return -1;
}

static json_t *process(const struct model *m, u32 i)
{
    const struct process *p = &m->processes[i];
    bool scanned = (p->flags & PROCESS_SCANNED) != 0;
    json_t *o = json_pack("{s:i, s:i, s:i, s:s, s:s, s:o, s:b}", "pid", (int)p->pid, "ppid",
                          (int)p->ppid, "parent", parent_of(m, i), "command", p->args, "exe",
                          p->exe, "ended", ended(p), "execed", p->flags & PROCESS_EXECED);
    json_object_set_new(o, "allocs", html_number(p->allocs));
    json_object_set_new(o, "alloc_bytes", html_number(p->alloc_bytes));
    json_object_set_new(o, "frees", html_number(p->frees));
    json_object_set_new(o, "live", html_amount(p->live));
    json_object_set_new(o, "peak_bytes", html_number(p->peak_bytes));
    json_object_set_new(o, "peak_ns", html_number(p->peak_ns));
    json_object_set_new(o, "leaked",
                        scanned ? html_number(leaked_bytes(p->direct, p->indirect, p->cycle))
                                : json_null());
    return o;
}

static json_t *processes(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->processes_count && i < PROCESSES_MAX; i++)
        json_array_append_new(list, process(m, i));
    return list;
}

static json_t *thread(const struct model *m, const struct thread *th)
{
    json_t *o = json_pack("{s:i, s:i, s:s, s:b}", "process", (int)(th->process - m->processes),
                          "tid", (int)th->tid, "name", th->name, "ended", th->ended);
    json_object_set_new(o, "started_ns", html_number(th->started_ns));
    json_object_set_new(o, "allocs", html_number(th->allocs));
    json_object_set_new(o, "alloc_bytes", html_number(th->alloc_bytes));
    json_object_set_new(o, "frees", html_number(th->frees));
    json_object_set_new(o, "temporaries", html_number(th->temporaries));
    return o;
}

void html_tree_put(json_t *page, const struct model *m)
{
    json_object_set_new(page, "processes", processes(m));
    json_object_set_new(page, "processes_count", html_number(m->processes_count));
    json_t *threads = json_array();
    for (u32 i = 0; i < m->threads_count && i < THREADS_SHOWN; i++)
        json_array_append_new(threads, thread(m, &m->threads[i]));
    json_object_set_new(page, "threads", threads);
}
