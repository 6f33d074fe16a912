// pages_test.c: every order in which threads can meet in the page heap (src/heap/pages.h).
//
// A model of a few pages: two threads that take, give and trim, one of which may fork, and a signal
// handler that interrupts the first of them anywhere, also between two instructions under a lock.
// Steps are: taking a lock; what is done under pages_lock, which is then given; a system call. The
// kernel maps a bounded number of pages, and may refuse to take memory back.
//
// What must hold: a page is in one span, free, or in the air; what is taken as zero is zero; no
// memory of a span is given back; all memory is accounted for in every state; who finds none does
// so only when there is none; no request to purge is lost; nobody waits for ever.
//
// Then the protocol is broken in one place at a time, and the same search must find each breach.
#include <stdbool.h>
#include <stdint.h>

enum { PAGES = 3, PROCS = 3, HANDLER = 2, KEEP = 0, STATES_MAX = 6000000 };
enum lock { PURGE, GROW, MAPS, LOCKS }; // in order of rank; MAPS is pages_lock

#define BREACHES_(X)                                                       \
    X(SOUND, "sound")                                                      \
    X(RUN_STAYS_FREE, "a run in the air stays in `free`")                  \
    X(RUN_STAYS_DIRTY, "a run in the air stays in `dirty`")                \
    X(REFUSED_IS_CLEAN, "what the kernel refused is put back as clean")    \
    X(BACK_EARLY, "a run is put back before the kernel was asked")         \
    X(PURGE_UNLOCKED, "two purge at a time")                               \
    X(NO_SECOND_LOOK, "no look for requests after purge_lock was given")   \
    X(AIR_NOT_COUNTED, "a run in the air counts as nothing")               \
    X(NO_WAIT, "who finds no memory does not wait for what is in the air") \
    X(GROW_BLIND, "a second thread grows without looking again")           \
    X(BOUND_LATE, "pages can be taken before the arena's end has moved")   \
    X(HANDLER_WAITS, "a handler waits for the purge that it interrupted")  \
    X(TRIM_WAITS, "a handler inside the maps waits for a purge")           \
    X(FORK_WITHOUT_PURGE, "a fork does not take purge_lock")               \
    X(FORK_OUT_OF_ORDER, "a fork takes pages_lock first")                  \
    X(FORK_PATIENT, "a handler's fork waits without end")                  \
    X(FORK_QUIET, "no look for requests after a fork")                     \
    X(FORK_NOT_MENDED, "a child does not put back what was in the air")
#define BREACH_ID(id, name)   id,
#define BREACH_NAME(id, name) name,
enum breach { BREACHES_(BREACH_ID) BREACHES };
static const char *const breach_name[] = {BREACHES_(BREACH_NAME)};
static enum breach breach;

#define STEPS(X)                                    \
    X(IDLE, "idle")                                 \
    X(TAKE, "take: lock")                           \
    X(TAKE_LOOK, "take: look, unlock")              \
    X(GROW_TAKE, "grow: lock")                      \
    X(GROW_MAP, "grow: mmap")                       \
    X(GROW_LOCK, "grow: lock pages")                \
    X(GROW_PUBLISH, "grow: publish, unlock")        \
    X(GROW_GIVE, "grow: unlock")                    \
    X(AIR_WAIT, "take: wait for the purge")         \
    X(AIR_GIVE, "take: purge is over")              \
    X(GIVE, "give: lock")                           \
    X(GIVE_SET, "give: set bits, unlock")           \
    X(ASK, "purge: try the lock")                   \
    X(TRIM, "trim: lock")                           \
    X(TRIM_LOCK, "trim: lock pages")                \
    X(TRIM_WANT, "trim: want, unlock")              \
    X(LIFT_LOCK, "purge: lock pages")               \
    X(LIFT, "purge: put back, lift or end, unlock") \
    X(CALL, "purge: madvise")                       \
    X(PURGED, "purge: unlock")                      \
    X(AGAIN_LOCK, "purge: lock pages again")        \
    X(AGAIN, "purge: is more wanted? unlock")       \
    X(FORK_1, "fork: first lock")                   \
    X(FORK_2, "fork: second lock")                  \
    X(FORK_3, "fork: third lock")                   \
    X(FORK, "fork")
#define STEP_ID(id, name)   id,
#define STEP_NAME(id, name) name,
enum step { STEPS(STEP_ID) };
static const char *const step_name[] = {STEPS(STEP_NAME)};

struct proc {
    uint8_t pc;
    uint8_t has;                 // pages of its spans
    uint8_t page;                // that it gives
    uint8_t end;                 // up to where to map
    uint8_t air;                 // something was in the air when it found nothing
    uint8_t clean;               // what the kernel said
    uint8_t limit;               // a purge looks below it
    uint8_t then;                // where to go on after a purge
    uint8_t mine, missed, hurry; // fork: locks that its thread had before; that it could not have
    uint8_t takes, trims, forks, gives; // what it may still do
    uint8_t pad[1];
};
struct sys {
    struct proc proc[PROCS];
    uint8_t lock[LOCKS]; // 0, or process + 1
    uint8_t free, dirty, air, mapped, wanted, deferred;
    uint8_t kernel;  // ghost: pages that are mapped
    uint8_t memory;  // ghost: pages that do not read as zero
    uint8_t refusal; // the kernel may still refuse to purge
    uint8_t refused; // ghost: it has
    uint8_t room;    // pages that the kernel still maps
    uint8_t known;   // pages inside of the arena's published bounds
    uint8_t hurried; // ghost: a handler has forked; requests may wait for the next who takes pages
};
_Static_assert(sizeof(struct sys) % 8 == 0, "hashed by words");

#include "tests/model/explore.h"

static int count(unsigned bits)
{
    return __builtin_popcount(bits);
}

// The handler runs on the thread that it interrupts.
static int thread_of(int p)
{
    return p == HANDLER ? 0 : p;
}

// ---------------------------------------------------------------- locks

enum got { GOT, MINE, WAIT };

static enum got take(struct sys *s, int p, enum lock l)
{
    if (s->lock[l] == 0) {
        s->lock[l] = (uint8_t)(p + 1);
        return GOT;
    }
    return thread_of(s->lock[l] - 1) == thread_of(p) ? MINE : WAIT;
}

static bool is_mine(const struct sys *s, int p, enum lock l)
{
    return s->lock[l] != 0 && thread_of(s->lock[l] - 1) == thread_of(p);
}

static void give(struct sys *s, int p, enum lock l)
{
    if (s->lock[l] != p + 1)
        explore_bad("a lock is given by who does not have it");
    s->lock[l] = 0;
}

static bool go(struct proc *q, enum step next)
{
    q->pc = (uint8_t)next;
    if (next == IDLE)
        q->page = q->end = q->air = q->clean = q->limit = q->mine = q->missed = q->hurry = 0;
    return true;
}

// After a purge, or instead of it.
static bool go_on(struct proc *q)
{
    enum step then = (enum step)q->then;
    q->then = IDLE;
    return go(q, then);
}

// ---------------------------------------------------------------- taking and giving

static void give_deferred(struct sys *s)
{
    s->free |= s->deferred;
    s->dirty |= s->deferred;
    s->deferred = 0;
}

static bool take_look(struct sys *s, struct proc *q, int p)
{
    give_deferred(s);
    unsigned from = s->dirty != 0 ? s->dirty : s->free;
    unsigned page = from & -from;
    q->air = s->air != 0;
    q->end = (uint8_t)(s->mapped + 1);
    if (page == 0) {
        give(s, p, MAPS);
        q->then = GROW_TAKE;
        return s->wanted ? go(q, ASK) : go_on(q);
    }
    if (!(s->dirty & page) && s->memory & page)
        explore_bad("memory that is not zero is taken for zero");
    if (page >> s->known != 0)
        explore_bad("a span is taken that free would not find");
    s->free &= (uint8_t)~page;
    s->dirty &= (uint8_t)~page;
    s->memory |= (uint8_t)page;
    q->has |= (uint8_t)page;
    give(s, p, MAPS);
    return go(q, s->wanted ? ASK : IDLE);
}

static bool grow_map(struct sys *s, struct proc *q, int p)
{
    if (s->mapped >= q->end && breach != GROW_BLIND) { // somebody else did
        give(s, p, GROW);
        return go(q, TAKE);
    }
    if (s->room > 0) {
        s->room--;
        s->kernel++;
        s->known += breach != BOUND_LATE;
        return go(q, GROW_LOCK);
    }
    give(s, p, GROW);
    if (q->air && breach != NO_WAIT)
        return go(q, AIR_WAIT);
    if (q->air && !is_mine(s, p, PURGE))
        explore_bad("no memory, although some was in the air");
    return go(q, IDLE);
}

static bool grow_publish(struct sys *s, struct proc *q, int p)
{
    s->mapped = breach == GROW_BLIND ? q->end : (uint8_t)(s->mapped + 1);
    s->free |= (uint8_t)(1 << (s->mapped - 1));
    give(s, p, MAPS);
    return go(q, GROW_GIVE);
}

static bool give_set(struct sys *s, struct proc *q, int p)
{
    s->free |= q->page;
    s->dirty |= q->page;
    if (count(s->dirty) > KEEP)
        s->wanted = 1;
    give(s, p, MAPS);
    return go(q, s->wanted ? ASK : IDLE);
}

// ---------------------------------------------------------------- purging

static unsigned highest_run(unsigned dirty)
{
    if (dirty == 0)
        return 0;
    unsigned top = 1u << (31 - __builtin_clz(dirty)), run = top;
    while (top >>= 1, dirty & top)
        run |= top;
    return run;
}

static void put_back(struct sys *s, struct proc *q)
{
    s->free |= s->air;
    if (!q->clean && breach != REFUSED_IS_CLEAN)
        s->dirty |= s->air;
    if (!q->clean)
        q->limit = (uint8_t)(s->air & -s->air);
    s->air = 0;
}

static bool lift(struct sys *s, struct proc *q, int p)
{
    if (s->air != 0)
        put_back(s, q);
    unsigned below = q->limit != 0 ? q->limit - 1u : ~0u;
    unsigned run = s->wanted && count(s->dirty) > KEEP ? highest_run(s->dirty & below) : 0;
    if (run != 0) {
        s->air = (uint8_t)run;
        if (breach != RUN_STAYS_FREE)
            s->free &= (uint8_t)~run;
        if (breach != RUN_STAYS_DIRTY)
            s->dirty &= (uint8_t)~run;
    } else {
        s->wanted = 0;
    }
    if (breach == BACK_EARLY)
        s->free |= s->air;
    give(s, p, MAPS);
    return go(q, run != 0 ? CALL : PURGED);
}

static bool call(struct sys *s, struct proc *q, bool refuse)
{
    if (refuse && s->refusal == 0)
        return false;
    if (refuse) {
        s->refusal--;
        s->refused = 1;
    } else {
        for (int p = 0; p < PROCS; p++)
            if (s->proc[p].has & s->air)
                explore_bad("memory of a span is given back");
        s->memory &= (uint8_t)~s->air;
    }
    q->clean = !refuse;
    return go(q, LIFT_LOCK);
}

static bool ask(struct sys *s, struct proc *q, int p)
{
    enum got got = breach == PURGE_UNLOCKED ? GOT : take(s, p, PURGE);
    q->limit = 0;
    return got == GOT ? go(q, LIFT_LOCK) : go_on(q);
}

static bool again(struct sys *s, struct proc *q, int p)
{
    bool more = s->wanted;
    give(s, p, MAPS);
    return more ? go(q, ASK) : go_on(q);
}

// ---------------------------------------------------------------- fork

static const enum lock order[2][3] = {{PURGE, GROW, MAPS}, {MAPS, GROW, PURGE}};

static bool fork_lock(struct sys *s, struct proc *q, int p, int i)
{
    enum lock l = order[breach == FORK_OUT_OF_ORDER][i];
    if (l == PURGE && breach == FORK_WITHOUT_PURGE) {
        q->mine |= 1 << PURGE;
        return go(q, FORK_1 + i + 1);
    }
    if (i == 0)
        q->hurry = is_mine(s, p, PURGE) || is_mine(s, p, GROW) || is_mine(s, p, MAPS);
    enum got got = take(s, p, l);
    if (got == WAIT && (!q->hurry || breach == FORK_PATIENT))
        return false;
    q->mine |= (uint8_t)((got == MINE) << l);
    q->missed |= (uint8_t)((got == WAIT) << l);
    return go(q, FORK_1 + i + 1);
}

static bool do_fork(struct sys *s, struct proc *q, int p)
{
    // Put back by who missed the lock, unless the maps are being changed: then it is lost.
    bool landed = (q->missed >> PURGE & 1) && breach != FORK_NOT_MENDED;
    if (s->air != 0 && !is_mine(s, p, PURGE) && !landed)
        explore_bad("memory in the air is lost to the child");
    // Addresses alone are lost to who missed the lock: it skips them.
    if (s->kernel != s->mapped && !is_mine(s, p, GROW) && !(q->missed >> GROW & 1))
        explore_bad("what was mapped is lost to the child");
    for (int l = 0; l < LOCKS; l++)
        if (!((q->mine | q->missed) >> l & 1))
            give(s, p, (enum lock)l);
    s->hurried |= q->hurry;
    return go(q, breach == FORK_QUIET || q->hurry ? IDLE : AGAIN_LOCK);
}

// ---------------------------------------------------------------- the whole system

enum move { GO_ON, REFUSE, BEGIN_TAKE, BEGIN_GIVE, BEGIN_TRIM, BEGIN_FORK, KINDS };

static bool begin(struct proc *q, enum move kind)
{
    uint8_t *budget[] = {NULL, NULL, &q->takes, &q->gives, &q->trims, &q->forks};
    static const enum step first[] = {IDLE, IDLE, TAKE, GIVE, TRIM, FORK_1};
    if (kind < BEGIN_TAKE || *budget[kind] == 0 || (kind == BEGIN_GIVE && q->has == 0))
        return false;
    --*budget[kind];
    go(q, first[kind]);
    if (kind == BEGIN_GIVE) {
        q->page = (uint8_t)(q->has & -q->has);
        q->has &= (uint8_t)~q->page;
    }
    return true;
}

// Take a lock and go on: to `got`, or to `mine` when the own thread has it.
static bool lock_step(struct sys *s, int p, enum lock l, enum step got, enum step mine)
{
    enum got g = take(s, p, l);
    return g == WAIT ? false : go(&s->proc[p], g == GOT ? got : mine);
}

static bool step(struct sys *s, int p)
{
    struct proc *q = &s->proc[p];
    switch ((enum step)q->pc) {
    case IDLE:
    case CALL:
        return false;
    case TAKE:
        return lock_step(s, p, MAPS, TAKE_LOOK, IDLE);
    case TAKE_LOOK:
        return take_look(s, q, p);
    case GROW_TAKE:
        return lock_step(s, p, GROW, GROW_MAP, IDLE);
    case GROW_MAP:
        return grow_map(s, q, p);
    case GROW_LOCK:
        return lock_step(s, p, MAPS, GROW_PUBLISH, IDLE);
    case GROW_PUBLISH:
        return grow_publish(s, q, p);
    case GROW_GIVE:
        s->known += breach == BOUND_LATE;
        give(s, p, GROW);
        return go(q, TAKE);
    case AIR_WAIT:
        if (breach == HANDLER_WAITS && s->lock[PURGE] != 0)
            return false;
        return lock_step(s, p, PURGE, AIR_GIVE, IDLE);
    case AIR_GIVE:
        give(s, p, PURGE);
        return go(q, TAKE);
    case GIVE:
        if (is_mine(s, p, MAPS)) {
            s->deferred |= q->page;
            return go(q, IDLE);
        }
        return lock_step(s, p, MAPS, GIVE_SET, IDLE);
    case GIVE_SET:
        return give_set(s, q, p);
    case ASK:
        return ask(s, q, p);
    case TRIM:
        q->limit = 0;
        if (is_mine(s, p, MAPS) && breach != TRIM_WAITS)
            return go(q, IDLE);
        return lock_step(s, p, PURGE, TRIM_LOCK, IDLE);
    case TRIM_LOCK:
        return lock_step(s, p, MAPS, TRIM_WANT, PURGED);
    case TRIM_WANT:
        s->wanted = s->wanted || count(s->dirty) > 0;
        give(s, p, MAPS);
        return go(q, LIFT_LOCK);
    case LIFT_LOCK:
        return lock_step(s, p, MAPS, LIFT, IDLE);
    case LIFT:
        return lift(s, q, p);
    case PURGED:
        if (breach != PURGE_UNLOCKED)
            give(s, p, PURGE);
        return breach == NO_SECOND_LOOK ? go_on(q) : go(q, AGAIN_LOCK);
    case AGAIN_LOCK:
        return lock_step(s, p, MAPS, AGAIN, IDLE);
    case AGAIN:
        return again(s, q, p);
    case FORK_1:
    case FORK_2:
    case FORK_3:
        return fork_lock(s, q, p, q->pc - FORK_1);
    case FORK:
        return do_fork(s, q, p);
    }
    return false;
}

static bool explore_can(const struct sys *s, int move)
{
    int p = move / KINDS;
    bool runs = p != 0 || s->proc[HANDLER].pc == IDLE; // the handler has interrupted it
    return runs && (move % KINDS < BEGIN_TAKE) == (s->proc[p].pc != IDLE);
}

static bool explore_move(struct sys *s, int move)
{
    int p = move / KINDS;
    enum move kind = (enum move)(move % KINDS);
    struct proc *q = &s->proc[p];
    if (q->pc == IDLE)
        return begin(q, kind);
    if (q->pc == CALL)
        return call(s, q, kind == REFUSE);
    return kind == GO_ON && step(s, p);
}

static void explore_check(const struct sys *s)
{
    unsigned spans = 0, leaving = s->deferred;
    for (int p = 0; p < PROCS; p++) {
        if (spans & s->proc[p].has)
            explore_bad("a page is in two spans");
        spans |= s->proc[p].has;
        leaving |= s->proc[p].page;
    }
    if (s->dirty & ~s->free)
        explore_bad("a dirty page is not free");
    if ((s->free | s->air) & spans)
        explore_bad("a page of a span is free, or in the air");
    if (s->free & s->air)
        explore_bad("a page in the air is free");
    unsigned counted = s->dirty | (breach == AIR_NOT_COUNTED ? 0 : s->air) | spans | leaving;
    if (s->memory & ~counted)
        explore_bad("memory that nobody accounts for");
    if (s->mapped != s->kernel && s->lock[GROW] == 0)
        explore_bad("pages are mapped twice, or not known");
}

static void explore_stuck(const struct sys *s)
{
    for (int p = 0; p < PROCS; p++)
        if (s->proc[p].pc != IDLE)
            explore_bad("somebody waits for ever");
    if (s->air != 0)
        explore_bad("a run stays in the air");
    if (s->wanted && !s->hurried)
        explore_bad("a request to purge is lost");
    if (count(s->dirty) > KEEP && !s->refused && !s->hurried)
        explore_bad("too much stays dirty");
}

static void explore_name(const struct sys *s, int move)
{
    static const char *const name[KINDS] = {"", "refused", "takes", "gives", "trims", "forks"};
    printf("#   %s %d: %s%s\n", move / KINDS == HANDLER ? "handler" : "thread", move / KINDS,
           s->proc[move / KINDS].pc == IDLE ? "" : step_name[s->proc[move / KINDS].pc],
           name[move % KINDS]);
}

// What the processes may do: takes, gives, trims, forks of each; pages that the kernel maps.
static const struct scene {
    const char *name;
    uint8_t can[PROCS][4];
    uint8_t room;
} scenes[] = {
    {"one forks", {{2, 2, 0, 0}, {1, 1, 1, 1}, {0, 0, 0, 0}}, 2},
    {"a handler forks", {{2, 2, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 1}}, 2},
    {"two threads take and give, one trims", {{2, 2, 0, 0}, {2, 2, 1, 0}, {0, 0, 0, 0}}, 3},
    {"a handler takes, gives and trims", {{2, 2, 0, 0}, {1, 1, 0, 0}, {1, 0, 1, 0}}, 2},
};

static const char *play(const struct scene *scene, enum breach b, bool loud, size_t *ret_states)
{
    struct sys s;
    memset(&s, 0, sizeof s);
    for (int p = 0; p < PROCS; p++) {
        s.proc[p].takes = scene->can[p][0];
        s.proc[p].gives = scene->can[p][1];
        s.proc[p].trims = scene->can[p][2];
        s.proc[p].forks = scene->can[p][3];
    }
    s.room = scene->room;
    s.refusal = 1;
    breach = b;
    return explore_run(&s, PROCS * KINDS, STATES_MAX, loud, ret_states);
}

int main(int argc, char **argv)
{
    (void)argv;
    int tests = 0, failed = 0;
    explore_init(STATES_MAX, 1 << 19);
    for (enum breach b = SOUND; b < BREACHES; b++) {
        const char *bad = NULL;
        size_t states, all = 0;
        for (size_t i = 0; i < sizeof scenes / sizeof *scenes && bad == NULL; i++) {
            bad = play(&scenes[i], b, b == SOUND || argc > 1, &states);
            all += states;
            if (b == SOUND)
                printf("# %s: %zu states\n", scenes[i].name, states);
        }
        bool good = (bad == NULL) == (b == SOUND);
        printf("%sok %d - %s%s\n# %s (%zu states)\n", good ? "" : "not ", ++tests,
               b == SOUND ? "the page heap" : "breach is found: ", b == SOUND ? "" : breach_name[b],
               bad != NULL ? bad : "no violation", all);
        failed += !good;
    }
    printf("1..%d\n", tests);
    return failed != 0;
}
