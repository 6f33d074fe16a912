// jot.c: texts that jansson takes.
#include "report/jot.h"

#include "report/utf8.h"

#include <stdlib.h>
#include <string.h>

json_t *jot_foreign(const char *text)
{
    char *clean = strdup(text);
    if (clean == NULL)
        return json_null();
    utf8_clean(clean);
    json_t *o = json_string(clean);
    free(clean);
    return o;
}
