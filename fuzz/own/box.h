// box.h: boxes in variables against a table of which box is where, and how often each died.
#pragma once

#include "fuzz/own/input.h"

#define BOX_VARIABLES 12
#define BOX_BOXES     1000

struct box_model {
    int deaths[BOX_BOXES];
    int in[BOX_VARIABLES]; // number of the box; -1: none
    size_t size[BOX_BOXES];
    size_t count, forgotten, forgotten_bytes;
    int last; // which one died last
};

// Two types, so that boxes are of several sizes and alignments; both begin with the same.
struct box_small {
    struct box_model *model;
    int number;
};
struct box_wide {
    struct box_small head;
    _Alignas(128) unsigned char more[300];
};

static void box_small_drop(struct box_small *b)
{
    b->model->deaths[b->number]++;
    b->model->last = b->number;
}
static void box_wide_drop(struct box_wide *b)
{
    for (size_t i = 0; i < sizeof b->more; i++)
        SAME(b->more[i] == (unsigned char)b->head.number);
    box_small_drop(&b->head);
}

static struct box_small *box_make(struct box_model *m, bool wide)
{
    int number = (int)m->count;
    m->size[number] = wide ? sizeof(struct box_wide) : sizeof(struct box_small);
    m->count++;
    if (!wide)
        return loam_box_new(struct box_small, box_small_drop, .model = m, .number = number);
    struct box_wide *b =
        loam_box_new(struct box_wide, box_wide_drop, .head = {.model = m, .number = number});
    SAME(b != NULL && (uintptr_t)b % 128 == 0);
    for (size_t i = 0; i < sizeof b->more; i++) {
        SAME(b->more[i] == 0);
        b->more[i] = (unsigned char)number;
    }
    return &b->head;
}

static void box_same(struct box_small *const *v, const struct box_model *m)
{
    for (size_t i = 0; i < BOX_VARIABLES; i++) {
        SAME((v[i] != NULL) == (m->in[i] >= 0));
        SAME(v[i] == NULL || v[i]->number == m->in[i]);
        SAME(v[i] == NULL || loam_box_size(v[i]) == m->size[m->in[i]]);
        SAME(v[i] == NULL || m->deaths[m->in[i]] == 0);
    }
}

// A scope with two boxes, left by a return with or without the first: the last declared goes first.
static struct box_small *box_scope(struct box_model *m, bool keep)
{
    loam_auto struct box_small *first = box_make(m, true);
    loam_auto struct box_small *second = box_make(m, false);
    SAME(second->number == first->number + 1);
    return keep ? loam_move(first) : NULL;
}

static void box_scope_same(struct input *in, struct box_small **v, struct box_model *m, size_t i)
{
    if (m->count + 2 > BOX_BOXES)
        return;
    int first = (int)m->count;
    bool keep = take(in) % 2 && v[i] == NULL;
    struct box_small *kept = box_scope(m, keep);
    SAME(m->deaths[first + 1] == 1 && m->deaths[first] == (keep ? 0 : 1));
    SAME(m->last == (keep ? first + 1 : first));
    SAME((kept != NULL) == keep);
    if (keep) {
        v[i] = kept;
        m->in[i] = first;
    }
}

static void box_drop_one(struct box_small **v, struct box_model *m, size_t i)
{
    loam_drop(v[i]);
    SAME(m->in[i] < 0 || m->deaths[m->in[i]] == 1);
    m->in[i] = -1;
}

static void box_forget_one(struct box_small **v, struct box_model *m, size_t i)
{
    loam_forgotten before = loam_box_forgotten();
    struct box_small *b = loam_forget(v[i]);
    loam_forgotten after = loam_box_forgotten();
    SAME((b != NULL) == (m->in[i] >= 0));
    if (b == NULL)
        return;
    SAME(m->deaths[b->number] == 0);
    SAME(after.boxes >= before.boxes + 1); // others may forget too
    SAME(after.bytes >= before.bytes + m->size[b->number]);
    m->in[i] = -1;
}

static void box_step(struct input *in, struct box_small **v, struct box_model *m)
{
    size_t i = take(in) % BOX_VARIABLES, k = take(in) % BOX_VARIABLES;
    switch (take(in) % 8) {
    case 0:
    case 1:
    case 2:
        if (v[i] == NULL && m->count < BOX_BOXES) {
            m->in[i] = (int)m->count;
            v[i] = box_make(m, take(in) % 2);
        }
        break;
    case 3: // from one variable to another, which is empty
        if (v[k] == NULL) {
            v[k] = loam_move(v[i]);
            m->in[k] = m->in[i];
            m->in[i] = i == k ? m->in[i] : -1;
        }
        break;
    case 4: // one takes the other's place, and that one the first's
        if (i != k) {
            int was = m->in[i];
            struct box_small *b = loam_move(v[k]);
            v[k] = loam_replace(v[i], b);
            m->in[i] = m->in[k];
            m->in[k] = was;
        }
        break;
    case 5:
        box_drop_one(v, m, i);
        break;
    case 6:
        box_scope_same(in, v, m, i);
        break;
    case 7:
        if (take(in) % 32 == 0) // what is forgotten stays for ever
            box_forget_one(v, m, i);
        break;
    }
}

static void box_play(struct input *in)
{
    struct box_small *v[BOX_VARIABLES] = {NULL};
    struct box_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return;
    for (size_t i = 0; i < BOX_VARIABLES; i++)
        m->in[i] = -1;
    while (in->left > 0) {
        box_step(in, v, m);
        box_same(v, m);
    }
    for (size_t i = 0; i < BOX_VARIABLES; i++)
        box_drop_one(v, m, i);
    for (size_t i = 0; i < m->count; i++)
        SAME(m->deaths[i] <= 1);
    free(m);
}
