// map_html.c: the page of a map.
#include "inspect/map_html.h"

#include "report/page.h"

int map_html(FILE *out, const json_t *map)
{
    return page_write(out, PAGE_MAP, map);
}
