// 12_rc.c: several owners, and a smart pointer of your own.
//
// A document is shown in several windows, and lives as long as one of them does. A window knows its
// document; the document knows its windows too, but only weakly, or they would keep each other
// alive for ever. At the end a smart pointer is made from nothing but the toolkit: text that is
// shared until somebody writes to it.
#include <loam/rc.h>
#include <stdio.h>

struct window;
struct document {
    char title[32];
    loam_weak(struct window) front;
};
struct window {
    const char *name;
    struct document *document; // counted
};
static int gone;

static void document_drop(struct document *d)
{
    printf("document \"%s\" is gone\n", d->title);
    loam_weak_clear(&d->front);
    gone++;
}

static void window_drop(struct window *w)
{
    printf("window %s is closed\n", w->name);
    loam_rc_drop(w->document);
}

static struct window *window_open(const char *name, struct document *d)
{
    struct window *w = loam_rc_new(struct window, window_drop, .name = name);
    if (w == NULL)
        return NULL;
    w->document = loam_rc_ref(d); // the window's own reference
    loam_weak_set(&d->front, w);
    return w;
}

static bool windows(void)
{
    struct document *d = loam_rc_new(struct document, document_drop, .title = "letter");
    if (d == NULL)
        return false;
    struct window *a = window_open("A", d), *b = window_open("B", d);
    if (a == NULL || b == NULL)
        return false;
    loam_weak(struct document) watch = {NULL};
    loam_weak_set(&watch, d);
    loam_rc_drop(d); // the windows have it now

    loam_rc_drop(a);
    {
        loam_auto_rc struct document *still = loam_weak_get(&watch);
        loam_auto_rc struct window *front = still == NULL ? NULL : loam_weak_get(&still->front);
        printf("in front is %s\n", front == NULL ? "nothing" : front->name);
    }
    loam_rc_drop(b);
    bool ok = gone == 1 && loam_weak_get(&watch) == NULL;
    loam_weak_clear(&watch);
    return ok;
}

// ---------------------------------------------------------------- a smart pointer of our own

// Text that is shared when it is copied, and copied when it is written: a clone-on-write pointer.
struct text {
    char at[64];
};
#define auto_text loam_auto_rc struct text *

static struct text *text_new(const char *from)
{
    struct text *t = loam_rc_new(struct text, NULL);
    if (t != NULL)
        snprintf(t->at, sizeof t->at, "%s", from);
    return t;
}

// The text in *variable, and nobody else's. NULL when there is no memory.
static struct text *text_mut(struct text **variable)
{
    if (loam_rc_count(*variable) > 1) {
        struct text *copy = text_new((*variable)->at);
        if (copy == NULL)
            return NULL;
        loam_rc_unref(*variable);
        *variable = copy;
    }
    return *variable;
}

static bool texts(void)
{
    auto_text a = text_new("shared");
    if (a == NULL)
        return false;
    auto_text b = loam_rc_ref(a);
    bool one = a == b;
    struct text *mine = text_mut(&b);
    if (mine == NULL)
        return false;
    snprintf(mine->at, sizeof mine->at, "written");
    printf("first one object, then two: %s and %s\n", a->at, b->at);
    return one && a != b;
}

int main(void)
{
    return windows() && texts() ? 0 : 1;
}
