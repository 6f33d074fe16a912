// code_style.h: one colour for each kind of instruction, on all pages.
#pragma once

#include "inspect/code.h"
#include "report/ink.h"

enum style code_style(enum code_kind kind);
