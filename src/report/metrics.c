// metrics.c: OpenMetrics text: totals of each process, and the largest places as labels.
//
// Places, not stacks: every distinct set of labels is a time series for ever in who scrapes it, so
// there are few of them, named by function, file and line.

#include "report/export.h"

#include "report/place.h"
#include "report/ram.h"
#include "report/stack.h"
#include "target/account.h"

#define PLACES_TOLD 20

struct family {
    const char *name, *unit, *help;
    bool counter;
    bool scanned; // told of processes that were looked through for leaks, else not known
    u64 (*of)(const struct process *p);
};

static u64 live_bytes(const struct process *p)
{
    return p->live.bytes;
}

static u64 live_blocks(const struct process *p)
{
    return p->live.blocks;
}

static u64 peak_bytes(const struct process *p)
{
    return p->peak_bytes;
}

static u64 allocs(const struct process *p)
{
    return p->allocs;
}

static u64 alloc_bytes(const struct process *p)
{
    return p->alloc_bytes;
}

static u64 frees(const struct process *p)
{
    return p->frees;
}

static u64 temporaries(const struct process *p)
{
    return p->churn.temporaries;
}

static u64 leaked(const struct process *p)
{
    return leaked_bytes(p->direct, p->indirect, p->cycle);
}

static const struct family families[] = {
    {"loam_live_bytes", "bytes", "Bytes asked for and not freed.", false, false, live_bytes},
    {"loam_live_blocks", NULL, "Blocks not freed.", false, false, live_blocks},
    {"loam_peak_bytes", "bytes", "Highest live bytes so far.", false, false, peak_bytes},
    {"loam_leaked_bytes", "bytes", "Bytes that nothing pointed to when last looked.", false, true,
     leaked},
    {"loam_allocations", NULL, "Calls that returned a block.", true, false, allocs},
    {"loam_allocated_bytes", "bytes", "Bytes allocated.", true, false, alloc_bytes},
    {"loam_frees", NULL, "Blocks freed.", true, false, frees},
    {"loam_temporaries", NULL, "Blocks freed by the thread's next heap call.", true, false,
     temporaries},
};

static void put_label(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%s=\"", name);
    for (; *text != 0; text++) {
        if (*text == '\\' || *text == '"')
            fputc('\\', out);
        fputs(*text == '\n' ? "\\n" : (char[]){*text, 0}, out);
    }
    fputc('"', out);
}

static void put_family(FILE *out, const char *name, const char *unit, const char *help,
                       bool counter)
{
    fprintf(out, "# TYPE %s %s\n", name, counter ? "counter" : "gauge");
    if (unit != NULL)
        fprintf(out, "# UNIT %s %s\n", name, unit);
    fprintf(out, "# HELP %s %s\n", name, help);
}

static void put_process(FILE *out, const struct process *p)
{
    fprintf(out, "{pid=\"%u\",", p->pid);
    put_label(out, "command", p->args);
    // The tree's index: two processes may have had one pid.
    fprintf(out, ",process=\"%u\"", p->index);
}

static void put_processes(FILE *out, const struct model *m, const struct family *f)
{
    put_family(out, f->name, f->unit, f->help, f->counter);
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        if (f->scanned && (p->flags & PROCESS_SCANNED) == 0)
            continue;
        fprintf(out, "%s%s", f->name, f->counter ? "_total" : "");
        put_process(out, p);
        fprintf(out, "} %llu\n", (unsigned long long)f->of(p));
    }
}

// What resident memory was for when the tool looked last: the parts add up to the RSS.
static void put_resident(FILE *out, const struct model *m)
{
    static const char name[] = "loam_resident_bytes";
    put_family(out, name, "bytes", "Resident bytes by what they are for, when last looked.", false);
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        for (u32 j = 0; j < ACCOUNT_PARTS && p->last.rss != 0; j++) {
            fputs(name, out);
            put_process(out, p);
            fprintf(out, ",part=\"%s\"} %llu\n", account_keys[j],
                    (unsigned long long)p->last.part[j]);
        }
    }
}

static void put_places(FILE *out, struct model *m, struct symbols *symbols)
{
    static const char name[] = "loam_place_live_bytes";
    struct places all = places_merge(m, PLACE_DEPTH);
    u32 count = places_sort(&all, BY_LIVE);
    put_family(out, name, "bytes", "Bytes not freed, by the places that hold most.", false);
    for (u32 i = 0; i < count && i < PLACES_TOLD; i++) {
        struct stack s = stack_cut(symbols, &m->store, all.items[i]->sample, STACK_FOLDED);
        u32 k = 0;
        while (k + 1 < s.lines_count && !s.lines[k].mine)
            k++;
        fprintf(out, "%s{", name);
        put_label(out, "function", s.lines_count > 0 ? s.lines[k].symbol->function : "(other)");
        fputc(',', out);
        put_label(out, "where", s.lines_count > 0 ? stack_where(&m->store, &s.lines[k]) : "");
        // Two stacks may lead to one line; their rank keeps them apart.
        fprintf(out, ",rank=\"%u\"} %llu\n", i + 1, (unsigned long long)all.items[i]->live.bytes);
    }
    places_done(&all);
}

int metrics_write(FILE *out, struct model *m, u32 gauge)
{
    (void)gauge;
    struct symbols *symbols = symbols_new(&m->store);
    for (size_t i = 0; i < countof(families); i++)
        put_processes(out, m, &families[i]);
    put_resident(out, m);
    put_places(out, m, symbols);
    fputs("# EOF\n", out);
    symbols_free(symbols);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
