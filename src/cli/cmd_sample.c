// cmd_sample.c: `loam sample`: switch sampling on and off while a program runs.

#include "cli/attach.h"
#include "cli/opt.h"
#include "cli/subject.h"

#include <string.h>

enum { ASK, TURN_ON, TURN_OFF, WRONG };

static int wish_of(const struct command *c, int n, char **operand)
{
    if (n == 1)
        return ASK;
    if (n == 2 && strcmp(operand[1], "on") == 0)
        return TURN_ON;
    if (n == 2 && strcmp(operand[1], "off") == 0)
        return TURN_OFF;
    say(c, "which process, and 'on' or 'off'? Try 'loam sample 1234 on'.");
    return WRONG;
}

static int obey(const struct command *c, struct recording *map, pid_t pid, int wish)
{
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
    char why[256];
    struct recording *map;
    int n = opt_parse(c, argc, argv, NULL);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    char **operand = argv + argc - n;
    int wish = wish_of(c, n, operand);
    if (wish == WRONG)
        return EXIT_USAGE;
    pid_t pid = subject_pid(c, 1, operand);
    if (pid < 0)
        return EXIT_USAGE;
    if (attach_header(pid, &map, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    int r = obey(c, map, pid, wish);
    attach_done(map);
    return r;
}

const struct command command_sample = {
    .name = "sample",
    .group = "watch",
    .summary = "switch the sampling of a running program on and off",
    .synopsis = "PID [on|off]",
    .examples = {{"loam run --sample=off -- ./server", "ready, at no cost"},
                 {"loam sample $(pidof server) on", "from now on, one block in 512 KiB"}},
    .about =
        "PID is a process that 'loam run --sample' started, or one of its children; all of them "
        "are\n"
        "switched together. Without on or off it is told which it is.\n\n"
        "While sampling is off, nothing is chosen and nothing new is counted; blocks that were\n"
        "chosen before are still followed to their end. What was live before sampling was "
        "switched\n"
        "on is not known. A program that was started without 'loam run' has nowhere to count in:\n"
        "it cannot be switched on.\n\n"
        "Exit status: 0; 1 if there is no such process, or it is not sampled; 2 for wrong usage.\n",
    .run = run,
};
