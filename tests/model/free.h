// free.h: the steps of free(), by whoever does not own the block's slab.
#pragma once

#include "tests/model/state.h"

// The free is told to somebody: it is done, but for a look whether the slab should be purged.
static void told(struct proc *q)
{
    if (purges && q->tries++ == 0)
        q->pc = G_LOAD;
    else
        idle(q);
}

// The bit is set; the state was q->st. What is left to do?
static void after(struct proc *q)
{
    if ((ST_GEN(q->st) != q->gen && breach != NO_GEN_CHECK) || (q->st & DIRTY) != 0)
        told(q);
    else if (ST_ID(q->st) != 0)
        q->pc = breach == PUSH_EARLY ? A_PUSH : A_DIRTY;
    else
        q->pc = (q->st & POOLED) != 0 ? A_POOL : A_CLAIM;
}

// The new head of the list; a slab may stand in one dirty list, once.
static void push(struct sys *s, const struct proc *q)
{
    for (int h = 1; h <= PROCS; h++)
        for (int pg = s->heap[h].dirty, n = 0; pg != 0 && n < PAGES; pg = s->page[pg].next, n++)
            if (pg == q->pg)
                explore_bad("pushed onto a dirty list twice");
    s->heap[ST_ID(q->st)].dirty = q->pg;
}

// Steps before the block's bit is set: the block holds the slab alive.
static bool step_free(struct sys *s, struct proc *q, int p)
{
    struct page *g = &s->page[q->pg];
    switch (q->pc) {
    case F_OWNER:
        q->cls = g->cls;
        q->age = g->age;
        q->pc = g->owner == q->heap ? F_LOCAL : F_LOAD;
        return true;
    case F_LOCAL:
        local_free(s, q);
        return true;
    case F_LOAD:
        q->st = g->state;
        q->gen = ST_GEN(q->st);
        if ((q->st & GONE) != 0)
            explore_bad("a good free dies: slab is gone");
        q->pc = (q->st & POOLED) != 0 ? F_POOL : ST_ID(q->st) == 0 ? F_CLAIM : F_BIT;
        return true;
    case F_CLAIM:
        q->pc = swap(g, q->st, ST(q->gen, q->heap, 0)) ? F_CLAIMED : F_LOAD;
        if (q->pc == F_CLAIMED)
            same(g, q);
        return true;
    case F_CLAIMED:
        g->owner = q->heap;
        g->list = q->heap;
        g->where = ASLEEP;
        q->cp = q->pg;
        call(q, C_TAKE, F_LOCAL);
        return true;
    case F_POOL: {
        enum locked r = lock(s, p, q->cls);
        q->pc = r == LOCK_TAKEN ? F_RECHECK : F_BIT;
        return r != LOCK_WAIT;
    }
    case F_RECHECK:
        q->pc = breach == POOL_UNCHECKED || ((g->state & POOLED) != 0 && ST_GEN(g->state) == q->gen)
                    ? F_ADOPT
                    : F_BACK;
        return true;
    case F_ADOPT:
        adopt(s, q, q->pg);
        q->pc = F_UNLOCK;
        return true;
    case F_UNLOCK:
        unlock(s, q->cls);
        g->owner = q->heap;
        q->cp = q->pg;
        if (breach == POOL_NO_COLLECT)
            q->pc = F_LOCAL;
        else
            call(q, C_TAKE, F_LOCAL);
        return true;
    case F_BACK:
        unlock(s, q->cls);
        q->pc = F_LOAD;
        return true;
    default: // F_BIT
        if ((g->bits & q->m) != 0)
            explore_bad("a good free dies: bit is set");
        g->bits |= q->m;
        g->leaving &= (uint8_t)~q->m;
        if (breach == LOAD_EARLY)
            after(q);
        else
            q->pc = A_LOAD;
        return true;
    }
}

// Steps after it: nothing but the state word may be used without winning it first.
static bool step_after(struct sys *s, struct proc *q, int p)
{
    struct page *g = &s->page[q->pg];
    switch (q->pc) {
    case A_LOAD:
        q->st = g->state;
        after(q);
        return true;
    case A_DIRTY:
        if (!swap(g, q->st, q->st | DIRTY)) {
            q->pc = A_LOAD;
            return true;
        }
        same(g, q);
        if (breach == PUSH_EARLY)
            told(q);
        else
            q->pc = A_PUSH;
        return true;
    case A_PUSH:
        same(g, q);
        q->head = s->heap[ST_ID(q->st)].dirty;
        g->next = q->head;
        q->pc = A_LINK;
        return true;
    case A_LINK:
        if (s->heap[ST_ID(q->st)].dirty != q->head) {
            q->pc = A_PUSH;
            return true;
        }
        push(s, q);
        if (breach == PUSH_EARLY)
            q->pc = A_DIRTY;
        else
            told(q);
        return true;
    case A_CLAIM:
        q->pc = swap(g, q->st, ST(ST_GEN(q->st), q->heap, 0)) ? A_CLAIMED : A_LOAD;
        if (q->pc == A_CLAIMED)
            same(g, q);
        return true;
    case A_CLAIMED:
    case A_UNLOCK:
        if (q->pc == A_UNLOCK)
            unlock(s, q->cls);
        g->owner = g->list = q->heap;
        g->where = ASLEEP;
        q->cp = q->pg;
        if (breach == CLAIM_NO_COLLECT)
            told(q);
        else
            call(q, C_TAKE, purges ? G_LOAD : IDLE);
        return true;
    case A_POOL: {
        if (breach == POOL_CLASS_LATE)
            same(g, q);
        enum locked r = lock(s, p, q->cls);
        if (r == LOCK_TAKEN)
            q->pc = A_RECHECK;
        else if (r == LOCK_MINE)
            told(q);
        return r != LOCK_WAIT;
    }
    case A_RECHECK:
        q->pc = breach == POOL_UNCHECKED || ((g->state & POOLED) != 0 && ST_GEN(g->state) == q->gen)
                    ? A_ADOPT
                    : A_BACK;
        return true;
    case A_ADOPT:
        adopt(s, q, q->pg);
        same(g, q);
        q->pc = A_UNLOCK;
        return true;
    default: // A_BACK
        unlock(s, q->cls);
        q->pc = A_LOAD;
        return true;
    }
}

// ---------------------------------------------------------------- the owner sleeps: purge

static void check_purged(const struct page *g, const struct proc *q)
{
    same(g, q);
    if (g->live != 0 || g->leaving != 0)
        explore_bad("the memory of a live block is purged");
}

static bool step_purge(struct sys *s, struct proc *q)
{
    struct page *g = &s->page[q->pg];
    uint16_t closed = PURGING | GONE | (breach == PURGE_CURRENT ? 0 : CURRENT);
    switch (q->pc) {
    case G_LOAD:
        q->st = g->state;
        q->pc = G_BITS;
        if (ST_GEN(q->st) != q->gen || ST_ID(q->st) == 0 || (q->st & closed) != 0)
            idle(q);
        return true;
    case G_BITS:
    case G_BITS_AGAIN: // only a look: the slab may be another one by now
        q->seen = g->bits;
        q->pc++;
        return true;
    case G_USED:
    case G_USED_AGAIN:
        q->pc++;
        if (count(q->seen) != g->used)
            q->pc = q->pc == G_SAME ? IDLE : G_END;
        if (q->pc == IDLE)
            idle(q);
        return true;
    case G_SAME:
        q->pc = G_CAS;
        if (q->seen != g->bits && breach != PURGE_ONE_LOOK)
            idle(q);
        return true;
    case G_CAS:
        if (!swap(g, q->st, q->st | PURGING)) {
            idle(q);
            return true;
        }
        same(g, q);
        q->pc = breach == PURGE_GUESS ? G_BEGIN : G_BITS_AGAIN;
        return true;
    case G_SAME_AGAIN:
        q->pc = q->seen == g->bits || breach == PURGE_ONE_LOOK ? G_BEGIN : G_END;
        return true;
    case G_BEGIN:
    case G_DONE:
        check_purged(g, q);
        q->pc++;
        return true;
    case G_END:
        q->st = g->state;
        q->pc = G_SWAP;
        return true;
    default: // G_SWAP
        if (!swap(g, q->st, (q->st & (uint16_t)~PURGING) | (breach == PURGE_QUIET ? 0 : DIRTY))) {
            q->pc = G_END;
            return true;
        }
        same(g, q);
        q->pc = A_PUSH;
        if ((q->st & DIRTY) != 0 || breach == PURGE_QUIET)
            idle(q);
        return true;
    }
}
