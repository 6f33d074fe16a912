// G1 droporder: in which order things are cleaned up.

#include "lab/lab.h"

#include <loam/box.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct part {
    char name;
};
static char order[16];

static void part_drop(struct part *p)
{
    size_t n = strlen(order);
    order[n] = p->name;
    order[n + 1] = 0;
}

// Three locals, and a way out in the middle.
static void locals(bool early)
{
    loam_auto struct part *a = loam_box_new(struct part, part_drop, .name = 'a');
    loam_auto struct part *b = loam_box_new(struct part, part_drop, .name = 'b');
    if (early)
        return;
    loam_auto struct part *c = loam_box_new(struct part, part_drop, .name = 'c');
    KEEP(a);
    KEEP(b);
    KEEP(c);
}

static const char *dropped(bool early)
{
    *order = 0;
    locals(early);
    return order;
}

// Rust itself, where there is a compiler for it. The struct's destructor is the compiler's.
static const char rust[] = "struct P(char);\n"
                           "impl Drop for P { fn drop(&mut self) { print!(\"{}\", self.0); } }\n"
                           "#[allow(dead_code)] struct S { a: P, b: P, c: P }\n"
                           "fn main() {\n"
                           "    { let _a = P('a'); let _b = P('b'); let _c = P('c'); }\n"
                           "    print!(\" \");\n"
                           "    drop(S { c: P('c'), b: P('b'), a: P('a') });\n"
                           "}\n";

static void with_rust(struct lab *l)
{
    struct lab_end end;
    char source[300], program[300];
    char *compile[] = {"rustc", "-o", program, source, NULL}, *start[] = {program, NULL};
    const char *folder = lab_folder(l);
    if (!lab_has("rustc") || folder == NULL) {
        lab_cannot(l, "fields_in_order", "C has no destructors of fields, and rustc is missing");
        return;
    }
    snprintf(source, sizeof source, "%s/order.rs", folder);
    snprintf(program, sizeof program, "%s/order", folder);
    FILE *f = fopen(source, "we");
    if (f == NULL || fputs(rust, f) < 0 || fclose(f) != 0 ||
        lab_program(l, compile, 15, &end) != 0 || end.timed_out || end.status != 0 ||
        lab_program(l, start, 5, &end) != 0) {
        lab_cannot(l, "fields_in_order", "rustc does not work here: %.80s", end.said);
        return;
    }
    lab_row(l, "Rust: locals, then fields|a b c|%.20s", end.said);
    lab_check(l, "fields_in_order", strcmp(end.said, "cba abc") == 0,
              "Rust drops locals and then fields as '%.20s'", end.said);
}

static void run(struct lab *l)
{
    lab_table(l, "who is dropped when", "what|declared|dropped");
    lab_row(l, "locals at the end of their scope|a b c|%s", dropped(false));
    bool reverse = strcmp(order, "cba") == 0;
    lab_row(l, "return after the second|a b|%s", dropped(true));
    lab_check(l, "locals_reversed", reverse && strcmp(order, "ba") == 0,
              "declared a, b, c; dropped in the reverse order");
    with_rust(l);
}

static const struct claim claims[] = {
    {S3, "topic 9", "locals", "in reverse order", "locals_reversed", 0, 0, NULL},
    {S3, "topic 9", "fields of a struct", "in the order of declaration", "fields_in_order", 0, 0,
     NULL},
};

LAB_EXPERIMENT(G1) = {
    .question = "In which order are the variables of a scope cleaned up?",
    .prediction =
        "The last one first: later ones may lean on earlier ones. Fields of a Rust struct "
        "go in the order in which they are declared.",
    .method = "Three boxes in loam_auto variables, whose destructors write down their names; the "
              "scope ends, or is left in the middle. Fields are shown in Rust itself, if rustc is "
              "here: its struct is built in the reverse order, so that only the declaration can "
              "explain what is seen.",
    .look = "cba, and ba for the early return: what was not made is not dropped.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
