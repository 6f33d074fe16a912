// 06_leak.c: a program that leaks, as programs do.
//
// It reads text, counts each word, remembers on which lines it stood, and prints the most frequent
// word. It frees its table when it is done, and forgets one thing. Find it with
//
//     loam run --leaks -- ./06_leak [file]
//
// The first entry of each word's list of lines is a direct leak: nothing points to it any more.
// The entries behind it are indirect leaks: only leaked memory points to them. The repair is a
// loop in word_free.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64

struct place { // a line on which a word stood
    struct place *next;
    int line;
};

struct word {
    struct word *next; // in the same bucket
    char *text;
    struct place *places;
    int count;
};

static struct word *buckets[BUCKETS];
static int words_total, words_distinct;

static void *must(void *p)
{
    if (p == NULL) {
        perror("06_leak");
        exit(1);
    }
    return p;
}

static struct word *word_new(const char *text, size_t size)
{
    struct word *w = must(calloc(1, sizeof *w));
    w->text = must(strndup(text, size));
    words_distinct++;
    return w;
}

static struct word *word_find(const char *text, size_t size)
{
    unsigned hash = 5381;
    for (size_t i = 0; i < size; i++)
        hash = hash * 33 + (unsigned char)text[i];
    struct word **at = &buckets[hash % BUCKETS];
    while (*at != NULL && (strncmp((*at)->text, text, size) != 0 || (*at)->text[size] != '\0'))
        at = &(*at)->next;
    if (*at == NULL)
        *at = word_new(text, size);
    return *at;
}

static void word_add_place(struct word *w, int line)
{
    struct place *p = must(malloc(sizeof *p));
    p->line = line;
    p->next = w->places;
    w->places = p;
}

static void word_free(struct word *w)
{
    free(w->text);
    free(w);
}

static void count_line(const char *text, int line)
{
    while (*text != '\0') {
        size_t size = 0;
        while (isalpha((unsigned char)text[size]))
            size++;
        if (size > 0) {
            struct word *w = word_find(text, size);
            w->count++;
            words_total++;
            word_add_place(w, line);
        }
        text += size > 0 ? size : 1;
    }
}

static void print_summary(void)
{
    const struct word *best = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (const struct word *w = buckets[i]; w != NULL; w = w->next)
            if (best == NULL || w->count > best->count)
                best = w;
    printf("%d words, %d of them distinct", words_total, words_distinct);
    if (best != NULL)
        printf("; the most frequent is \"%s\": %d times, last on line %d", best->text, best->count,
               best->places->line);
    printf("\n");
}

static void table_free(void)
{
    for (int i = 0; i < BUCKETS; i++)
        while (buckets[i] != NULL) {
            struct word *w = buckets[i];
            buckets[i] = w->next;
            word_free(w);
        }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : __FILE__; // its own source, when nothing is given
    FILE *in = fopen(name, "r");
    if (in == NULL) {
        perror(name);
        return 1;
    }
    char line[4096];
    for (int number = 1; fgets(line, sizeof line, in) != NULL; number++)
        count_line(line, number);
    fclose(in);
    print_summary();
    table_free();
    return words_total >= words_distinct && words_distinct > 0 ? 0 : 1;
}
