// G13 smart-pointer: a smart pointer of one's own.

#include "lab/lab.h"

#include <loam/rc.h>
#include <stdio.h>
#include <string.h>

// The example's second half: text that is shared when copied, and copied when written.
LAB_EXERCISE(G13, "examples/12_rc.c");

struct text {
    char at[32];
};
static u32 made, gone;

static void text_drop(struct text *t)
{
    (void)t;
    gone++;
}

static struct text *text_new(const char *from)
{
    struct text *t = loam_rc_new(struct text, text_drop);
    if (t == NULL)
        die("lab: out of memory", NULL);
    snprintf(t->at, sizeof t->at, "%s", from);
    made++;
    return t;
}

// To write to it: ours alone from here on.
static struct text *text_mut(struct text **variable)
{
    if (loam_rc_count(*variable) == 1)
        return *variable;
    struct text *copy = text_new((*variable)->at);
    loam_rc_unref(*variable);
    *variable = copy;
    return copy;
}

static void copies(struct lab *l)
{
    loam_auto_rc struct text *a = text_new("shared");
    loam_auto_rc struct text *b = loam_rc_ref(a);
    u32 after_copy = made;
    bool one = a == b;
    text_mut(&b)->at[0] = 'S';
    u32 after_write = made;
    struct text *before = b;
    text_mut(&b)->at[1] = 'H';
    lab_check(l, "copied_late", one && after_copy == 1 && after_write == 2 && b == before,
              "a copy makes no object, the first write one, the second none");
    lab_check(l, "apart", strcmp(a->at, "shared") == 0 && strcmp(b->at, "SHared") == 0,
              "then they read '%s' and '%s'", a->at, b->at);
}

static void run(struct lab *l)
{
    copies(l);
    lab_check(l, "cleaned_up", gone == made && made == 2,
              "%u objects were made, %u destroyed when their variables ended", made, gone);
    lab_exact(l, "pointer_bytes", sizeof(struct text *), "bytes");
    lab_note(l, "The whole program: loam lab source G13.");
}

static const struct claim claims[] = {
    {S2, NULL, "custom smart pointer: its end", "Drop runs by itself", "cleaned_up", 0, 0, NULL},
    {S2, NULL, "custom smart pointer: use", "reads like a plain pointer", "copied_late", 0, 0,
     NULL},
};

LAB_EXPERIMENT(G13) = {
    .question = "What does it take to make a smart pointer of one's own?",
    .prediction =
        "An object that counts its owners, a clean-up when a variable ends, and a rule of "
        "one's own in between: here, copy on write.",
    .method = "A shared text is copied by reference, then written to through one of the copies. "
              "Objects made and destroyed are counted. The example's program is printed by 'loam "
              "lab source'.",
    .look = "Two objects in all: one until somebody writes. What C lacks beside Rust is Deref: the "
            "rule stands in a function, text_mut, that must be called.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .exercise = lab_exercise_G13,
};
