// cmd_mem.c: `loam mem`: what a process takes.

#include "cli/opt.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "inspect/mem.h"

#include <errno.h>
#include <string.h>

struct mem_options {
    bool all, tree, json;
    u32 watch;
};

static const struct option options[] = {
    {"all", 'a', NULL, OPT_FLAG, offsetof(struct mem_options, all), "every mapping, by address"},
    {"tree", 't', NULL, OPT_FLAG, offsetof(struct mem_options, tree),
     "the process and all its descendants, one a line"},
    {"watch", 'w', "SECONDS", OPT_COUNT, offsetof(struct mem_options, watch),
     "again every so many seconds, with what changed"},
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct mem_options, json),
     "everything as JSON, for machines"},
};

static int show_tree(const struct command *c, const struct mem_options *o, pid_t pid)
{
    struct family f;
    int e = family_load(&f, pid);
    if (e < 0)
        return subject_refused(c, pid, e);
    struct ink k = ink_on(stdout);
    int r = o->json ? output_json(mem_tree_json(&f)) : mem_tree_text(&k, &f);
    family_done(&f);
    return r;
}

static int show(const struct mem_options *o, struct mem *m, const struct mem_sums *before)
{
    if (o->json)
        return output_json(mem_json(m, before));
    struct ink k = ink_on(stdout);
    mem_text(&k, m, before, o->all);
    return 0;
}

// Until the process or the reader is gone; the end of a process that was watched is no error.
static int show_one(const struct command *c, const struct mem_options *o, pid_t pid)
{
    struct mem m;
    struct mem_sums before;
    int r = 0;
    for (bool first = true;; first = false) {
        int e = mem_load(&m, pid);
        if (e < 0)
            return first ? subject_refused(c, pid, e) : 0;
        if (o->watch != 0 && !o->json)
            subject_clear(stdout);
        r = show(o, &m, first ? NULL : &before);
        before = m.sums;
        mem_done(&m);
        if (o->watch == 0 || r != 0 || !subject_wait(pid, o->watch))
            return r;
    }
}

static int mem(const struct command *c, int argc, char **argv)
{
    struct mem_options o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    pid_t pid = subject_pid(c, n, argv + argc - n);
    if (pid < 0)
        return EXIT_USAGE;
    return o.tree ? show_tree(c, &o, pid) : show_one(c, &o, pid);
}

const struct command command_mem = {
    .name = "mem",
    .group = "inspect",
    .summary = "what a process takes: RSS, PSS, USS, swap, page faults",
    .synopsis = "[options] PID",
    .examples = {{"loam mem 1234", "one process, its mappings by name"},
                 {"loam mem --tree 1234", "a process and all that descend from it"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process, or 'self'. Any program, on loam's heap or not.\n\n"
        "RSS is what of it is in RAM, with shared pages counted whole. PSS divides a shared page\n"
        "by the number of processes that map it, so PSS can be added up over processes. USS is\n"
        "what the process has for itself alone: what would be free if it ended.\n\n"
        "For a program on loam's heap every byte in RAM is accounted for once; under 'loam run'\n"
        "fragmentation is blamed on the places whose blocks keep it.\n\n"
        "A minor page fault was served from RAM, a major one had to wait for the disk. Rates are\n"
        "over the process's whole life; with --watch, since the last look.\n\n"
        "Another user's process can be looked at by root only. Sizes are decimal: 1 kB is 1,000\n"
        "bytes. The JSON is described in docs/mem-json.md. Exit status: 0; 1 if there is no such\n"
        "process or it may not be read; 2 for wrong usage.\n",
    .run = mem,
};
