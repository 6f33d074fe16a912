// A list whose head is lost: one block directly, 99 behind it.
// total: 4800 bytes
#include "leak.h"

struct link {
    struct link *next;
    char payload[40];
};

static apart struct link *rest(int n)
{
    struct link *first = NULL;
    while (n-- > 0) {
        struct link *l = calloc(1, sizeof *l); // behind
        l->next = first;
        first = l;
    }
    return first;
}

static apart void work(void)
{
    struct link *head = calloc(1, sizeof *head); // lost
    head->next = rest(99);
    opaque(head);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
