// F4 mp: a message and its flag.

#include "lab/litmus.h"

static void send(struct litmus *t)
{
    t->x = 1; // the message
    t->y = 1; // "it is there"
}

static void receive(struct litmus *t)
{
    t->seen[0] = t->y;
    t->seen[1] = t->x;
    t->also = 1;
}

static bool stale(const struct litmus *t)
{
    return t->also == 1 && t->seen[0] == 1 && t->seen[1] == 0;
}

static bool arrived(const struct litmus *t)
{
    return t->seen[0] == 1 && t->seen[1] == 1;
}

static void run(struct lab *l)
{
    long bad = 0, rounds = 0;
    for (u32 i = 0; i < lab_pick(l, 6, 20); i++) {
        long n = litmus_run(l, send, receive, stale);
        if (n < 0)
            return;
        bad += n;
        rounds += LITMUS_ROUNDS;
    }
    long good = litmus_run(l, send, receive, arrived);
    lab_exact(l, "flag_without_message", (double)bad, "of all");
    lab_exact(l, "both_arrived_percent", 100.0 * (double)good / LITMUS_ROUNDS, "%");
#if defined(__x86_64__)
    lab_check(l, "in_order_on_x86", bad == 0,
              "the flag came without the message in %ld of %ld rounds", bad, rounds);
    lab_cannot(l, "out_of_order_on_arm", "this is no ARM processor");
#else
    lab_check(l, "out_of_order_on_arm", bad > 0,
              "the flag came without the message in %ld of %ld rounds", bad, rounds);
    lab_cannot(l, "in_order_on_x86", "this is no x86 processor");
#endif
}

static const struct claim claims[] = {
    {S3, "topic 2", "x86: writes reach others", "predictably", "in_order_on_x86", 0, 0, NULL},
    {S3, "topic 2", "ARM: writes reach others", "in any order", "out_of_order_on_arm", 0, 0, NULL},
};

LAB_EXPERIMENT(F4) = {
    .question = "Can a flag arrive before the message that was written before it?",
    .prediction =
        "Not on x86, where stores leave their buffer in order and loads are not passed by "
        "later loads. On ARM it can.",
    .method = "One thread writes a message, then a flag; another reads the flag, then the message, "
              "at the same tick (see F3). Plain loads and stores: what a compiler makes of a "
              "release store and an acquire load on x86. Rounds in which the flag is new and the "
              "message old are counted.",
    .look = "None in all the rounds. This proves nothing by itself, but F3 shows that the same "
            "harness does see reordering where there is some.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
