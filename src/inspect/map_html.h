// map_html.h: the page of a map. Apart from map.h, because a page of HTML and a page of memory are
// both called page.
#pragma once

#include <jansson.h>
#include <stdio.h>

// `map` is what map_json gave with pages. 0, or -1 when `out` did not take it all.
int map_html(FILE *out, const json_t *map);
