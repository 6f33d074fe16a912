// hex.c: see hex.h.

#include "inspect/hex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static u64 word_at(const struct hex *h, size_t offset)
{
    u64 v;
    memcpy(&v, h->bytes + offset, sizeof v);
    return v;
}

// Offset of the first word that is aligned in memory.
static size_t first_word(const struct hex *h)
{
    return (8 - h->at % 8) % 8;
}

static void find_pointers(struct hex *h)
{
    struct store *store = &h->origin->store;
    if (h->origin->kind == ORIGIN_FILE || h->size < 8)
        return;
    h->pointers = store_push(store, (h->size / 8 + 1) * sizeof *h->pointers);
    for (size_t i = first_word(h); i + 8 <= h->size; i += 8) {
        struct hex_pointer p = {.offset = i, .value = word_at(h, i)};
        p.what = origin_what(h->origin, p.value, &p.kind);
        if (p.what == NULL)
            continue;
        p.text = strcmp(p.kind, "code") == 0 ? NULL : origin_text(h->origin, p.value);
        h->pointers[h->pointers_count++] = p;
    }
}

const struct hex_pointer *hex_pointer_at(const struct hex *h, size_t offset)
{
    u32 low = 0, high = h->pointers_count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (h->pointers[middle].offset + 8 <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < h->pointers_count && h->pointers[low].offset <= offset ? &h->pointers[low] : NULL;
}

size_t hex_text_at(const struct hex *h, size_t offset)
{
    size_t start = offset, end = offset;
    while (start > 0 && offset - start < 256 && isprint(h->bytes[start - 1]))
        start--;
    while (end < h->size && end - offset < 256 && isprint(h->bytes[end]))
        end++;
    return isprint(h->bytes[offset]) && end - start >= 4 ? end - start : 0;
}

static int by_word(const void *a, const void *b)
{
    u64 x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void find_repeats(struct hex *h)
{
    size_t first = first_word(h), count = h->size < first ? 0 : (h->size - first) / 8;
    u64 *words = count == 0 ? NULL : malloc(count * sizeof *words);
    u32 run = 0;
    if (words == NULL)
        return;
    memcpy(words, h->bytes + first, count * sizeof *words);
    qsort(words, count, sizeof *words, by_word);
    for (size_t i = 0; i < count; i++) {
        const char *kind;
        run = i > 0 && words[i] == words[i - 1] ? run + 1 : 1;
        if (run > h->word_count && words[i] != 0 && run > 2 &&
            origin_what(h->origin, words[i], &kind) == NULL) {
            h->word = words[i];
            h->word_count = run;
        }
    }
    free(words);
}

static void find_patterns(struct hex *h)
{
    size_t run = 0;
    for (size_t i = 0; i < h->size; i++) {
        h->zeroes += h->bytes[i] == 0;
        run = isprint(h->bytes[i]) ? run + 1 : 0;
        h->texts += run == 6;
    }
    find_repeats(h);
}

int hex_load(struct hex *h, struct origin *o, u64 at, size_t size, char why[IMAGE_WHY])
{
    *h = (struct hex){.origin = o, .at = at, .asked = size, .bytes = malloc(size + 1)};
    if (h->bytes == NULL)
        die("loam: out of memory", NULL);
    h->size = origin_read(o, at, h->bytes, size);
    if (h->size == 0) {
        const char *what =
            o->kind == ORIGIN_FILE ? "the file ends before" : "nothing can be read at";
        snprintf(why, IMAGE_WHY, "%.300s: %s 0x%llx", o->name, what, (unsigned long long)at);
        hex_done(h);
        return -1;
    }
    find_pointers(h);
    find_patterns(h);
    return 0;
}

void hex_done(struct hex *h)
{
    free(h->bytes);
    h->bytes = NULL;
}
