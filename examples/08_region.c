// 08_region.c: many objects, one free.
//
// A parser makes a tree of small objects that all die together. With malloc every node must be
// found again to be freed; in a region the whole tree goes with one call, or with the scope. This
// one reads sums such as "1+(2+3)+4"; there is no free in it, and nothing leaks.
#include <loam/region.h>
#include <stdio.h>

struct sum {
    int number;       // if there is nothing to the left
    struct sum *left; // NULL: a number
    struct sum *right;
};

static struct sum *parse(loam_region *r, const char **text);

static struct sum *parse_term(loam_region *r, const char **text)
{
    if (**text == '(') {
        ++*text;
        struct sum *inner = parse(r, text);
        if (**text == ')')
            ++*text;
        return inner;
    }
    int number = 0;
    while (**text >= '0' && **text <= '9')
        number = 10 * number + *(*text)++ - '0';
    return loam_new(r, struct sum, .number = number);
}

static struct sum *parse(loam_region *r, const char **text)
{
    struct sum *s = parse_term(r, text);
    while (s != NULL && **text == '+') {
        ++*text;
        struct sum *right = parse_term(r, text);
        s = right == NULL ? NULL : loam_new(r, struct sum, .left = s, .right = right);
    }
    return s;
}

static int value(const struct sum *s)
{
    return s->left == NULL ? s->number : value(s->left) + value(s->right);
}

static void say_closed(void *name)
{
    printf("closed: %s\n", (const char *)name);
}

// The tree lives in `r`; the path to the answer in a scratch region that dies at the return.
static int evaluate(loam_region *r, const char *text)
{
    loam_scratch(tmp);
    char *line = loam_printf(&tmp, "%s = ", text);
    const struct sum *s = parse(r, &text);
    if (line == NULL || s == NULL)
        return -1;
    printf("%s%d\n", line, value(s));
    return value(s);
}

int main(void)
{
    loam_region r;
    loam_region_init(&r, "example.sums");
    if (loam_region_defer(&r, say_closed, "the region, with everything in it") != 0)
        return 1;
    bool ok = evaluate(&r, "1+(2+3)+4") == 10;

    // What a part of the work took can be given back alone.
    loam_region_mark before = loam_region_save(&r);
    size_t used = loam_region_used(&r);
    for (int i = 0; i < 3; i++)
        ok = ok && evaluate(&r, "10+20+(30+40)") == 100;
    printf("three more sums took %zu bytes\n", loam_region_used(&r) - used);
    loam_region_restore(&r, before);
    ok = ok && loam_region_used(&r) == used;

    // Reports know a region by its name, and any address in it.
    char *text = loam_region_text(&r, "whose am I?");
    loam_owner_info o;
    ok = ok && text != NULL && loam_owner_find(text, &o);
    if (ok)
        printf("%s: %s %s, %zu of %zu bytes used\n", text, o.kind, o.name, o.used, o.held);
    loam_region_done(&r);
    return ok ? 0 : 1;
}
