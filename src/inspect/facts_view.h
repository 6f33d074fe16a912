// facts_view.h: an ELF file's facts, printed for people and for machines.
#pragma once

#include "inspect/harden.h"
#include "inspect/needs.h"
#include "inspect/resident.h"
#include "report/ink.h"

#include <stdio.h>

struct facts_view {
    const struct facts *facts;
    struct hardening hardening[HARDEN_MAX];
    u32 hardening_count;
    struct needs needs;
    const struct resident *resident; // NULL: not asked for
    bool sections;                   // a table of all sections, too
};

void facts_print(FILE *out, const struct facts_view *v);
void facts_json(FILE *out, const struct facts_view *v); // schema "loam-elf/1"
