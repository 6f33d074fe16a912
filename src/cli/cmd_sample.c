// cmd_sample.c: `loam sample`: switch sampling on and off while a program runs.

#include "base/options.h"
#include "cli/attach.h"
#include "cli/follow.h"
#include "cli/opt.h"
#include "cli/subject.h"

#include <string.h>

struct sample_options {
    const char *output;
};

static const struct option options[] = {
    {"output", 'o', "FILE", OPT_TEXT, offsetof(struct sample_options, output),
     "keep the recording in FILE, if this command makes one"},
};

enum { ASK, TURN_ON, TURN_OFF, WRONG };

static int wish_of(const struct command *c, int n, char **operand, u64 *ret_mean)
{
    *ret_mean = 0;
    if (n == 1)
        return ASK;
    if (n == 2 && strcmp(operand[1], "on") == 0)
        return TURN_ON;
    if (n == 2 && strcmp(operand[1], "off") == 0)
        return TURN_OFF;
    if (n == 2 && option_size((struct option_text){operand[1], strlen(operand[1])}, ret_mean))
        return TURN_ON;
    say(c, "which process, and 'on', 'off' or a size? Try 'loam sample 1234 on'.");
    return WRONG;
}

static int obey(const struct command *c, struct recording *map, pid_t pid, int wish, u64 mean)
{
    if (mean != 0 && map->sample_bytes != 0 && mean != map->sample_bytes) {
        say(c, "process %d is sampled already, one block in %llu bytes: that stays.", pid,
            (unsigned long long)map->sample_bytes);
        return EXIT_BAD_FILE;
    }
    if (map->sample_bytes == 0) {
        say(c,
            "process %d is not sampled: all its blocks are counted. Start it by "
            "'loam run --sample=off -- …' to switch sampling on later.",
            pid);
        return EXIT_BAD_FILE;
    }
    if (wish == ASK)
        printf("%s, one block in %llu bytes\n", map->sampling != 0 ? "on" : "off",
               (unsigned long long)map->sample_bytes);
    else
        atomic_store(&map->sampling, wish == TURN_ON);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : EXIT_LOAM;
}

static int run(const struct command *c, int argc, char **argv)
{
    char why[256], path[4096];
    struct sample_options o = {0};
    struct recording *map;
    u64 mean;
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    char **operand = argv + argc - n;
    int wish = wish_of(c, n, operand, &mean);
    if (wish == WRONG)
        return EXIT_USAGE;
    pid_t pid = subject_pid(c, 1, operand);
    if (pid < 0)
        return EXIT_USAGE;
    if (wish == TURN_ON && attach_path(pid, path, sizeof path, why, sizeof why) < 0)
        return follow_process(c, pid, mean, o.output);
    if (attach_header(pid, &map, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    int r = obey(c, map, pid, wish, mean);
    attach_done(map);
    return r;
}

const struct command command_sample = {
    .name = "sample",
    .group = "watch",
    .summary = "switch the sampling of a running program on and off",
    .synopsis = "[options] PID [on|off|SIZE]",
    .examples = {{"loam sample $(pidof server) on", "look at a server that runs; then Ctrl-C"},
                 {"loam run --sample=off -- ./server", "or start it ready, at no cost"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process on loam's heap. If 'loam run --sample' started it, or a parent of it,\n"
        "all of them are switched together. Without on or off it is told which it is.\n\n"
        "One that was started without 'loam run', with libloam.so preloaded or loam linked in, is\n"
        "asked to sample itself: this command then stays until Ctrl-C or the end of the process,\n"
        "and reports. SIZE is the mean distance of two samples, 512K if it is 'on'. Nothing is\n"
        "stopped and no signal is sent; a process can be asked once in its life. One with a "
        "filter\n"
        "of system calls, or in another file system, is left alone.\n\n"
        "While sampling is off, nothing is chosen and nothing new is counted; blocks that were\n"
        "chosen before are still followed to their end. What was live before sampling was\n"
        "switched on is not known.\n\n"
        "Exit status: 0; 1 if there is no such process, or it cannot be sampled; 2 for wrong\n"
        "usage.\n",
    .run = run,
};
