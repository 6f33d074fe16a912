// result.c: see result.h.

#include "cli/result.h"

#include "report/load.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folders(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = 0;
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return 0;
}

// The whole recording into a new file that then takes the place of the last one, so that runs at
// the same time do not mix.
int result_keep(struct session *s, const char *path, const char *output)
{
    char fresh[PATH_MAX + 16], target[PATH_MAX];
    struct keep_source source = session_source(s);
    snprintf(fresh, sizeof fresh, "%s.%d", path, getpid());
    unlink(fresh);
    int e = make_folders(path);
    if (e == 0 && output != NULL) {
        // It is kept already: last.loam only has to point there.
        if (realpath(output, target) == NULL || symlink(target, fresh) != 0)
            e = -errno;
    } else if (e == 0) {
        e = keep_once(fresh, &source);
    }
    if (e == 0 && rename(fresh, path) != 0)
        e = -errno;
    if (e < 0)
        unlink(fresh);
    return e;
}

int result_load(struct session *s, struct model *ret_model, char *why, size_t why_size)
{
    struct keep_source source = session_source(s);
    size_t size = 0;
    char *image = keep_image(&source, &size);
    if (image == NULL) {
        snprintf(why, why_size, "no memory for the report");
        return -1;
    }
    int e = load_memory("the recording", image, size, ret_model, why, why_size);
    free(image);
    return e;
}
