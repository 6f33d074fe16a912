// prefetch.c: distinct frames, sorted; pieces of them for threads; answers brought together.

#include "report/prefetch.h"

#include "report/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MIN  256 // fewer are not worth a thread, nor a file
#define PIECE       512 // frames of one module that a thread takes at a time
#define WORKERS_MAX 16

// Distinct frames of a recording, by module and offset, and what was found for each.
struct wanted {
    u64 frame; // as in struct site
    const struct symbol *symbols;
    u32 count; // 0: not known yet
};
struct piece {
    u32 first, end; // of the wanted; of one module
};
struct job {
    const struct model *model;
    struct wanted *wanted;
    struct piece *pieces;
    u32 pieces_count;
    _Atomic u32 next; // piece that nobody has taken
};
struct worker {
    struct job *job;
    pthread_t thread;
    struct store store; // of its answers
    struct symbols *symbols;
    struct module *modules; // its own: a module knows one session of elfutils
};

static void *must(void *p)
{
    if (p == NULL)
        die("loam: no memory for the report", NULL);
    return p;
}

static u32 module_of(u64 frame)
{
    return (u32)(frame >> FRAME_MODULE_SHIFT);
}

// ---------------------------------------------------------------- which

static int by_frame(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

static struct wanted *list_wanted(const struct model *m, u32 *ret_count)
{
    struct table seen = {0};
    struct wanted *list = NULL;
    u32 count = 0, room = 0;
    for (u32 i = 0; i < m->sites_count; i++) {
        const struct site *s = &m->sites[i];
        for (u32 j = 0; j < s->frames_count; j++) {
            u64 frame = s->frames[j];
            if (module_of(frame) == 0 || table_get(&seen, frame) != NULL)
                continue;
            table_put(&seen, frame, &seen);
            if (count == room) {
                room = room == 0 ? 1024 : 2 * room;
                list = must(realloc(list, room * sizeof *list));
            }
            list[count++] = (struct wanted){.frame = frame};
        }
    }
    table_done(&seen);
    if (count > 0)
        qsort(list, count, sizeof *list, by_frame);
    *ret_count = count;
    return list;
}

// The first one behind `first` that is of another module.
static u32 module_end(const struct wanted *w, u32 first, u32 count)
{
    u32 end = first;
    while (end < count && module_of(w[end].frame) == module_of(w[first].frame))
        end++;
    return end;
}

// ---------------------------------------------------------------- threads

static void *work(void *arg)
{
    struct worker *w = arg;
    struct job *j = w->job;
    for (u32 i; (i = atomic_fetch_add(&j->next, 1)) < j->pieces_count;) {
        struct piece p = j->pieces[i];
        struct module *m = &w->modules[module_of(j->wanted[p.first].frame) - 1];
        for (u32 k = p.first; k < p.end; k++) {
            struct wanted *x = &j->wanted[k];
            size_t n;
            x->symbols =
                symbols_of(w->symbols, (struct frame){m, x->frame & FRAME_OFFSET_MASK}, &n);
            x->count = (u32)n;
        }
    }
    return NULL;
}

static void worker_begin(struct worker *w, struct job *j)
{
    u32 count = j->model->modules_count;
    *w = (struct worker){.job = j, .modules = must(calloc(count + 1, sizeof *w->modules))};
    for (u32 i = 0; i < count; i++) {
        w->modules[i] = *j->model->modules[i];
        w->modules[i].symbols = NULL;
    }
    w->symbols = symbols_new(&w->store);
}

// Debug information that has to be fetched is fetched by one.
static u32 workers_for(const struct job *j)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    u32 most = cores < 1 || symbols_asks_servers() ? 1 : (u32)size_min((size_t)cores, WORKERS_MAX);
    return j->pieces_count < most ? j->pieces_count : most;
}

// What is not known of `count` wanted ones. The answers live in `s` from now on.
static void look_up(struct symbols *s, struct job *j)
{
    struct worker workers[WORKERS_MAX];
    u32 count = workers_for(j), running = 1;
    for (u32 i = 0; i < count; i++)
        worker_begin(&workers[i], j);
    while (running < count &&
           pthread_create(&workers[running].thread, NULL, work, &workers[running]) == 0)
        running++;
    if (count > 0)
        work(&workers[0]);
    for (u32 i = 1; i < running; i++)
        pthread_join(workers[i].thread, NULL);
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < j->model->modules_count; k++)
            symbols_learn(s, j->model->modules[k], &workers[i].modules[k]);
        symbols_free(workers[i].symbols);
        symbols_keep(s, &workers[i].store);
        free(workers[i].modules);
    }
}

// ---------------------------------------------------------------- the shelf

// Fill in what the shelf knows; whether all of it is known.
static bool from_shelf(struct symbols *s, struct model *m, struct wanted *w, u32 count)
{
    struct module *module = m->modules[module_of(w->frame) - 1];
    struct shelf shelf = shelf_read(&m->store, module);
    u32 known = 0;
    for (u32 i = 0; i < count; i++) {
        const struct shelf_entry *e = shelf_find(&shelf, w[i].frame & FRAME_OFFSET_MASK);
        if (e == NULL)
            continue;
        w[i].symbols = e->symbols;
        w[i].count = e->count;
        known++;
    }
    if (known > 0)
        symbols_learn(s, module, NULL);
    return known == count;
}

// Debug information that is there, but lacks a part that could come later, is not kept.
static bool worth_keeping(const struct module *m, const struct wanted *w, u32 count)
{
    u32 lines = 0;
    for (u32 i = 0; i < count; i++)
        lines += w[i].symbols[0].file != NULL;
    return count >= FRAMES_MIN && symbols_state(m) == SYMBOLS_FULL && lines >= count / 10 * 9;
}

// Join what the shelf had, which may be more than this recording asks for, and what is new.
static void to_shelf(struct model *m, const struct wanted *w, u32 count)
{
    const struct module *module = m->modules[module_of(w->frame) - 1];
    if (module->build_id_len == 0 || !worth_keeping(module, w, count))
        return;
    struct shelf old = shelf_read(&m->store, module);
    struct shelf_entry *all = must(calloc((size_t)old.count + count, sizeof *all));
    u32 n = 0, i = 0, k = 0;
    while (i < old.count || k < count) {
        u64 offset = k < count ? w[k].frame & FRAME_OFFSET_MASK : UINT64_MAX;
        if (i < old.count && old.entries[i].offset <= offset) {
            k += old.entries[i].offset == offset;
            all[n++] = old.entries[i++];
        } else {
            all[n++] = (struct shelf_entry){offset, w[k].symbols, w[k].count};
            k++;
        }
    }
    shelf_write(module, all, n);
    free(all);
}

// ---------------------------------------------------------------- all

static void add_pieces(struct job *j, u32 first, u32 end)
{
    for (u32 at = first; at < end; at += PIECE) {
        u32 stop = end - at < PIECE ? end : at + PIECE;
        j->pieces[j->pieces_count++] = (struct piece){at, stop};
    }
}

void prefetch(struct symbols *s, struct model *m)
{
    struct job j = {.model = m};
    u32 count, end;
    j.wanted = list_wanted(m, &count);
    if (count >= FRAMES_MIN) {
        bool *fresh = must(calloc(count, sizeof *fresh)); // of a module's first one
        j.pieces = must(calloc(count / PIECE + m->modules_count + 1, sizeof *j.pieces));
        for (u32 i = 0; i < count; i = end) {
            end = module_end(j.wanted, i, count);
            fresh[i] = symbols_asks_servers() || !from_shelf(s, m, &j.wanted[i], end - i);
            if (fresh[i])
                add_pieces(&j, i, end);
        }
        look_up(s, &j);
        for (u32 i = 0; i < count; i = end) {
            end = module_end(j.wanted, i, count);
            if (fresh[i])
                to_shelf(m, &j.wanted[i], end - i);
        }
        for (u32 i = 0; i < count; i++)
            symbols_put(s, j.wanted[i].frame, j.wanted[i].symbols, j.wanted[i].count);
        free(fresh);
        free(j.pieces);
    }
    free(j.wanted);
}
