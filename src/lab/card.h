// card.h: one screen to keep: what the texts say of the memory hierarchy, and this machine.
#pragma once

#include "lab/registry.h"
#include "report/ink.h"

#include <jansson.h>

// The experiments that the card needs; returns how many.
u32 card_experiments(const struct entry **chosen, u32 max);
void card_print(struct ink *k, const json_t *document);
