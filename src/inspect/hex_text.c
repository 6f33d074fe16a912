// hex_text.c: rows of bytes: offset, bytes by colour, characters, and below what pointers point to.

#include "inspect/hex.h"

#include "report/ink.h"
#include "report/words.h"

#include <ctype.h>
#include <string.h>

static enum style style_of(const struct hex *h, size_t i)
{
    if (hex_pointer_at(h, i) != NULL)
        return INK_CYAN;
    if (h->bytes[i] == 0)
        return INK_DIM;
    if (hex_text_at(h, i) > 0)
        return INK_GREEN;
    return h->bytes[i] == 0xff ? INK_YELLOW : INK_PLAIN;
}

static void print_head(struct ink *k, const struct hex *h)
{
    char n[WORDS_SIZE];
    const char *kind, *what = origin_what(h->origin, h->at, &kind);
    ink(k, INK_BOLD, "%s", h->origin->name);
    if (h->origin->kind == ORIGIN_PROCESS && h->origin->has_image && h->origin->im.real != NULL)
        ink(k, INK_PLAIN, " (%s)", h->origin->im.real);
    ink(k, INK_PLAIN, " · 0x%llx · %s", (unsigned long long)h->at, words_of(n, h->size, "byte"));
    if (what != NULL)
        ink(k, INK_CYAN, " · %s", what);
    ink_line(k);
    ink_line(k);
}

// ---------------------------------------------------------------- rows

// A row begins at a multiple of its length; the first may have blanks.
struct row {
    u64 address;
    size_t offset; // of its first byte that is there
    size_t count;
};

static struct row row_at(const struct hex *h, size_t offset)
{
    u64 address = (h->at + offset) / HEX_ROW * HEX_ROW;
    size_t room = HEX_ROW - (size_t)(h->at + offset - address);
    return (struct row){address, offset, size_min(room, h->size - offset)};
}

static void print_bytes(struct ink *k, const struct hex *h, const struct row *r)
{
    size_t skip = (size_t)(h->at + r->offset - r->address);
    for (size_t i = 0; i < HEX_ROW; i++) {
        ink(k, INK_PLAIN, i == 8 ? "  " : i == 0 ? "" : " ");
        size_t at = r->offset + i - skip;
        if (i < skip || i - skip >= r->count)
            ink(k, INK_PLAIN, "  ");
        else
            ink(k, style_of(h, at), "%02x", h->bytes[at]);
    }
    ink(k, INK_PLAIN, "  ");
    for (size_t i = 0; i < HEX_ROW && i < skip + r->count; i++) {
        size_t at = r->offset + i - skip;
        if (i < skip)
            ink(k, INK_PLAIN, " ");
        else
            ink(k, style_of(h, at), "%c", isprint(h->bytes[at]) ? h->bytes[at] : '.');
    }
    ink_line(k);
}

static void print_pointers(struct ink *k, const struct hex *h, const struct row *r, u32 left)
{
    for (size_t i = r->offset; i < r->offset + r->count; i++) {
        const struct hex_pointer *p = hex_pointer_at(h, i);
        if (p == NULL || p->offset != i)
            continue;
        u64 column = (h->at + i - r->address) / 8;
        ink_to(k, left + (column == 0 ? 0 : 25));
        ink(k, INK_CYAN, "└ ");
        if (strstr(p->what, p->kind) == NULL) // not "heap heap block"
            ink(k, INK_DIM, "%s ", p->kind);
        ink_cut(k, INK_CYAN, p->what, k->width - k->column);
        if (p->text != NULL && k->column + 12 < k->width) {
            ink(k, INK_PLAIN, "  ");
            ink_cut(k, INK_GREEN, p->text, k->width - k->column);
        }
        ink_line(k);
    }
}

// Rows from here on that are the same as this one, all of them whole and without pointers.
static size_t same_rows(const struct hex *h, const struct row *r)
{
    size_t n = 0, at = r->offset + r->count;
    if (r->count != HEX_ROW)
        return 0;
    while (at + HEX_ROW <= h->size && memcmp(h->bytes + at, h->bytes + r->offset, HEX_ROW) == 0) {
        n++;
        at += HEX_ROW;
    }
    return n;
}

static void print_same(struct ink *k, const struct hex *h, const struct row *r, size_t n, u32 left)
{
    char size[WORDS_SIZE];
    bool zero = h->bytes[r->offset] == 0 &&
                memcmp(h->bytes + r->offset, h->bytes + r->offset + 1, HEX_ROW - 1) == 0;
    ink_to(k, left);
    if (zero)
        ink(k, INK_DIM, "… %s of zeroes", words_of(size, n * HEX_ROW, "more byte"));
    else
        ink(k, INK_DIM, "… the same %s times", words_of(size, n, "more"));
    ink_line(k);
}

static u32 digits_of(u64 last)
{
    return last >> 32 != 0 ? 12 : 8;
}

static void print_rows(struct ink *k, const struct hex *h)
{
    u32 digits = digits_of(h->at + h->size), left = digits + 2;
    for (size_t at = 0; at < h->size;) {
        struct row r = row_at(h, at);
        ink(k, INK_DIM, "%0*llx  ", (int)digits, (unsigned long long)r.address);
        print_bytes(k, h, &r);
        print_pointers(k, h, &r, left);
        size_t same = same_rows(h, &r);
        at += r.count;
        if (same > 1) {
            print_same(k, h, &r, same, left);
            at += same * HEX_ROW;
        }
    }
}

// ---------------------------------------------------------------- what was found

static void print_found(struct ink *k, const struct hex *h)
{
    char n[WORDS_SIZE];
    ink_line(k);
    ink(k, INK_HEAD, "FOUND");
    ink_to(k, 10);
    ink(k, INK_CYAN, "%s", words_of(n, h->pointers_count, "pointer"));
    ink(k, INK_PLAIN, " · ");
    ink(k, INK_GREEN, "%s", words_of(n, h->texts, "text"));
    ink(k, INK_PLAIN, " · ");
    ink(k, INK_DIM, "%s zeroes", words_share(n, h->zeroes, h->size));
    if (h->word_count > 0)
        ink(k, INK_PLAIN, " · 0x%llx %u times", (unsigned long long)h->word, h->word_count);
    ink_line(k);
    if (h->size < h->asked) {
        ink_to(k, 10);
        ink(k, INK_WARN, "%s could not be read: nothing is mapped there, or the file ends",
            words_of(n, h->asked - h->size, "byte"));
        ink_line(k);
    }
}

void hex_print(FILE *out, const struct hex *h)
{
    struct ink k = ink_on(out);
    print_head(&k, h);
    print_rows(&k, h);
    print_found(&k, h);
}
