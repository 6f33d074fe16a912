// view.h: the options of a report, which `run` and `report` share, and where recordings are kept.
#pragma once

#include "cli/opt.h"
#include "report/model.h"

struct view {
    u32 places;
    bool all;
    bool full_stacks;
    bool reachable;
};

// The rows for a table whose options struct has `struct view field`.
#define VIEW_OPTIONS(T, field)                                                                \
    {"places", 'n', "N", OPT_COUNT, offsetof(T, field.places), "show N places instead of 5"}, \
        {"all", 'a', NULL, OPT_FLAG, offsetof(T, field.all), "show every place"},             \
        {"full-stacks",                                                                       \
         0,                                                                                   \
         NULL,                                                                                \
         OPT_FLAG,                                                                            \
         offsetof(T, field.full_stacks),                                                      \
         "show every frame of every stack"},                                                  \
    {                                                                                         \
        "reachable", 0, NULL, OPT_FLAG, offsetof(T, field.reachable),                         \
            "list what was still pointed to at the end, too"                                  \
    }

// Print the report on `out`. `next` is the command that shows the same recording again.
void view_text(FILE *out, struct model *m, const struct view *v, const char *next);

// ${XDG_STATE_HOME:-~/.local/state}/loam/last.loam; false if there is no home.
bool view_last_path(char *ret_path, size_t size);
