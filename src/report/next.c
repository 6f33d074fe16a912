// next.c: commands in one column, reasons in another, within the width of the page.

#include "report/next.h"

#include "report/utf8.h"

#include <string.h>

#define LEFT 11 // as in text.c

void next_add(struct next *n, const char *base, const char *option, const char *why)
{
    if (n->count == NEXT_MAX)
        return;
    n->base[n->count] = base;
    n->option[n->count] = option;
    n->why[n->count++] = why;
}

static void next_line(struct ink *k, u32 left, const char *base, const char *option, u32 width,
                      const char *why)
{
    ink_to(k, left);
    ink(k, INK_BOLD, "%s%s", base, option);
    if (*why != 0) {
        ink_to(k, left + width + 3);
        ink(k, INK_DIM, "%s", why);
    }
    ink_line(k);
}

// A command and why, a line each; where a recording's path is too long for that, the command once
// and its options below.
void next_print(struct ink *k, const struct next *n)
{
    u32 widest = 0, options = 0, why = 0;
    for (u32 i = 0; i < n->count; i++) {
        u32 option = (u32)strlen(n->option[i]);
        widest = (u32)size_max(widest, utf8_width(n->base[i]) + option);
        options = (u32)size_max(options, option);
        why = (u32)size_max(why, utf8_width(n->why[i]));
    }
    bool beside = LEFT + widest + 3 + why <= k->width;
    ink_line(k);
    ink(k, INK_HEAD, "NEXT");
    for (u32 i = 0; i < n->count; i++) {
        bool alone = *n->option[i] == 0;
        if (beside || alone) {
            next_line(k, LEFT, n->base[i], n->option[i], beside ? widest : options + 1, n->why[i]);
            continue;
        }
        if (i == 0 || n->base[i] != n->base[i - 1])
            next_line(k, LEFT, n->base[i], "", 0, "");
        next_line(k, LEFT + 1, "", n->option[i], options, n->why[i]);
    }
}
