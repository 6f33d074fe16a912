// cmd_label.c: `loam label`: a name for this moment of a program that is being recorded.

#include "cli/attach.h"
#include "cli/opt.h"
#include "cli/subject.h"
#include "format/label.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TRIES   100
#define WAIT_NS 50000000

static void nap(_Atomic u32 *word, u32 value)
{
    const struct timespec t = {.tv_nsec = WAIT_NS};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

// True when the tool has written the label.
static bool wait_for_tool(struct label_slot *s, u32 ready)
{
    for (int i = 0; i < TRIES; i++) {
        if (atomic_load_explicit(&s->state, memory_order_acquire) != ready)
            return true;
        nap(&s->state, ready);
    }
    return !label_done(s, ready);
}

static int set_label(const struct command *c, struct recording *map, pid_t pid, const char *name)
{
    u32 state;
    struct label_slot *s = label_take(map, &state);
    for (int i = 0; s == NULL && i < TRIES; i++) {
        nap(&map->label[0].state, atomic_load(&map->label[0].state));
        s = label_take(map, &state);
    }
    if (s == NULL) {
        say(c, "others are setting labels all the time: try again.");
        return EXIT_LOAM;
    }
    u32 ready = label_ready(s, state, (u32)pid, name, strlen(name));
    atomic_fetch_add(&map->bell, 1);
    syscall(SYS_futex, &map->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    if (wait_for_tool(s, ready))
        return 0;
    say(c, "the 'loam run' that records process %d does not answer.", pid);
    return EXIT_LOAM;
}

static int run(const struct command *c, int argc, char **argv)
{
    char why[256];
    struct recording *map;
    int n = opt_parse(c, argc, argv, NULL);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    char **operand = argv + argc - n;
    if (n != 2 || *operand[1] == 0) {
        say(c, "which process, and what name? Try 'loam label 1234 \"after warm-up\"'.");
        return EXIT_USAGE;
    }
    if (strlen(operand[1]) > LABEL_MAX) {
        say(c, "the name is too long: at most %d bytes.", LABEL_MAX);
        return EXIT_USAGE;
    }
    pid_t pid = subject_pid(c, 1, operand);
    if (pid < 0)
        return EXIT_USAGE;
    if (attach_header(pid, &map, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    int r = set_label(c, map, pid, operand[1]);
    attach_done(map);
    return r;
}

const struct command command_label = {
    .name = "label",
    .group = "watch",
    .summary = "give a name to this moment of a recorded program",
    .synopsis = "PID NAME",
    .examples = {{"loam label 1234 \"after warm-up\"",
                  "what each place holds now, under that name"},
                 {"loam label $(pidof server) idle", "again later: what grew since?"}},
    .about =
        "PID is a process that 'loam run' records, or one that it started. What each place in the\n"
        "program holds at this moment is noted in the recording under NAME. Reports show labels "
        "on\n"
        "the timeline, and what grew from one to another.\n\n"
        "The program itself can do the same: see <loam/label.h>.\n\n"
        "Exit status: 0 when the moment is noted; 1 if there is no such process or it is not\n"
        "recorded; 2 for wrong usage; 125 if the 'loam run' that records it does not answer.\n",
    .run = run,
};
