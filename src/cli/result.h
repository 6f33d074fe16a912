// result.h: what a session leaves: the last recording, and a model of it for a report.
#pragma once

#include "cli/session.h"
#include "report/model.h"

// Make it the last recording, `path` (view_last_path): a link to `output`, if that is not NULL and
// holds it already. 0 or -errno.
int result_keep(struct session *s, const char *path, const char *output);
// 0, or -1 with a sentence in `why`.
int result_load(struct session *s, struct model *ret_model, char *why, size_t why_size);
