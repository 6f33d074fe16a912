// G2 move: an owner moves, and the destructor runs once.

#include "lab/lab.h"

#include <loam/box.h>
#include <string.h>
#include <sys/wait.h>

struct file {
    int fd;
};
static u32 closed;

static void file_close(struct file *f)
{
    closed++;
    f->fd = -1;
}

static struct file *hand_on(struct file *f)
{
    return f; // a new owner, no copy
}

static bool moved_from_is_null(void)
{
    loam_auto struct file *first = loam_box_new(struct file, file_close, .fd = 3);
    loam_auto struct file *second = hand_on(loam_move(first));
    loam_auto struct file *third = loam_move(second);
    return first == NULL && second == NULL && third != NULL && third->fd == 3 && closed == 0;
}

// Two variables that hold the same box: what loam_move is there against.
static void drop_twice(void *of)
{
    (void)of;
    struct file *f = loam_box_new(struct file, file_close, .fd = 3), *copy = f;
    UNKNOWN(copy); // gcc would warn, and it is right
    loam_drop(f);
    loam_drop(copy);
}

static void run(struct lab *l)
{
    struct lab_end end;
    closed = 0;
    bool null = moved_from_is_null();
    lab_exact(l, "destructor_runs", closed, "times");
    lab_check(l, "moved_from", null, "who was moved from is NULL, and the object was not copied");
    if (lab_child(l, drop_twice, NULL, 0, &end) != 0)
        return;
    end.said[strcspn(end.said, "\n")] = 0;
    lab_check(l, "twice_detected", WIFSIGNALED(end.status) && strstr(end.said, "box") != NULL,
              "at run time: %.100s", end.said);
    lab_check(l, "twice_impossible", false,
              "C compiles it, and loam ends the program when it happens: detected, not impossible");
}

static const struct claim claims[] = {
    {S3, "topic 9", "after moves the destructor", "runs once", "destructor_runs", 1, 1, "times"},
    {S3, "topic 9", "a double free in Rust", "impossible", "twice_impossible", 0, 0, NULL},
    {S2, NULL, "Box: one owner", "moved, not copied", "moved_from", 0, 0, NULL},
};

LAB_EXPERIMENT(G2) = {
    .question = "How often does a destructor run when its object has had three owners?",
    .prediction = "Once, by the last owner. In Rust the compiler refuses to use the others; in C "
                  "somebody must look at run time.",
    .method =
        "A box moves through three loam_auto variables and a function; its destructor counts. "
        "Then a child copies the pointer behind loam's back and drops both.",
    .look = "One run, three scopes that end. The second drop is told in one line and ends the "
            "program: that is what can be had without a borrow checker.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
