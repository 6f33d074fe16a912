// A list of ten whose third node is freed while the list still runs through it: the seven behind
// it are lost. Freed blocks are never leaks, whatever they contain.
// total: 7 * 56 bytes
#include "leak.h"

struct link {
    struct link *next;
    char payload[48];
};

static struct link *list;

static apart struct link *make(struct link *next)
{
    struct link *l = calloc(1, sizeof *l); // lost
    l->next = next;
    return l;
}

static apart void work(void)
{
    for (int i = 0; i < 10; i++)
        list = make(list);
    struct link *second = list->next;
    free(second->next);
    second->next = NULL;
}

int main(void)
{
    work();
    scrub();
    opaque(&list);
    return 0;
}
