// view.c: from options to a printed report.

#include "cli/view.h"

#include "report/text.h"

#include <stdlib.h>

void view_text(FILE *out, struct model *m, const struct view *v, const char *next)
{
    struct ink k = ink_on(out);
    struct text_options o = {
        .places_max = v->all           ? 0
                      : v->places != 0 ? v->places
                                       : TEXT_PLACES,
        .full_stacks = v->full_stacks,
        .reachable = v->reachable,
        .next = next,
    };
    text_report(&k, m, &o);
}

bool view_last_path(char *ret_path, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    if (state != NULL && *state == '/') // the XDG specification ignores relative ones
        n = snprintf(ret_path, size, "%s/loam/last.loam", state);
    else if (home != NULL && *home == '/')
        n = snprintf(ret_path, size, "%s/.local/state/loam/last.loam", home);
    else
        return false;
    return n > 0 && (size_t)n < size;
}
