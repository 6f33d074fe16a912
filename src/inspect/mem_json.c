// mem_json.c: `loam mem --json`; the schema is in docs/mem-json.md.
#include "inspect/mem.h"

#include "report/jot.h"

#include <string.h>

static json_t *sums(const struct smap *s)
{
    const struct {
        const char *name;
        u64 bytes;
    } all[] = {
        {"rss", s->rss},
        {"pss", s->pss},
        {"uss", mem_uss(s)},
        {"shared_clean", s->shared_clean},
        {"shared_dirty", s->shared_dirty},
        {"private_clean", s->private_clean},
        {"private_dirty", s->private_dirty},
        {"anonymous", s->anonymous},
        {"lazy_free", s->lazy_free},
        {"anon_huge", s->anon_huge},
        {"shmem_huge", s->shmem_huge},
        {"file_huge", s->file_huge},
        {"hugetlb", s->shared_hugetlb + s->private_hugetlb},
        {"swap", s->swap},
        {"swap_pss", s->swap_pss},
        {"locked", s->locked},
    };
    json_t *o = json_object();
    for (size_t i = 0; i < countof(all); i++)
        json_object_set_new(o, all[i].name, jot_int(all[i].bytes));
    return o;
}

static json_t *mapping(const struct smap *s)
{
    json_t *o = sums(s);
    const struct map *m = &s->map;
    char flags[5] = {m->readable ? 'r' : '-', m->writable ? 'w' : '-', m->executable ? 'x' : '-',
                     m->shared ? 's' : 'p', 0};
    json_object_set_new(o, "start", jot_int(m->start));
    json_object_set_new(o, "end", jot_int(m->end));
    json_object_set_new(o, "access", json_string(flags));
    json_object_set_new(o, "path", *m->path != 0 ? jot_foreign(m->path) : json_null());
    return o;
}

static json_t *head(const struct status *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "pid", jot_int((u64)s->pid));
    json_object_set_new(o, "ppid", jot_int((u64)s->ppid));
    json_object_set_new(o, "name", jot_foreign(s->name));
    json_object_set_new(o, "command", jot_foreign(s->command));
    json_object_set_new(o, "threads", jot_int(s->threads));
    json_object_set_new(o, "age_ns", jot_int(s->age_ns));
    json_object_set_new(o, "mapped", jot_int(s->size));
    json_object_set_new(o, "rss_peak", jot_int(s->rss_peak));
    json_object_set_new(o, "page_tables", jot_int(s->page_tables));
    json_object_set_new(o, "minor_faults", jot_int(s->minor));
    json_object_set_new(o, "major_faults", jot_int(s->major));
    return o;
}

json_t *mem_json(struct mem *m, const struct mem_sums *before)
{
    const struct mem_sums *now = &m->sums;
    const struct smaps *maps = &m->space.smaps;
    json_t *o = json_pack("{s:s, s:s}", "schema", "loam-mem/1", "loam", LOAM_VERSION);
    json_object_update_new(o, head(&now->status));
    json_object_update_new(o, sums(&now->total));
    json_object_set_new(o, "rss_anon", jot_int(now->status.rss_anon));
    json_object_set_new(o, "rss_file", jot_int(now->status.rss_file));
    json_object_set_new(o, "rss_shmem", jot_int(now->status.rss_shmem));
    if (before != NULL) {
        u64 minor = now->status.minor - before->status.minor;
        json_object_set_new(o, "since_ns", jot_int(now->taken_ns - before->taken_ns));
        json_object_set_new(o, "minor_faults_since", jot_int(minor));
        json_object_set_new(o, "major_faults_since",
                            jot_int(now->status.major - before->status.major));
    }
    json_object_set_new(o, "loam_heap", json_boolean(m->space.root != 0));
    json_object_set_new(o, "account", account_json(&m->account));
    json_object_set_new(o, "fragmentation",
                        m->space.heap ? account_pins_json(&m->pins, &m->blame) : json_null());
    json_t *list = json_array();
    for (size_t i = 0; i < maps->count && maps->smap[i].map.end <= INT64_MAX; i++)
        json_array_append_new(list, mapping(&maps->smap[i]));
    json_object_set_new(o, "mappings", list);
    return o;
}

json_t *mem_tree_json(const struct family *f)
{
    json_t *list = json_array();
    struct smap sum = {0};
    for (size_t i = 0; i < f->count; i++) {
        struct smap t;
        json_t *o = head(&f->member[i]);
        bool known = f->member[i].has_memory && smaps_total(&t, f->member[i].pid) == 0;
        if (known) {
            smaps_add(&sum, &t);
            json_object_update_new(o, sums(&t));
        }
        json_object_set_new(o, "known", json_boolean(known));
        json_object_set_new(o, "depth", jot_int(f->depth[i]));
        json_array_append_new(list, o);
    }
    json_t *o = json_pack("{s:s, s:s}", "schema", "loam-mem-tree/1", "loam", LOAM_VERSION);
    json_object_update_new(o, sums(&sum));
    json_object_set_new(o, "processes", list);
    return o;
}
