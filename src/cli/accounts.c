// accounts.c: see accounts.h.

#include "cli/accounts.h"

#include "target/account.h"
#include "target/pins.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INTERVAL_NS 1000000000u // of the first ones
#define COST_SHARE  100
#define GROWN(rss)  ((rss) + (rss) / 8)

// By this thread: on a busy machine the time that passes is no measure of cost.
static u64 spent_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static void put_pins(struct accounts_slot *to, const struct pins *pins)
{
    struct record_account *a = &to->account;
    a->slabs = pins->slabs;
    a->slabs_rss = pins->resident;
    a->slabs_live = pins->live;
    a->pins_count = (u32)size_min(pins->count, ACCOUNT_PINS);
    for (u32 i = 0; i < a->pins_count; i++) {
        const struct pin *p = &pins->pin[i];
        to->pin[i] = (struct record_pin){.site = p->site,
                                         .slabs = (u32)p->slabs,
                                         .blocks = p->blocks,
                                         .bytes = p->bytes,
                                         .pinned = p->pinned,
                                         .freed = p->freed};
    }
}

// Of a sampled process the sizes of a few blocks are known: no waste can be told from them.
static void forget_sizes(struct record_account *a)
{
    a->part[ACCOUNT_LIVE] += a->part[ACCOUNT_WASTE];
    a->part[ACCOUNT_WASTE] = 0;
    a->known &= (u16)~ACCOUNT_ASKED;
}

// False when the process is gone, or not to be read.
static bool take(const struct record_process *p, struct accounts_slot *ret)
{
    struct space s;
    struct account a;
    struct pins pins;
    if (space_load_known(&s, (pid_t)p->pid, SPACE_BLOCKS, p) < 0)
        return false;
    bool ok = s.no_pages == 0 && pins_load(&pins, &s) == 0;
    if (ok) {
        account_make(&a, &s);
        *ret = (struct accounts_slot){.account = {.rss = a.rss, .live_blocks = a.live_blocks}};
        ret->account.known = (u16)((a.heap ? ACCOUNT_HEAP : 0) | (a.asked ? ACCOUNT_ASKED : 0));
        memcpy(ret->account.part, a.part, sizeof a.part);
        if (atomic_load_explicit(&p->sample_bytes, memory_order_relaxed) != 0)
            forget_sizes(&ret->account);
        put_pins(ret, &pins);
        pins_done(&pins);
    }
    space_done(&s);
    return ok;
}

// ---------------------------------------------------------------- of each process

// Its place; the one of a smaller process if there is no room, and NULL if all are larger (A2).
static struct accounts_process *place_of(struct accounts *a, u32 index, u64 rss)
{
    struct accounts_process *least = NULL;
    if (a->processes == NULL)
        a->processes = calloc(ACCOUNT_PROCESSES, sizeof *a->processes);
    if (a->processes == NULL)
        return NULL;
    for (u32 i = 0; i < a->processes_count; i++) {
        struct accounts_process *p = &a->processes[i];
        if (p->last.account.process == index)
            return p;
        if (least == NULL || p->highest.account.rss < least->highest.account.rss)
            least = p;
    }
    if (a->processes_count < ACCOUNT_PROCESSES)
        return &a->processes[a->processes_count++];
    if (least->highest.account.rss >= rss)
        return NULL;
    *least = (struct accounts_process){0};
    return least;
}

// Its heap changed all the while it was read, or the process ended meanwhile: how much is live is
// not known.
static bool is_blind(const struct accounts_slot *s)
{
    return (s->account.known & ACCOUNT_HEAP) == 0;
}

// One that knows the heap says more than one that does not and is larger by less than an eighth.
static bool is_higher(const struct accounts_slot *new, const struct accounts_slot *old)
{
    u64 x = new->account.rss, y = old->account.rss;
    if (is_blind(new) && !is_blind(old))
        return x > GROWN(y);
    if (!is_blind(new) && is_blind(old))
        return GROWN(x) >= y;
    return x >= y;
}

static void keep(struct accounts *a, struct accounts_slot *new, u32 index, u64 at_ns)
{
    struct accounts_process *p = place_of(a, index, new->account.rss);
    if (p == NULL)
        return;
    new->account.process = index;
    new->account.at_ns = at_ns;
    if (!is_blind(new) || is_blind(&p->last)) {
        p->last = *new;
        p->last.account.when = ACCOUNT_LAST;
    }
    if (p->highest.account.rss == 0 || is_higher(new, &p->highest)) {
        p->highest = *new;
        p->highest.account.when = ACCOUNT_HIGHEST;
    }
    a->changed = true;
}

// ---------------------------------------------------------------- over time

static void add_line(struct accounts *a, const struct record_account *sum)
{
    if (a->line == NULL)
        a->line = calloc(ACCOUNTS_MAX, sizeof *a->line);
    if (a->line == NULL)
        return;
    if (a->line_count == ACCOUNTS_MAX) {
        for (u32 i = 0; 2 * i < a->line_count; i++)
            a->line[i] = a->line[2 * i];
        a->line_count /= 2;
        a->interval_ns *= 2;
    }
    a->line[a->line_count++] = *sum;
}

static void add(struct record_account *sum, const struct record_account *x)
{
    sum->rss += x->rss;
    for (u32 i = 0; i < ACCOUNT_PARTS; i++)
        sum->part[i] += x->part[i];
    sum->live_blocks += x->live_blocks;
    sum->slabs += x->slabs;
    sum->slabs_rss += x->slabs_rss;
    sum->slabs_live += x->slabs_live;
    sum->known |= x->known;
    sum->processes++;
}

void accounts_look(struct accounts *a, const struct crowd *c, u64 rss, u64 now_ns, u64 at_ns)
{
    if (a->interval_ns == 0)
        a->interval_ns = INTERVAL_NS;
    bool grown = rss > GROWN(a->highest_rss);
    if (now_ns < a->next_ns || (!grown && now_ns - a->taken_ns < a->interval_ns))
        return;
    struct record_account sum = {.at_ns = at_ns};
    u64 began = spent_ns();
    struct accounts_slot new;
    bool blind = false;
    // Of a build with hundreds of processes not all can be waited for.
    for (u32 i = 0; i < c->processes_count && sum.processes < ACCOUNT_PROCESSES; i++) {
        if (c->processes[i].record == NULL || !take(c->processes[i].record, &new))
            continue;
        add(&sum, &new.account);
        blind = blind || is_blind(&new);
        keep(a, &new, c->processes[i].index, at_ns);
    }
    if (sum.processes > 0)
        add_line(a, &sum);
    a->highest_rss = sum.rss > a->highest_rss ? sum.rss : a->highest_rss;
    if (!blind) // else again as soon as its cost allows
        a->taken_ns = now_ns;
    a->next_ns = now_ns + (spent_ns() - began) * COST_SHARE;
}

void accounts_end(struct accounts *a, const struct record_process *p, u32 index, u64 at_ns)
{
    struct accounts_slot new;
    if (take(p, &new))
        keep(a, &new, index, at_ns);
}

// ---------------------------------------------------------------- writing

static void write_account(struct moments_blocks *b, const struct record_account *from)
{
    size_t bytes = sizeof *from + from->pins_count * sizeof from->pin[0];
    struct record_account *to = moments_put(b, RECORD_ACCOUNT, bytes);
    if (to == NULL)
        return;
    struct record head = to->head;
    memcpy(to, from, bytes);
    to->head = head;
}

void accounts_write(struct accounts *a)
{
    if (!a->changed)
        return;
    moments_empty(&a->blocks);
    for (u32 i = 0; i < a->processes_count; i++) {
        write_account(&a->blocks, &a->processes[i].highest.account);
        write_account(&a->blocks, &a->processes[i].last.account);
    }
    for (u32 i = 0; i < a->line_count; i++)
        write_account(&a->blocks, &a->line[i]);
    a->changed = false;
}

void accounts_done(struct accounts *a)
{
    free(a->processes);
    free(a->line);
    free(a->blocks.bytes);
    *a = (struct accounts){0};
}
