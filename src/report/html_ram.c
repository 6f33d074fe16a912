// html_ram.c: what resident memory was for, over time, and whose blocks keep half-empty slabs.

#include "report/html_parts.h"

#include "report/ram.h"
#include "target/account.h"

static json_t *parts(const struct ram *r)
{
    json_t *list = json_array();
    for (u32 i = 0; i < ACCOUNT_PARTS; i++)
        json_array_append_new(list, html_number(r->part[i]));
    return list;
}

// A site that is in the page, by its number there; else null.
static json_t *site_of(const struct pinner *p, const u32 *numbers)
{
    const struct place *place = p->site == NULL ? NULL : p->site->place;
    bool there = place != NULL && numbers[place->number] != 0;
    return there ? json_integer(numbers[place->number] - 1) : json_null();
}

static json_t *pinners(const struct ram *r, const u32 *numbers)
{
    json_t *list = json_array();
    for (u32 i = 0; i < r->pinners_count; i++) {
        const struct pinner *p = &r->pinners[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "site", site_of(p, numbers), "pinned",
                            html_number(p->pinned), "freed", html_number(p->freed), "blocks",
                            html_number(p->blocks), "slabs", html_number(p->slabs)));
    }
    return list;
}

static json_t *account(const struct ram *r, const u32 *numbers)
{
    if (r->rss == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "ns", html_number(r->at_ns), "rss",
                     html_number(r->rss), "parts", parts(r), "slabs", html_number(r->slabs),
                     "slabs_rss", html_number(r->slabs_rss), "slabs_live",
                     html_number(r->slabs_live), "pinners", pinners(r, numbers));
}

// One list a part, and one of times.
static json_t *line(const struct model *m)
{
    json_t *ns = json_array(), *all = json_array();
    for (u32 i = 0; i < m->rams_count; i++)
        json_array_append_new(ns, html_number(m->rams[i].at_ns));
    for (u32 part = 0; part < ACCOUNT_PARTS; part++) {
        json_t *list = json_array();
        for (u32 i = 0; i < m->rams_count; i++)
            json_array_append_new(list, html_number(m->rams[i].part[part]));
        json_array_append_new(all, list);
    }
    return json_pack("{s:o, s:o}", "ns", ns, "parts", all);
}

void html_ram_put(json_t *page, const struct model *m, const u32 *numbers)
{
    const struct process *p = ram_process(m);
    if (p == NULL)
        return;
    json_t *names = json_array();
    for (u32 i = 0; i < ACCOUNT_PARTS; i++)
        json_array_append_new(names, json_string(account_names[i]));
    json_object_set_new(page, "ram",
                        json_pack("{s:o, s:i, s:s, s:o, s:o, s:o}", "names", names, "pid",
                                  (int)p->pid, "command", p->args, "highest",
                                  account(&p->highest, numbers), "last", account(&p->last, numbers),
                                  "line", line(m)));
}
