// B2 segments: where code, data, heap and stack lie.

#include "lab/exercise.h"
#include "lab/lab.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

LAB_EXERCISE(B2, "examples/01_segments.c");

static int data = 1;  // .data
static int bss[1000]; // .bss

__attribute__((noinline)) static bool callee_is_below(const volatile int *callers)
{
    volatile int mine = 0;
    return (uintptr_t)&mine < (uintptr_t)callers;
}

__attribute__((noinline)) static bool stack_grows_down(void)
{
    volatile int mine = 0;
    return callee_is_below(&mine);
}

// In a child: malloc of this process may use the break too, and must not find it moved.
static void grow_break(void *of)
{
    char **at = of;
    at[0] = sbrk(4096);
    at[1] = sbrk(0);
}

static void draw(struct lab *l, u64 mapped, u64 local, u64 end)
{
    struct {
        const char *what;
        u64 at;
    } place[] = {{"stack: a local variable", local},
                 {"mmap area: a mapping, libraries", mapped},
                 {"heap: the break, moved by sbrk", end},
                 {".bss: zeroed globals", (u64)(uintptr_t)bss},
                 {".data: other globals", (u64)(uintptr_t)&data},
                 {".text: code", (u64)(uintptr_t)draw}};
    lab_picture(l, "this process, high addresses first");
    for (size_t i = 0; i < countof(place); i++)
        lab_line(l, "%#16llx  %s", (unsigned long long)place[i].at, place[i].what);
}

static void as_written(struct lab *l)
{
    struct lab_end pie, fixed;
    if (!exercise_run(l, "as_written", lab_exercise_B2, "-pie", &pie) ||
        !exercise_run(l, "as_written", lab_exercise_B2, "-no-pie", &fixed))
        return;
    lab_picture(l, "the exercise prints");
    exercise_print(l, pie.said);
    lab_check(l, "as_written", exercise_ok(&pie) && exercise_ok(&fixed),
              "position-independent it %s, at fixed addresses it %s",
              exercise_ok(&pie) ? "finds the order" : "fails",
              exercise_ok(&fixed) ? "finds the order" : "fails");
}

static void run(struct lab *l)
{
    volatile int local = 0;
    UNKNOWN(data);
    KEEP(bss);
    char *mapped = lab_memory(l, 4096, LAB_4K), **breaks = lab_shared(l, 4096);
    struct lab_end end;
    if (mapped == NULL || breaks == NULL || lab_child(l, grow_break, breaks, 0, &end) != 0)
        return;
    u64 heap = (u64)(uintptr_t)breaks[0], map = (u64)(uintptr_t)mapped,
        stack = (u64)(uintptr_t)&local, text = (u64)(uintptr_t)draw;
    bool order =
        text < (u64)(uintptr_t)&data && &data < bss && (u64)(uintptr_t)bss < heap && heap < stack;
    draw(l, map, stack, heap);
    lab_check(l, "order", order, "text, data, bss, heap and stack %s",
              order ? "follow each other" : "lie in another order");
    bool down = stack_grows_down(), up = breaks[1] > breaks[0];
    lab_check(l, "stack_down", down, "a callee's variable lies %s its caller's",
              down ? "below" : "above");
    lab_check(l, "heap_up", up, "sbrk(4096) moved the break %s", up ? "up" : "down");
    bool between = heap < map && map < stack;
    lab_check(l, "nothing_between", !between, "mmap gave %p, %s heap and stack", (void *)mapped,
              between ? "between" : "outside of");
    lab_why(l, "nothing_between",
            "the mmap area is missing in the picture: libraries and large "
            "blocks live there");
    as_written(l);
}

static const struct claim claims[] = {
    {S1, "exercise 1", "order of the segments", "text < data < bss < heap < stack", "order", 0, 0,
     NULL},
    {S4, NULL, "order of the segments", "text < data < bss < heap < stack", "order", 0, 0, NULL},
    {S4, NULL, "the stack", "grows down", "stack_down", 0, 0, NULL},
    {S4, NULL, "the heap", "grows up", "heap_up", 0, 0, NULL},
    {S4, NULL, "between heap and stack", "free space only", "nothing_between", 0, 0, NULL},
    {S1, "exercise 1", "the exercise, run as written", "the order is found", "as_written", 0, 0,
     NULL},
};

LAB_EXPERIMENT(B2) = {
    .question = "In what order do code, data, heap and stack lie?",
    .prediction = "Code, data, bss, heap from below; the stack from above, growing towards them.",
    .method = "One object of each kind tells its address. A callee compares its local variable "
              "with its caller's, and sbrk is asked which way it goes. Then the exercise is "
              "compiled, position-independent and at fixed addresses, and run.",
    .look = "The order holds. What the usual picture leaves out is the largest part: between heap "
            "and stack lies the area where mmap puts libraries and large blocks.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .exercise = lab_exercise_B2,
};
