// interp: a small interpreter whose every value is a counted block on the heap.
//
// This is how Python, Perl or Lua spend their time: a number lives for one addition, a frame for
// one call, a list for one loop. Blocks are of 16 to 64 bytes, few are live, and nearly all
// die in the order opposite to their birth.

#include "bench.h"

// ---------------------------------------------------------------- values

enum kind { NUMBER, PAIR, NIL };

struct value {
    enum kind kind;
    unsigned users;
};

struct number {
    struct value head;
    int64_t number;
};

struct pair {
    struct value head;
    struct value *first, *rest;
};

static struct value *number_new(int64_t n)
{
    struct number *v = take(sizeof *v);
    *v = (struct number){{NUMBER, 1}, n};
    return &v->head;
}

static struct value *pair_new(struct value *first, struct value *rest)
{
    struct pair *v = take(sizeof *v);
    *v = (struct pair){{PAIR, 1}, first, rest};
    return &v->head;
}

static struct value *nil_new(void)
{
    struct value *v = take(sizeof *v);
    *v = (struct value){NIL, 1};
    return v;
}

static int64_t number_of(const struct value *v)
{
    check(v->kind == NUMBER);
    return ((const struct number *)v)->number;
}

static struct value *keep(struct value *v)
{
    v->users++;
    return v;
}

static void drop(struct value *v)
{
    while (v != NULL && --v->users == 0) {
        struct value *rest = NULL;
        if (v->kind == PAIR) {
            drop(((struct pair *)v)->first);
            rest = ((struct pair *)v)->rest;
        }
        free(v);
        v = rest;
    }
}

// ---------------------------------------------------------------- programs

enum op { CONSTANT, ARGUMENT, ADD, SUBTRACT, LESS, IF, CALL, CONS, FIRST, REST, IS_NIL, EMPTY };

struct node {
    enum op op;
    int64_t number;          // of a constant, or of an argument
    const struct node *a[3]; // operands; of a call: its arguments
    const struct node *const *function;
};

// Each call has a frame: a block with its arguments.
struct frame {
    size_t count;
    struct value *argument[];
};

static struct value *run(const struct node *n, struct frame *f);

static struct value *call(const struct node *n, struct frame *f)
{
    size_t count = 0;
    while (count < 3 && n->a[count] != NULL)
        count++;
    struct frame *inner = take(sizeof *inner + count * sizeof inner->argument[0]);
    inner->count = count;
    for (size_t i = 0; i < count; i++)
        inner->argument[i] = run(n->a[i], f);
    struct value *result = run(*n->function, inner);
    for (size_t i = 0; i < count; i++)
        drop(inner->argument[i]);
    free(inner);
    return result;
}

static struct value *arithmetic(const struct node *n, struct frame *f)
{
    struct value *a = run(n->a[0], f), *b = run(n->a[1], f);
    int64_t x = number_of(a), y = number_of(b);
    drop(a);
    drop(b);
    return number_new(n->op == ADD ? x + y : n->op == SUBTRACT ? x - y : x < y);
}

static struct value *part(const struct node *n, struct frame *f)
{
    struct pair *pair = (struct pair *)run(n->a[0], f);
    check(pair->head.kind == PAIR);
    struct value *v = keep(n->op == FIRST ? pair->first : pair->rest);
    drop(&pair->head);
    return v;
}

static struct value *is_nil(const struct node *n, struct frame *f)
{
    struct value *v = run(n->a[0], f);
    bool yes = v->kind == NIL;
    drop(v);
    return number_new(yes);
}

static struct value *choose(const struct node *n, struct frame *f)
{
    struct value *condition = run(n->a[0], f);
    bool yes = number_of(condition) != 0;
    drop(condition);
    return run(n->a[yes ? 1 : 2], f);
}

static struct value *run(const struct node *n, struct frame *f)
{
    switch (n->op) {
    case CONSTANT:
        return number_new(n->number);
    case ARGUMENT:
        return keep(f->argument[n->number]);
    case ADD:
    case SUBTRACT:
    case LESS:
        return arithmetic(n, f);
    case IF:
        return choose(n, f);
    case CALL:
        return call(n, f);
    case CONS: {
        struct value *first = run(n->a[0], f);
        return pair_new(first, run(n->a[1], f));
    }
    case FIRST:
    case REST:
        return part(n, f);
    case IS_NIL:
        return is_nil(n, f);
    case EMPTY:
        return nil_new();
    }
    return NULL;
}

// ---------------------------------------------------------------- two functions in that language

// fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
static const struct node *fib;
static const struct node *fib_body(void)
{
    static const struct node two = {.op = CONSTANT, .number = 2},
                             one = {.op = CONSTANT, .number = 1}, n = {.op = ARGUMENT},
                             n1 = {.op = SUBTRACT, .a = {&n, &one}},
                             n2 = {.op = SUBTRACT, .a = {&n, &two}},
                             fib1 = {.op = CALL, .function = &fib, .a = {&n1}},
                             fib2 = {.op = CALL, .function = &fib, .a = {&n2}},
                             small = {.op = LESS, .a = {&n, &two}},
                             sum = {.op = ADD, .a = {&fib1, &fib2}},
                             body = {.op = IF, .a = {&small, &n, &sum}};
    return &body;
}

// range(n) = n < 1 ? nil : cons(n, range(n - 1));  sum(l) = nil(l) ? 0 : first(l) + sum(rest(l))
static const struct node *range, *sum;
static const struct node *range_body(void)
{
    static const struct node one = {.op = CONSTANT, .number = 1}, n = {.op = ARGUMENT},
                             nil = {.op = EMPTY}, n1 = {.op = SUBTRACT, .a = {&n, &one}},
                             tail = {.op = CALL, .function = &range, .a = {&n1}},
                             more = {.op = CONS, .a = {&n, &tail}},
                             small = {.op = LESS, .a = {&n, &one}},
                             body = {.op = IF, .a = {&small, &nil, &more}};
    return &body;
}

static const struct node *sum_body(void)
{
    static const struct node zero = {.op = CONSTANT}, l = {.op = ARGUMENT},
                             end = {.op = IS_NIL, .a = {&l}}, head = {.op = FIRST, .a = {&l}},
                             rest = {.op = REST, .a = {&l}},
                             tail = {.op = CALL, .function = &sum, .a = {&rest}},
                             more = {.op = ADD, .a = {&head, &tail}},
                             body = {.op = IF, .a = {&end, &zero, &more}};
    return &body;
}

static int64_t evaluate(const struct node *n)
{
    struct value *v = run(n, NULL);
    int64_t result = number_of(v);
    drop(v);
    return result;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    fib = fib_body();
    range = range_body();
    sum = sum_body();
    const struct node n22 = {.op = CONSTANT, .number = 22},
                      n1000 = {.op = CONSTANT, .number = 1000};
    const struct node fib22 = {.op = CALL, .function = &fib, .a = {&n22}};
    const struct node list = {.op = CALL, .function = &range, .a = {&n1000}};
    const struct node total = {.op = CALL, .function = &sum, .a = {&list}};
    for (size_t i = 0, n = scaled(&b, 100); i < n; i++) {
        check(evaluate(&fib22) == 17711);
        for (int k = 0; k < 20; k++)
            check(evaluate(&total) == 500500);
    }
    puts("fib(22) is 17711, 1 to 1000 make 500500");
    return 0;
}
