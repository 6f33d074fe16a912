// compare.c: verdicts that agree are counted, those that do not are shown with both values.

#include "lab/compare.h"

#include "lab/text.h"

#include <string.h>

static const char *string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

json_t *compare_load(const char *path, char *ret_why, size_t size)
{
    json_error_t error;
    json_t *d = json_load_file(path, 0, &error);
    if (d == NULL) {
        snprintf(ret_why, size, "%s cannot be read: %s", path, error.text);
        return NULL;
    }
    if (strcmp(string(d, "schema"), "lab/1") == 0 &&
        json_is_array(json_object_get(d, "experiments")))
        return d;
    snprintf(ret_why, size, "%s was not written by loam lab run --json", path);
    json_decref(d);
    return NULL;
}

static const json_t *find(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *o;
    json_array_foreach(array, i, o)
    {
        if (strcmp(string(o, key), value) == 0)
            return o;
    }
    return NULL;
}

// The same claim of the other document: text, quantity and metric are its name.
static const json_t *same_claim(const json_t *experiment, const json_t *claim)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(experiment, "claims"), i, c)
    {
        if (strcmp(string(c, "source"), string(claim, "source")) == 0 &&
            strcmp(string(c, "what"), string(claim, "what")) == 0 &&
            strcmp(string(c, "metric"), string(claim, "metric")) == 0)
            return c;
    }
    return NULL;
}

static const char *value_of(char out[TEXT_NUMBER], const json_t *experiment, const json_t *claim)
{
    const json_t *m = find(json_object_get(experiment, "metrics"), "key", string(claim, "metric"));
    if (m == NULL || json_integer_value(json_object_get(m, "n")) == 0)
        return strcpy(out, "-");
    return text_number(out, json_number_value(json_object_get(m, "value")), string(m, "unit"));
}

static void one_difference(struct ink *k, const json_t *ea, const json_t *a, const json_t *eb,
                           const json_t *b)
{
    char va[TEXT_NUMBER], vb[TEXT_NUMBER];
    ink(k, INK_BOLD, "%-5s", string(ea, "id"));
    ink(k, INK_DIM, "%s ", string(a, "source"));
    ink_cut(k, INK_PLAIN, string(a, "what"), 26);
    ink_to(k, 36);
    ink(k, INK_BAD, "%s", string(a, "verdict"));
    ink(k, INK_DIM, " %s", value_of(va, ea, a));
    ink_to(k, 64);
    ink(k, INK_BAD, "%s", string(b, "verdict"));
    ink(k, INK_DIM, " %s", value_of(vb, eb, b));
    ink_line(k);
}

static void heading(struct ink *k, const json_t *d, const char *name)
{
    const json_t *env = json_object_get(d, "env");
    ink(k, INK_BOLD, "%s  ", name);
    ink(k, INK_PLAIN, "%s, %s, %s run", string(env, "cpu"), string(d, "time"), string(d, "depth"));
    ink_line(k);
}

void compare_print(struct ink *k, const json_t *a, const json_t *b)
{
    u32 both = 0, agree = 0, alone = 0;
    size_t i, n;
    json_t *e, *c;
    heading(k, a, "A");
    heading(k, b, "B");
    ink_line(k);
    json_array_foreach(json_object_get(a, "experiments"), i, e)
    {
        const json_t *other = find(json_object_get(b, "experiments"), "id", string(e, "id"));
        json_array_foreach(json_object_get(e, "claims"), n, c)
        {
            const json_t *same = other == NULL ? NULL : same_claim(other, c);
            if (same == NULL) {
                alone++;
                continue;
            }
            both++;
            if (strcmp(string(c, "verdict"), string(same, "verdict")) == 0)
                agree++;
            else
                one_difference(k, e, c, other, same);
        }
    }
    if (agree < both)
        ink_line(k);
    ink(k, INK_BOLD, "%u of %u verdicts agree", agree, both);
    if (both > 0)
        ink(k, INK_PLAIN, " (%.0f %%)", 100.0 * agree / both);
    if (alone > 0)
        ink(k, INK_DIM, "; %u claims of A are not in B", alone);
    ink_line(k);
}
