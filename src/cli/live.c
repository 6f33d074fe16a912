#include "cli/live.h"

#include "cli/attach.h"
#include "cli/view.h"
#include "report/load.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_number(const char *text)
{
    return *text != 0 && text[strspn(text, "0123456789")] == 0;
}

int live_find(const struct command *c, const char *operand, struct live *ret)
{
    char why[256];
    *ret = (struct live){0};
    if (operand == NULL) {
        if (view_last_path(ret->path, sizeof ret->path))
            return 0;
        say(c, "which process or recording? 'loam ps' lists processes.");
        return EXIT_USAGE;
    }
    if (!is_number(operand) || access(operand, R_OK) == 0) {
        snprintf(ret->path, sizeof ret->path, "%s", operand);
        return 0;
    }
    ret->pid = (pid_t)strtol(operand, NULL, 10);
    if (attach_path(ret->pid, ret->path, sizeof ret->path, why, sizeof why) == 0)
        return 0;
    say(c, "%s", why);
    return EXIT_BAD_FILE;
}

int live_load(const struct live *l, struct model *ret, char *why, size_t why_size)
{
    if (load_file(l->path, ret, why, why_size) == 0)
        return 0;
    if (l->pid != 0 && access(l->path, F_OK) != 0)
        snprintf(why, why_size, "the 'loam run' of process %d has ended; see 'loam report'.",
                 l->pid);
    return -1;
}

const struct process *live_process(const struct live *l, const struct model *m)
{
    if (l->pid == 0)
        return model_program(m);
    const struct process *found = NULL;
    for (u32 i = 0; i < m->processes_count; i++)
        if (m->processes[i].pid == (u32)l->pid) // the last one: exec begins a new record
            found = &m->processes[i];
    return found;
}

bool live_ended(const struct live *l)
{
    return l->pid == 0 || (kill(l->pid, 0) != 0 && errno == ESRCH);
}
