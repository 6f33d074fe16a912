// store.c: pieces of 256 KiB, pushed into from the front, freed together.

#include "report/store.h"

#include <stdlib.h>
#include <string.h>

#define STORE_PIECE (256 * KiB)

struct store_piece {
    struct store_piece *next;
    size_t size;
    char bytes[] __attribute__((aligned(16)));
};

static void *store_must(void *p)
{
    if (p == NULL)
        die("loam: no memory for the report", NULL);
    return p;
}

void *store_push(struct store *s, size_t size)
{
    size = round_up(size, 16);
    if (s->first == NULL || s->first->size - s->used < size) {
        size_t piece_size = size_max(size, STORE_PIECE);
        struct store_piece *p = store_must(calloc(1, sizeof *p + piece_size));
        p->next = s->first;
        p->size = piece_size;
        s->first = p;
        s->used = 0;
    }
    void *at = s->first->bytes + s->used;
    s->used += size;
    return at;
}

char *store_text(struct store *s, const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    char *copy = store_push(s, len + 1);
    memcpy(copy, text, len);
    return copy;
}

void store_clear(struct store *s)
{
    struct store_piece *keep = s->first;
    if (keep == NULL)
        return;
    s->first = keep->next;
    size_t used = s->used;
    store_done(s);
    keep->next = NULL;
    memset(keep->bytes, 0, used); // the same promise as of fresh pieces
    s->first = keep;
}

void store_done(struct store *s)
{
    while (s->first != NULL) {
        struct store_piece *p = s->first;
        s->first = p->next;
        free(p);
    }
    s->used = 0;
}

void store_join(struct store *s, struct store *from)
{
    struct store_piece *last = from->first;
    while (last != NULL && last->next != NULL)
        last = last->next;
    if (last == NULL)
        return;
    if (s->first == NULL) {
        *s = *from;
    } else { // behind the piece that is being filled
        last->next = s->first->next;
        s->first->next = from->first;
    }
    *from = (struct store){0};
}

u64 table_mix(u64 a, u64 b)
{
    u64 x = (a ^ (b + 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
    return x ^ (x >> 29);
}

u64 table_hash(const char *text)
{
    u64 h = 1469598103934665603u;
    for (const char *c = text; *c != 0; c++)
        h = (h ^ (u8)*c) * 0x100000001b3;
    return h;
}

static struct table_slot *table_slot(const struct table *t, u64 key)
{
    size_t i = table_mix(key, 0) & (t->slots_count - 1);
    while (t->slots[i].value != NULL && t->slots[i].key != key)
        i = (i + 1) & (t->slots_count - 1);
    return &t->slots[i];
}

void *table_get(const struct table *t, u64 key)
{
    return t->slots_count == 0 ? NULL : table_slot(t, key)->value;
}

static void table_grow(struct table *t)
{
    struct table old = *t;
    t->slots_count = old.slots_count == 0 ? 64 : 2 * old.slots_count;
    t->slots = store_must(calloc(t->slots_count, sizeof *t->slots));
    for (size_t i = 0; i < old.slots_count; i++) {
        if (old.slots[i].value != NULL)
            *table_slot(t, old.slots[i].key) = old.slots[i];
    }
    free(old.slots);
}

void table_put(struct table *t, u64 key, void *value)
{
    if (4 * (t->used + 1) > 3 * t->slots_count)
        table_grow(t);
    struct table_slot *slot = table_slot(t, key);
    t->used += slot->value == NULL;
    *slot = (struct table_slot){.key = key, .value = value};
}

void table_done(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}
