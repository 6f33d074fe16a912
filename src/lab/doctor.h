// doctor.h: what this machine can measure, and what it cannot and why.
#pragma once

#include "lab/machine.h"
#include "report/ink.h"

void doctor_print(struct ink *k, const struct machine *m);
json_t *doctor_json(const struct machine *m);
