// world_test.c: every order in which threads can be stopped, born, die, and be given up on.
//
// A model of src/os/world.c: one stopper, which stops the others twice, and three threads, of which
// the second and third are born by the one before, at any moment. Steps are accesses to words that
// several share, system calls, and looks at what the kernel lists. What must hold: when the stopper
// believes that all stand still, they do, and each record says where its own thread stands; and
// whatever happened, in the end everybody runs.
//
// Then the protocol is broken in one place at a time, and the same search must find each breach.
#include <stdbool.h>
#include <stdint.h>

enum { THREADS = 3, STOPS = 2, STATES_MAX = 4000000 };

enum life { UNBORN = 0, NEWBORN, RUNS, BEARS, BORE, ENTERS, WRITES, STANDS, DEAD };
enum phase { NOTHING = 0, ASKED, WRITING, ANSWERED, CANCELLED };
enum breach { SOUND = 0, LIST_ONCE, NO_NUMBER, NO_CANCEL, NO_WAIT_FOR_WRITER, BREACHES };
static const char *const breach_name[BREACHES] = {
    "none", "threads are listed once only", "signals do not carry the number of the stop",
    "giving up does not cancel", "giving up does not wait for who is writing"};
static enum breach breach;

struct thread {
    uint8_t life;     // enum life
    uint8_t pending;  // number of the stop whose signal is on its way; 0 = none
    uint8_t record;   // that the signal names
    uint8_t stop, to; // in the handler: number and record
    uint8_t may_bear, may_die;
    uint8_t pad;
};
struct record {
    uint8_t thread; // whose it is, +1
    uint8_t phase, stop;
    uint8_t where; // the thread that wrote "where am I", +1
};
enum pc { IDLE, LIST, SEND, WAIT, STOPPED, CANCEL, GO };
struct sys {
    struct thread thread[THREADS];
    struct record record[THREADS + 1];
    uint8_t pc, stop, count, at, fresh, stops, may_give_up, i;
};
_Static_assert(sizeof(struct sys) % 8 == 0, "the hash takes eight bytes at a time");

#include "tests/model/explore.h"

// ---------------------------------------------------------------- threads

enum { GO_ON = 0, BEAR, DIE, TAKE_SIGNAL, KINDS };

static bool thread_goes_on(struct sys *s, int n)
{
    struct thread *t = &s->thread[n];
    struct record *r = &s->record[t->to];
    switch ((enum life)t->life) {
    case NEWBORN: // all signals are blocked until here
    case BORE:
        t->life = RUNS;
        return true;
    case BEARS: // inside clone, all signals blocked
        s->thread[n + 1].life = NEWBORN;
        t->life = BORE;
        return true;
    case ENTERS:
        if (r->phase == ASKED && (r->stop == t->stop || breach == NO_NUMBER)) {
            r->phase = WRITING;
            t->life = WRITES;
        } else {
            t->life = RUNS;
        }
        return true;
    case WRITES:
        r->where = (uint8_t)(n + 1);
        r->phase = ANSWERED;
        r->stop = t->stop;
        t->life = STANDS;
        return true;
    case STANDS:
        if (s->stop == t->stop)
            return false;
        t->life = RUNS;
        return true;
    case UNBORN:
    case RUNS:
    case DEAD:
        return false;
    }
    return false;
}

static bool thread_move(struct sys *s, int n, int kind)
{
    struct thread *t = &s->thread[n];
    if (kind == GO_ON)
        return thread_goes_on(s, n);
    if (t->life != RUNS)
        return false;
    if (kind == BEAR && t->may_bear) {
        t->may_bear = 0;
        t->life = BEARS;
        return true;
    }
    if (kind == DIE && t->may_die) {
        t->may_die = 0;
        t->pending = 0;
        t->life = DEAD;
        return true;
    }
    if (kind == TAKE_SIGNAL && t->pending != 0) {
        t->stop = t->pending;
        t->to = t->record;
        t->pending = 0;
        t->life = ENTERS;
        return true;
    }
    return false;
}

// ---------------------------------------------------------------- the stopper

static bool blocks(const struct thread *t)
{
    return t->life == NEWBORN || t->life == BEARS || t->life == BORE;
}

static bool is_known(const struct sys *s, int n)
{
    for (int i = 0; i < s->count; i++)
        if (s->record[i].thread == n + 1)
            return true;
    return false;
}

static void list_one(struct sys *s)
{
    const struct thread *t = &s->thread[s->at];
    if (s->at == THREADS)
        s->pc = WAIT;
    else if (t->life == UNBORN || t->life == DEAD || is_known(s, s->at))
        s->at++;
    else if (!blocks(t)) // else it looks again, which changes nothing
        s->pc = SEND;
}

// It may have begun to block, or died, since the look.
static void send_one(struct sys *s)
{
    struct thread *t = &s->thread[s->at];
    struct record *r = &s->record[s->count];
    *r = (struct record){(uint8_t)(s->at + 1), ASKED, s->stop, 0};
    if (t->life != DEAD) {
        t->pending = s->stop;
        t->record = s->count++;
        s->fresh = 1;
    } else {
        r->thread = 0;
    }
    s->at++;
    s->pc = LIST;
}

static void wait_for_all(struct sys *s)
{
    for (int i = 0; i < s->count; i++) {
        struct record *r = &s->record[i];
        if (r->thread != 0 && r->phase == ASKED && s->thread[r->thread - 1].life == DEAD) {
            r->phase = CANCELLED;
            r->thread = 0;
        }
        if (r->thread != 0 && (r->phase != ANSWERED || r->stop != s->stop))
            return;
    }
    s->at = 0;
    s->pc = s->fresh && breach != LIST_ONCE ? LIST : STOPPED;
    s->fresh = 0;
}

static void cancel_one(struct sys *s)
{
    struct record *r = &s->record[s->i];
    if (s->i == s->count) {
        s->pc = GO;
        return;
    }
    if (r->phase == ASKED && breach != NO_CANCEL) {
        r->phase = CANCELLED;
        s->i++;
    } else if (r->phase == WRITING && breach != NO_WAIT_FOR_WRITER) {
        return; // looks again
    } else {
        s->i++;
    }
}

static bool stopper_move(struct sys *s, bool give_up)
{
    struct sys before = *s;
    if (give_up) {
        if (!s->may_give_up || (s->pc != LIST && s->pc != WAIT))
            return false;
        s->may_give_up = 0;
        s->i = 0;
        s->pc = CANCEL;
        return true;
    }
    switch ((enum pc)s->pc) {
    case IDLE:
        if (s->stops == 0)
            return false;
        s->stops--;
        s->stop++;
        s->count = s->at = s->fresh = 0;
        s->pc = LIST;
        break;
    case LIST:
        list_one(s);
        break;
    case SEND:
        send_one(s);
        break;
    case WAIT:
        wait_for_all(s);
        break;
    case STOPPED:
        s->pc = GO;
        break;
    case CANCEL:
        cancel_one(s);
        break;
    case GO:
        s->stop++;
        s->pc = IDLE;
        break;
    }
    return memcmp(&before, s, sizeof before) != 0;
}

// ---------------------------------------------------------------- for the search

enum { STOPPER = THREADS * KINDS, GIVE_UP, MOVES };

static bool explore_can(const struct sys *s, int move)
{
    return move >= STOPPER || s->thread[move / KINDS].life != UNBORN;
}

static bool explore_move(struct sys *s, int move)
{
    return move < STOPPER ? thread_move(s, move / KINDS, move % KINDS)
                          : stopper_move(s, move == GIVE_UP);
}

static void explore_check(const struct sys *s)
{
    if (s->pc != STOPPED)
        return;
    for (int n = 0; n < THREADS; n++) {
        const struct thread *t = &s->thread[n];
        if (t->life == UNBORN || t->life == DEAD)
            continue;
        if (t->life != STANDS || t->stop != s->stop)
            explore_bad("a thread runs while all are believed to stand still");
        else if (s->record[t->to].where != n + 1)
            explore_bad("a record says where another thread stands");
    }
}

static void explore_stuck(const struct sys *s)
{
    bool all_run = s->pc == IDLE;
    for (int n = 0; n < THREADS; n++)
        all_run = all_run && (s->thread[n].life == RUNS || s->thread[n].life == DEAD ||
                              s->thread[n].life == UNBORN);
    if (!all_run)
        explore_bad("somebody waits for ever");
}

static void explore_name(const struct sys *s, int move)
{
    static const char *const what[KINDS] = {"goes on", "bears", "dies", "takes its signal"};
    if (move < STOPPER)
        printf("#   thread %d (%d) %s\n", move / KINDS, s->thread[move / KINDS].life,
               what[move % KINDS]);
    else
        printf("#   stopper (%d) %s\n", s->pc, move == GIVE_UP ? "gives up" : "goes on");
}

static const char *play(enum breach b, bool loud, size_t *ret_states)
{
    struct sys s;
    memset(&s, 0, sizeof s);
    for (int n = 0; n < THREADS; n++) {
        s.thread[n].may_bear = n + 1 < THREADS;
        s.thread[n].may_die = 1;
    }
    s.thread[0].life = RUNS;
    s.stops = STOPS;
    s.may_give_up = 1;
    breach = b;
    return explore_run(&s, MOVES, STATES_MAX, loud, ret_states);
}

int main(int argc, char **argv)
{
    (void)argv;
    int tests = 0, failed = 0;
    explore_init(STATES_MAX, 1 << 18);
    for (enum breach b = SOUND; b < BREACHES; b++) {
        size_t states;
        const char *bad = play(b, b == SOUND || argc > 1, &states);
        bool good = (bad == NULL) == (b == SOUND);
        printf("%sok %d - %s%s\n# %s (%zu states)\n", good ? "" : "not ", ++tests,
               b == SOUND ? "threads are stopped" : "breach is found: ",
               b == SOUND ? "" : breach_name[b], bad != NULL ? bad : "no violation", states);
        failed += !good;
    }
    printf("1..%d\n", tests);
    return failed != 0;
}
