// structs.c: one walk, a hash table against repetition, a sort.

#include "inspect/structs.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static u64 text_key(u64 key, const char *text)
{
    for (; text != NULL && *text != 0; text++)
        key = key * 1099511628211u ^ (u8)*text;
    return table_mix(key, 1);
}

// Equal names, ignoring "struct " in front of what was asked for, and template arguments that it
// leaves out.
static bool same_name(const char *name, const char *wanted)
{
    size_t len = strlen(wanted);
    return strncmp(name, wanted, len) == 0 &&
           (name[len] == 0 || (name[len] == '<' && strchr(wanted, '<') == NULL));
}

static const char *without_word(const char *wanted)
{
    static const char *const words[] = {"struct ", "class ", "union "};
    for (size_t i = 0; i < countof(words); i++) {
        if (strncmp(wanted, words[i], strlen(words[i])) == 0)
            return wanted + strlen(words[i]);
    }
    return wanted;
}

// The whole name, or what stands behind any of its "::".
static bool is_wanted(const char *name, const char *wanted)
{
    for (const char *at = name; at != NULL;) {
        if (same_name(at, wanted))
            return true;
        at = strstr(at, "::");
        at = at == NULL ? NULL : at + 2;
    }
    return false;
}

bool structs_named(const char *name, const char *wanted)
{
    return is_wanted(name, without_word(wanted));
}

static void show_progress(struct structs *s)
{
    static time_t begun, told;
    time_t now = time(NULL);
    begun = begun == 0 ? now : begun;
    if (now - begun < 2 || now == told || !isatty(2))
        return;
    told = now;
    fprintf(stderr, "\r%llu units read, %u structs \033[K", (unsigned long long)s->walk.units,
            s->count);
}

static void clear_progress(void)
{
    if (isatty(2))
        fputs("\r\033[K", stderr);
}

static void keep(struct structs *s, Dwarf_Die *type, const char *name)
{
    struct shape *r = store_push(&s->store, sizeof *r);
    struct layout *l = store_push(&s->store, sizeof *l);
    shape_load(r, &s->store, type, name, s->machine);
    if (r->count == 0)
        return;
    layout_of(l, &s->store, r);
    if (s->count == s->room) {
        s->room = s->room == 0 ? 256 : 2 * s->room;
        s->items = realloc(s->items, s->room * sizeof *s->items);
        if (s->items == NULL)
            die("loam: out of memory", NULL);
    }
    s->items[s->count++] = l;
}

// A definition outside of its scope (all of those in type units) names the declaration in there.
static void scope_of(Dwarf_Die *die, const char *scope, char out[1024])
{
    Dwarf_Attribute attr;
    Dwarf_Die inside, *scopes = NULL;
    size_t len = 0;
    snprintf(out, 1024, "%s", scope);
    if (dwarf_formref_die(dwarf_attr(die, DW_AT_specification, &attr), &inside) == NULL)
        return;
    out[0] = 0;
    for (int i = dwarf_getscopes_die(&inside, &scopes) - 2; i > 0; i--) { // without unit and itself
        const char *name = dwarf_diename(&scopes[i]);
        if (name != NULL && len + strlen(name) + 3 < 1024)
            len += (size_t)snprintf(out + len, 1024 - len, "%s::", name);
    }
    free(scopes);
}

static int each(void *ctx, Dwarf_Die *die, const char *scope)
{
    struct structs *s = ctx;
    Dwarf_Die type = *die;
    Dwarf_Attribute attr;
    char name[2048], outer[1024];
    const char *own = dwarf_diename(die);
    u32 line;
    show_progress(s);
    if (own == NULL || dwarf_attr(die, DW_AT_declaration, &attr) != NULL)
        return 0;
    scope_of(die, scope, outer);
    if (dwarf_tag(die) == DW_TAG_typedef && !types_of(die, &type))
        return 0;
    snprintf(name, sizeof name, "%s%s", outer, own);
    if (s->wanted != NULL && !is_wanted(name, s->wanted)) {
        if (s->near == NULL && strstr(name, s->wanted) != NULL)
            s->near = store_text(&s->store, name, strlen(name));
        return 0;
    }
    const char *file = shape_file(&type, &line);
    u64 key = text_key(text_key(types_size(&type), name), file) ^ line;
    if (table_get(&s->seen, key) != NULL)
        return 0;
    table_put(&s->seen, key, s);
    keep(s, &type, name);
    return 0;
}

static int by_saving(const void *a, const void *b)
{
    const struct layout *x = *(struct layout *const *)a, *y = *(struct layout *const *)b;
    u64 saved_x = x->record->size - x->best, saved_y = y->record->size - y->best;
    if (saved_x != saved_y)
        return saved_x < saved_y ? 1 : -1;
    if (x->wasted != y->wasted)
        return x->wasted < y->wasted ? 1 : -1;
    if (x->shared_pairs != y->shared_pairs)
        return x->shared_pairs < y->shared_pairs ? 1 : -1;
    int r = strcmp(x->record->name, y->record->name);
    return r != 0 ? r : (x->record->line > y->record->line) - (x->record->line < y->record->line);
}

void structs_collect(struct structs *s, struct image *im, Dwarf *dwarf, const char *wanted)
{
    *s = (struct structs){
        .wanted = wanted == NULL ? NULL : without_word(wanted),
        .machine = im->head.e_machine,
        .walk = {.each = each, .ctx = s},
    };
    walk_types(&s->walk, im, dwarf);
    clear_progress();
    if (s->count > 0)
        qsort(s->items, s->count, sizeof *s->items, by_saving);
}

void structs_done(struct structs *s)
{
    table_done(&s->seen);
    free(s->items);
    store_done(&s->store);
    *s = (struct structs){0};
}

bool structs_foreign(const struct layout *l)
{
    const char *file = l->record->file;
    return file == NULL || strncmp(file, "/usr/", 5) == 0 || strcmp(file, "<built-in>") == 0;
}
