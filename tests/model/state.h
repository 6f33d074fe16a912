// state.h: the words of the slab-ownership protocol, in small, and what its steps are made of.
//
// Steps are the protocol's accesses to words that several threads share. What only the owner of a
// slab touches is done together with the access before it, after own() has checked that it is the
// owner who does it. Fields called ghost exist in the model alone and say what is true.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PAGES  2
#define BLOCKS 3
#define PROCS  4
#define FULL   ((1 << BLOCKS) - 1)

// A state word: generation, heap id, flags.
#define ST(gen, id, flags) ((uint16_t)((gen) << 9 | (id) << 5 | (flags)))
#define ST_GEN(st)         ((st) >> 9)
#define ST_ID(st)          ((st) >> 5 & 15)
#define DIRTY              1
#define POOLED             2
#define GONE               4
#define CURRENT            8
#define PURGING            16
#define AT_WORK            (DIRTY | PURGING) // a stranger is: no park, pool or release

enum kind { NONE, TAKEN, SLAB, LARGE };
enum where { ASLEEP, PARTIAL, IN_WINDOW, IN_POOL };
enum { POOL_LIST = 15 };

struct page {
    uint16_t state;
    uint8_t owner, kind, cls;        // desc
    uint8_t free, used, where, list; // side; `list` is the heap (or the pool) that links it
    uint8_t bits, next;              // remote
    uint8_t live;                    // ghost: blocks that the program has
    uint8_t leaving; // ghost: blocks whose free() has begun and not yet taken effect
    uint8_t age;     // ghost: the true generation
    uint8_t pad[2];
};

struct heap {
    uint8_t dirty, current, word, retired, pad[4];
};

struct proc {
    uint8_t pc, heap;
    uint8_t stack[4], sp;         // where to go on after collect, release, drain
    uint8_t pg, m, gen, age, cls; // the block that is freed, and what was read about its slab
    uint8_t cp;                   // slab of collect and release
    uint8_t l;                    // rest of a drained dirty list
    uint8_t head;                 // of the list that is pushed to
    uint8_t tries, skip;          // thread exit; slabs that malloc does not try again
    uint8_t seen;                 // remote bits that a purger read, or collect took
    uint16_t st;                  // last state word read
    uint8_t frees, mallocs, drains, exits, larges, starts; // what it may still do
    uint8_t pad;
};

// Pages, heaps: index 0 is nobody.
struct sys {
    struct page page[PAGES + 1];
    struct heap heap[PROCS + 1];
    struct proc proc[PROCS];
    uint8_t lock[2]; // pool locks by class: 0, or process + 1
    uint8_t pad[6];
};
_Static_assert(sizeof(struct sys) % 8 == 0, "hashed by words");
_Static_assert(sizeof(struct proc) == 28 && sizeof(struct page) == 16, "no padding");

#include "tests/model/explore.h"

// What can be done wrong, one place each.
#define BREACHES_(X)                                             \
    X(SOUND, "sound")                                            \
    X(NO_GEN_CHECK, "no generation check")                       \
    X(NO_GEN_GROWTH, "generation does not grow")                 \
    X(PARK_BY_STORE, "park without compare-and-swap")            \
    X(RELEASE_BY_STORE, "release ignores DIRTY")                 \
    X(CLEAR_LATE, "DIRTY cleared after the bits are taken")      \
    X(LOAD_EARLY, "state read before the bit is set")            \
    X(PUSH_EARLY, "push before DIRTY is set")                    \
    X(NEXT_LATE, "link read after DIRTY is cleared")             \
    X(POOL_UNLOCKED, "pool without lock")                        \
    X(POOL_UNCHECKED, "pool state not read again")               \
    X(POOL_CLASS_LATE, "class read after the bit is set")        \
    X(CLAIM_NO_COLLECT, "claim does not collect")                \
    X(POOL_NO_COLLECT, "pool taker does not collect")            \
    X(EDGE_IF_BITS, "no edge without bits")                      \
    X(PURGE_CURRENT, "purge of the window's slab")               \
    X(PURGE_GUESS, "purge without a second look")                \
    X(PURGE_ONE_LOOK, "purge without a second look at the bits") \
    X(PURGE_QUIET, "purge ends without a notice")                \
    X(CURRENT_BLIND, "slab made current while it is purged")     \
    X(RELEASE_BLIND, "slab released while it is purged")

#define BREACH_ID(id, name)   id,
#define BREACH_NAME(id, name) name,
enum breach { BREACHES_(BREACH_ID) BREACHES };
static const char *const breach_name[] = {BREACHES_(BREACH_NAME)};

// Where a process stands: the step that it does next. The order matters: step() looks at ranges.
#define STEPS(X)                                          \
    X(IDLE, "idle")                                       \
    X(F_OWNER, "free: read owner")                        \
    X(F_LOCAL, "free: local")                             \
    X(F_LOAD, "free: load state")                         \
    X(F_CLAIM, "free: claim parked")                      \
    X(F_CLAIMED, "free: claimed, set owner")              \
    X(F_POOL, "free: lock pool")                          \
    X(F_RECHECK, "free: state again")                     \
    X(F_ADOPT, "free: adopt, set state")                  \
    X(F_UNLOCK, "free: unlock pool")                      \
    X(F_BACK, "free: unlock pool, again")                 \
    X(F_BIT, "free: set bit")                             \
    X(A_LOAD, "then: load state")                         \
    X(A_DIRTY, "then: set DIRTY")                         \
    X(A_PUSH, "then: read dirty head")                    \
    X(A_LINK, "then: swap dirty head")                    \
    X(A_CLAIM, "then: claim parked")                      \
    X(A_CLAIMED, "then: claimed, set owner")              \
    X(A_POOL, "then: lock pool")                          \
    X(A_RECHECK, "then: state again")                     \
    X(A_ADOPT, "then: adopt, set state")                  \
    X(A_UNLOCK, "then: unlock pool")                      \
    X(A_BACK, "then: unlock pool, again")                 \
    X(G_LOAD, "purge: load state")                        \
    X(G_BITS, "purge: look at remote bits")               \
    X(G_USED, "purge: look at used")                      \
    X(G_SAME, "purge: remote bits the same?")             \
    X(G_CAS, "purge: set PURGING")                        \
    X(G_BITS_AGAIN, "purge: look at remote bits again")   \
    X(G_USED_AGAIN, "purge: look at used again")          \
    X(G_SAME_AGAIN, "purge: remote bits the same again?") \
    X(G_BEGIN, "purge: begins")                           \
    X(G_DONE, "purge: is done")                           \
    X(G_END, "purge: load state at the end")              \
    X(G_SWAP, "purge: PURGING off, DIRTY on")             \
    X(C_TAKE, "collect: take bits")                       \
    X(C_ADD, "collect: count them")                       \
    X(C_CLEAR_LATE, "collect: clear DIRTY, too late")     \
    X(R_OWNER, "release: owner NULL")                     \
    X(R_CAS, "release: swap state")                       \
    X(R_RESTORE, "release: owner back")                   \
    X(R_GIVE, "release: give pages")                      \
    X(D_TAKE, "drain: take list")                         \
    X(D_NEXT, "drain: next")                              \
    X(D_CLEAR, "drain: clear DIRTY")                      \
    X(D_NEXT_LATE, "drain: next, too late")               \
    X(M_TRY, "malloc")                                    \
    X(M_LOOK, "malloc: is current DIRTY?")                \
    X(M_AFTER, "malloc: collected current")               \
    X(K_SET, "malloc: set CURRENT")                       \
    X(K_CLEAR, "malloc: CURRENT off, is purged")          \
    X(P_OWNER, "park: owner NULL")                        \
    X(P_CAS, "park: swap state")                          \
    X(P_RESTORE, "park: owner back")                      \
    X(P_LEAVE, "park: CURRENT off")                       \
    X(M_PARTIAL, "malloc: partial")                       \
    X(M_POOL, "malloc: lock pool")                        \
    X(M_POP, "malloc: pop pool, set state")               \
    X(M_ADOPTED, "malloc: set owner")                     \
    X(M_UNLOCK, "malloc: unlock pool")                    \
    X(M_EMPTY, "malloc: pool empty, unlock")              \
    X(M_FRESH, "malloc: fresh pages")                     \
    X(M_STATE, "malloc: state of fresh slab")             \
    X(X_WINDOW, "exit: give window back")                 \
    X(X_LEAVE, "exit: CURRENT off")                       \
    X(X_NEXT, "exit: next slab")                          \
    X(X_RELEASED, "exit: released?")                      \
    X(X_PARK, "exit: park, owner NULL")                   \
    X(X_PARKED, "exit: park, swap state")                 \
    X(X_UNPARK, "exit: park, owner back")                 \
    X(X_AGAIN, "exit: again?")                            \
    X(X_RETIRE, "exit: retire heap")                      \
    X(X_POOL, "exit: lock pool")                          \
    X(X_POOL_OWNER, "exit: owner NULL")                   \
    X(X_POOLED, "exit: swap state to POOLED")             \
    X(X_LINK, "exit: link into pool")                     \
    X(X_UNPOOL, "exit: owner back")                       \
    X(X_UNLOCK, "exit: unlock pool")                      \
    X(X_UNLOCK_BACK, "exit: unlock pool, failed")         \
    X(L_FREE, "large: free")

#define STEP_ID(id, name)   id,
#define STEP_NAME(id, name) name,
enum step { STEPS(STEP_ID) STEPS_COUNT };
static const char *const step_name[] = {STEPS(STEP_NAME)};

static enum breach breach;          // what is done wrong in this search
static uint8_t thread_of[PROCS];    // the process that is interrupted by this one, or itself
static uint8_t malloc_class[PROCS]; // what a process allocates
static bool purges;                 // strangers purge: all owners count as asleep
static uint8_t wake;                // free blocks from which a sleeping slab is used again

static size_t
    step_seen[STEPS_COUNT]; // how often each step was taken: zero shows that a scene is missing

static int count(unsigned x)
{
    return __builtin_popcount(x);
}

static void call(struct proc *q, int pc, int back)
{
    q->stack[q->sp++] = (uint8_t)back;
    q->pc = (uint8_t)pc;
}

static void idle(struct proc *q)
{
    memset(q->stack, 0, sizeof q->stack);
    q->pc = IDLE;
    q->sp = q->pg = q->m = q->gen = q->age = q->cls = q->cp = q->l = q->head = 0;
    q->tries = q->skip = q->seen = 0;
    q->st = 0;
}

static void back(struct proc *q)
{
    q->pc = q->stack[--q->sp];
    q->stack[q->sp] = 0;
    q->cp = 0;
    if (q->pc == IDLE)
        idle(q);
}

// Every access to side or free bits comes through here.
static struct page *own(struct sys *s, const struct proc *q, int pg)
{
    struct page *g = &s->page[pg];
    if (g->kind != SLAB || ST_ID(g->state) != q->heap || (g->state & POOLED) != 0)
        explore_bad("somebody touches a slab without owning it");
    return g;
}

static bool swap(struct page *g, uint16_t from, uint16_t to)
{
    if (g->state != from)
        return false;
    g->state = to;
    return true;
}

// After a change of the state word by a freer: was it the slab that it meant?
static void same(const struct page *g, const struct proc *q)
{
    if (g->kind != SLAB || g->age != q->age)
        explore_bad("a freer changes the state of other memory, or reads what it is");
}

enum locked { LOCK_WAIT, LOCK_TAKEN, LOCK_MINE };
static enum locked lock(struct sys *s, int p, int cls)
{
    uint8_t *l = &s->lock[cls];
    if (breach == POOL_UNLOCKED)
        return LOCK_TAKEN;
    if (*l == 0) {
        *l = (uint8_t)(p + 1);
        return LOCK_TAKEN;
    }
    return thread_of[*l - 1] == thread_of[p] ? LOCK_MINE : LOCK_WAIT;
}

static void unlock(struct sys *s, int cls)
{
    s->lock[cls] = 0;
}

// A pooled slab becomes the property of q's heap.
static void adopt(struct sys *s, struct proc *q, int pg)
{
    struct page *g = &s->page[pg];
    if (g->list != POOL_LIST || (g->state & POOLED) == 0)
        explore_bad("unlinked from the pool twice, or by whom it does not belong to");
    if (g->cls != q->cls)
        explore_bad("unlinked from the pool of another class");
    g->state = ST(ST_GEN(g->state), q->heap, 0);
    g->list = q->heap;
    g->where = ASLEEP;
}

// slab_edge: what the counters say now. Goes on with release or returns.
static void edge(struct sys *s, struct proc *q, int pg)
{
    struct page *g = own(s, q, pg);
    if (q->stack[q->sp - 1] == K_SET) { // a slab from the pool, about to be used
        back(q);
        return;
    }
    if (g->where == ASLEEP && BLOCKS - g->used >= wake)
        g->where = PARTIAL;
    if (g->used == 0 && g->where != IN_WINDOW) {
        q->cp = (uint8_t)pg;
        q->pc = R_OWNER;
    } else {
        back(q);
    }
}

static void local_free(struct sys *s, struct proc *q)
{
    struct page *g = own(s, q, q->pg);
    struct heap *h = &s->heap[q->heap];
    if ((g->live & q->m) != 0 || (g->leaving & q->m) == 0)
        explore_bad("freed what is not leaving");
    g->leaving &= (uint8_t)~q->m;
    if (((g->free | (h->current == q->pg ? h->word : 0)) & q->m) != 0)
        explore_bad("a good free dies: block is free");
    g->free |= q->m;
    g->used--;
    q->stack[0] = IDLE;
    q->sp = 1;
    edge(s, q, q->pg);
}

// collect: what strangers freed becomes free. Their bits have been taken already.
static void collect(struct sys *s, struct proc *q)
{
    struct page *g = own(s, q, q->cp);
    struct heap *h = &s->heap[q->heap];
    uint8_t x = q->seen;
    q->seen = 0;
    uint8_t not_out = g->free | (h->current == q->cp ? h->word : 0);
    if ((not_out & x) != 0)
        explore_bad("a good free dies: collected block is free");
    g->free |= x;
    g->used -= (uint8_t)count(x);
    if (breach == CLEAR_LATE && q->stack[q->sp - 1] == D_NEXT)
        q->pc = C_CLEAR_LATE;
    else if (breach == EDGE_IF_BITS && x == 0)
        back(q);
    else
        edge(s, q, q->cp);
}

static void hand_out(struct sys *s, struct proc *q)
{
    struct heap *h = &s->heap[q->heap];
    struct page *g = own(s, q, h->current);
    uint8_t m = h->word & (uint8_t)-h->word;
    if (((g->live | g->leaving) & m) != 0)
        explore_bad("a live block is handed out again");
    h->word &= (uint8_t)~m;
    g->live |= m;
    idle(q);
}

// The window has run dry, or not yet. Returns true if it now has blocks.
static bool window(struct sys *s, struct proc *q)
{
    struct heap *h = &s->heap[q->heap];
    if (h->word != 0)
        return true;
    if (h->current == 0)
        return false;
    struct page *g = own(s, q, h->current);
    h->word = g->free;
    g->free = 0;
    g->used += (uint8_t)count(h->word);
    return h->word != 0;
}

static int find(const struct sys *s, const struct proc *q, int list, int where)
{
    for (int pg = 1; pg <= PAGES; pg++) {
        const struct page *g = &s->page[pg];
        if (g->kind == SLAB && g->list == list && g->where == where && g->cls == q->cls)
            return pg;
    }
    return 0;
}

static int find_pages(const struct sys *s)
{
    for (int pg = 1; pg <= PAGES; pg++)
        if (s->page[pg].kind == NONE)
            return pg;
    return 0;
}

static int find_owned(const struct sys *s, const struct proc *q)
{
    for (int pg = 1; pg <= PAGES; pg++)
        if (s->page[pg].list == q->heap && (q->skip >> pg & 1) == 0)
            return pg;
    return 0;
}
