// B3 sbrk: the end of the data segment, moved.

#include "lab/exercise.h"
#include "lab/lab.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

LAB_EXERCISE(B3, "examples/02_sbrk.c");

enum { CHUNK = 64 * 1024 };

// What a child saw; addresses are told, not used, outside of it.
struct seen {
    char *start, *first, *second, *end, *after;
    bool zeroed, kept, done;
};

static void move(void *of)
{
    struct seen *s = of;
    s->start = sbrk(0);
    s->first = sbrk(CHUNK);
    s->zeroed = true;
    for (u32 i = 0; i < CHUNK; i++)
        s->zeroed &= s->first[i] == 0;
    strcpy(s->first, "still here");
    s->second = sbrk(CHUNK);
    strcpy(s->second, "a second call");
    s->kept = strcmp(s->first, "still here") == 0;
    s->end = sbrk(0);
    sbrk(-2 * CHUNK);
    s->after = sbrk(0);
    s->done = true;
}

static void up_and_down(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        KEEP(sbrk(CHUNK));
        KEEP(sbrk(-CHUNK));
    }
}

static void map_and_unmap(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        void *at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(at, CHUNK);
    }
}

static void ask_pid(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        syscall(SYS_getppid);
}

static void draw(struct lab *l, const struct seen *s)
{
    lab_picture(l, "the break, from call to call");
    lab_line(l, "sbrk(0)        %p", (void *)s->start);
    lab_line(l, "sbrk(+64 KiB)  %p .. %p", (void *)s->first, (void *)s->second);
    lab_line(l, "sbrk(+64 KiB)  %p .. %p", (void *)s->second, (void *)s->end);
    lab_line(l, "sbrk(-128 KiB) %p", (void *)s->after);
}

static void run(struct lab *l)
{
    struct seen *s = lab_shared(l, sizeof *s);
    struct lab_end end;
    if (s == NULL || lab_child(l, move, s, 0, &end) != 0)
        return;
    if (!s->done) {
        lab_cannot(l, NULL, "the break cannot be moved here");
        return;
    }
    draw(l, s);
    lab_check(l, "moves", s->first == s->start && s->second == s->first + CHUNK && s->zeroed,
              "sbrk returned the old break, and moved it by what was asked; the memory is zero");
    lab_check(l, "kept", s->kept, "what the first call's memory held is there after the second");
    lab_check(l, "goes_back", s->after == s->start, "the break is %s where it was",
              s->after == s->start ? "again" : "not");
    if (exercise_run(l, "as_written", lab_exercise_B3, "-pie", &end)) {
        lab_picture(l, "the exercise prints");
        exercise_print(l, end.said);
        lab_check(l, "as_written", exercise_ok(&end), "it ends with status %d", end.status);
    }
    struct arm arms[] = {{"sbrk_64k_and_back", .run = up_and_down},
                         {"mmap_64k_and_munmap", .run = map_and_unmap},
                         {"getppid", .run = ask_pid}};
    lab_time(l, arms, countof(arms));
}

static const struct claim claims[] = {
    {S1, "exercise 2", "sbrk(n)", "moves the program break", "moves", 0, 0, NULL},
    {S1, "exercise 2", "memory from an earlier call", "persists", "kept", 0, 0, NULL},
    {S1, "exercise 2", "sbrk(-n)", "moves it back", "goes_back", 0, 0, NULL},
    {S1, "exercise 2", "the exercise, run as written", "all is kept", "as_written", 0, 0, NULL},
};

LAB_EXPERIMENT(B3) = {
    .question = "What does sbrk do, and does what is stored there stay?",
    .prediction = "It moves the program break up, and returns where it was; memory below the break "
                  "stays as it is until the break is moved back.",
    .method = "In a child, since malloc may use the break too: ask for it, move it twice, write, "
              "look at what the first call gave, and move it back. Then the pair of calls is timed "
              "against mmap with munmap, and against a system call that does nothing.",
    .look = "The second chunk begins where the first ends: that is all an allocator on sbrk can "
            "rely on, and why it can give back only from the top.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .exercise = lab_exercise_B3,
};
