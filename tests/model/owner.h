// owner.h: the steps of a slab's owner: collect, release, drain, refill, park, thread exit.
#pragma once

#include "tests/model/state.h"

// ---------------------------------------------------------------- collect, release, drain

static bool step_owner(struct sys *s, struct proc *q)
{
    struct page *g = &s->page[q->cp];
    switch (q->pc) {
    case C_TAKE:
        q->seen = own(s, q, q->cp)->bits;
        g->bits = 0;
        q->pc = C_ADD;
        return true;
    case C_ADD:
        collect(s, q);
        return true;
    case C_CLEAR_LATE:
        g->state &= (uint16_t)~DIRTY;
        edge(s, q, q->cp);
        return true;
    case R_OWNER:
        own(s, q, q->cp)->owner = 0;
        q->pc = R_CAS;
        return true;
    case R_CAS: {
        uint16_t clean = g->state & (uint16_t) ~(breach == RELEASE_BY_STORE ? 0
                                                 : breach == RELEASE_BLIND  ? DIRTY
                                                                            : AT_WORK);
        uint8_t gen = (uint8_t)(ST_GEN(g->state) + (breach == NO_GEN_GROWTH ? 0 : 1));
        own(s, q, q->cp);
        q->pc = swap(g, clean, ST(gen, 0, GONE)) ? R_GIVE : R_RESTORE;
        g->age = (uint8_t)(g->age + (q->pc == R_GIVE));
        return true;
    }
    case R_RESTORE:
        own(s, q, q->cp)->owner = q->heap;
        back(q);
        return true;
    case R_GIVE:
        g->kind = NONE;
        g->free = g->used = g->where = g->list = g->cls = 0;
        back(q);
        return true;
    case D_TAKE:
        q->l = s->heap[q->heap].dirty;
        s->heap[q->heap].dirty = 0;
        q->pc = D_NEXT;
        return true;
    case D_NEXT:
        if (q->l == 0) {
            back(q);
            return true;
        }
        q->cp = q->l;
        own(s, q, q->cp);
        if (breach != NEXT_LATE)
            q->l = s->page[q->cp].next;
        q->pc = D_CLEAR;
        return true;
    case D_CLEAR:
        own(s, q, q->cp);
        if ((g->state & DIRTY) == 0)
            explore_bad("a slab in a dirty list is not DIRTY");
        if (breach != CLEAR_LATE)
            g->state &= (uint16_t)~DIRTY;
        call(q, C_TAKE, D_NEXT);
        if (breach == NEXT_LATE)
            q->pc = D_NEXT_LATE;
        return true;
    default: // D_NEXT_LATE
        q->l = g->next;
        q->pc = C_TAKE;
        return true;
    }
}

// ---------------------------------------------------------------- malloc, park

// The window has run dry: the same slab again, else it is parked and another one looked for.
static bool step_refill(struct sys *s, struct proc *q)
{
    struct heap *h = &s->heap[q->heap];
    switch (q->pc) {
    case M_TRY:
        if (window(s, q))
            hand_out(s, q);
        else if (h->current != 0)
            q->pc = M_LOOK;
        else
            call(q, D_TAKE, M_PARTIAL);
        return true;
    case M_LOOK:
        q->cp = h->current;
        if ((own(s, q, h->current)->state & DIRTY) != 0) {
            call(q, C_TAKE, M_AFTER);
        } else {
            q->cp = 0;
            q->pc = P_OWNER;
        }
        return true;
    case M_AFTER:
        q->pc = window(s, q) ? M_TRY : P_OWNER;
        return true;
    case K_SET: {
        struct page *g = own(s, q, q->pg);
        bool purged = (g->state & PURGING) != 0 && breach != CURRENT_BLIND;
        g->state |= CURRENT;
        q->pc = K_CLEAR;
        if (!purged) {
            h->current = q->pg;
            g->where = IN_WINDOW;
            q->pg = 0;
            q->pc = M_TRY;
        }
        return true;
    }
    case K_CLEAR:
        own(s, q, q->pg)->state &= (uint16_t)~CURRENT;
        q->skip |= (uint8_t)(1 << q->pg);
        q->pg = 0;
        q->pc = M_PARTIAL;
        return true;
    default: // M_PARTIAL
        q->pg = (uint8_t)find(s, q, q->heap, PARTIAL);
        q->pc = q->pg != 0 ? K_SET : M_POOL;
        return true;
    }
}

// The full slab that was current becomes nobody's, or stays ours if a stranger is at work on it.
static bool step_park(struct sys *s, struct proc *q)
{
    struct heap *h = &s->heap[q->heap];
    struct page *g = own(s, q, q->pc == P_OWNER ? h->current : q->pg);
    switch (q->pc) {
    case P_OWNER:
        q->pg = h->current;
        h->current = 0;
        g->owner = g->list = 0;
        q->pc = P_CAS;
        return true;
    case P_CAS: {
        uint16_t clean = g->state & (uint16_t) ~(breach == PARK_BY_STORE ? 0 : AT_WORK);
        q->pc = P_RESTORE;
        if (swap(g, clean, ST(ST_GEN(g->state), 0, 0))) {
            q->pg = 0;
            q->pc = M_TRY;
        }
        return true;
    }
    case P_RESTORE:
        g->owner = g->list = q->heap;
        g->where = ASLEEP;
        q->pc = P_LEAVE;
        return true;
    default: // P_LEAVE
        g->state &= (uint16_t)~CURRENT;
        q->pg = 0;
        q->pc = M_TRY;
        return true;
    }
}

// Nothing of its own: the class's pool, else fresh pages.
static bool step_pool(struct sys *s, struct proc *q, int p)
{
    struct page *g = &s->page[q->pg];
    switch (q->pc) {
    case M_POOL: {
        enum locked r = lock(s, p, q->cls);
        q->pc = r == LOCK_TAKEN ? M_POP : M_FRESH;
        return r != LOCK_WAIT;
    }
    case M_POP:
        q->pg = (uint8_t)find(s, q, POOL_LIST, IN_POOL);
        q->pc = M_EMPTY;
        if (q->pg != 0) {
            adopt(s, q, q->pg);
            q->pc = M_ADOPTED;
        }
        return true;
    case M_ADOPTED:
        own(s, q, q->pg)->owner = q->heap;
        q->pc = M_UNLOCK;
        return true;
    case M_UNLOCK:
        unlock(s, q->cls);
        own(s, q, q->pg)->where = PARTIAL;
        q->cp = q->pg;
        if (breach == POOL_NO_COLLECT)
            q->pc = K_SET;
        else
            call(q, C_TAKE, K_SET);
        return true;
    case M_EMPTY:
        unlock(s, q->cls);
        q->pc = M_FRESH;
        return true;
    case M_FRESH:
        q->pg = (uint8_t)find_pages(s);
        if (q->pg == 0) {
            idle(q); // ENOMEM
            return true;
        }
        s->page[q->pg].kind = TAKEN;
        q->pc = M_STATE;
        return true;
    default: // M_STATE
        g->state = ST(ST_GEN(g->state), q->heap, 0);
        g->kind = SLAB;
        g->owner = g->list = q->heap;
        g->where = PARTIAL;
        g->cls = q->cls;
        g->free = FULL;
        g->used = 0;
        q->pc = K_SET;
        return true;
    }
}

// ---------------------------------------------------------------- thread exit

// A slab that is neither empty nor full goes to the pool of its class.
static bool step_exit_pool(struct sys *s, struct proc *q, int p)
{
    struct page *g = &s->page[q->pg];
    switch (q->pc) {
    case X_POOL:
        q->cls = g->cls;
        if (lock(s, p, q->cls) == LOCK_WAIT)
            return false;
        q->pc = X_POOL_OWNER;
        return true;
    case X_POOL_OWNER:
        own(s, q, q->pg)->owner = 0;
        q->pc = X_POOLED;
        return true;
    case X_POOLED:
        own(s, q, q->pg);
        q->pc = X_UNPOOL;
        if (swap(g, g->state & (uint16_t)~AT_WORK, ST(ST_GEN(g->state), 0, POOLED)))
            q->pc = X_LINK;
        return true;
    case X_LINK:
        g->list = POOL_LIST;
        g->where = IN_POOL;
        q->pc = X_UNLOCK;
        return true;
    case X_UNPOOL:
        own(s, q, q->pg)->owner = q->heap;
        q->pc = X_UNLOCK_BACK;
        return true;
    case X_UNLOCK:
        unlock(s, q->cls);
        q->pc = X_NEXT;
        return true;
    default: // X_UNLOCK_BACK
        unlock(s, q->cls);
        q->pc = X_AGAIN;
        return true;
    }
}

static bool step_exit(struct sys *s, struct proc *q)
{
    struct heap *h = &s->heap[q->heap];
    struct page *g = &s->page[q->pg];
    switch (q->pc) {
    case X_WINDOW:
        q->pc = X_NEXT;
        if (h->current != 0) {
            g = own(s, q, h->current);
            g->free |= h->word;
            g->used -= (uint8_t)count(h->word);
            g->where = ASLEEP;
            q->pg = h->current;
            q->pc = X_LEAVE;
        }
        h->current = h->word = 0;
        return true;
    case X_LEAVE:
        own(s, q, q->pg)->state &= (uint16_t)~CURRENT;
        q->pc = X_NEXT;
        return true;
    case X_NEXT:
        q->pg = (uint8_t)find_owned(s, q);
        if (q->pg == 0) {
            q->pc = X_RETIRE;
            return true;
        }
        g = own(s, q, q->pg);
        q->cp = q->pg;
        if (g->used == 0)
            call(q, R_OWNER, X_RELEASED);
        else
            q->pc = g->used == BLOCKS ? X_PARK : X_POOL;
        return true;
    case X_RELEASED:
        q->pc = g->list == q->heap ? X_AGAIN : X_NEXT;
        return true;
    case X_PARK:
        own(s, q, q->pg)->owner = 0;
        g->list = 0;
        q->pc = X_PARKED;
        return true;
    case X_PARKED: {
        own(s, q, q->pg);
        uint16_t clean = g->state & (uint16_t) ~(breach == PARK_BY_STORE ? 0 : AT_WORK);
        q->pc = swap(g, clean, ST(ST_GEN(g->state), 0, 0)) ? X_NEXT : X_UNPARK;
        return true;
    }
    case X_UNPARK:
        own(s, q, q->pg)->owner = q->heap;
        g->list = q->heap;
        q->pc = X_AGAIN;
        return true;
    case X_AGAIN: // the push that comes with DIRTY may be late: try once more, then leave it
        if (q->tries++ == 0) {
            call(q, D_TAKE, X_NEXT);
            return true;
        }
        q->tries = 0;
        q->skip |= (uint8_t)(1 << q->pg);
        q->pc = X_NEXT;
        return true;
    default: // X_RETIRE
        h->retired = 1;
        q->heap = 0;
        idle(q);
        return true;
    }
}
