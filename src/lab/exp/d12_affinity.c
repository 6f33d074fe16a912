// D12 affinity: what a thread leaves behind when it is moved.

#include "lab/lab.h"

enum { LINE = 64 };

struct thread {
    volatile char *at;
    u64 bytes;
    u32 home, now; // warm the caches of `home`, read on `now`
};

static void read_all(struct thread *t)
{
    for (u64 i = 0; i < t->bytes; i += LINE)
        (void)t->at[i];
}

static void warm_and_move(void *of)
{
    struct thread *t = of;
    lab_pin(t->home);
    for (u64 i = 0; i < t->bytes; i += LINE)
        t->at[i]++; // written: the other cores have no copy
    read_all(t);
    lab_pin(t->now);
}

static void read_again(void *of, u64 rounds)
{
    for (u64 i = 0; i < rounds; i++)
        read_all(of);
}

static void run(struct lab *l)
{
    u32 cpus[2];
    if (lab_cpus(l, cpus, 2) < 2) {
        lab_cannot(l, NULL, "there is only one processor");
        return;
    }
    u64 bytes = 512 * KiB;
    char *at = lab_memory(l, bytes, LAB_HUGE);
    if (at == NULL)
        return;
    struct thread stays = {at, bytes, cpus[1], cpus[1]}, moves = {at, bytes, cpus[0], cpus[1]};
    double lines = (double)(bytes / LINE);
    struct arm arms[] = {
        {"stayed", .run = read_again, .before = warm_and_move, .of = &stays, .ops = lines},
        {"moved", .run = read_again, .before = warm_and_move, .of = &moves, .ops = lines},
    };
    lab_time(l, arms, countof(arms));
    double slowdown = lab_ratio(l, "slowdown", &arms[1], &arms[0]);
    lab_note(l, "To read 512 KiB again costs %.0f us more after a move.",
             (slowdown - 1) * arms[0].got.value * lines / 1000);
    lab_pin(l->cpu);
}

static const struct claim claims[] = {
    {S3, "topic 6", "first reads after a migration", "loses L1 and L2", "slowdown", 1.3, INFINITY,
     "x"},
};

LAB_EXPERIMENT(D12) = {
    .question = "What does it cost a thread to be moved to another core?",
    .prediction = "Its first and second cache: everything is read anew, from the third or from the "
                  "other core.",
    .method = "512 KiB are written and read on one processor, the thread is moved by its affinity "
              "mask, and the same bytes are read once more: only that reading is timed. The other "
              "arm is moved to where it already is.",
    .look =
        "The ratio for each line. It is the bill for one migration, and the reason why schedulers "
        "leave threads where they are.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
