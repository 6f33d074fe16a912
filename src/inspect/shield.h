// shield.h: a child that reads what may be poison.
//
// The files that these commands look at come from anywhere, and the libraries that read ELF and
// DWARF were written for files that compilers made. So the reading is done in a child with limits
// on time and memory: a file that breaks a library costs one sentence, not the tool.
#pragma once

#include "base/base.h"

// Run work(ctx) in a child that prints to our stdout and stderr. Returns what `work` returned
// (0 to 255), or something below zero when the child did not end by itself, or could not be
// started: shield_words has the sentence for it. Ends as the child did when that was a signal that
// people send: SIGPIPE, SIGINT.
int shield_run(int (*work)(void *ctx), void *ctx);
// What to tell about a result below zero.
const char *shield_words(int result);
