// cmd_metrics.c: `loam metrics`: a recorded program's numbers, for monitoring.

#include "cli/http.h"
#include "cli/live.h"
#include "report/export.h"
#include "report/load.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct metrics_options {
    const char *listen;
};

static const struct option options[] = {
    {"listen", 'l', "ADDRESS", OPT_TEXT, offsetof(struct metrics_options, listen),
     "serve them there, as 127.0.0.1:9464, under /metrics"},
};

static volatile int stop;

static void on_stop(int signal)
{
    (void)signal;
    stop = 1;
}

// The document now, to be freed.
static char *make(void *of, size_t *ret_size, char *why, size_t why_size)
{
    struct model m;
    char *text = NULL;
    if (live_load(of, &m, why, why_size) < 0)
        return NULL;
    FILE *out = open_memstream(&text, ret_size);
    int r = out == NULL ? -1 : metrics_write(out, &m, 0);
    if (out != NULL && (fclose(out) != 0 || r < 0)) {
        free(text);
        text = NULL;
    }
    load_done(&m);
    if (text == NULL)
        snprintf(why, why_size, "there is no memory.");
    return text;
}

static int serve(const struct command *c, struct live *l, const char *where)
{
    char why[256];
    u32 port = 0;
    int fd = http_listen(where, &port, why, sizeof why);
    if (fd < 0) {
        say(c, "%s", why);
        return EXIT_LOAM;
    }
    struct sigaction quit = {.sa_handler = on_stop};
    sigaction(SIGINT, &quit, NULL);
    sigaction(SIGTERM, &quit, NULL);
    say(c, "serving at port %u, path /metrics; ^C ends it.", port);
    const struct http_page page = {
        .path = "/metrics",
        .type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
        .make = make,
        .of = l,
    };
    http_serve(fd, &page, &stop);
    return 0;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct metrics_options o = {0};
    struct live l;
    char why[256];
    size_t size = 0;
    int n = opt_parse(c, argc, argv, &o);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    if (n > 1) {
        say(c, "one process or recording, please.");
        return EXIT_USAGE;
    }
    int r = live_find(c, n == 1 ? argv[argc - 1] : NULL, &l);
    if (r != 0)
        return r;
    char *text = make(&l, &size, why, sizeof why);
    if (text == NULL) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    if (o.listen != NULL)
        r = serve(c, &l, o.listen);
    else
        r = fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : EXIT_LOAM;
    free(text);
    return r;
}

const struct command command_metrics = {
    .name = "metrics",
    .group = "watch",
    .summary = "a recorded program's numbers for Prometheus, as OpenMetrics",
    .synopsis = "[options] [PID|FILE]",
    .examples = {{"loam metrics 1234", "print them once"},
                 {"loam metrics --listen 127.0.0.1:9464 1234", "serve them to who scrapes"}},
    .options = options,
    .options_count = countof(options),
    .about =
        "PID is a process that 'loam run' records; FILE is a recording; without either it is the\n"
        "last recording. Told are live, peak and total bytes and blocks of each process, and the\n"
        "20 places in the program that hold most, by function and line.\n\n"
        "The server answers GET and HEAD of /metrics, one reader at a time, and is meant for the\n"
        "loopback address: it has no password and no encryption. When the program has ended, it\n"
        "answers 503.\n\n"
        "Exit status: 0; 1 if there is no such process or recording; 2 for wrong usage; 125 if\n"
        "the address cannot be listened on.\n",
    .run = run,
};
