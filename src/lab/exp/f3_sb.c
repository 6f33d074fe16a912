// F3 sb: the store buffer, seen from outside.

#include "lab/litmus.h"

#include <stdatomic.h>

static void left(struct litmus *t)
{
    t->x = 1;
    t->seen[0] = t->y;
}

static void right(struct litmus *t)
{
    t->y = 1;
    t->seen[1] = t->x;
}

static void left_fenced(struct litmus *t)
{
    t->x = 1;
    atomic_thread_fence(memory_order_seq_cst);
    t->seen[0] = t->y;
}

static void right_fenced(struct litmus *t)
{
    t->y = 1;
    atomic_thread_fence(memory_order_seq_cst);
    t->seen[1] = t->x;
}

static bool neither(const struct litmus *t)
{
    return t->seen[0] == 0 && t->seen[1] == 0;
}

static void run(struct lab *l)
{
    long plain = 0, fenced = 0, rounds = 0;
    u32 batches = (u32)lab_pick(l, 3, 10);
    for (u32 i = 0; i < batches; i++) {
        long a = litmus_run(l, left, right, neither);
        long b = a < 0 ? -1 : litmus_run(l, left_fenced, right_fenced, neither);
        if (b < 0)
            return;
        plain += a;
        fenced += b;
        rounds += LITMUS_ROUNDS;
    }
    lab_exact(l, "both_read_0_percent", 100.0 * (double)plain / (double)rounds, "%");
    lab_exact(l, "both_read_0_with_fence", (double)fenced, "of all");
    lab_check(l, "stores_delayed", plain > 0, "in %ld of %ld rounds both threads read 0", plain,
              rounds);
    if (plain == 0)
        lab_cannot(
            l, "stores_delayed",
            "not once in %ld rounds, which proves nothing: the two hardly met on this machine",
            rounds);
    lab_check(l, "fence_cures", fenced == 0, "with a fence in %ld of %ld", fenced, rounds);
    lab_picture(l, "no order of these four gives 0 and 0");
    lab_line(l, "   thread 1          thread 2       ");
    lab_line(l, "   x = 1             y = 1          into each core's store buffer");
    lab_line(l, "   read y: 0         read x: 0      before the other's store comes out");
}

static const struct claim claims[] = {
    {S3, "topic 8", "stores wait in a buffer", "delayed", "stores_delayed", 0, 0, NULL},
    {S3, "topic 8", "a fence orders them", "memory barrier", "fence_cures", 0, 0, NULL},
};

LAB_EXPERIMENT(F3) = {
    .question = "Can two threads each miss what the other wrote before?",
    .prediction =
        "Each thread writes its variable, then reads the other's. Whatever the order, one "
        "of them should see a 1. But stores wait in a buffer, even on x86.",
    .method = "Two threads on two processors wait for the same tick of the time counter; a "
              "handshake would order them and hide everything (it gave 0 cases). Each round has "
              "variables of its own, on lines of their own. The same with a full fence in between.",
    .look = "Both read 0 in a good part of the rounds; with the fence never. This is why a lock "
            "needs an atomic instruction, and not only two flags.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
