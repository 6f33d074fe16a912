// account_json.c: the account of RSS, the heap's classes and its fragmentation for machines.
#include "inspect/account_view.h"

#include "report/jot.h"

json_t *account_classes_json(const struct account *a)
{
    json_t *list = json_array();
    for (u32 i = 0; i < a->cls_count; i++) {
        const struct account_class *c = &a->cls[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "size",
                            c->size != 0 ? jot_int(c->size) : json_null(), "spans",
                            jot_int(c->slabs), "blocks", jot_int(c->room), "live", jot_int(c->live),
                            "rss", jot_int(c->resident), "live_bytes", jot_int(c->live_bytes)));
    }
    return list;
}

json_t *account_json(const struct account *a)
{
    json_t *o = json_object();
    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        bool known = i == ACCOUNT_WASTE                       ? a->asked
                     : i < ACCOUNT_WASTE || i == ACCOUNT_FREE ? a->heap
                                                              : true;
        json_object_set_new(o, account_keys[i], known ? jot_int(a->part[i]) : json_null());
    }
    json_object_set_new(o, "live_blocks", a->heap ? jot_int(a->live_blocks) : json_null());
    json_object_set_new(o, "slack", a->heap ? jot_int(a->slack) : json_null());
    return o;
}

json_t *account_pins_json(const struct pins *p, struct blame *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->count; i++) {
        const struct pin *x = &p->pin[i];
        const struct site *site = blame_site(b, x->site);
        json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "pinned", jot_int(x->pinned), "freed",
                              jot_int(x->freed), "blocks", jot_int(x->blocks), "bytes",
                              jot_int(x->bytes), "slabs", jot_int(x->slabs));
        json_object_set_new(o, "stack", site != NULL ? blame_json(b, site) : json_null());
        json_array_append_new(list, o);
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "slabs", jot_int(p->slabs), "rss",
                     jot_int(p->resident), "live", jot_int(p->live), "sites", list);
}
