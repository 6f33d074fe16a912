// 13_shared.c: what threads share, and how.
//
// Three threads count words. The table of stop words is made once, by whoever needs it first; the
// sum lies inside its mutex, so it cannot be touched without it; and each thread counts on a cache
// line of its own, so that they do not slow each other down.
#include <loam/mutex.h>
#include <loam/once.h>
#include <loam/padded.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 3

struct stop_words {
    const char *word[3];
};
static loam_lazy(struct stop_words) stop_words;
static int made;

static int make_stop_words(struct stop_words *s)
{
    *s = (struct stop_words){{"the", "a", "of"}};
    made++; // needs no lock: this runs once
    return 0;
}

struct result {
    int words, threads;
};
static loam_mutex(struct result) result;
static loam_padded(int) counter[THREADS];

static const char *const text[] = {"the", "cat", "of", "the", "house", "saw", "a", "mouse"};

static bool is_stop_word(const char *word)
{
    const struct stop_words *s = loam_lazy_get(&stop_words, make_stop_words);
    for (int i = 0; s != NULL && i < 3; i++)
        if (strcmp(word, s->word[i]) == 0)
            return true;
    return false;
}

static void *count(void *arg)
{
    int *mine = arg;
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        *mine += !is_stop_word(text[i]);
    loam_with (&result, r) {
        r->words += *mine;
        r->threads++;
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    loam_mutex_init(&result);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, count, &counter[i].value) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    bool ok = made == 1 && sizeof counter == THREADS * LOAM_CACHE_LINE;
    loam_with (&result, r) {
        printf("%d words, counted by %d threads\n", r->words, r->threads);
        ok = ok && r->words == 12 && r->threads == THREADS;
    }
    loam_mutex_done(&result);
    return ok ? 0 : 1;
}
