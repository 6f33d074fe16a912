// html_parts.h: the parts of a report's page, each made in a file of its own, and what they share.
#pragma once

#include "report/rows.h"

#include <jansson.h>

// JavaScript's numbers are exact up to here.
#define HTML_EXACT ((u64)1 << 53)

static inline json_t *html_number(u64 n)
{
    return json_integer((json_int_t)(n < HTML_EXACT ? n : HTML_EXACT));
}

static inline json_t *html_signed(u64 after, u64 before)
{
    if (after >= before)
        return html_number(after - before);
    u64 less = before - after;
    return json_integer(-(json_int_t)(less < HTML_EXACT ? less : HTML_EXACT));
}

static inline json_t *html_amount(struct amount a)
{
    return json_pack("{s:o, s:o}", "bytes", html_number(a.bytes), "blocks", html_number(a.blocks));
}

// "processes", "processes_count" and "threads".
void html_tree_put(json_t *page, const struct model *m);

// "measures", "sites", the tree of their stacks. ret_numbers, freed by the caller, holds for each
// row 1 + its number in the page, 0 if it is not there.
void html_sites_put(json_t *page, const struct rows *rows, struct store *store, u32 **ret_numbers);

// "ram": what resident memory was for, if that was seen.
void html_ram_put(json_t *page, const struct model *m, const u32 *numbers);

// "timeline", "labels", "lifetimes", where there are any.
void html_time_put(json_t *page, const struct model *m, const struct totals *t, const u32 *numbers);
