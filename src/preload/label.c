// label.c: what <loam/label.h> calls. Here and not in record/, so that libloam.a does not have it:
// a program that links that one for the toolkit and is watched by a preloaded libloam.so reaches
// the copy that watches.
#include "record/label.h"

#include <errno.h>
#include <loam/label.h>

bool loam_label_set(const char *name)
{
    int saved = errno;
    int r = name == NULL ? -EINVAL : label_set(name);
    errno = saved;
    return r == 0;
}
