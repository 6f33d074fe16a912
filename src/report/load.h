// load.h: from a recording, which may be hostile, to a model.
#pragma once

#include "report/model.h"

// Read the recording `path`. 0, or -1 with one clear sentence (no newline) in `why`.
int load_file(const char *path, struct model *ret_model, char *why, size_t why_size);
// The same from memory; `name` stands in the sentences. The bytes may change meanwhile.
int load_memory(const char *name, const void *bytes, size_t size, struct model *ret_model,
                char *why, size_t why_size);
void load_done(struct model *m);
