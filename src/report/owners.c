// owners.c: regions, pools, collected heaps and tasks: what they hold, by name.
#include "report/owners.h"

#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define GROWS_BYTES (1u << 20) // a region that holds less is no worry
#define OWNERS_MAX  4096       // names and places: what is more would come from a hostile file
#define LEFT        11         // the column that everything hangs from

static const char *clean(struct model *m, const char *text, size_t size)
{
    char *copy = store_text(&m->store, text, size);
    utf8_clean(copy);
    return copy;
}

static struct owner *find(struct model *m, const struct owner *like)
{
    for (u32 i = 0; i < m->owners_count; i++) {
        struct owner *o = &m->owners[i];
        if (strcmp(o->name, like->name) == 0 && strcmp(o->place, like->place) == 0 &&
            strcmp(o->kind, like->kind) == 0)
            return o;
    }
    return NULL;
}

// The one of that kind, name and place; NULL when there are too many.
static struct owner *find_or_add(struct model *m, const struct owner *like)
{
    struct owner *o = find(m, like);
    if (o != NULL || m->owners_count == OWNERS_MAX)
        return o;
    if (m->owners == NULL)
        m->owners = store_push(&m->store, OWNERS_MAX * sizeof *m->owners);
    o = &m->owners[m->owners_count++];
    *o = *like;
    return o;
}

bool owners_add(struct model *m, const struct record *r, size_t bytes)
{
    const struct record_owner *ro = (const void *)r;
    if (bytes < sizeof *ro ||
        (size_t)ro->kind_len + ro->name_len + ro->place_len > bytes - sizeof *ro)
        return false;
    const char *name = ro->text + ro->kind_len, *place = name + ro->name_len;
    const struct owner like = {
        .kind = clean(m, ro->text, ro->kind_len),
        .name = clean(m, name, ro->name_len),
        .place = clean(m, place, ro->place_len),
    };
    struct owner *o = find_or_add(m, &like);
    if (o == NULL)
        return true;
    o->count += ro->count;
    o->live += ro->live;
    o->held_bytes += ro->held_bytes;
    o->used_bytes += ro->used_bytes;
    o->used_max = o->used_max > ro->used_max ? o->used_max : ro->used_max;
    o->resets += ro->resets;
    return true;
}

bool owners_add_pauses(struct model *m, const struct record *r, size_t bytes)
{
    const struct record_pauses *rp = (const void *)r;
    if (bytes < sizeof *rp || rp->max_ns > rp->total_ns)
        return false;
    m->pauses.count += rp->count;
    m->pauses.total_ns += rp->total_ns;
    m->pauses.max_ns = m->pauses.max_ns > rp->max_ns ? m->pauses.max_ns : rp->max_ns;
    return true;
}

static int by_held(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;
    if (x->held_bytes != y->held_bytes)
        return x->held_bytes > y->held_bytes ? -1 : 1;
    if (x->used_max != y->used_max)
        return x->used_max > y->used_max ? -1 : 1;
    return strcmp(x->name, y->name);
}

void owners_settle(struct model *m)
{
    if (m->owners_count > 1)
        qsort(m->owners, m->owners_count, sizeof *m->owners, by_held);
}

bool owners_grows(const struct owner *o)
{
    return strcmp(o->kind, "region") == 0 && o->live != 0 && o->resets == 0 &&
           o->held_bytes / o->live >= GROWS_BYTES;
}

// ---------------------------------------------------------------- as text

static void amount(struct ink *k, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    words_size(size, bytes);
    ink_to(k, (u32)(LEFT - 1 - size_min(strlen(size), LEFT - 1)));
    ink(k, style, "%s", size);
    ink_to(k, LEFT);
}

// "http.request, conn.c:88"
static void put_name(struct ink *k, const struct owner *o)
{
    const char *slash = strrchr(o->place, '/');
    ink(k, INK_PLAIN, "%s ", o->kind);
    ink_cut(k, INK_BOLD, o->name, 30);
    if (*o->place != 0) {
        ink(k, INK_PLAIN, ", ");
        ink_cut(k, INK_PLAIN, slash == NULL ? o->place : slash + 1, 24);
    }
    ink_line(k);
}

static void put_facts(struct ink *k, const struct owner *o)
{
    char text[WORDS_SIZE];
    bool task = strcmp(o->kind, "task") == 0;
    ink_to(k, LEFT);
    ink(k, INK_DIM, "%s made", words_count(text, o->count));
    ink(k, INK_DIM, ", %s at the end", words_count(text, o->live));
    ink(k, INK_DIM, task ? " · deepest stack %s" : " · at most %s in one",
        words_size(text, o->used_max));
    if (o->resets != 0)
        ink(k, INK_DIM, " · %s %s", strcmp(o->kind, "gc") == 0 ? "collected" : "emptied",
            words_of(text, o->resets, "time"));
    ink_line(k);
}

static void line(struct ink *k, const struct owner *o)
{
    if (o->held_bytes != 0)
        amount(k, INK_BOLD, o->held_bytes);
    ink_to(k, LEFT);
    put_name(k, o);
    put_facts(k, o);
    if (!owners_grows(o))
        return;
    ink_to(k, LEFT);
    ink(k, INK_WARN, "grows and is never emptied: close it, clear it, or cut it back to a mark");
    ink_line(k);
}

static bool first_of_kind(const struct model *m, u32 i)
{
    for (u32 j = 0; j < i; j++)
        if (strcmp(m->owners[j].kind, m->owners[i].kind) == 0)
            return false;
    return true;
}

static void put_kind(struct ink *k, const struct model *m, const char *kind)
{
    char size[WORDS_SIZE];
    u64 held = 0;
    u32 names = 0;
    for (u32 i = 0; i < m->owners_count; i++)
        if (strcmp(m->owners[i].kind, kind) == 0) {
            held += m->owners[i].held_bytes;
            names++;
        }
    if (held != 0)
        ink(k, INK_BOLD, "%s in ", words_size(size, held));
    ink(k, INK_PLAIN, "%s (%u)", kind, names);
}

// What each kind holds, and in brackets under how many names.
static void put_kinds(struct ink *k, const struct model *m)
{
    u32 told = 0;
    for (u32 i = 0; i < m->owners_count && told < 4; i++)
        if (first_of_kind(m, i)) {
            ink(k, INK_DIM, told++ == 0 ? "" : " · ");
            put_kind(k, m, m->owners[i].kind);
        }
    ink_line(k);
}

static void put_pauses(struct ink *k, const struct pauses *p)
{
    char count[WORDS_SIZE], max[WORDS_SIZE], total[WORDS_SIZE];
    if (p->count == 0)
        return;
    ink_to(k, LEFT);
    ink(k, INK_PLAIN, "collections stopped all threads %s: %s at most, %s in all",
        words_of(count, p->count, "time"), words_time(max, p->max_ns),
        words_time(total, p->total_ns));
    ink_line(k);
}

void owners_text(struct ink *k, const struct model *m, u32 max)
{
    if (m->owners_count == 0)
        return;
    u32 shown = max == 0 || m->owners_count < max ? m->owners_count : max;
    u64 rest = 0;
    char count[WORDS_SIZE];
    ink_line(k);
    ink(k, INK_BOLD, "OWNERS");
    ink_to(k, LEFT);
    put_kinds(k, m);
    ink_line(k);
    for (u32 i = 0; i < shown; i++)
        line(k, &m->owners[i]);
    put_pauses(k, &m->pauses);
    if (shown == m->owners_count)
        return;
    for (u32 i = shown; i < m->owners_count; i++)
        rest += m->owners[i].held_bytes;
    amount(k, INK_DIM, rest);
    ink(k, INK_DIM, "under %s", words_of(count, m->owners_count - shown, "more name"));
    ink_line(k);
}

// ---------------------------------------------------------------- as JSON

static void put_number(json_t *o, const char *key, u64 n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

json_t *owners_json(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->owners_count; i++) {
        const struct owner *o = &m->owners[i];
        json_t *one =
            json_pack("{s:s, s:s, s:s}", "kind", o->kind, "name", o->name, "place", o->place);
        put_number(one, "count", o->count);
        put_number(one, "live", o->live);
        put_number(one, "held_bytes", o->held_bytes);
        put_number(one, "used_bytes", o->used_bytes);
        put_number(one, "used_max_bytes", o->used_max);
        put_number(one, "resets", o->resets);
        json_object_set_new(one, "grows", json_boolean(owners_grows(o)));
        json_array_append_new(list, one);
    }
    return list;
}

json_t *owners_pauses_json(const struct model *m)
{
    json_t *o = json_object();
    put_number(o, "count", m->pauses.count);
    put_number(o, "max_ns", m->pauses.max_ns);
    put_number(o, "total_ns", m->pauses.total_ns);
    return o;
}
