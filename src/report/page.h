// page.h: the HTML pages of web/, and how data gets into them.
//
// A page is built from web/src/pages, committed in web/dist and taken into the tool whole. It has
// one mark; what is written there as JSON is all that its script ever reads. The result is one
// file that needs no network and no second file.
//
//     json_t *data = json_pack("{s:s}", "title", "cat");
//     int r = page_write(stdout, PAGE_LAB, data);
//     json_decref(data);
#pragma once

#include <jansson.h>
#include <stdio.h>

enum page { PAGE_LAB, PAGE_MAP, PAGE_REPORT };

// 0, or -1 when `out` did not take it all. `data` stays the caller's.
int page_write(FILE *out, enum page page, const json_t *data);
