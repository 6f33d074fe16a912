// proof.c: every backtrace, three ways. Not a test by itself: tests/real/traces.t runs it.
//
// The library libloam.so, linked once more such that trace_hash is called through here. Each trace
// is compared with the full walk, frame by frame; every STRIDE-th one with libgcc's too, which
// takes twenty times as long. What was found stands in the file that LOAM_PROOF names, shared by
// all processes of a tree, so that none needs an orderly end to be counted.
#include "tests/proof/proof.h"

#include "format/recording.h"
#include "record/trace.h"
#include "record/walk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define STRIDE     7
#define SKIP_MAX   16 // frames of this library at most
#define THEIRS_MAX (RECORDING_FRAMES + SKIP_MAX)

bool __real_trace_hash(struct trace_cache *c, const struct unwind_caller *from,
                       struct unwind_trace *ret);
bool __wrap_trace_hash(struct trace_cache *c, const struct unwind_caller *from,
                       struct unwind_trace *ret);

static struct proof *the;
static thread_local_ struct {
    bool busy;
    u32 turn, count;
    u64 ours[RECORDING_FRAMES], theirs[THEIRS_MAX];
} mine;

// The library is initialized before libc knows its environment.
__attribute__((constructor(101))) static void open_proof(int argc unused_, char **argv unused_,
                                                         char **envp)
{
    static const char name[] = "LOAM_PROOF=";
    int fd = -1;
    for (char **e = envp; *e != NULL; e++)
        if (strncmp(*e, name, sizeof name - 1) == 0)
            fd = open(*e + sizeof name - 1, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *the, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    the = p != MAP_FAILED ? p : NULL;
}

static void add(_Atomic u64 *counter, u64 n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static _Unwind_Reason_Code take(struct _Unwind_Context *c, void *arg unused_)
{
    int before = 0;
    u64 pc = _Unwind_GetIPInfo(c, &before);
    if (pc != 0 && mine.count < THEIRS_MAX)
        mine.theirs[mine.count++] = pc + (before != 0); // as unwind.h says of interrupted frames
    return _URC_NO_REASON;
}

// Ours begins where theirs has left the library.
static void against_libgcc(u32 ours, bool truncated)
{
    mine.count = 0;
    _Unwind_Backtrace(take, NULL);
    u32 skip = 0;
    while (skip < mine.count && skip < SKIP_MAX && mine.theirs[skip] != mine.ours[0])
        skip++;
    u32 theirs = mine.count - skip, n = 0;
    while (n < ours && n < theirs && mine.ours[n] == mine.theirs[skip + n])
        n++;
    add(&the->asked, 1);
    add(&the->asked_frames, n);
    bool both = n < ours && n < theirs;
    add(&the->wrong, both);
    add(&the->shorter, !both && ours < theirs && !(truncated && ours == RECORDING_FRAMES));
    add(&the->longer, !both && ours > theirs);
}

static void prove(const struct unwind_start *start, struct unwind_trace t)
{
    struct unwind_trace plain = unwind_hash(start);
    u32 n = unwind_full(start, mine.ours, RECORDING_FRAMES).count;
    struct walk_sum sum = WALK_SUM_EMPTY;
    for (u32 i = 0; i < n; i++) {
        walk_add(&sum, mine.ours[i]);
        mine.ours[i] &= FRAME_OFFSET_MASK;
    }
    add(&the->traces, 1);
    add(&the->frames, n);
    add(&the->differ, t.hash != sum.sum || t.count != n || plain.hash != sum.sum ||
                          t.truncated != plain.truncated);
    add(&the->truncated, t.truncated);
    if (mine.turn++ % STRIDE == 0)
        against_libgcc(n, t.truncated != 0);
}

bool __wrap_trace_hash(struct trace_cache *c, const struct unwind_caller *from,
                       struct unwind_trace *ret)
{
    struct unwind_start here;
    bool ok = __real_trace_hash(c, from, ret);
    unwind_capture(&here);
    if (ok && the != NULL && !mine.busy && unwind_out(&here, from->rsp)) {
        mine.busy = true;
        prove(&here, *ret);
        mine.busy = false;
    }
    return ok;
}
