// account_json.c: the account of RSS, the heap's classes and its fragmentation for machines.
#include "inspect/account_view.h"

static json_t *integer(u64 n)
{
    return json_integer((json_int_t)n);
}

json_t *account_classes_json(const struct account *a)
{
    json_t *list = json_array();
    for (u32 i = 0; i < a->cls_count; i++) {
        const struct account_class *c = &a->cls[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "size",
                            c->size != 0 ? integer(c->size) : json_null(), "spans",
                            integer(c->slabs), "blocks", integer(c->room), "live", integer(c->live),
                            "rss", integer(c->resident), "live_bytes", integer(c->live_bytes)));
    }
    return list;
}

json_t *account_json(const struct account *a)
{
    static const char *const names[ACCOUNT_PARTS] = {
        [ACCOUNT_LIVE] = "live",     [ACCOUNT_WASTE] = "waste",   [ACCOUNT_FREE] = "free",
        [ACCOUNT_TABLES] = "tables", [ACCOUNT_STACKS] = "stacks", [ACCOUNT_FILES] = "files",
        [ACCOUNT_OTHER] = "other",
    };
    json_t *o = json_object();
    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        bool known = i == ACCOUNT_WASTE                       ? a->asked
                     : i < ACCOUNT_WASTE || i == ACCOUNT_FREE ? a->heap
                                                              : true;
        json_object_set_new(o, names[i], known ? integer(a->part[i]) : json_null());
    }
    json_object_set_new(o, "live_blocks", a->heap ? integer(a->live_blocks) : json_null());
    json_object_set_new(o, "slack", a->heap ? integer(a->slack) : json_null());
    return o;
}

json_t *account_pins_json(const struct pins *p, struct blame *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->count; i++) {
        const struct pin *x = &p->pin[i];
        const struct site *site = blame_site(b, x->site);
        json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "pinned", integer(x->pinned), "freed",
                              integer(x->freed), "blocks", integer(x->blocks), "bytes",
                              integer(x->bytes), "slabs", integer(x->slabs));
        json_object_set_new(o, "stack", site != NULL ? blame_json(b, site) : json_null());
        json_array_append_new(list, o);
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "slabs", integer(p->slabs), "rss",
                     integer(p->resident), "live", integer(p->live), "sites", list);
}
