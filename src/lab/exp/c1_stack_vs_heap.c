// C1 stack-vs-heap: what a piece of memory costs, from the stack and from several heaps.

#include "lab/allocators.h"

#include <string.h>

enum { SIZE = 64, MANY = 100000, LARGE = 64 * 1024 * 1024 };

// A frame of 64 bytes, of which one is written, as any use would.
__attribute__((noinline)) static void frame(void)
{
    char room[SIZE];
    room[0] = 1;
    KEEP(room);
}

static void on_stack(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        frame();
}

// Take, write, give back. The compiler may not know these functions, or it would leave them out.
static void on_heap(void *of, u64 rounds)
{
    const struct allocator *a = of;
    for (u64 i = 0; i < rounds; i++) {
        volatile char *p = a->take(SIZE);
        p[0] = 1;
        a->give((void *)p);
    }
}

struct crowd {
    const struct allocator *a;
    struct rng r;
    char **block;
};

static void among_many(void *of, u64 rounds)
{
    struct crowd *c = of;
    for (u64 i = 0; i < rounds; i++) {
        char **at = &c->block[rng_below(&c->r, MANY)];
        c->a->give(*at);
        *at = c->a->take(SIZE);
        **at = 1;
    }
}

static void large(void *of, u64 rounds)
{
    const struct allocator *a = of;
    for (u64 i = 0; i < rounds; i++) {
        volatile char *p = a->take(LARGE);
        p[0] = 1;
        a->give((void *)p);
    }
}

// sub $imm8,%rsp or sub $imm32,%rsp among the first bytes of a function; -1: not this machine.
static int subtractions(void (*f)(void))
{
    int n = 0;
#if defined __x86_64__
    unsigned char code[24];
    memcpy(code, *(void **)&f, sizeof code);
    for (u32 i = 0; i + 2 < sizeof code && code[i] != 0xc3; i++)
        n += code[i] == 0x48 && (code[i + 1] == 0x83 || code[i + 1] == 0x81) && code[i + 2] == 0xec;
    return n;
#else
    KEEP(f);
    return n - 1;
#endif
}

// Larger than the 128 bytes below the stack pointer that a leaf may use without asking.
__attribute__((noinline)) static void big_frame(void)
{
    char room[4 * SIZE];
    room[0] = 1;
    KEEP(room);
}

static void crowd_fill(struct crowd *c)
{
    for (u32 i = 0; i < MANY; i++)
        c->block[i] = c->a->take(SIZE);
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    u32 n = allocators_find(a);
    struct arm arms[1 + ALLOCATORS_MAX] = {{"stack", .run = on_stack}};
    for (u32 i = 0; i < n; i++)
        arms[1 + i] = (struct arm){a[i].name, .run = on_heap, .of = &a[i]};
    lab_time(l, arms, 1 + n);
    lab_ratio(l, "heap_over_stack", &arms[1], &arms[0]);
    lab_ratio(l, "loam_over_stack", &arms[2], &arms[0]);
    int subs = subtractions(big_frame);
    if (subs < 0)
        lab_cannot(l, "instructions", "only x86-64 machine code is read here");
    else
        lab_exact(l, "instructions", subs, "instructions");
    big_frame();

    struct crowd c[2] = {{.a = &a[0], .r = l->rng}, {.a = &a[1], .r = l->rng}};
    for (u32 i = 0; i < 2; i++) {
        c[i].block = lab_memory(l, MANY * sizeof *c[i].block, LAB_DEFAULT);
        if (c[i].block == NULL)
            return;
        crowd_fill(&c[i]);
    }
    struct arm crowded[] = {
        {"libc_among_100k", .run = among_many, .of = &c[0]},
        {"loam_among_100k", .run = among_many, .of = &c[1]},
        {"libc_64_MiB", .run = large, .of = &a[0]},
        {"loam_64_MiB", .run = large, .of = &a[1]},
    };
    lab_time(l, crowded, countof(crowded));
    lab_ratio(l, "large_over_small", &crowded[2], &arms[1]);
}

static const struct claim claims[] = {
    {S0, NULL, "stack against heap", "the stack is fast", "heap_over_stack", 1.5, INFINITY, "x"},
    {S2, NULL, "stack against heap", "the stack is faster", "heap_over_stack", 1.5, INFINITY, "x"},
    {S3, "topic 4", "stack against heap", "the heap is slower", "heap_over_stack", 1.5, INFINITY,
     "x"},
    {S3, "topic 4", "a frame", "a single CPU instruction", "instructions", 1, 1, "instructions"},
    {S4, NULL, "stack against heap", "fast and slow", "heap_over_stack", 1.5, INFINITY, "x"},
};

LAB_EXPERIMENT(C1) = {
    .question = "How much dearer is a block from the heap than a place on the stack?",
    .prediction = "The stack pointer is moved by one subtraction. A heap has to find a block, and "
                  "to find it again when it is freed: some nanoseconds, if all goes well.",
    .method = "A function with 64 bytes of locals is called, and 64 bytes are taken from each heap "
              "and given back; each writes one byte. Then with 100,000 blocks live, of which a "
              "random one is replaced, and with 64 MiB, which libc asks of the kernel each time. "
              "The heaps are called by address: a compiler that knows malloc leaves out pairs "
              "whose block nobody needs. The subtraction is counted in the machine code.",
    .look = "The best case of a heap is not slow: a few times the stack's cost. What costs are "
            "blocks among many others, which are no longer in the cache, and the kernel.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
