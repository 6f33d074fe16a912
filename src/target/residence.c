// residence.c: where the pages of a mapping are.
//
// Two of the kernel's interfaces together: PAGEMAP_SCAN (6.7) names ranges by kind without a word
// a page, skips what is not there at the speed of page tables, and alone tells huge and zero pages
// to everybody; /proc/PID/pagemap has a word a page, which alone tells who is shared. The words
// are read only where the mapping's own smaps does not settle that question already: of a private
// heap of a GiB no word is read. Without PAGEMAP_SCAN all words are read, and smaps' counts say
// what they do not.
#include "target/residence.h"
#include "target/pagescan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS 4096 // page table words a read
#define HUGE  (2 * MiB)

const char *const residence_names[RES_COUNT] = {
    [RES_ABSENT] = "absent", [RES_GUARD] = "guard", [RES_ZERO] = "zero",
    [RES_SMALL] = "small",   [RES_HUGE] = "huge",   [RES_SWAPPED] = "swapped",
    [RES_CLEAN] = "clean",   [RES_DIRTY] = "dirty", [RES_SHARED] = "shared",
    [RES_KERNEL] = "kernel",
};

// ---------------------------------------------------------------- what one walk knows

// What to make of pages whose word leaves a choice. By frame: root may look at each.
enum choice { ALL_FIRST, ALL_SECOND, BY_FRAME };

struct walk {
    struct residence *r;
    const struct smap *m;
    bool frames; // runs end where frames are not contiguous
    int (*each)(void *ctx, const struct residence_run *run);
    void *ctx;
    enum choice dirty;        // of a file, mapped here alone: clean, dirty
    enum choice zero;         // anonymous, without an owner of its own: shared, zero
    enum choice huge;         // anonymous: small, huge
    bool guards;              // a swapped page can only be a guard: the mapping has nothing in swap
    struct residence_run run; // being made; end == 0: none
    u64 words[WORDS];
};

static int end_run(struct walk *w)
{
    struct residence_run run = w->run;
    w->run.end = 0;
    return run.end != 0 ? w->each(w->ctx, &run) : 0;
}

static int put(struct walk *w, u64 start, u64 end, enum residence_state state, bool file, u64 frame)
{
    struct residence_run *run = &w->run;
    u64 follows = run->frame == 0 ? 0 : run->frame + (run->end - run->start) / w->r->os_page;
    if (run->end == start && run->state == state && run->file == file && follows == frame) {
        run->end = end;
        return 0;
    }
    int e = end_run(w);
    *run = (struct residence_run){start, end, state, file, frame};
    return e;
}

// ---------------------------------------------------------------- choices

static bool frame_has(const struct walk *w, u64 word, int flag)
{
    u64 flags = 0;
    residence_frame(w->r, word & ENTRY_FRAME, &flags, NULL);
    return flags >> flag & 1;
}

static bool choose(const struct walk *w, enum choice c, u64 word, int flag)
{
    return c == BY_FRAME ? frame_has(w, word, flag) : c == ALL_SECOND;
}

// `part` of `whole` pages are of the second kind: which ones?
static enum choice choice_of(const struct walk *w, u64 part, u64 whole)
{
    if (part == 0)
        return ALL_FIRST;
    return part >= whole ? ALL_SECOND : w->r->frames && w->r->kpage >= 0 ? BY_FRAME : ALL_FIRST;
}

// Anonymous pages of a mapping of a file are dirty as a rule; the others are the file's.
static enum choice dirty_choice(const struct walk *w)
{
    const struct smap *m = w->m;
    u64 dirty = m->private_dirty > m->anonymous ? m->private_dirty - m->anonymous : 0;
    return choice_of(w, dirty, dirty + m->private_clean);
}

// ---------------------------------------------------------------- words

static enum residence_state anonymous_state(const struct walk *w, u64 word, u64 categories)
{
    if (categories & PAGESCAN_ZERO)
        return RES_ZERO;
    if ((word & ENTRY_EXCLUSIVE) == 0)
        return choose(w, w->zero, word, KPF_ZERO_PAGE) ? RES_ZERO : RES_SHARED;
    bool huge = categories & PAGESCAN_HUGE || choose(w, w->huge, word, KPF_THP);
    return huge ? RES_HUGE : RES_SMALL;
}

static enum residence_state state_of(const struct walk *w, u64 word, u64 categories)
{
    if (word & ENTRY_GUARD)
        return RES_GUARD;
    if (word & ENTRY_SWAPPED)
        return w->guards ? RES_GUARD : RES_SWAPPED;
    if ((word & ENTRY_PRESENT) == 0)
        return RES_ABSENT;
    if (w->m->kernel)
        return RES_KERNEL;
    if ((word & ENTRY_FILE) == 0)
        return anonymous_state(w, word, categories);
    if ((word & ENTRY_EXCLUSIVE) == 0)
        return RES_SHARED;
    return choose(w, w->dirty, word, KPF_DIRTY) ? RES_DIRTY : RES_CLEAN;
}

static int put_words(struct walk *w, u64 start, size_t count, u64 categories)
{
    int e = 0;
    for (size_t i = 0; e == 0 && i < count; i++) {
        u64 word = w->words[i], at = start + i * w->r->os_page;
        enum residence_state state = state_of(w, word, categories);
        if (state == RES_ABSENT)
            continue;
        u64 frame = w->frames && word & ENTRY_PRESENT ? word & ENTRY_FRAME : 0;
        e = put(w, at, at + w->r->os_page, state, (word & ENTRY_FILE) != 0, frame);
    }
    return e;
}

static size_t read_words(const struct residence *r, u64 start, u64 end, u64 *words)
{
    size_t want = size_min(WORDS, (end - start) / r->os_page);
    ssize_t n =
        pread(r->pagemap, words, want * sizeof *words, (off_t)(start / r->os_page * sizeof *words));
    return n > 0 ? (size_t)n / sizeof *words : 0;
}

// The part of the kernel's half, [vsyscall], has no words.
static int walk_words(struct walk *w, u64 start, u64 end, u64 categories)
{
    int e = 0;
    for (u64 at = start; e == 0 && at < end;) {
        size_t got = read_words(w->r, at, end, w->words);
        if (got == 0)
            break;
        e = put_words(w, at, got, categories);
        at += got * w->r->os_page;
    }
    return e;
}

// ---------------------------------------------------------------- with PAGEMAP_SCAN

// The state of a whole range when its kind and the mapping's counts leave no choice; else
// RES_ABSENT.
static enum residence_state settled(const struct walk *w, u64 categories)
{
    const struct smap *m = w->m;
    bool swapped = (categories & PAGESCAN_SWAPPED) != 0, file = (categories & PAGESCAN_FILE) != 0;
    if (w->frames && !swapped)
        return RES_ABSENT;
    if (swapped)
        return w->guards ? RES_GUARD : RES_ABSENT; // in swap, or a guard between such
    if (m->kernel)
        return RES_KERNEL;
    if (categories & PAGESCAN_ZERO)
        return RES_ZERO;
    if (m->private_clean + m->private_dirty == 0 && m->rss != 0)
        return RES_SHARED;
    if (m->shared_clean + m->shared_dirty != 0 || (file && w->dirty == BY_FRAME))
        return RES_ABSENT;
    if (file)
        return w->dirty == ALL_SECOND ? RES_DIRTY : RES_CLEAN;
    return categories & PAGESCAN_HUGE ? RES_HUGE : RES_SMALL;
}

static int put_region(struct walk *w, const struct pagescan_region *g)
{
    enum residence_state state = settled(w, g->categories);
    if (state == RES_ABSENT)
        return walk_words(w, g->start, g->end, g->categories);
    return put(w, g->start, g->end, state, (g->categories & PAGESCAN_FILE) != 0, 0);
}

static int walk_scan(struct walk *w)
{
    struct pagescan_region region[512];
    struct pagescan_arg arg = {
        .size = sizeof arg,
        .end = w->m->map.end,
        .vec = (u64)(uintptr_t)region,
        .vec_len = countof(region),
        .category_anyof_mask = PAGESCAN_PRESENT | PAGESCAN_SWAPPED,
        .return_mask =
            PAGESCAN_FILE | PAGESCAN_PRESENT | PAGESCAN_SWAPPED | PAGESCAN_ZERO | PAGESCAN_HUGE,
    };
    int e = 0;
    for (u64 at = w->m->map.start; e == 0 && at < w->m->map.end; at = arg.walk_end) {
        arg.start = at;
        int n = ioctl(w->r->pagemap, PAGESCAN_IOCTL, &arg);
        if (n < 0) // the process is gone, or this is the kernel's half
            return errno == ESRCH ? -ESRCH : 0;
        for (int i = 0; e == 0 && i < n; i++)
            e = put_region(w, &region[i]);
        if (arg.walk_end <= at)
            break;
    }
    return e;
}

// ---------------------------------------------------------------- without

struct counts {
    u64 present; // pages
    u64 unowned; // anonymous, not this process's alone: shared, or the zero page
    u64 owned;   // anonymous, this process's alone
};

// The mapping's words added up: smaps says how many of them are zero pages, and how many huge.
static void count_words(struct walk *w, struct counts *c)
{
    for (u64 at = w->m->map.start; at < w->m->map.end;) {
        size_t got = read_words(w->r, at, w->m->map.end, w->words);
        if (got == 0)
            return;
        for (size_t i = 0; i < got; i++) {
            u64 word = w->words[i];
            bool anonymous = (word & ENTRY_PRESENT) != 0 && (word & ENTRY_FILE) == 0;
            c->present += (word & ENTRY_PRESENT) != 0;
            c->owned += anonymous && word & ENTRY_EXCLUSIVE;
            c->unowned += anonymous && !(word & ENTRY_EXCLUSIVE);
        }
        at += got * w->r->os_page;
    }
}

static int walk_table(struct walk *w)
{
    const struct smap *m = w->m;
    struct counts c = {0};
    if (m->rss + m->swap == 0 && m->map.end - m->map.start > GiB)
        return 0; // a reservation, and reading a word for each of its pages takes long
    count_words(w, &c);
    u64 rss = m->rss / w->r->os_page;
    w->zero = choice_of(w, c.present > rss ? c.present - rss : 0, c.unowned);
    w->huge = choice_of(w, m->anon_huge / w->r->os_page, c.owned);
    return walk_words(w, m->map.start, m->map.end, 0);
}

int residence_walk(struct residence *r, const struct smap *m, bool frames,
                   int (*each)(void *ctx, const struct residence_run *run), void *ctx)
{
    if (r->pagemap < 0)
        return 0;
    struct walk w = {
        .r = r,
        .m = m,
        .frames = frames && r->frames,
        .each = each,
        .ctx = ctx,
        .guards = m->swap == 0,
    };
    w.dirty = dirty_choice(&w);
    int e = r->scan ? walk_scan(&w) : walk_table(&w);
    return e == 0 ? end_run(&w) : e;
}

// ---------------------------------------------------------------- descriptors

static bool scan_answers(int pagemap)
{
    struct pagescan_region region;
    struct pagescan_arg arg = {
        .size = sizeof arg,
        .end = 4096,
        .vec = (u64)(uintptr_t)&region,
        .vec_len = 1,
        .category_anyof_mask = PAGESCAN_PRESENT,
        .return_mask = PAGESCAN_PRESENT,
    };
    return ioctl(pagemap, PAGESCAN_IOCTL, &arg) >= 0;
}

// Frame numbers of our own memory: told, or zero. Which is what holds for other processes too.
static bool frames_told(size_t os_page)
{
    u64 word = 0;
    volatile char here = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    off_t at = (off_t)((uintptr_t)&here / os_page * sizeof word);
    bool told = pread(fd, &word, sizeof word, at) == sizeof word && (word & ENTRY_FRAME) != 0;
    close(fd);
    return told;
}

int residence_open(struct residence *r, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", tid);
    *r = (struct residence){.kpage = -1, .os_page = (size_t)sysconf(_SC_PAGESIZE)};
    r->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (r->pagemap < 0)
        return -errno;
    r->scan = scan_answers(r->pagemap);
    r->frames = frames_told(r->os_page);
    r->kpage = r->frames ? open("/proc/kpageflags", O_RDONLY | O_CLOEXEC) : -1;
    return 0;
}

void residence_close(struct residence *r)
{
    if (r->pagemap >= 0)
        close(r->pagemap);
    if (r->kpage >= 0)
        close(r->kpage);
    r->pagemap = r->kpage = -1;
}

// ---------------------------------------------------------------- single pages and frames

u64 residence_entry(const struct residence *r, u64 addr)
{
    u64 word = 0;
    off_t at = (off_t)(addr / r->os_page * sizeof word);
    return r->pagemap >= 0 && pread(r->pagemap, &word, sizeof word, at) == sizeof word ? word : 0;
}

bool residence_is_huge(const struct residence *r, u64 addr)
{
    u64 page = addr & ~(u64)(r->os_page - 1);
    struct pagescan_region region;
    struct pagescan_arg arg = {
        .size = sizeof arg,
        .start = page,
        .end = page + r->os_page,
        .vec = (u64)(uintptr_t)&region,
        .vec_len = 1,
        .category_mask = PAGESCAN_HUGE,
        .return_mask = PAGESCAN_HUGE,
    };
    return r->scan && ioctl(r->pagemap, PAGESCAN_IOCTL, &arg) == 1;
}

static bool read_count(u64 frame, u64 *ret_count)
{
    int fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = pread(fd, ret_count, 8, (off_t)(frame * 8)) == 8;
    close(fd);
    return ok;
}

bool residence_frame(const struct residence *r, u64 frame, u64 *ret_flags, u64 *ret_count)
{
    if (r->kpage < 0 || frame == 0 || pread(r->kpage, ret_flags, 8, (off_t)(frame * 8)) != 8)
        return false;
    return ret_count == NULL || read_count(frame, ret_count);
}
