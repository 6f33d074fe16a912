// A ring of twenty blocks, a tail of five behind one of them, and a block that points at itself.
// total: 864 bytes
#include "leak.h"

struct link {
    struct link *next, *tail;
    char payload[16];
};

static apart struct link *make(void)
{
    return calloc(1, sizeof(struct link)); // lost
}

static apart void work(void)
{
    struct link *first = make(), *last = first;
    for (int i = 1; i < 20; i++) {
        last->next = make();
        last = last->next;
    }
    last->next = first;
    for (int i = 0; i < 5; i++) {
        last->tail = make();
        last = last->tail;
    }
    void **self = calloc(1, 64); // lost
    *self = self;
    opaque(first);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
