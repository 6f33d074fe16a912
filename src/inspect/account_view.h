// account_view.h: the account of RSS, the heap's classes and its fragmentation, as `loam map` and
// `loam mem` show them.
#pragma once

#include "inspect/blame.h"
#include "report/ink.h"
#include "target/account.h"
#include "target/pins.h"

#include <jansson.h>

// What every resident byte is for. Nothing is printed off loam's heap.
void account_text(struct ink *k, const struct account *a);
// The heap's largest classes.
void account_classes_text(struct ink *k, const struct account *a);
// Which sites' blocks keep nearly empty slabs in RAM.
void account_pins_text(struct ink *k, const struct pins *p, struct blame *b, u32 sites);

json_t *account_json(const struct account *a);
json_t *account_classes_json(const struct account *a);
json_t *account_pins_json(const struct pins *p, struct blame *b);
