// A15 pointers: arithmetic on addresses counts in objects.

#include "lab/lab.h"

struct packet {
    u32 from, to;
    u16 length;
    u8 data[6];
};

static void steps(struct lab *l)
{
    static char bytes[8];
    static u32 ints[8];
    static double doubles[8];
    static struct packet packets[8];
    lab_table(l, "what + 1 adds", "type|size|p|p + 1|bytes");
#define ROW(type, array)                                                                     \
    lab_row(l, #type "|%zu|%p|%p|%td", sizeof(type), (void *)(array), (void *)((array) + 1), \
            (char *)((array) + 1) - (char *)(array))
    ROW(char, bytes);
    ROW(u32, ints);
    ROW(double, doubles);
    ROW(struct packet, packets);
#undef ROW
    bool scaled = (char *)(bytes + 1) - (char *)bytes == sizeof *bytes &&
                  (char *)(ints + 1) - (char *)ints == sizeof *ints &&
                  (char *)(doubles + 1) - (char *)doubles == sizeof *doubles &&
                  (char *)(packets + 1) - (char *)packets == sizeof *packets;
    lab_check(l, "scaled", scaled, "p + 1 lies sizeof *p bytes after p, for four types");
}

static void run(struct lab *l)
{
    u32 numbers[16];
    u32 *first = numbers, *end = numbers + countof(numbers);
    steps(l);
    for (u32 i = 0; i < countof(numbers); i++)
        numbers[i] = i * i;
    bool same = true;
    for (u32 i = 0; i < countof(numbers); i++)
        same &= &numbers[i] == first + i && *(first + i) == numbers[i] && i[first] == numbers[i];
    lab_check(l, "index_is_sum", same, "a[i], *(a + i) and even i[a] are the same object");
    lab_check(l, "difference_counts",
              end - first == countof(numbers) && (char *)end - (char *)first == sizeof numbers,
              "%td elements, %td bytes", end - first, (char *)end - (char *)first);
    u32 *middle = first + (end - first) / 2;
    u64 low = (u64)(uintptr_t)first, high = (u64)(uintptr_t)end;
    lab_check(l, "virtual", *middle == 64 && low < high && high - low == sizeof numbers,
              "neighbours in an array are neighbours in virtual addresses (frames: see B6)");
    struct packet p = {.length = 3}, *whole = container_of(&p.length, struct packet, length);
    lab_check(l, "member_to_struct", whole == &p,
              "from a member back to its struct: minus %zu bytes", offsetof(struct packet, length));
}

static const struct claim claims[] = {
    {S0, "7", "p + 1", "moves by sizeof the type", "scaled", 0, 0, NULL},
    {S0, "7", "a[i]", "is *(a + i)", "index_is_sum", 0, 0, NULL},
    {S2, NULL, "end - begin", "counts elements", "difference_counts", 0, 0, NULL},
    {S0, "7", "arrays are contiguous", "in virtual memory", "virtual", 0, 0, NULL},
};

LAB_EXPERIMENT(A15) = {
    .question = "What does adding 1 to a pointer add to its address?",
    .prediction = "The size of what it points to: addresses count in bytes, pointers in objects.",
    .method =
        "Pointers to four types, one element further: their addresses are subtracted as bytes. "
        "Indexing, differences, and the way from a member back to its struct are checked on "
        "real objects.",
    .look = "The table's last column is its second one.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
