// notes.c: each note is one condition and one sentence, in the order of weight.

#include "report/notes.h"

#include "report/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct noter {
    struct model *m;
    struct notes notes;
};

__attribute__((format(printf, 3, 4))) static void add(struct noter *n, const char *code,
                                                      const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n->notes.count < NOTES_MAX)
        n->notes.items[n->notes.count++] =
            (struct note){code, store_text(&n->m->store, text, sizeof text)};
}

static u32 count_flag(const struct model *m, u32 flag)
{
    u32 n = 0;
    for (u32 i = 0; i < m->processes_count; i++)
        n += (m->processes[i].flags & flag) != 0;
    return n;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == 0 ? path : slash + 1;
}

static const char *const scan_reasons[] = {
    [SCAN_OK] = "",
    [SCAN_NO_TOOL] = "loam was gone or too busy to answer",
    [SCAN_NO_PERMISSION] = "the kernel did not let loam look into the process",
    [SCAN_VANISHED] = "the process ended while loam looked at it",
    [SCAN_NO_MEMORY] = "there was no memory for the copy that is scanned",
    [SCAN_UNREADABLE] = "its heap could not be read",
};

static const char *scan_reason(u32 error)
{
    return error < countof(scan_reasons) && error != SCAN_OK ? scan_reasons[error] : "unknown";
}

const char *notes_no_scan(struct model *m, const struct totals *t)
{
    if (!m->leaks || t->scanned > 0 || m->processes_count == 0)
        return NULL;
    char text[256];
    const struct process *p = model_program(m);
    int status = (int)m->end_status;
    if ((p->flags & PROCESS_BYPASSED) != 0)
        snprintf(text, sizeof text,
                 "The program brings its own allocator, which loam cannot scan.");
    else if (p->scan_error != SCAN_OK)
        snprintf(text, sizeof text, "The leak scan did not run: %s.", scan_reason(p->scan_error));
    else if (m->ended_ns != 0 && WIFSIGNALED(status))
        snprintf(text, sizeof text, "The program died by %s, so the leak scan did not run.",
                 words_signal(WTERMSIG(status)));
    else if (m->ended_ns == 0)
        snprintf(text, sizeof text,
                 "The program has not ended in this recording, so the leak "
                 "scan did not run.");
    else
        snprintf(text, sizeof text,
                 "The program ended by _exit, or became another program, which loam did not get "
                 "into: the leak scan did not run."); // a static one, or without the environment
    return store_text(&m->store, text, sizeof text);
}

static void note_blind(struct noter *n, const struct totals *t)
{
    const struct model *m = n->m;
    if (m->processes_count == 0) {
        if (!m->cut && m->damaged == 0) // else note_file says why
            add(n, "nothing-recorded", "%s",
                m->ended_ns == 0 ? "Nothing is in the recording: it is kept once a second, and "
                                   "loam was stopped before, or the disk was full."
                                 : "Nothing was recorded: the program never loaded libloam, or "
                                   "cleared its environment.");
        return;
    }
    for (u32 i = 0, told = 0; i < m->processes_count && told < 3; i++) {
        const struct process *p = &m->processes[i];
        if ((p->flags & PROCESS_BYPASSED) == 0)
            continue;
        told++;
        add(n, "own-allocator", "%s brings its own allocator: loam saw none of its memory.",
            base_name(p->exe));
    }
    if (t->allocs == 0 && t->sampled > 0)
        add(n, "nothing-sampled",
            "No block was looked at: sampling was off, or little was allocated. 'loam sample PID "
            "on' switches it on while the program runs.");
    else if (t->allocs == 0 && count_flag(m, PROCESS_BYPASSED) == 0)
        add(n, "no-allocations",
            "No allocation was seen: %s allocates nothing, or brings its own allocator.",
            base_name(m->processes[0].exe));
}

// The error of a sum over n samples is at most 1/sqrt(n) of it; large blocks are nearly exact.
static void note_sampled(struct noter *n, const struct totals *t)
{
    u64 samples = 0, bytes = 0;
    for (u32 i = 0; i < n->m->sites_count; i++)
        samples += n->m->sites[i].samples;
    for (u32 i = 0; i < n->m->processes_count; i++)
        bytes = n->m->processes[i].sample_bytes > bytes ? n->m->processes[i].sample_bytes : bytes;
    if (t->sampled == 0 || samples == 0) // the latter: note_blind
        return;
    char distance[WORDS_SIZE], count[WORDS_SIZE];
    add(n, "sampled",
        "These are estimates: one block in %s was looked at, %s in all. A place that was met 100 "
        "times is right to 10 %%, one that was met 10,000 times to 1 %%.",
        words_size(distance, bytes), words_count(count, samples));
}

// PROCESS_MERGED
static void note_merged(struct noter *n)
{
    u64 merged = 0;
    for (u32 i = 0; i < n->m->processes_count; i++)
        merged += n->m->processes[i].merged;
    if (merged > 0)
        add(n, "merged",
            "There were more stacks than a recording has room for: some %llu that asked for least "
            "are counted together, without a place.",
            (unsigned long long)merged);
}

static void note_scans(struct noter *n, const struct totals *t)
{
    const struct model *m = n->m;
    u32 refused = 0, unfinished = 0, reason = SCAN_OK;
    for (u32 i = 0; i < m->processes_count && m->leaks; i++) {
        const struct process *p = &m->processes[i];
        if ((p->flags & (PROCESS_SCANNED | PROCESS_BYPASSED | PROCESS_EXECED)) != 0)
            continue;
        bool was_refused = p->scan_error != SCAN_OK;
        refused += was_refused;
        unfinished += !was_refused;
        reason = was_refused ? p->scan_error : reason;
    }
    if (t->scanned > 0 && refused > 0)
        add(n, "scan-refused", "%u of %u processes could not be scanned for leaks: %s.", refused,
            m->processes_count, scan_reason(reason));
    if (t->scanned > 0 && unfinished > 0)
        add(n, "not-scanned",
            "%u of %u processes died by a signal or still ran, so they were not scanned for leaks.",
            unfinished, m->processes_count);
}

static void note_file(struct noter *n)
{
    const struct model *m = n->m;
    if (m->cut)
        add(n, "cut", "The recording's file is cut off: its later part is missing here.");
    if (m->damaged > 0)
        add(n, "damaged", "Damaged parts of the recording were left out: %u.", m->damaged);
    if (m->ended_ns == 0)
        add(n, "unfinished",
            "The recording ends before the program did: loam was stopped, or still runs.");
    if (m->full || count_flag(m, PROCESS_FULL) > 0)
        add(n, "full",
            "The recording was full: some processes are missing, or stacks are counted together, "
            "without a place.");
    if (m->archived > 0)
        add(n, "archived",
            "To make room, the small places of %u processes that had ended are counted together, "
            "without a place; all that leaked is there.",
            m->archived);
}

// Modules whose file is there but does not name the functions that were shown.
static void note_stripped(struct noter *n)
{
    char names[200] = "";
    u32 told = 0, more = 0;
    for (u32 i = 0; i < n->m->modules_count; i++) {
        const struct module *mod = n->m->modules[i];
        enum symbol_state state = symbols_state(mod);
        bool stripped = state == SYMBOLS_NAMES || state == SYMBOLS_NONE;
        if (!stripped || symbols_nameless(mod) == 0)
            continue;
        size_t at = strlen(names);
        if (told == 4 || strlen(mod->name) > 40)
            more++;
        else
            snprintf(names + at, sizeof names - at, "%s%s", told++ == 0 ? "" : ", ", mod->name);
    }
    if (told > 0)
        add(n, "stripped",
            "Functions without a name are in %s%s, which %s stripped. For system programs, Debian "
            "keeps the names in -dbgsym packages.",
            names, more > 0 ? " and others" : "", told + more == 1 ? "is" : "are");
}

static void note_modules(struct noter *n)
{
    for (u32 i = 0; i < n->m->modules_count; i++) {
        const struct module *mod = n->m->modules[i];
        if (symbols_state(mod) == SYMBOLS_CHANGED)
            add(n, "file-changed", "%s has changed since the recording: its frames stay addresses.",
                mod->path);
        else if (symbols_state(mod) == SYMBOLS_GONE && mod->path[0] == '/')
            add(n, "file-gone", "%s is not there any more: its frames stay addresses.", mod->path);
    }
}

struct notes notes_of(struct model *m, const struct totals *t)
{
    struct noter n = {.m = m};
    note_blind(&n, t);
    note_scans(&n, t);
    note_sampled(&n, t);
    note_merged(&n);
    note_file(&n);
    if (count_flag(m, PROCESS_PYTHON) > 0)
        add(&n, "python-malloc",
            "PYTHONMALLOC=malloc was set, so that Python's own pools do not hide its objects.");
    note_modules(&n);
    note_stripped(&n);
    return n.notes;
}
