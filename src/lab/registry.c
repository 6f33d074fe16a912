// registry.c: table.h, made into an array.

#include "lab/registry.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define X(ID, name)                          \
    extern const struct experiment lab_##ID; \
    extern const char lab_code_##ID[] __attribute__((visibility("hidden")));
#include "lab/table.h"
#undef X

const struct entry registry[] = {
#define X(ID, name) {#ID, name, &lab_##ID, lab_code_##ID},
#include "lab/table.h"
#undef X
};
const size_t registry_count = countof(registry);

const char *const source_title[SOURCES] = {
    [S0] = "Rektoff Lesson One: Rust Fundamentals & Memory Management",
    [S1] = "Lesson 1: Memory Fundamentals",
    [S2] = "Rust Memory Management Examples",
    [S3] = "Rust: Systems Engineering Core",
    [S4] = "kae3g 9580: Memory Management",
};

const struct chapter chapters[] = {
    {'A', "Machine models and code"},          {'B', "Virtual memory"},
    {'C', "Stack, heap, statics, allocation"}, {'D', "Cache hierarchy"},
    {'E', "Processes, threads, tasks"},        {'F', "Synchronisation"},
    {'G', "Ownership, leaks, safety"},
};
const size_t chapters_count = countof(chapters);

static char plain(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static bool same(const char *a, const char *b)
{
    while (*a != 0 && plain(*a) == plain(*b))
        a++, b++;
    return plain(*a) == plain(*b);
}

const struct entry *registry_find(const char *word)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (same(word, registry[i].id) || same(word, registry[i].name))
            return &registry[i];
    }
    return NULL;
}

const struct entry *registry_near(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; len >= 3 && i < registry_count; i++) {
        if (strncasecmp(word, registry[i].name, 3) == 0 || strcasestr(registry[i].name, word))
            return &registry[i];
    }
    return NULL;
}

bool registry_chosen(const struct entry *e, const char *word)
{
    if (strcasecmp(word, "all") == 0)
        return true;
    if (word[0] != 0 && word[1] == 0)
        return plain(word[0]) == plain(e->id[0]);
    return same(word, e->id) || same(word, e->name);
}
