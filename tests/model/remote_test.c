// remote_test.c: every interleaving of the slab-ownership protocol of src/heap/heap.h, on a model
// of one or two slabs of two blocks.
//
// The model's steps are the protocol's accesses to words that several threads share, each one
// atomic, in any order that the threads' programs allow (sequential consistency; what weaker
// machines may add is argued in docs/remote-free.md and tried here by swapping accesses). What
// only the owner of a slab touches is done in one step with the access before it, and checked to
// be the owner's. A handler is a process that interrupts another one: while it is inside an
// operation, the other one stands still.
//
// Then the protocol is broken in one place at a time, and the same search must find each breach.
#include "tests/model/free.h"
#include "tests/model/owner.h"

// ---------------------------------------------------------------- the whole system

// What an idle process may begin: free of any live block, then these.
enum begin {
    BEGIN_MALLOC = PAGES * BLOCKS,
    BEGIN_DRAIN,
    BEGIN_EXIT,
    BEGIN_LARGE,
    BEGIN_START,
    MOVES
};

static bool begin_free(struct sys *s, struct proc *q, int move)
{
    int pg = move / BLOCKS + 1;
    uint8_t m = (uint8_t)(1 << move % BLOCKS);
    if (q->frees == 0 || q->heap == 0 || (s->page[pg].live & m) == 0)
        return false;
    q->frees--;
    s->page[pg].live &= (uint8_t)~m;
    s->page[pg].leaving |= m;
    q->pg = (uint8_t)pg;
    q->m = m;
    q->pc = F_OWNER;
    return true;
}

static bool spend(uint8_t *budget, bool can)
{
    if (*budget == 0 || !can)
        return false;
    --*budget;
    return true;
}

static int find_retired(const struct sys *s)
{
    for (int h = 1; h <= PROCS; h++)
        if (s->heap[h].retired)
            return h;
    return 0;
}

static bool begin(struct sys *s, struct proc *q, int move)
{
    switch (move) {
    case BEGIN_MALLOC:
        if (!spend(&q->mallocs, q->heap != 0))
            return false;
        q->pc = M_TRY;
        q->cls = malloc_class[q - s->proc];
        return true;
    case BEGIN_DRAIN:
        if (!spend(&q->drains, q->heap != 0 && s->heap[q->heap].dirty != 0))
            return false;
        call(q, D_TAKE, IDLE);
        return true;
    case BEGIN_EXIT:
        if (!spend(&q->exits, q->heap != 0))
            return false;
        call(q, D_TAKE, X_WINDOW);
        return true;
    case BEGIN_LARGE: {
        int pg = find_pages(s);
        if (!spend(&q->larges, pg != 0))
            return false;
        s->page[pg].kind = LARGE;
        q->pg = (uint8_t)pg;
        q->pc = L_FREE;
        return true;
    }
    case BEGIN_START: {
        int h = find_retired(s);
        if (!spend(&q->starts, q->heap == 0 && h != 0))
            return false;
        s->heap[h].retired = 0;
        q->heap = (uint8_t)h;
        return true;
    }
    default:
        return begin_free(s, q, move);
    }
}

static bool interrupted(const struct sys *s, int p)
{
    for (int i = 0; i < PROCS; i++)
        if (i != p && thread_of[i] == p && s->proc[i].pc != IDLE)
            return true;
    return false;
}

static bool step(struct sys *s, int p)
{
    struct proc *q = &s->proc[p];
    step_seen[q->pc]++;
    if (q->pc < A_LOAD)
        return step_free(s, q, p);
    if (q->pc < G_LOAD)
        return step_after(s, q, p);
    if (q->pc < C_TAKE)
        return step_purge(s, q);
    if (q->pc < M_TRY)
        return step_owner(s, q);
    if (q->pc < P_OWNER)
        return step_refill(s, q);
    if (q->pc < M_PARTIAL)
        return step_park(s, q);
    if (q->pc < M_POOL)
        return step_refill(s, q);
    if (q->pc < X_WINDOW)
        return step_pool(s, q, p);
    if (q->pc < X_POOL)
        return step_exit(s, q);
    if (q->pc < L_FREE)
        return step_exit_pool(s, q, p);
    s->page[q->pg].kind = NONE;
    idle(q);
    return true;
}

static bool explore_can(const struct sys *s, int move)
{
    return move % MOVES == 0 || s->proc[move / MOVES].pc == IDLE;
}

static bool explore_move(struct sys *s, int move)
{
    int p = move / MOVES;
    struct proc *q = &s->proc[p];
    if (interrupted(s, p))
        return false;
    if (q->pc == IDLE)
        return begin(s, q, move % MOVES);
    return move % MOVES == 0 && step(s, p);
}

static void explore_name(const struct sys *s, int move)
{
    int p = move / MOVES, m = move % MOVES;
    const struct proc *q = &s->proc[p];
    printf("#   process %d, heap %d: ", p, q->heap);
    if (q->pc != IDLE)
        printf("%s\n", step_name[q->pc]);
    else if (m < BEGIN_MALLOC)
        printf("begin free of block %d of slab %d\n", m % BLOCKS, m / BLOCKS + 1);
    else
        printf("begin %s\n", (const char *[]){"malloc", "drain", "thread exit", "large block",
                                              "thread start"}[m - BEGIN_MALLOC]);
}

// ---------------------------------------------------------------- quiescence

// Let process 0 run operation `pc` on heap h to its end.
static void run(struct sys *s, int h, int pc)
{
    struct proc *q = &s->proc[0];
    q->heap = (uint8_t)h;
    call(q, pc, IDLE);
    for (int n = 0; q->pc != IDLE; n++) {
        if (n == 100 || !step(s, 0)) {
            explore_bad("an operation does not end though nobody else runs");
            return;
        }
    }
}

// Whoever takes a slab from the pool collects it, too.
static void take_pooled(struct sys *s, int pg)
{
    struct proc *q = &s->proc[0];
    q->heap = 1;
    q->cls = s->page[pg].cls;
    adopt(s, q, pg);
    s->page[pg].owner = 1;
    q->cp = (uint8_t)pg;
    run(s, 1, C_TAKE);
}

static void check_slab(const struct sys *s, int pg)
{
    const struct page *g = &s->page[pg];
    int id = ST_ID(g->state);
    const struct heap *h = &s->heap[id];
    bool current = id != 0 && h->current == pg;
    uint8_t held = current ? h->word : 0;
    if ((g->state & DIRTY) != 0 || g->bits != 0)
        explore_bad("a free is lost: its bit is never collected");
    if (((g->state & CURRENT) != 0) != current || (g->state & PURGING) != 0)
        explore_bad("CURRENT or PURGING stayed behind");
    if (g->owner != id || g->list != id)
        explore_bad("owner, list and state do not agree");
    if ((g->free | held) != (FULL & ~(unsigned)g->live))
        explore_bad("free bits are not what the program freed");
    if (g->used != BLOCKS - count(g->free)) // S2
        explore_bad("used is not what the free bits say");
    if (id == 0 && g->used != BLOCKS)
        explore_bad("a parked slab has free blocks");
    if (g->used == 0 && !current)
        explore_bad("an empty slab is not released");
}

// When all processes rest: after everybody drained, all that was freed must be free.
static void check_rest(const struct sys *at)
{
    struct sys s = *at;
    for (int h = 1; h <= PROCS; h++)
        run(&s, h, D_TAKE);
    for (int pg = 1; pg <= PAGES; pg++)
        if (s.page[pg].kind == SLAB && (s.page[pg].state & POOLED) != 0)
            take_pooled(&s, pg);
    for (int pg = 1; pg <= PAGES; pg++)
        if (s.page[pg].kind == SLAB)
            check_slab(&s, pg);
}

static void explore_check(const struct sys *s)
{
    bool rest = true;
    for (int p = 0; p < PROCS; p++)
        rest = rest && s->proc[p].pc == IDLE;
    if (rest)
        check_rest(s);
}

// Budgets are finite, so every search ends here; a process that cannot go on has been forgotten.
static void explore_stuck(const struct sys *s)
{
    for (int p = 0; p < PROCS; p++)
        if (s->proc[p].pc != IDLE)
            explore_bad("deadlock");
}

// ---------------------------------------------------------------- the cases

enum { STATES_MAX = 4 << 20 };

// What each process may do, a letter an operation, in any order: f free, m malloc, d drain,
// x thread exit, l take and free a large block, s start a thread on a heap of another's.
struct scene {
    const char *name;
    void (*start)(struct sys *s);
    const char *can[PROCS];
    uint8_t wake;        // 0: 1
    uint8_t handler;     // process that interrupts process 0, or 0
    uint8_t other_class; // process that allocates class 1, or 0
    bool purges;
};

static void slab(struct sys *s, int pg, int heap, uint8_t live)
{
    struct page *g = &s->page[pg];
    g->kind = SLAB;
    g->state = ST(1, heap, 0);
    g->owner = g->list = (uint8_t)heap;
    g->where = live == FULL ? ASLEEP : PARTIAL;
    g->live = live;
    g->free = FULL & ~live;
    g->used = (uint8_t)count(live);
}

static void two(struct sys *s)
{
    slab(s, 1, 1, 3);
    slab(s, 2, 1, 1);
}

static void owned(struct sys *s)
{
    slab(s, 1, 1, 3);
    s->page[1].where = PARTIAL;
}

static void current(struct sys *s)
{
    slab(s, 1, 1, FULL);
    s->page[1].where = IN_WINDOW;
    s->page[1].state |= CURRENT;
    s->heap[1].current = 1;
}

static void parked(struct sys *s)
{
    slab(s, 1, 0, FULL);
}

static void pooled(struct sys *s)
{
    slab(s, 1, 0, 3);
    s->page[1].state |= POOLED;
    s->page[1].list = POOL_LIST;
    s->page[1].where = IN_POOL;
}

static const struct scene scenes[] = {
    {"owner drains, two freers, pages reused", owned, .can = {"mdd", "f", "f", "ll"}},
    {"owner drains two slabs, two freers", two, .can = {"ddd", "ff", "ff", "m"}},
    {"owner allocates and parks, two freers", current, .can = {"mmd", "f", "ff", ""}},
    {"parked slab, three freers, pages reused", parked, .can = {"fd", "fd", "fd", "l"}},
    {"parked slab, sleeps until two are free", parked, .can = {"fmd", "fd", "f", ""}, .wake = 2},
    {"pooled slab, refill, other class", pooled, .can = {"fd", "fd", "md", "m"}, .other_class = 3},
    {"thread exits, two freers, an heir", owned, .can = {"x", "fd", "fd", "mds"}},
    {"thread with a window exits, a refill", current, .can = {"fmx", "fx", "m", "ds"}},
    {"thread with two slabs exits", two, .can = {"x", "fd", "ffd", "ds"}},
    {"handler interrupts the owner", current, .can = {"fmdx", "f", "f", ""}, .handler = 1},
    {"handler interrupts a freer at the pool", pooled, .can = {"fd", "ff", "fmd", "l"},
     .handler = 1},
    {"handler interrupts a thread's exit", two, .can = {"x", "fm", "fd", "ds"}, .handler = 1},
    {"owner sleeps, two freers purge", owned, .can = {"md", "f", "f", ""}, .wake = 2,
     .purges = true},
    {"owner allocates, a freer purges", owned, .can = {"fmmmm", "fff", "", ""}, .purges = true},
    {"owner exits, freers purge, an heir", owned, .can = {"mx", "f", "f", "s"}, .purges = true},
    {"handler purges", owned, .can = {"mx", "ff", "f", ""}, .handler = 1, .purges = true},
};

static void allow(struct proc *q, const char *can)
{
    for (; *can != 0; can++) {
        q->frees += *can == 'f';
        q->mallocs += *can == 'm';
        q->drains += *can == 'd';
        q->exits += *can == 'x';
        q->larges += *can == 'l';
        q->starts += *can == 's';
    }
}

static const char *play(const struct scene *c, enum breach b, bool loud, size_t *ret_states)
{
    struct sys s;
    memset(&s, 0, sizeof s);
    c->start(&s);
    for (int p = 0; p < PROCS; p++) {
        struct proc *q = &s.proc[p];
        allow(q, c->can[p]);
        q->heap = q->starts != 0 ? 0 : (uint8_t)(p + 1);
        thread_of[p] = (uint8_t)(p != 0 && p == c->handler ? 0 : p);
        malloc_class[p] = p != 0 && p == c->other_class;
    }
    wake = c->wake != 0 ? c->wake : 1;
    purges = c->purges;
    breach = b;
    return explore_run(&s, PROCS * MOVES, STATES_MAX, loud, ret_states);
}

static int tests, failed;

static void tell(bool good, const char *name, const char *note, size_t n)
{
    printf("%sok %d - %s\n# %s (%zu states)\n", good ? "" : "not ", ++tests, name, note, n);
    fflush(stdout);
    failed += !good;
}

static void sound(const struct scene *c)
{
    size_t states;
    const char *bad = play(c, SOUND, true, &states);
    tell(bad == NULL, c->name, bad != NULL ? bad : "no violation", states);
}

// A search that never takes a step says nothing about it.
static void complete(void)
{
    const char *missing = NULL;
    for (int i = IDLE + 1; i < STEPS_COUNT; i++)
        if (step_seen[i] == 0 && i != C_CLEAR_LATE && i != D_NEXT_LATE)
            missing = step_name[i];
    tell(missing == NULL, "every step of the protocol was taken", missing ? missing : "all", 0);
}

static void breached(enum breach b, bool loud)
{
    char name[80];
    snprintf(name, sizeof name, "breach is found: %s", breach_name[b]);
    const char *bad = NULL;
    size_t states = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes && bad == NULL; i++)
        bad = play(&scenes[i], b, loud, &states);
    tell(bad != NULL, name, bad != NULL ? bad : "nothing found", states);
}

// `remote_test x` also prints the traces of the breaches.
int main(int argc, char **argv)
{
    (void)argv;
    explore_init(STATES_MAX, 1 << 20);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        sound(&scenes[i]);
    complete();
    for (enum breach b = SOUND + 1; b < BREACHES; b++)
        breached(b, argc > 1);
    printf("1..%d\n", tests);
    return failed != 0;
}
