// cmd_translate.c: `loam translate`: one address, down to its frame.

#include "cli/opt.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "inspect/translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct translate_options {
    bool json;
};

static const struct option options[] = {
    {"json", 'j', NULL, OPT_FLAG, offsetof(struct translate_options, json),
     "everything as JSON, for machines"},
};

// Hexadecimal, with 0x or without, as /proc/PID/maps and debuggers print it.
static bool parse_address(const char *text, u64 *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 16);
    return *text != 0 && *text != '-' && *text != '+' && *text != ' ' && *end == 0 && errno == 0;
}

static int print(const struct translate_options *o, struct translate *t)
{
    if (o->json)
        return output_json(translate_json(t));
    struct ink k = ink_on(stdout);
    translate_text(&k, t);
    return 0;
}

static int translate(const struct command *c, int argc, char **argv)
{
    struct translate_options o = {0};
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n != 2) {
        say(c, "a process and an address are needed. Try 'loam translate PID 0xADDRESS'.");
        return EXIT_USAGE;
    }
    u64 addr;
    pid_t pid = subject_pid(c, 1, argv + argc - 2);
    if (pid < 0)
        return EXIT_USAGE;
    if (!parse_address(argv[argc - 1], &addr)) {
        say(c, "'%s' is no address: hexadecimal digits, with 0x or without.", argv[argc - 1]);
        return EXIT_USAGE;
    }
    struct translate t;
    int e = translate_load(&t, pid, addr);
    if (e < 0)
        return subject_refused(c, pid, e);
    int r = print(&o, &t);
    translate_done(&t);
    return r;
}

const struct command command_translate = {
    .name = "translate",
    .group = "inspect",
    .summary = "one address: its bits, page, frame, file and block",
    .synopsis = "[options] PID ADDRESS",
    .examples = {{"loam translate 1234 0x7f12345678", "everything that is known about it"},
                 {"sudo loam translate 1234 7f12345678", "and the frame, and who else maps it"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process, or 'self'; ADDRESS is hexadecimal, with 0x or without. The process is\n"
        "not stopped.\n\n"
        "The address is cut as the processor cuts it: nine bits for each level of page tables,\n"
        "twelve for the byte in the page (with a huge page, twenty-one). Then what is known of\n"
        "the page, of the frame that it lies in and of who else maps it, of the mapping, the file\n"
        "and its section; in loam's heap, of the block: its class, whether it is live, and, under\n"
        "'loam run', who allocated it.\n\n"
        "Frames, their flags and who else maps them are told to root only; what is missing is\n"
        "said. The JSON is described in docs/translate-json.md. Exit status: 0, also where\n"
        "nothing is mapped; 1 if there is no such process or it may not be read; 2 for wrong\n"
        "usage.\n",
    .run = translate,
};
