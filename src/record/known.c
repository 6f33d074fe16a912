// known.c: from the hash of a stack to its site.
#include "record/known.h"

#include "os/os.h"

#define LINES_MIN 1024
#define HUGE_MIN  (2 * MiB) // every page of so large a table is soon in use

_Atomic(struct known_table *) known_table;

static size_t bytes_of(size_t lines)
{
    return round_up(sizeof(struct known_table) + lines * sizeof(struct known_line), OS_PAGE);
}

static struct known_table *new_table(size_t lines)
{
    struct known_table *t = os_map(bytes_of(lines));
    if (t == NULL)
        return NULL;
    if (bytes_of(lines) > HUGE_MIN)
        os_want_huge(t, bytes_of(lines));
    t->mask = lines - 1;
    return t;
}

static void add(struct known_table *t, u64 hash, struct known k)
{
    for (size_t i = hash >> 20;; i++) {
        struct known_line *l = &t->lines[i & t->mask];
        for (unsigned n = 0; n < KNOWN_LINE; n++) {
            if (atomic_load_explicit(&l->hash[n], memory_order_relaxed) != 0)
                continue;
            l->place[n] = k.place;
            l->id[n] = k.id;
            atomic_store_explicit(&l->hash[n], hash, memory_order_release);
            t->count++;
            return;
        }
    }
}

static void add_all(struct known_table *to, const struct known_table *from)
{
    for (size_t i = 0; i <= from->mask; i++) {
        const struct known_line *l = &from->lines[i];
        for (unsigned n = 0; n < KNOWN_LINE && l->hash[n] != 0; n++)
            add(to, l->hash[n], (struct known){l->place[n], l->id[n]});
    }
}

// With half of the places taken one line in twenty is full, with three quarters one in three: so a
// table that is five eighths full is replaced. Another thread may still search the old one, so it
// stays mapped: all old tables together are no larger than the new one.
bool known_room(void)
{
    struct known_table *old = atomic_load_explicit(&known_table, memory_order_relaxed);
    size_t places = (old->mask + 1) * KNOWN_LINE;
    if (old->count < places / 8 * 5)
        return true;
    struct known_table *t = new_table(2 * (old->mask + 1));
    if (t == NULL)
        return old->count < places - KNOWN_LINE; // a search ends at a line with room
    add_all(t, old);
    atomic_store_explicit(&known_table, t, memory_order_release);
    return true;
}

void known_add(u64 hash, struct known k)
{
    add(atomic_load_explicit(&known_table, memory_order_relaxed), hash, k);
}

bool known_begin(void)
{
    struct known_table *old = atomic_load_explicit(&known_table, memory_order_relaxed);
    if (old != NULL)
        os_unmap(old, bytes_of(old->mask + 1));
    struct known_table *t = new_table(LINES_MIN);
    atomic_store_explicit(&known_table, t, memory_order_relaxed);
    return t != NULL;
}
