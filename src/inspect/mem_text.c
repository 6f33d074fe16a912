// mem_text.c: `loam mem` on a terminal.
#include "inspect/mem.h"

#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define LEFT       12 // the column that everything hangs from
#define COLUMN     9  // of the table
#define GROUPS_MAX 14
#define SHORT_NS   100000000 // a rate over less says nothing

static void heading(struct ink *k, const char *text)
{
    ink(k, INK_HEAD, "%s", text);
    ink_to(k, LEFT);
}

static void right(struct ink *k, enum style style, const char *text, u32 width)
{
    size_t n = utf8_width(text);
    ink_to(k, k->column + (u32)(width > n ? width - n : 0));
    ink(k, style, "%s", text);
}

static void size_right(struct ink *k, enum style style, u64 bytes)
{
    char size[WORDS_SIZE];
    right(k, bytes == 0 ? INK_DIM : style, bytes == 0 ? "-" : words_size(size, bytes), COLUMN);
}

// "+1.2 MB" behind a number that has changed since.
static void change(struct ink *k, u64 now, u64 before)
{
    char size[WORDS_SIZE];
    if (now == before)
        return;
    ink(k, now > before ? INK_BAD : INK_GOOD, "  %s%s", now > before ? "+" : "-",
        words_size(size, now > before ? now - before : before - now));
}

// ---------------------------------------------------------------- totals

static void total(struct ink *k, const char *name, u64 bytes, const u64 *before, const char *what)
{
    char size[WORDS_SIZE];
    heading(k, name);
    right(k, INK_BOLD, words_size(size, bytes), COLUMN);
    ink_to(k, LEFT + COLUMN + 2);
    ink(k, INK_DIM, "%s", what);
    if (before != NULL)
        change(k, bytes, *before);
    ink_line(k);
}

static void totals(struct ink *k, const struct mem_sums *m, const struct mem_sums *b)
{
    const struct smap *t = &m->total, *u = b != NULL ? &b->total : NULL;
    char peak[WORDS_SIZE], text[128];
    u64 uss = mem_uss(t), uss_before = u != NULL ? mem_uss(u) : 0;
    snprintf(text, sizeof text, "in RAM, shared pages counted whole; the peak was %s",
             words_size(peak, m->status.rss_peak > t->rss ? m->status.rss_peak : t->rss));
    total(k, "RSS", t->rss, u != NULL ? &u->rss : NULL, text);
    total(k, "PSS", t->pss, u != NULL ? &u->pss : NULL, "shared pages divided by who shares them");
    total(k, "USS", uss, u != NULL ? &uss_before : NULL, "its own alone: free if it ended");
    if (t->swap != 0)
        total(k, "swap", t->swap, u != NULL ? &u->swap : NULL, "not in RAM");
    snprintf(text, sizeof text, "of addresses; page tables take %s",
             words_size(peak, m->status.page_tables));
    total(k, "mapped", m->status.size, b != NULL ? &b->status.size : NULL, text);
}

static void item(struct ink *k, const char *what, u64 bytes, u64 whole)
{
    char size[WORDS_SIZE], share[WORDS_SIZE];
    if (bytes == 0)
        return;
    words_size(size, bytes);
    words_share(share, bytes, whole);
    u32 room = (u32)(3 + strlen(what) + 1 + strlen(size) + (whole != 0 ? 3 + strlen(share) : 0));
    if (k->column > LEFT && k->column + room > k->width) {
        ink(k, INK_DIM, " ·");
        ink_line(k);
        ink_to(k, LEFT);
    } else if (k->column > LEFT) {
        ink(k, INK_DIM, " · ");
    }
    ink(k, INK_PLAIN, "%s %s", what, size);
    if (whole != 0)
        ink(k, INK_DIM, " (%s)", share);
}

static void kinds(struct ink *k, const struct mem_sums *m)
{
    const struct status *s = &m->status;
    heading(k, "of it");
    item(k, "anonymous", s->rss_anon, s->rss_anon + s->rss_file + s->rss_shmem);
    item(k, "files", s->rss_file, s->rss_anon + s->rss_file + s->rss_shmem);
    item(k, "shared memory", s->rss_shmem, s->rss_anon + s->rss_file + s->rss_shmem);
    item(k, "locked", m->total.locked, 0);
    item(k, "hugetlb besides", s->hugetlb, 0);
    ink_line(k);
}

// ---------------------------------------------------------------- faults, huge pages

static void rate(struct ink *k, u64 count, u64 ns)
{
    double a_second = (double)count * 1e9 / (double)ns;
    char words[WORDS_SIZE];
    if (ns < SHORT_NS)
        return;
    if (a_second >= 10)
        ink(k, INK_DIM, " (%s/s)", words_count(words, (u64)(a_second + 0.5)));
    else
        ink(k, INK_DIM, " (%.1f/s)", a_second);
}

static void fault(struct ink *k, const char *what, u64 now, const u64 *before, u64 ns)
{
    char words[WORDS_SIZE];
    ink(k, INK_PLAIN, "%s %s", words_count(words, now), what);
    rate(k, before != NULL ? now - *before : now, ns);
}

static void faults(struct ink *k, const struct mem_sums *m, const struct mem_sums *b)
{
    const struct status *s = &m->status;
    char time[WORDS_SIZE];
    u64 ns = b != NULL ? m->taken_ns - b->taken_ns : s->age_ns;
    heading(k, "page faults");
    fault(k, "minor", s->minor, b != NULL ? &b->status.minor : NULL, ns);
    ink(k, INK_DIM, " · ");
    fault(k, "major (from disk)", s->major, b != NULL ? &b->status.major : NULL, ns);
    ink(k, INK_DIM, b != NULL ? " in %s" : " over %s", words_time(time, ns));
    ink_line(k);
}

static void huge(struct ink *k, const struct mem_sums *m)
{
    char word[32], share[WORDS_SIZE], size[WORDS_SIZE];
    u64 bytes = m->total.anon_huge;
    heading(k, "huge pages");
    if (bytes == 0)
        ink(k, INK_PLAIN, "none");
    else
        ink(k, INK_PLAIN, "%s in %llu of them, %s of anonymous memory", words_size(size, bytes),
            (unsigned long long)(bytes / (2 * MiB)), words_share(share, bytes, m->total.anonymous));
    item(k, "shared memory", m->total.shmem_huge, 0);
    item(k, "files", m->total.file_huge, 0);
    ink(k, INK_DIM, "; this system gives them: %s",
        *status_thp("enabled", word) != 0 ? word : "not at all");
    if (m->status.thp_disabled)
        ink(k, INK_DIM, ", not to this process");
    ink_line(k);
}

// ---------------------------------------------------------------- mappings

static u32 name_width(const struct ink *k)
{
    return k->width - 5 * COLUMN - 2;
}

static void table_head(struct ink *k, const char *what)
{
    static const char *const columns[] = {"mapped", "RSS", "PSS", "USS", "swap"};
    ink(k, INK_HEAD, "%s", what);
    ink_to(k, name_width(k));
    for (size_t i = 0; i < countof(columns); i++)
        right(k, INK_DIM, columns[i], COLUMN);
    ink_line(k);
}

static void table_sizes(struct ink *k, const struct smap *s, u64 size)
{
    ink_to(k, name_width(k));
    size_right(k, INK_PLAIN, size);
    size_right(k, INK_PLAIN, s->rss);
    size_right(k, INK_BOLD, s->pss);
    size_right(k, INK_PLAIN, mem_uss(s));
    size_right(k, INK_PLAIN, s->swap);
    ink_line(k);
}

// What strangers named must not reach a terminal as it is.
static void put_name(struct ink *k, enum style style, const char *name, u32 width)
{
    char *clean = strdup(name);
    if (clean == NULL)
        return;
    utf8_clean(clean);
    ink_cut(k, style, clean, width);
    free(clean);
}

static void mapping_row(struct ink *k, const struct mem_group *g)
{
    const struct map *m = &g->sum.map;
    ink(k, INK_DIM, "%012llx %c%c%c%c ", (unsigned long long)m->start, m->readable ? 'r' : '-',
        m->writable ? 'w' : '-', m->executable ? 'x' : '-', m->shared ? 's' : 'p');
    put_name(k, INK_PLAIN, g->name, name_width(k) - k->column - 1);
    table_sizes(k, &g->sum, g->size);
}

static void group_row(struct ink *k, const struct mem_group *g)
{
    ink(k, INK_PLAIN, "  ");
    put_name(k, INK_PLAIN, g->name, name_width(k) - 9);
    if (g->count > 1)
        ink(k, INK_DIM, " (%u)", g->count);
    table_sizes(k, &g->sum, g->size);
}

static void rest_row(struct ink *k, const struct mem_groups *g, size_t from)
{
    struct smap sum = {0};
    u64 size = 0;
    for (size_t i = from; i < g->count; i++) {
        smaps_add(&sum, &g->group[i].sum);
        size += g->group[i].size;
    }
    ink(k, INK_DIM, "  %zu others (--all: each mapping)", g->count - from);
    table_sizes(k, &sum, size);
}

static void mappings(struct ink *k, const struct mem *m, bool all)
{
    struct mem_groups g;
    if (mem_groups(m, all, &g) < 0)
        return;
    table_head(k, all ? "MAPPINGS" : "MAPPINGS, by name");
    size_t shown = all || g.count <= GROUPS_MAX + 1 ? g.count : GROUPS_MAX;
    for (size_t i = 0; i < shown; i++) {
        if (all)
            mapping_row(k, &g.group[i]);
        else
            group_row(k, &g.group[i]);
    }
    if (shown < g.count)
        rest_row(k, &g, shown);
    mem_groups_done(&g);
}

#define PINS_MAX 3

void mem_text(struct ink *k, struct mem *m, const struct mem_sums *before, bool all)
{
    const struct status *s = &m->sums.status;
    char time[WORDS_SIZE];
    ink(k, INK_BOLD, "%s", s->name);
    ink(k, INK_DIM, " · pid %d · %u thread%s · %s old%s", s->pid, s->threads,
        s->threads == 1 ? "" : "s", words_time(time, s->age_ns),
        m->space.root != 0 ? " · on loam's heap" : "");
    ink_line(k);
    ink_line(k);
    totals(k, &m->sums, before);
    kinds(k, &m->sums);
    faults(k, &m->sums, before);
    huge(k, &m->sums);
    ink_line(k);
    account_text(k, &m->account);
    account_pins_text(k, &m->pins, &m->blame, PINS_MAX);
    mappings(k, m, all);
}

// ---------------------------------------------------------------- families

struct sums {
    struct smap total;
    u64 size;
    u32 refused;
};

static void member(struct ink *k, const struct status *s, u32 depth, struct sums *sums)
{
    struct smap t;
    u32 indent = (u32)size_min(2 * depth, 20);
    ink(k, INK_DIM, "%*s%d ", (int)indent, "", s->pid);
    ink_cut(k, depth == 0 ? INK_BOLD : INK_PLAIN, s->command, name_width(k) - k->column - 1);
    if (!s->has_memory || smaps_total(&t, s->pid) < 0) {
        ink_to(k, name_width(k) + 1);
        ink(k, INK_DIM, "%s", s->has_memory ? "not to be read" : "no memory");
        ink_line(k);
        sums->refused += s->has_memory;
        return;
    }
    table_sizes(k, &t, s->size);
    smaps_add(&sums->total, &t);
    sums->size += s->size;
}

int mem_tree_text(struct ink *k, const struct family *f)
{
    struct sums sums = {0};
    table_head(k, "PROCESSES");
    for (size_t i = 0; i < f->count; i++)
        member(k, &f->member[i], f->depth[i], &sums);
    ink(k, INK_BOLD, "all %zu", f->count);
    ink_to(k, name_width(k));
    table_sizes(k, &sums.total, sums.size);
    ink_line(k);
    char pss[WORDS_SIZE];
    ink(k, INK_PLAIN, "Together they take %s: PSS can be added up, RSS counts shared pages again.",
        words_size(pss, sums.total.pss));
    ink_line(k);
    if (sums.refused != 0) {
        ink(k, INK_DIM, "%u of them belong to others and were left out: look as root.",
            sums.refused);
        ink_line(k);
    }
    return 0;
}
