// map_diff.c: what has changed in an address space between two moments, by owner.
#include "inspect/map.h"

#include "report/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LABEL 34
#define SIZE  10

// ---------------------------------------------------------------- moments

void map_moment_done(struct map_moment *m)
{
    json_decref(m->json);
    free(m->owner);
    *m = (struct map_moment){0};
}

static u64 number(const json_t *o, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(o, name));
    return n > 0 ? (u64)n : 0;
}

static bool read_owner(const json_t *o, struct map_owner *ret)
{
    const char *kind = json_string_value(json_object_get(o, "kind"));
    const char *name = json_string_value(json_object_get(o, "name"));
    for (int i = 0; kind != NULL && name != NULL && i < SPACE_KINDS; i++) {
        if (strcmp(kind, space_kind_names[i]) != 0)
            continue;
        *ret = (struct map_owner){
            .kind = (enum space_kind)i,
            .name = name,
            .size = number(o, "size"),
            .rss = number(o, "rss"),
            .swap = number(o, "swap"),
        };
        return true;
    }
    return false;
}

// Takes the reference to `json`.
static int from_json(struct map_moment *ret, json_t *json)
{
    const json_t *list = json_object_get(json, "owners");
    struct map_moment m = {
        .json = json,
        .owner = calloc(json_array_size(list) + 1, sizeof *m.owner),
        .rss = number(json, "rss"),
        .swap = number(json, "swap"),
        .size = number(json, "size"),
    };
    if (m.owner == NULL) {
        map_moment_done(&m);
        return -ENOMEM;
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        m.owner_count += read_owner(json_array_get(list, i), &m.owner[m.owner_count]);
    *ret = m;
    return 0;
}

int map_moment_read(struct map_moment *ret, const char *path, char *why, size_t why_size)
{
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    const char *schema = json_string_value(json_object_get(json, "schema"));
    if (json != NULL && schema != NULL && strcmp(schema, "loam-map/1") == 0) {
        if (from_json(ret, json) == 0)
            return 0;
        snprintf(why, why_size, "no memory for %s", path);
        return -1;
    }
    if (json == NULL && error.line < 0)
        snprintf(why, why_size, "%s cannot be read: %s", path, error.text);
    else
        snprintf(why, why_size, "%s is no map: 'loam map --json PID >FILE' writes one", path);
    json_decref(json);
    return -1;
}

int map_moment_of(struct map_moment *ret, const struct map_view *m)
{
    json_t *json = map_json(m, &(struct map_options){0});
    return json != NULL ? from_json(ret, json) : -ENOMEM;
}

// ---------------------------------------------------------------- differences

struct change {
    enum space_kind kind;
    const char *name;
    u64 was, is; // in RAM
    u64 size_was, size_is;
    u64 swap_was, swap_is;
};

struct changes {
    struct change *change; // the largest first
    size_t count;
};

static u64 distance(u64 a, u64 b)
{
    return a > b ? a - b : b - a;
}

static u64 weight(const struct change *c)
{
    u64 ram = distance(c->was, c->is), swap = distance(c->swap_was, c->swap_is);
    return ram > swap ? ram : swap;
}

static int by_weight(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    u64 of_x = weight(x), of_y = weight(y);
    if (of_x != of_y)
        return of_x < of_y ? 1 : -1;
    u64 size_x = distance(x->size_was, x->size_is), size_y = distance(y->size_was, y->size_is);
    if (size_x != size_y)
        return size_x < size_y ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void changed(struct changes *c, const struct map_owner *was, const struct map_owner *is)
{
    const struct map_owner *any = is != NULL ? is : was;
    struct change x = {
        .kind = any->kind,
        .name = any->name,
        .was = was != NULL ? was->rss : 0,
        .is = is != NULL ? is->rss : 0,
        .size_was = was != NULL ? was->size : 0,
        .size_is = is != NULL ? is->size : 0,
        .swap_was = was != NULL ? was->swap : 0,
        .swap_is = is != NULL ? is->swap : 0,
    };
    if (weight(&x) != 0 || x.size_was != x.size_is)
        c->change[c->count++] = x;
}

static int by_identity(const void *a, const void *b)
{
    const struct map_owner *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static struct map_owner *sorted(const struct map_owner *owner, size_t count)
{
    struct map_owner *copy = calloc(count + 1, sizeof *copy);
    if (copy != NULL && count != 0) {
        memcpy(copy, owner, count * sizeof *copy);
        qsort(copy, count, sizeof *copy, by_identity);
    }
    return copy;
}

// Both sorted by who they are, side by side.
static int compare(struct changes *c, const struct map_moment *before, const struct map_view *now)
{
    struct map_owner *was = sorted(before->owner, before->owner_count);
    struct map_owner *is = sorted(now->owner, now->owner_count);
    *c = (struct changes){calloc(before->owner_count + now->owner_count + 1, sizeof *c->change), 0};
    bool ok = was != NULL && is != NULL && c->change != NULL;
    for (size_t i = 0, j = 0; ok && (i < before->owner_count || j < now->owner_count);) {
        int order = i == before->owner_count ? 1
                    : j == now->owner_count  ? -1
                                             : by_identity(&was[i], &is[j]);
        changed(c, order <= 0 ? &was[i] : NULL, order >= 0 ? &is[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
    free(was);
    free(is);
    if (!ok) {
        free(c->change);
        return -ENOMEM;
    }
    qsort(c->change, c->count, sizeof *c->change, by_weight);
    return 0;
}

// ---------------------------------------------------------------- a page

static void delta(struct ink *k, u64 was, u64 is)
{
    char size[WORDS_SIZE], sign[WORDS_SIZE + 1];
    if (was == is) {
        ink(k, INK_DIM, "%*s", SIZE, "-");
        return;
    }
    snprintf(sign, sizeof sign, "%c%s", is > was ? '+' : '-', words_size(size, distance(was, is)));
    ink(k, is > was ? INK_BAD : INK_GOOD, "%*s", SIZE, sign);
}

static void row(struct ink *k, const char *label, const struct change *c)
{
    char size[WORDS_SIZE];
    ink(k, INK_PLAIN, "  ");
    ink_cut(k, INK_PLAIN, label, LABEL - 3);
    ink_to(k, LABEL);
    delta(k, c->was, c->is);
    ink(k, INK_BOLD, "%*s", SIZE, words_size(size, c->is));
    delta(k, c->size_was, c->size_is);
    ink(k, INK_PLAIN, "%*s", SIZE, words_size(size, c->size_is));
    if (c->swap_was + c->swap_is != 0)
        delta(k, c->swap_was, c->swap_is);
    ink_line(k);
}

void map_diff_text(struct ink *k, const struct map_moment *before, const struct map_view *now)
{
    struct changes c;
    char label[MAP_LABEL];
    struct change all = {
        .was = before->rss,
        .is = now->rss,
        .size_was = before->size,
        .size_is = now->size,
        .swap_was = before->swap,
        .swap_is = now->swap,
    };
    ink(k, INK_BOLD, "%s", now->status.name);
    ink(k, INK_DIM, " · pid %d · what has changed", now->status.pid);
    ink_line(k);
    ink_line(k);
    ink_to(k, LABEL);
    ink(k, INK_DIM, "%*s%*s%*s%*s", SIZE, "RAM", SIZE, "now", SIZE, "mapped", SIZE, "now");
    ink_line(k);
    row(k, "all", &all);
    if (compare(&c, before, now) < 0)
        return;
    for (size_t i = 0; i < c.count; i++)
        row(k, map_label(label, c.change[i].kind, c.change[i].name), &c.change[i]);
    if (c.count == 0) {
        ink(k, INK_DIM, "  nobody's memory has grown or shrunk");
        ink_line(k);
    }
    free(c.change);
}

json_t *map_diff_json(const struct map_moment *before, const struct map_view *now)
{
    struct changes c;
    json_t *list = json_array();
    if (compare(&c, before, now) == 0) {
        for (size_t i = 0; i < c.count; i++) {
            const struct change *x = &c.change[i];
            char label[MAP_LABEL];
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "kind",
                          space_kind_names[x->kind], "label", map_label(label, x->kind, x->name),
                          "rss_before", (json_int_t)x->was, "rss", (json_int_t)x->is, "size_before",
                          (json_int_t)x->size_was, "size", (json_int_t)x->size_is, "swap_before",
                          (json_int_t)x->swap_was, "swap", (json_int_t)x->swap_is));
        }
        free(c.change);
    }
    return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:o}", "schema", "loam-map-diff/1",
                     "loam", LOAM_VERSION, "pid", (int)now->status.pid, "rss_before",
                     (json_int_t)before->rss, "rss", (json_int_t)now->rss, "size_before",
                     (json_int_t)before->size, "size", (json_int_t)now->size, "changes", list);
}
