// witness.c: what loam itself says of a program, or of a part of an experiment.
//
// loam watches from the start of a process on, so what is to be watched must be a process of its
// own: another program, or this one again as `loam lab witness ID N`, which runs the experiment's
// `witness` and nothing else. Recordings go into the experiment's folder, and so does the note of
// which was the last one: that of whoever runs the lab stays theirs.

#include "lab/lab.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 24 };

static u64 number(const json_t *of, const char *key)
{
    return (u64)json_integer_value(json_object_get(of, key));
}

// Where most of what leaked was allocated, "function file.c:12": the first frame with a line.
static void name_place(const json_t *report, char out[128])
{
    const json_t *most = NULL, *frames = json_object_get(report, "frames");
    size_t i;
    json_t *place, *at;
    json_array_foreach(json_object_get(report, "places"), i, place)
    {
        if (most == NULL || number(json_object_get(place, "leaked"), "bytes") >
                                number(json_object_get(most, "leaked"), "bytes"))
            most = place;
    }
    json_array_foreach(json_object_get(most, "stack"), i, at)
    {
        const json_t *f = json_array_get(frames, (size_t)json_integer_value(at));
        const char *function = json_string_value(json_object_get(f, "function"));
        const char *file = json_string_value(json_object_get(f, "file"));
        if (function == NULL || file == NULL || strchr(file, '/') == NULL)
            continue;
        snprintf(out, 128, "%s %s:%llu", function, strrchr(file, '/') + 1,
                 (unsigned long long)number(f, "line"));
        return;
    }
}

static void read_report(struct lab_watched *w)
{
    const json_t *leaked = json_object_get(w->report, "leaked");
    w->leaked_bytes = number(leaked, "bytes");
    w->direct_blocks = number(json_object_get(leaked, "direct"), "blocks");
    w->indirect_blocks = number(json_object_get(leaked, "indirect"), "blocks");
    w->cycle_blocks = number(json_object_get(leaked, "cycle"), "blocks");
    w->reachable_bytes = number(json_object_get(w->report, "reachable"), "bytes");
    w->peak_bytes = number(json_object_get(w->report, "peak"), "bytes");
    name_place(w->report, w->place);
}

// This program's file; -ENOENT when it was removed or replaced meanwhile.
static int own_path(char out[512])
{
    ssize_t n = readlink("/proc/self/exe", out, 511);
    if (n <= 0)
        return -errno;
    out[n] = 0;
    return access(out, X_OK) == 0 ? 0 : -errno;
}

// With the folder as the place where `loam run` notes its last recording.
static int run_here(struct lab *l, const char *folder, char *const words[], u32 seconds,
                    struct lab_end *ret)
{
    const char *usual = getenv("XDG_STATE_HOME");
    char *before = usual == NULL ? NULL : strdup(usual);
    setenv("XDG_STATE_HOME", folder, 1);
    int r = lab_program(l, words, seconds, ret);
    if (before == NULL)
        unsetenv("XDG_STATE_HOME");
    else
        setenv("XDG_STATE_HOME", before, 1);
    free(before);
    return r;
}

int lab_watch(struct lab *l, char *const argv[], u32 seconds, struct lab_watched *ret)
{
    static u32 count; // each recording has a name of its own
    char self[512], json[300], recording[300];
    const char *folder = lab_folder(l);
    char *words[WORDS] = {self, "run",     "--leaks",  "--json",    json,
                          "-o", recording, "--report", "/dev/null", "--"};
    u32 n = 10;
    if (folder == NULL || own_path(self) != 0) {
        lab_cannot(l, NULL, "this program's own file cannot be run");
        return -ENOENT;
    }
    snprintf(json, sizeof json, "%s/watched.%u.json", folder, count);
    snprintf(recording, sizeof recording, "%s/watched.%u.loam", folder, count++);
    for (u32 i = 0; argv[i] != NULL && n < WORDS - 1; i++)
        words[n++] = argv[i];
    struct lab_watched w = {0};
    int r = run_here(l, folder, words, seconds == 0 ? 10 : seconds, &w.end);
    if (r == 0 && !w.end.timed_out)
        w.report = json_load_file(json, 0, NULL);
    if (w.report == NULL) {
        lab_cannot(l, NULL, "loam run gave no report%s%.80s", w.end.timed_out ? " in time" : ": ",
                   w.end.said);
        return -EIO;
    }
    snprintf(w.recording, sizeof w.recording, "%s", recording);
    read_report(&w);
    *ret = w;
    return 0;
}

int lab_watch_witness(struct lab *l, const char *id, u32 which, struct lab_watched *ret)
{
    char self[512], number[12];
    char *argv[] = {self, "lab", "witness", (char *)id, number, NULL};
    snprintf(number, sizeof number, "%u", which);
    if (own_path(self) != 0) {
        lab_cannot(l, NULL, "this program's own file cannot be run");
        return -ENOENT;
    }
    return lab_watch(l, argv, 0, ret);
}

int lab_witness(struct lab *l, const char *id, u32 which, const char *options, struct lab_end *ret)
{
    char self[512], number[12];
    char *argv[] = {self, "lab", "witness", (char *)id, number, NULL};
    snprintf(number, sizeof number, "%u", which);
    int r = own_path(self);
    if (r != 0 || setenv("LOAM", options, 1) != 0) {
        lab_cannot(l, NULL, "this program's own file cannot be run");
        return -ENOENT;
    }
    r = lab_program(l, argv, 0, ret);
    unsetenv("LOAM");
    return r;
}

const char *lab_python(struct lab *l)
{
    static char path[256];
    struct lab_end end;
    char *argv[] = {"python3", "-c", "import sys; print(sys.executable)", NULL};
    if (*path == 0 && lab_program(l, argv, 10, &end) == 0 && end.said[0] == '/') {
        end.said[strcspn(end.said, "\n")] = 0;
        snprintf(path, sizeof path, "%.255s", end.said);
    }
    if (*path == 0)
        lab_cannot(l, NULL, "python3 is not installed");
    return *path == 0 ? NULL : path;
}
