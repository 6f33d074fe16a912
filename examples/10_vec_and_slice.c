// 10_vec_and_slice.c: arrays that know how long they are.
//
// Words of a text are counted without copying one of them: bytes are viewed and split in place, and
// a vec grows as words turn up. Every access is checked, so the two classic mistakes (one element
// too far, and a pointer kept over a growth) have a place to be caught or avoided.
#include <loam/vec.h>
#include <stdio.h>
#include <stdlib.h>

struct word {
    loam_bytes text; // borrowed from the text that is counted
    int count;
};
typedef loam_vec(struct word) words;

static bool count_word(words *all, loam_bytes text)
{
    loam_vec_each (all, w) {
        if (loam_bytes_equal(w->text, text)) {
            w->count++;
            return true;
        }
    }
    return loam_vec_push(all, {.text = text, .count = 1});
}

static bool count_words(words *all, loam_bytes text)
{
    loam_bytes line, word;
    while (loam_bytes_line(&text, &line)) {
        while (loam_bytes_split(&line, ' ', &word))
            if (!count_word(all, word))
                return false;
        if (!count_word(all, line))
            return false;
    }
    return true;
}

static int more_first(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    return y->count - x->count;
}

int main(void)
{
    words all = {0};
    bool ok = count_words(&all, loam_bytes_text("the cat saw the dog\nthe dog saw the moon"));
    if (!ok)
        return 1;
    qsort(all.at, all.len, sizeof *all.at, more_first); // a vec is an array like any other
    loam_vec_each (&all, w)
        printf("%d %.*s\n", w->count, LOAM_BYTES(w->text));
    ok = all.len == 5 && loam_vec_at(&all, 0).count == 4;

    // Growth moves the elements, unless there is room: then pointers stay good.
    if (!loam_vec_reserve(&all, 100))
        return 1;
    struct word *first = &loam_vec_at(&all, 0);
    for (int i = 0; i < 100; i++)
        ok = ok && loam_vec_push(&all, *first);
    ok = ok && first == all.at;
    printf("%zu elements, and the first has %s\n", all.len, first == all.at ? "stayed" : "moved");

    // A slice of some of them borrows; nothing is copied.
    loam_slice(struct word) top;
    loam_slice_cut(&top, all, 0, 2);
    printf("the second most frequent word is \"%.*s\"\n", LOAM_BYTES(loam_slice_at(top, 1).text));
    loam_vec_done(&all);
    return ok ? 0 : 1;
}
