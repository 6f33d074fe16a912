// trie.c: three interned lists of texts, one of frames, one of nodes.

#include "report/trie.h"

#include "report/name.h"
#include "report/stack.h"

#include <stdio.h>
#include <string.h>

enum frame_flags { FRAME_OWN = 1, FRAME_INLINED = 2, FRAME_NAMELESS = 4 };

struct trie_text {
    const char *text;
    u32 number;
    struct trie_text *next; // of the same hash
};

void trie_init(struct trie *t, struct store *store)
{
    *t = (struct trie){
        .store = store,
        .functions_json = json_array(),
        .files_json = json_array(),
        .modules_json = json_array(),
        .frames_json = json_array(),
        .parents_json = json_array(),
        .node_frames_json = json_array(),
    };
}

void trie_done(struct trie *t)
{
    store_done(&t->lines);
    table_done(&t->functions);
    table_done(&t->files);
    table_done(&t->modules);
    table_done(&t->frames);
    table_done(&t->nodes);
    json_decref(t->functions_json);
    json_decref(t->files_json);
    json_decref(t->modules_json);
    json_decref(t->frames_json);
    json_decref(t->parents_json);
    json_decref(t->node_frames_json);
    *t = (struct trie){0};
}

static void push(json_t *list, int64_t n)
{
    json_array_append_new(list, json_integer(n));
}

static int intern(struct trie *t, struct table *by_hash, json_t *list, const char *text)
{
    if (text == NULL || *text == 0)
        return -1;
    u64 key = table_hash(text);
    struct trie_text *first = table_get(by_hash, key), *x = first;
    while (x != NULL && strcmp(x->text, text) != 0)
        x = x->next;
    if (x == NULL) {
        x = store_push(t->store, sizeof *x);
        *x = (struct trie_text){text, (u32)json_array_size(list), first};
        table_put(by_hash, key, x);
        json_array_append_new(list, json_string(text));
    }
    return (int)x->number;
}

// Without parameters, by which boxes would be full. Two calls in one stripped function belong
// together: its start stands for its name.
static const char *function_name(struct trie *t, const struct stack_line *l)
{
    if (l->symbol->named)
        return name_short(t->store, l->symbol->function);
    if (l->symbol->start == 0 || l->module == NULL)
        return l->symbol->function;
    char text[320];
    snprintf(text, sizeof text, "%.256s fn 0x%llx", l->module->name,
             (unsigned long long)l->symbol->start);
    return store_text(t->store, text, sizeof text);
}

static u32 frame_number(struct trie *t, const struct stack_line *l)
{
    const struct symbol *s = l->symbol;
    u64 key = (u64)(uintptr_t)s; // one for each frame and function inlined there
    uintptr_t known = (uintptr_t)table_get(&t->frames, key);
    if (known != 0)
        return (u32)known - 1;
    const char *module = l->module == NULL ? NULL : l->module->path;
    push(t->frames_json, intern(t, &t->functions, t->functions_json, function_name(t, l)));
    push(t->frames_json, intern(t, &t->files, t->files_json, s->file));
    push(t->frames_json, s->line);
    push(t->frames_json, intern(t, &t->modules, t->modules_json, module));
    push(t->frames_json, (stack_is_own(l) ? FRAME_OWN : 0) | (s->inlined ? FRAME_INLINED : 0) |
                             (s->named ? 0 : FRAME_NAMELESS));
    table_put(&t->frames, key, (void *)(uintptr_t)(t->frames_count + 1));
    return t->frames_count++;
}

static u64 node_key(int64_t parent, u32 frame)
{
    return (u64)(parent + 1) << 32 | frame; // exact: no two have the same
}

static u32 child(struct trie *t, int64_t parent, u32 frame)
{
    u64 key = node_key(parent, frame);
    uintptr_t known = (uintptr_t)table_get(&t->nodes, key);
    if (known != 0)
        return (u32)known - 1;
    push(t->parents_json, parent);
    push(t->node_frames_json, frame);
    table_put(&t->nodes, key, (void *)(uintptr_t)(t->nodes_count + 1));
    return t->nodes_count++;
}

int trie_add(struct trie *t, struct symbols *symbols, const struct site *site, int *ret_own)
{
    struct stack s = stack_cut(symbols, &t->lines, site, STACK_FOLDED);
    int64_t node = -1;
    *ret_own = -1;
    for (u32 i = s.lines_count; i-- > 0;) {
        u32 frame = frame_number(t, &s.lines[i]);
        node = child(t, node, frame);
        if (s.lines[i].mine)
            *ret_own = (int)frame;
    }
    store_clear(&t->lines);
    return (int)node;
}

int trie_find(struct trie *t, struct symbols *symbols, const struct site *site, u32 depth)
{
    struct stack s = stack_cut(symbols, &t->lines, site, STACK_FOLDED);
    int64_t node = -1;
    for (u32 i = s.lines_count; i-- > 0 && depth-- > 0;) {
        uintptr_t frame = (uintptr_t)table_get(&t->frames, (u64)(uintptr_t)s.lines[i].symbol);
        uintptr_t next =
            frame == 0 ? 0 : (uintptr_t)table_get(&t->nodes, node_key(node, (u32)frame - 1));
        if (next == 0)
            break;
        node = (int64_t)next - 1;
    }
    store_clear(&t->lines);
    return (int)node;
}

static void move(json_t *page, const char *key, json_t **list)
{
    json_object_set_new(page, key, *list);
    *list = NULL;
}

void trie_put(struct trie *t, json_t *page)
{
    move(page, "functions", &t->functions_json);
    move(page, "files", &t->files_json);
    move(page, "modules", &t->modules_json);
    move(page, "frames", &t->frames_json);
    json_t *nodes = json_object();
    move(nodes, "parent", &t->parents_json);
    move(nodes, "frame", &t->node_frames_json);
    json_object_set_new(page, "nodes", nodes);
}
