// cmd_ps.c: `loam ps`: the processes that run on loam's heap.

#include "cli/attach.h"
#include "cli/opt.h"
#include "cli/output.h"
#include "inspect/status.h"
#include "report/ink.h"
#include "report/words.h"
#include "target/account.h"
#include "target/memory.h"
#include "target/root.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ps_options {
    bool json;
};

static const struct option options[] = {
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct ps_options, json),
     "everything as JSON, for machines"},
};

struct row {
    struct status status;
    u64 live; // bytes of live blocks
    bool counted, recorded, sampled;
};

struct list {
    struct row *row;
    size_t count, room;
    u32 refused; // processes that may not be looked at
};

// Is loam's heap in there? Reads the process's data, some 100 kB, not its heap.
static bool on_loam(pid_t pid, int *ret_error)
{
    struct memory memory;
    struct maps maps;
    *ret_error = maps_load(&maps, pid);
    if (*ret_error < 0)
        return false;
    memory_open(&memory, pid);
    u64 root = root_find(&memory.target, &maps, ret_error);
    memory_close(&memory);
    maps_done(&maps);
    return root != 0;
}

static void look_closer(struct row *r)
{
    struct recording *map;
    struct account *a = malloc(sizeof *a);
    char why[256];
    pid_t pid = r->status.pid;
    if (a != NULL && account_load(a, pid) == 0 && a->heap) {
        r->live = a->live_bytes;
        r->counted = true;
    }
    free(a);
    if (attach_header(pid, &map, why, sizeof why) == 0) {
        r->recorded = true;
        r->sampled = map->sample_bytes != 0;
        attach_done(map);
    }
}

static void consider(struct list *l, pid_t pid)
{
    int error = 0;
    struct row r = {0};
    if (pid == getpid() || status_load(&r.status, pid) < 0 || !r.status.has_memory)
        return;
    if (!on_loam(pid, &error)) {
        l->refused += error == -EACCES || error == -EPERM;
        return;
    }
    look_closer(&r);
    if (l->count == l->room) {
        size_t room = l->room == 0 ? 16 : l->room * 2;
        struct row *more = realloc(l->row, room * sizeof *more);
        if (more == NULL)
            return;
        l->row = more;
        l->room = room;
    }
    l->row[l->count++] = r;
}

static int by_rss(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->status.rss < y->status.rss ? 1 : x->status.rss > y->status.rss ? -1 : 0;
}

static void list_load(struct list *l)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    while (proc != NULL && (e = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0)
            consider(l, pid);
    }
    if (proc != NULL)
        closedir(proc);
    if (l->count > 0)
        qsort(l->row, l->count, sizeof *l->row, by_rss);
}

static const char *how(const struct row *r)
{
    return !r->recorded ? "-" : r->sampled ? "sampled" : "recorded";
}

static void print_text(const struct list *l)
{
    char size[WORDS_SIZE];
    struct ink k = ink_on(stdout);
    if (l->count == 0)
        puts("No process runs on loam's heap. Start one by 'loam run -- PROGRAM'.");
    else
        ink(&k, INK_HEAD, "%7s %9s %9s  %-9s %s\n", "PID", "RSS", "LIVE", "WATCHED", "COMMAND");
    for (size_t i = 0; i < l->count; i++) {
        const struct row *r = &l->row[i];
        k.column = 0;
        ink(&k, INK_BOLD, "%7d", r->status.pid);
        ink(&k, INK_PLAIN, " %9s", words_size(size, r->status.rss));
        ink(&k, INK_PLAIN, " %9s", r->counted ? words_size(size, r->live) : "?");
        ink(&k, r->recorded ? INK_GOOD : INK_DIM, "  %-9s ", how(r));
        ink_cut(&k, INK_PLAIN, r->status.command, k.width > 50 ? k.width - 40 : 30);
        ink_line(&k);
    }
    if (l->refused > 0)
        fprintf(stderr, "loam ps: %u process%s of other users left out; root sees all.\n",
                l->refused, l->refused == 1 ? "" : "es");
}

static int print_json(const struct list *l)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->count; i++) {
        const struct row *r = &l->row[i];
        json_t *o = json_pack("{s:i, s:s, s:I, s:b, s:b}", "pid", (int)r->status.pid, "command",
                              r->status.command, "rss_bytes", (json_int_t)r->status.rss, "recorded",
                              r->recorded, "sampled", r->sampled);
        if (r->counted)
            json_object_set_new(o, "live_bytes", json_integer((json_int_t)r->live));
        json_array_append_new(all, o);
    }
    return output_json(json_pack("{s:s, s:I, s:o}", "schema", "loam-ps/1", "refused",
                                 (json_int_t)l->refused, "processes", all));
}

static int run(const struct command *c, int argc, char **argv)
{
    struct ps_options o = {0};
    struct list l = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 0) {
        say(c, "it lists all processes; 'loam mem %s' tells of one.", argv[argc - n]);
        return EXIT_USAGE;
    }
    list_load(&l);
    int r = 0;
    if (o.json)
        r = print_json(&l);
    else
        print_text(&l);
    free(l.row);
    return r;
}

const struct command command_ps = {
    .name = "ps",
    .group = "watch",
    .summary = "the processes that run on loam's heap",
    .synopsis = "[options]",
    .examples = {{"loam ps", "what runs on loam's heap, the largest first"},
                 {"loam top $(pidof server)", "watch one that is recorded"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "A process is found by its heap, however that came into it: by 'loam run', preloaded, or\n"
        "linked. LIVE are the bytes of its live blocks. WATCHED tells whether a 'loam run'\n"
        "records it; then 'loam top PID' shows by which places in the program.\n\n"
        "Other users' processes are seen by root only. Exit status: 0, also when there are none;\n"
        "2 for wrong usage.\n",
    .run = run,
};
