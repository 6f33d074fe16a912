// pprof.c: the profile.proto of pprof: samples point to locations, those to functions and
// mappings, and all texts to one table.
//
// The first four values have the names that Go's heap profiles gave them, by which tools know
// them. Functions are told here, so that no reader needs the program.

#include "report/export.h"

#include "report/rows.h"
#include "report/wire.h"

#include <string.h>

// Field numbers of the messages, as profile.proto has them.
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE,
    PROFILE_MAPPING,
    PROFILE_LOCATION,
    PROFILE_FUNCTION,
    PROFILE_STRING,
    PROFILE_TIME = 9,
    PROFILE_DURATION,
    PROFILE_DEFAULT_TYPE = 14
};
enum { TYPE_TYPE = 1, TYPE_UNIT };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES };
enum {
    MAPPING_ID = 1,
    MAPPING_START,
    MAPPING_LIMIT,
    MAPPING_OFFSET,
    MAPPING_FILE,
    MAPPING_BUILD_ID,
    MAPPING_HAS_FUNCTIONS,
    MAPPING_HAS_FILES,
    MAPPING_HAS_LINES,
    MAPPING_HAS_INLINE
};
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

// Every module gets a stretch of addresses of its own: link-time addresses overlap.
#define MODULE_SHIFT 40

static const struct {
    const char *type, *gauge;
} values[] = {
    {"alloc_objects", "allocations"},
    {"alloc_space", "allocated"},
    {"inuse_objects", "blocks"},
    {"inuse_space", "live"},
    {"peak_space", "peak"},
    {"leaked_space", "leaked"},
    {"temporary_objects", "temporaries"},
    {"temporary_space", "temporary"},
};
#define DEFAULT_TYPE "peak_space"

struct pprof_text {
    const char *text;
    u64 number;
    struct pprof_text *next; // of the same hash
};

struct pprof {
    struct wire_file file;
    struct store *store;
    struct wire message, inner, top; // being made; `top` is one field of the profile
    struct table texts;              // hash -> struct pprof_text
    struct table locations;          // first symbol of a frame -> 1 + its id
    struct table functions;          // name and file -> its id
    u64 texts_count, locations_count, functions_count;
};

static void put(struct pprof *p, u32 field, const struct wire *message)
{
    wire_clear(&p->top);
    wire_message(&p->top, field, message);
    wire_put(&p->file, &p->top);
}

// The number of a text, which is written when it is new.
static u64 text(struct pprof *p, const char *t)
{
    u64 key = table_hash(t);
    struct pprof_text *first = table_get(&p->texts, key), *x = first;
    while (x != NULL && strcmp(x->text, t) != 0)
        x = x->next;
    if (x == NULL) {
        x = store_push(p->store, sizeof *x);
        *x = (struct pprof_text){t, p->texts_count++, first};
        table_put(&p->texts, key, x);
        wire_clear(&p->top);
        wire_text(&p->top, PROFILE_STRING, t);
        wire_put(&p->file, &p->top);
    }
    return x->number;
}

static u64 function_id(struct pprof *p, const struct symbol *s)
{
    u64 name = text(p, s->function), file = s->file == NULL ? 0 : text(p, s->file);
    u64 key = name << 32 | file;
    uintptr_t known = (uintptr_t)table_get(&p->functions, key);
    if (known != 0)
        return known;
    u64 id = ++p->functions_count;
    table_put(&p->functions, key, (void *)(uintptr_t)id);
    wire_clear(&p->message);
    wire_number(&p->message, FUNCTION_ID, id);
    wire_number(&p->message, FUNCTION_NAME, name);
    wire_number(&p->message, FUNCTION_SYSTEM_NAME, name);
    wire_number(&p->message, FUNCTION_FILE, file);
    put(p, PROFILE_FUNCTION, &p->message);
    return id;
}

// The functions of a frame, innermost first, are the lines of one location.
static u64 location_new(struct pprof *p, struct frame f, const struct symbol *s, size_t count)
{
    u64 ids[64], id = ++p->locations_count;
    count = size_min(count, countof(ids));
    for (size_t i = 0; i < count; i++)
        ids[i] = function_id(p, &s[i]); // writes messages of its own: before this one is begun
    u64 module = f.module == NULL ? 0 : f.module->number;
    wire_clear(&p->message);
    wire_number(&p->message, LOCATION_ID, id);
    wire_number(&p->message, LOCATION_MAPPING, module);
    wire_number(&p->message, LOCATION_ADDRESS, (module << MODULE_SHIFT) + f.offset);
    for (size_t i = 0; i < count; i++) {
        wire_clear(&p->inner);
        wire_number(&p->inner, LINE_FUNCTION, ids[i]);
        wire_number(&p->inner, LINE_LINE, s[i].line);
        wire_message(&p->message, LOCATION_LINE, &p->inner);
    }
    put(p, PROFILE_LOCATION, &p->message);
    return id;
}

static u64 location_of(struct pprof *p, struct symbols *symbols, struct frame f)
{
    size_t count;
    const struct symbol *s = symbols_of(symbols, f, &count);
    u64 key = (u64)(uintptr_t)s; // one answer for each frame
    uintptr_t known = (uintptr_t)table_get(&p->locations, key);
    if (known != 0)
        return known;
    u64 id = location_new(p, f, s, count);
    table_put(&p->locations, key, (void *)(uintptr_t)id);
    return id;
}

static void put_sample(struct pprof *p, const struct row *r)
{
    const struct site *s = r->place->sample;
    struct wire locations = {0}, numbers = {0};
    for (u32 i = 0; i < s->frames_count; i++)
        wire_packed(&locations, location_of(p, r->symbols, site_frame(s, i)));
    for (u32 i = 0; i < countof(values); i++)
        wire_packed(&numbers, r->after[gauge_named(values[i].gauge)]);
    wire_clear(&p->message);
    wire_message(&p->message, SAMPLE_LOCATIONS, &locations);
    wire_message(&p->message, SAMPLE_VALUES, &numbers);
    put(p, PROFILE_SAMPLE, &p->message);
    wire_done(&locations);
    wire_done(&numbers);
}

static void put_mapping(struct pprof *p, const struct module *m)
{
    char id[2 * sizeof m->build_id + 1] = "";
    for (u32 i = 0; i < m->build_id_len; i++)
        snprintf(id + 2 * i, 3, "%02x", m->build_id[i]);
    u64 file = text(p, m->path);
    u64 build_id = text(p, store_text(p->store, id, sizeof id));
    u64 start = (u64)m->number << MODULE_SHIFT;
    wire_clear(&p->message);
    wire_number(&p->message, MAPPING_ID, m->number);
    wire_number(&p->message, MAPPING_START, start);
    wire_number(&p->message, MAPPING_LIMIT, start + ((u64)1 << MODULE_SHIFT));
    wire_number(&p->message, MAPPING_FILE, file);
    wire_number(&p->message, MAPPING_BUILD_ID, build_id);
    // Nobody shall look for names again: what is not here is not to be had.
    for (u32 has = MAPPING_HAS_FUNCTIONS; has <= MAPPING_HAS_INLINE; has++)
        wire_number(&p->message, has, 1);
    put(p, PROFILE_MAPPING, &p->message);
}

static void put_types(struct pprof *p)
{
    for (u32 i = 0; i < countof(values); i++) {
        const struct gauge *g = &gauges[gauge_named(values[i].gauge)];
        u64 type = text(p, values[i].type);
        u64 unit = text(p, g->unit == GAUGE_BYTES ? "bytes" : "count");
        wire_clear(&p->message);
        wire_number(&p->message, TYPE_TYPE, type);
        wire_number(&p->message, TYPE_UNIT, unit);
        put(p, PROFILE_SAMPLE_TYPE, &p->message);
    }
}

static void put_head(struct pprof *p, const struct model *m)
{
    text(p, ""); // text 0 is empty, by definition
    put_types(p);
    u64 type = text(p, DEFAULT_TYPE);
    wire_clear(&p->message);
    wire_number(&p->message, PROFILE_TIME, m->started_ns);
    if (m->ended_ns > m->started_ns)
        wire_number(&p->message, PROFILE_DURATION, m->ended_ns - m->started_ns);
    wire_number(&p->message, PROFILE_DEFAULT_TYPE, type);
    wire_put(&p->file, &p->message);
    for (u32 i = 0; i < m->modules_count; i++)
        put_mapping(p, m->modules[i]);
}

int pprof_write(FILE *out, struct model *m, u32 gauge)
{
    (void)gauge;
    struct symbols *symbols = symbols_new(&m->store);
    struct rows rows = rows_of(m, symbols);
    struct pprof p = {.store = &m->store};
    wire_open(&p.file, out);
    put_head(&p, m);
    for (u32 i = 0; i < rows.count; i++) {
        if (rows.items[i].place->sample->frames_count > 0)
            put_sample(&p, &rows.items[i]);
    }
    int r = wire_close(&p.file);
    wire_done(&p.message);
    wire_done(&p.inner);
    wire_done(&p.top);
    table_done(&p.texts);
    table_done(&p.locations);
    table_done(&p.functions);
    rows_done(&rows);
    symbols_free(symbols);
    return r;
}
