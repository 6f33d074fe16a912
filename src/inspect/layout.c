// layout.c: holes by walking; an order by filling them.

#include "inspect/layout.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BITS ((u64)LAYOUT_LINE * 8)

static bool counts(const struct member *m)
{
    return m->depth == 0 && !m->closes;
}

// ---------------------------------------------------------------- holes

static void add_hole(struct layout *l, u64 at, u64 end, u32 before)
{
    l->holes[l->holes_count++] = (struct hole){at, end - at, before};
    l->wasted += end - at;
}

static void find_holes(struct layout *l, struct store *store)
{
    const struct shape *r = l->record;
    u64 end = 0;
    bool unknown = false; // the last member's end is
    l->holes = store_push(store, (r->count + 1) * sizeof *l->holes);
    for (u32 i = 0; i < r->count; i++) {
        const struct member *m = &r->members[i];
        if (!counts(m))
            continue;
        if (m->at > end && m->at <= r->size * 8 && !unknown)
            add_hole(l, end, m->at, i);
        // A base class may have lent its own padding to the next member.
        end = m->at + m->size > end ? m->at + m->size : end;
        unknown = m->unknown;
    }
    if (end < r->size * 8 && !unknown)
        add_hole(l, end, r->size * 8, r->count);
}

// ---------------------------------------------------------------- cache lines

static u64 line_of(u64 bit)
{
    return bit / LINE_BITS;
}

static bool share_line(const struct member *a, const struct member *b)
{
    u64 last_a = line_of(a->at + (a->size > 0 ? a->size - 1 : 0));
    u64 last_b = line_of(b->at + (b->size > 0 ? b->size - 1 : 0));
    return line_of(a->at) <= last_b && line_of(b->at) <= last_a;
}

bool layout_crowded(const struct layout *l, const struct member *m)
{
    for (u32 i = 0; m->shared && counts(m) && i < l->record->count; i++) {
        const struct member *other = &l->record->members[i];
        if (other != m && other->shared && counts(other) && share_line(m, other))
            return true;
    }
    return false;
}

static void count_lines(struct layout *l)
{
    const struct shape *r = l->record;
    l->lines = r->size / LAYOUT_LINE + (r->size % LAYOUT_LINE != 0);
    u32 shared = 0;
    for (u32 i = 0; i < r->count; i++) {
        const struct member *m = &r->members[i];
        shared += m->shared && counts(m);
        if (counts(m) && m->size > 0 && m->size <= LINE_BITS)
            l->straddlers += line_of(m->at) != line_of(m->at + m->size - 1);
    }
    // Quadratic in the atomics alone; a record with very many is somebody's joke.
    for (u32 i = 0; shared > 1 && shared < 1000 && i < r->count; i++)
        l->shared_pairs += layout_crowded(l, &r->members[i]);
}

// ---------------------------------------------------------------- a better order

// What moves as one: a member, or bit-fields that stand behind each other.
struct unit {
    u32 first, count; // of the list of movable members
    u64 size;         // bytes; of bit-fields it depends on the place
    u32 align;        // of bit-fields 1: they begin at any byte
    bool bits, placed;
};

struct sorter {
    const struct shape *r;
    u32 *list; // movable members, in their order
    u32 list_count;
    struct unit *units;
    u32 units_count;
    u64 start; // where the first of them may stand, in bytes
    u32 flexible;
};

static bool fixed(const struct member *m)
{
    return m->kind != MEMBER_FIELD || m->flexible;
}

// Bytes from which on members may be placed: behind the bases and the vtable pointer.
static u64 first_byte(const struct shape *r)
{
    u64 bases = 0, fields = UINT64_MAX;
    for (u32 i = 0; i < r->count; i++) {
        const struct member *m = &r->members[i];
        u64 end = (m->at + m->size + 7) / 8;
        if (counts(m) && m->kind != MEMBER_FIELD)
            bases = end > bases ? end : bases;
        else if (counts(m))
            fields = m->at / 8 < fields ? m->at / 8 : fields;
    }
    return bases < fields ? bases : fields;
}

// A member that lies where its alignment forbids: a packed record, whose order is somebody's will.
static bool movable(const struct shape *r)
{
    if (r->word[0] == 'u' || r->virtual_bases || r->count > 4096)
        return false;
    for (u32 i = 0; i < r->count; i++) {
        const struct member *m = &r->members[i];
        if (!counts(m))
            continue;
        if ((!m->bitfield && m->at % (8 * (u64)m->align) != 0) || m->at > r->size * 8 ||
            m->size > r->size * 8 || (m->kind == MEMBER_FIELD && m->size == 0 && !m->flexible))
            return false;
    }
    return true;
}

static const struct member *movable_member(const struct sorter *s, u32 place)
{
    return &s->r->members[s->list[place]];
}

static void make_units(struct sorter *s)
{
    for (u32 i = 0; i < s->list_count; i++) {
        const struct member *m = movable_member(s, i);
        if (m->bitfield && i > 0 && movable_member(s, i - 1)->bitfield)
            s->units[s->units_count - 1].count++;
        else
            s->units[s->units_count++] = (struct unit){
                .first = i,
                .count = 1,
                .size = m->size / 8,
                .align = m->bitfield ? 1 : m->align,
                .bits = m->bitfield,
            };
    }
}

// Where a unit ends that is placed from byte `at` on, and where its members lie then (in bits;
// NULL: nobody asks). A bit-field must not cross a border of its type.
static u64 unit_end(const struct sorter *s, const struct unit *u, u64 at, u64 *ret_at)
{
    u64 bit = round_up(at, u->align) * 8;
    for (u32 i = 0; i < u->count; i++) {
        const struct member *m = movable_member(s, u->first + i);
        u64 border = 8 * (u64)m->align;
        if (m->bitfield && bit / border != (bit + m->size - 1) / border)
            bit = round_up(bit, border);
        if (ret_at != NULL)
            ret_at[i] = bit;
        bit += m->size;
    }
    return (bit + 7) / 8;
}

// The next unit for a place: the next one in order if it leaves no hole, else the one that fills
// most of the hole that it would leave, else itself.
static struct unit *choose(struct sorter *s, u64 at)
{
    struct unit *next = NULL, *best = NULL;
    u64 most = 0, hole = 0;
    for (u32 i = 0; i < s->units_count; i++) {
        struct unit *u = &s->units[i];
        if (u->placed)
            continue;
        if (next == NULL) {
            next = u;
            hole = round_up(at, u->align) - at;
            if (hole == 0)
                return u;
        }
        u64 size = unit_end(s, u, at, NULL) - at;
        if (at % u->align == 0 && size <= hole && size > most) {
            best = u;
            most = size;
        }
    }
    return best != NULL ? best : next;
}

static int by_align(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->align != y->align)
        return x->align < y->align ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

// Place all units; the order goes into `order`, with offsets in bits. Returns where they end.
static u64 place(struct sorter *s, u32 *order, u64 *order_at)
{
    u64 at = s->start;
    u32 n = 0;
    for (u32 i = 0; i < s->units_count; i++)
        s->units[i].placed = false;
    for (u32 i = 0; i < s->units_count; i++) {
        struct unit *u = choose(s, at);
        u->placed = true;
        at = unit_end(s, u, at, order_at + n);
        for (u32 j = 0; j < u->count; j++)
            order[n++] = s->list[u->first + j];
    }
    return at;
}

// Fill holes, which moves little; sort by alignment if that saves more.
static u64 best_order(struct sorter *s, struct store *store, struct layout *l)
{
    size_t room = s->list_count + 1;
    u32 *filled = store_push(store, room * sizeof *filled);
    u32 *sorted = store_push(store, room * sizeof *sorted);
    u64 *filled_at = store_push(store, room * sizeof *filled_at);
    u64 *sorted_at = store_push(store, room * sizeof *sorted_at);
    u64 end = place(s, filled, filled_at);
    qsort(s->units, s->units_count, sizeof *s->units, by_align);
    u64 other = place(s, sorted, sorted_at);
    bool sort = round_up(other, s->r->align) < round_up(end, s->r->align);
    l->order = sort ? sorted : filled;
    l->order_at = sort ? sorted_at : filled_at;
    l->order_count = s->list_count;
    return sort ? other : end;
}

static void suggest(struct layout *l, struct store *store)
{
    const struct shape *r = l->record;
    struct sorter s = {.r = r, .start = first_byte(r), .flexible = r->count};
    if (!movable(r) || l->wasted < 8)
        return;
    s.list = store_push(store, (r->count + 1) * sizeof *s.list);
    s.units = store_push(store, (r->count + 1) * sizeof *s.units);
    for (u32 i = 0; i < r->count; i++) {
        if (counts(&r->members[i]) && r->members[i].flexible)
            s.flexible = i;
        else if (counts(&r->members[i]) && !fixed(&r->members[i]))
            s.list[s.list_count++] = i;
    }
    make_units(&s);
    u64 end = best_order(&s, store, l);
    if (s.flexible < r->count) { // it stays the last one, in the room that best_order left for it
        end = round_up(end, r->members[s.flexible].align);
        l->order[l->order_count] = s.flexible;
        l->order_at[l->order_count++] = end * 8;
    }
    l->best = round_up(end, r->align);
    if (l->best < r->size)
        return;
    l->best = r->size;
    l->order = NULL;
}

void layout_of(struct layout *l, struct store *store, const struct shape *r)
{
    *l = (struct layout){.record = r, .best = r->size};
    if (r->word[0] != 'u')
        find_holes(l, store);
    count_lines(l);
    suggest(l, store);
}
