// recording.h: the recording, the one thing that the target's library and the tool share.
//
// A recording is a file of bounded size, mapped shared by the tool and by every process of the
// tree it watches. It holds processes, modules and sites (distinct stacks) with exact counters; it
// has no event log. Because it is a shared mapping, whatever was written survives the death of the
// process that wrote it; because the tool alone grows the file (fallocate), nobody touches a page
// that the disk has no room for; because everything after start-up is memory and a futex, a
// program under seccomp, without descriptors, or in a chroot goes on being recorded.
//
//     0        HEADER_SIZE                                                   size_max
//     [ header ][ block ][ block ][ block ] ...        (backed up to `size`) ... (sparse)
//
// A block is BLOCK_SIZE bytes and belongs to one process, which alone appends records to it:
//
//     [ block head ][ record ][ record ] ...           valid up to head.used
//
// F1  a record lies wholly inside its block, starts 8-aligned, and is complete before head.used
//     covers it (release store): a writer killed at any instruction leaves a readable file.
//     Those that a process writes are multiples of RECORD_UNIT, so that what most calls change in
//     a site lies in one cache line. A reader need not know.
// F2  nobody writes at or past header.size, which only the tool raises.
// F3  counters inside records are single words, updated atomically; they may be read at any time.
// F4  a reader trusts no offset, count or length: all come from a file that may be hostile.
// F7  in what the tool writes itself (a kept file, an archive of ended processes) several processes
//     may share a block: a process record begins the records of its process. Such a file may have
//     more blocks than a mapped recording, up to RECORDING_BLOCKS_MAX.
// F8  counters of a process that is sampled (record_process.sample_bytes != 0) are estimates, those
//     of blocks in units of 1/SAMPLE_UNIT; lifetimes and `samples` count what was really seen.
// F9  the totals of a process are its `rest` and those of all its threads; its sites sum to the
//     same, and bytes live are bytes allocated less bytes freed. (While it runs: but for calls
//     under way.)
//
// What the tool writes while a program runs stands in format/timeline.h and format/account.h.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

#define RECORDING_MAGIC      "loamrec\n"
#define RECORDING_VERSION    4
#define RECORDING_SIZE_MAX   (64 * MiB)
#define RECORDING_HEADER     4096
#define RECORDING_BLOCK      (8 * KiB)
#define RECORDING_BLOCKS_MAX (128 * 1024) // in a file
#define RECORD_UNIT          64
#define RECORD_LARGE         65535
#define RECORDING_THREADS    256 // of a process that have a record of their own
#define RECORDING_FRAMES     512 // deepest stack kept; deeper ones lose their outermost frames

// A clock that costs a load: the tool counts ticks of a monotonic clock in the header.
#define CLOCK_TICK_NS ((u64)1 << 22) // 4.2 ms

// A name that somebody gives to a moment: `loam label`, or the program by loam_label. How it gets
// to the tool: see format/label.h.
#define LABEL_SLOTS 8
#define LABEL_MAX   112
struct label_slot {
    _Atomic u32 state; // futex
    u32 pid;           // of the process that it is set by, or for
    u32 len;
    u32 pad;
    char text[LABEL_MAX];
};

struct recording {
    char magic[8];
    u32 version;
    u32 block_size;
    u64 size_max;       // bytes that a process maps
    _Atomic u64 size;   // F2
    _Atomic u32 blocks; // blocks handed out (atomic add by processes)
    _Atomic u32 bell;   // futex: rung by a process that asks for something
    _Atomic u32 beat;   // raised by the tool at least every 100 ms while it lives
    _Atomic u32 closed; // the tool has ended: ask it nothing more
    u32 leaks;          // 1: processes ask for a leak scan before they end
    u32 tool_pid;
    u64 started_ns; // CLOCK_REALTIME
    u64 ended_ns;   // CLOCK_REALTIME, by the tool, when the first process ended
    u32 end_status; // wait status of the first process, valid if ended_ns != 0
    u32 command_len;
    char command[2048];   // argv of the first process, joined by NUL
    u32 full;             // by the tool, at the end: processes or stacks found no room
    u32 archived;         // by the tool: ended processes of which only the main sites are left
    _Atomic u64 clock;    // by the tool: ticks since it began, CLOCK_TICK_NS each
    u64 sample_bytes;     // programs that start are sampled, one block in so many bytes; 0: all
    _Atomic u32 sampling; // 1: programs that are sampled choose blocks now; `loam sample` says so
    u32 pad;
    struct label_slot label[LABEL_SLOTS];
};
static_assert(sizeof(struct recording) <= RECORDING_HEADER, "the header has its own OS page");

struct record_block {
    char magic[4];    // "blk\n"
    u32 process;      // index of the process that owns the block; see struct record_process
    _Atomic u32 used; // bytes of records behind this head, F1
    u32 pad;
};

enum record_kind {
    RECORD_PROCESS = 1,
    RECORD_MODULE = 2,
    RECORD_SITE = 3,
    RECORD_THREAD = 4,
    RECORD_MOMENT = 5, // from here on: format/timeline.h
    RECORD_LABEL = 6,
    RECORD_POINTS = 7,
    RECORD_OWNER = 8,
    RECORD_PAUSES = 9,
    RECORD_ACCOUNT = 10, // format/account.h
    RECORD_PENS = 11,
};

struct record {
    u32 kind;  // enum record_kind
    u32 bytes; // of the whole record, this head included; a multiple of 8
};

// What a process asks of the tool, and what it was told (record_process.request, a futex).
enum record_request {
    REQUEST_NONE = 0,
    REQUEST_SCAN,    // "I am about to end: scan me for leaks"; the process waits
    REQUEST_DONE,    // the scan's results stand in the sites
    REQUEST_REFUSED, // the tool could not scan; scan_error says why
};

enum process_flags {
    PROCESS_FORKED = 1,   // made by fork without exec: blocks it inherited are its parent's
    PROCESS_ENDED = 2,    // came to an orderly end (exit, _exit, quick_exit, return from main)
    PROCESS_SCANNED = 4,  // leak results are complete
    PROCESS_BYPASSED = 8, // the program brings its own malloc: nothing was seen
    PROCESS_FULL = 16,    // the recording was full: later stacks are counted in "other"
    PROCESS_EXECED = 32,  // replaced itself by exec; its blocks vanished with it
    PROCESS_PYTHON = 64,  // a Python interpreter run with PYTHONMALLOC=malloc
    PROCESS_MERGED = 128, // stacks that held least were merged into "other" to make room
};

enum scan_error {
    SCAN_OK = 0,
    SCAN_NO_TOOL,       // the tool was gone or silent
    SCAN_NO_PERMISSION, // the kernel did not let the tool look (ptrace refused)
    SCAN_VANISHED,      // the process died while it was looked at
    SCAN_NO_MEMORY,     // the tool had no memory for the copy
    SCAN_UNREADABLE,    // the process's heap could not be read or made no sense
};

// What was done by whoever owns this. What each means stands in struct record_site.
struct record_totals {
    _Atomic u64 allocs, alloc_bytes, alloc_capacity;
    _Atomic u64 frees, free_bytes, free_capacity;
    _Atomic u64 temporaries, temporary_bytes;
    _Atomic u64 reallocs, copied_bytes;
};

// First record of a process's first block.
struct record_process {
    struct record head;
    u32 index; // this process; also in every block head it owns
    u32 pid;
    u32 ppid;
    u32 parent;             // index of the process that forked it, if it is recorded, else 0
    _Atomic u32 flags;      // enum process_flags
    _Atomic u32 request;    // enum record_request; futex
    _Atomic u32 scan_error; // enum scan_error
    u32 exit_code;          // as given to exit, valid with PROCESS_ENDED
    u64 started_ns;         // CLOCK_REALTIME
    u64 root;               // address of loam_heap_root in the process
    u64 tags; // address of its tag arena: tag of block i of a span = tags + 16*desc.tags + 8*i
    // F3: exact up to blocks allocated before recording began.
    struct record_totals rest; // F9: of threads without a record of their own
    // Bytes asked for, of live blocks, and the highest that was seen. With several threads both may
    // be off by 1/128 of the peak: threads add to these what they have gathered.
    _Atomic u64 live_bytes, peak_bytes;
    _Atomic u64 peak_ns;     // nanoseconds after started_ns, coarse
    _Atomic u64 peak_serial; // grows each time the peak is passed; see struct record_site
    // The thread that asks for a scan: its stack pointer, and the registers that a called function
    // keeps, where the program called exit or returned from main. What lies below are frames of
    // libc and of the library, whose unset slots hold leftovers of the program's dead ones: no
    // roots.
    u64 exit_sp; // 0: not known
    u64 exit_kept[6];
    u32 first_site; // smaller site ids in tags are blocks inherited from the parent by fork
    u32 pad;
    _Atomic u64 merged;       // stacks that were merged into "other", PROCESS_MERGED
    _Atomic u64 sample_bytes; // F8: mean distance of two samples; 0: every block is counted
    u16 exe_len;
    u16 args_len;
    u32 pad2;
    char text[]; // exe path, then argv joined by NUL; no terminators counted
};

// A mapped ELF file. Frames are told as module and offset, so unloading loses nothing.
struct record_module {
    struct record head;
    u32 index; // per process, from 1
    u32 pad;
    u64 bias;       // load address minus link address
    u64 start, end; // addresses that its PT_LOAD segments cover
    u8 build_id[20];
    u32 build_id_len; // 0: none
    u32 path_len;
    char path[];
};

// A thread, and what it did itself: a block that it allocated may be freed by another. Written by
// that thread alone, at its first call. Only the first RECORDING_THREADS have one.
struct record_thread {
    struct record head;
    u32 tid;
    _Atomic u32 ended;    // by the tool: 1 when it has noticed
    u64 started, stopped; // ticks of the header's clock
    char name[16];        // by the tool, as the kernel has it
    struct record_totals own;
};

// How long blocks lived that were freed, in ticks: bucket i counts [2^i, 2^(i+1)), the last one
// what lived longer. Shorter lives are what these leave of `frees`: so they cost nothing. A count
// of 40 bits is `low` and, in units of 2^32, `high`.
#define LIVES_BUCKETS 24
struct record_lives {
    _Atomic u32 low[LIVES_BUCKETS];
    _Atomic u8 high[LIVES_BUCKETS];
};

// One distinct stack. Ids are dense in each process and start at process.first_site, which is
// "other": the stacks that found no room (1 unless the process was made by fork). live = allocs -
// frees, in blocks and in bytes.
//
// F5  at_peak is this site's live bytes at the process's high-water mark, kept lazily: whoever is
//     about to change live_bytes and finds serial != process.peak_serial (its lower 32 bits) first
//     stores live_bytes into at_peak and the new serial. So a reader takes live_bytes while serial
//     differs.
// F6  a stack is written once: a site holds its innermost frames, and where `tail` is not 0 it goes
//     on with the frames of that earlier site of its process, without that stack's innermost
//     `tail_skip`. (g++ on a large file: 45 frames a stack, 7 of them new.)
struct record_site {
    struct record head;
    u32 id;
    u32 frames_count; // in this record
    u16 truncated;    // outer frames are missing (deeper than RECORDING_FRAMES, or no tables)
    u16 tail_skip;
    u32 tail; // F6
    // Blocks that came here by realloc from an older one (they count as allocs, and the older ones
    // as frees); `chains` of them from one that had not come by realloc itself. copied_bytes: what
    // had to be copied for it. Blocks moved by mremap copy nothing.
    _Atomic u64 reallocs, chains, copied_bytes;
    // From here to `largest`: the one cache line that most calls touch.
    _Atomic u64 allocs, alloc_bytes;
    _Atomic u64 frees, free_bytes;
    // What the blocks could have held: the rest is the waste of size classes.
    _Atomic u64 alloc_capacity, free_capacity;
    _Atomic u64 at_peak; // F5
    _Atomic u32 serial;  // F5
    // Of requests below RECORD_LARGE: 1 + the largest, and RECORD_LARGE less the smallest; 0: none.
    _Atomic u16 small_max, small_min;
    _Atomic u64 largest, smallest; // of the other ones; see record_largest
    union {
        // A temporary is freed by the next heap call of the thread that allocated it (realloc does
        // not count). A process that is sampled does not see which call is next.
        struct {
            _Atomic u64 temporaries, temporary_bytes;
        };
        struct {
            _Atomic u64 samples, sample_frees; // F8: blocks that were seen
        };
    };
    // By the tool: pages of PAGE_UNIT bytes of this site's live large blocks when it last looked,
    // and how many of them nobody has ever touched.
    _Atomic u32 large_pages, untouched_pages;
    struct record_lives lives;
    // Written by the tool when it has scanned: blocks and bytes that nothing points to (direct),
    // that only leaked blocks point to (indirect), in or behind a leaked cycle, and reached.
    u64 direct_blocks, direct_bytes;
    u64 indirect_blocks, indirect_bytes;
    u64 cycle_blocks, cycle_bytes;
    u64 reachable_blocks, reachable_bytes;
    u64 frames[]; // F6; innermost first: module index << 48 | (pc - bias); index 0: a bare pc
};

// What one thread did at one site, in a cache line of its own: threads that share a site would
// otherwise wait for its line at every call.
//
// F10  what a site counted is what its record says and what all its pens say. In a pen alone more
// may
//      have been freed than allocated: as u64 the sum is right all the same. A pen is never emptied
//      and never changes its site, so a reader counts nothing twice, whenever the writer was
//      killed. F5 holds for a pen as it does for a site.
struct record_pen {
    _Atomic u64 allocs, alloc_bytes, frees, free_bytes;
    _Atomic u64 alloc_capacity, free_capacity;
    _Atomic u64 at_peak; // F5
    _Atomic u32 serial;  // F5
    _Atomic u32 site;    // its id; 0: not in use
};

// Those of a thread, written by it alone, once it has shown to be busy beside others.
#define PENS_COUNT 32
struct record_pens {
    struct record head;
    u8 tried[PENS_COUNT];          // how often a site asked for an empty place
    _Atomic u32 place[PENS_COUNT]; // of the site in the mapping, in 8 bytes; 0: empty
    u64 pad;
    struct record_pen pen[PENS_COUNT];
};
static_assert(sizeof(struct record_pen) == RECORD_UNIT &&
                  (sizeof(struct record_block) + offsetof(struct record_pens, pen)) % RECORD_UNIT ==
                      0,
              "one cache line");

static_assert(sizeof(struct record_block) + sizeof(struct record_site) + RECORDING_FRAMES * 8 <=
                  RECORDING_BLOCK - RECORD_UNIT,
              "F1: the deepest stack fits");
static_assert((sizeof(struct record_block) + offsetof(struct record_site, allocs)) % RECORD_UNIT ==
                      0 &&
                  offsetof(struct record_site, largest) - offsetof(struct record_site, allocs) ==
                      RECORD_UNIT,
              "one cache line");

// The largest and the smallest request of a site; valid if allocs != 0.
static inline u64 record_largest(const struct record_site *s)
{
    u64 small = s->small_max, large = s->largest;
    return small > large ? small - 1 : large;
}

static inline u64 record_smallest(const struct record_site *s)
{
    u64 small = s->small_min;
    return small != 0 ? RECORD_LARGE - small : s->smallest;
}

#define SAMPLE_UNIT 65536 // F8
#define PAGE_UNIT   4096

// Regions, pools, collected heaps, stacks of tasks: what those of one kind, name and place held.
// Written when the process ends in order; a reader adds up those that say the same.
struct record_owner {
    struct record head;
    u64 count, live;        // how many there were; that there are at the end
    u64 held_bytes;         // at the end: taken from their allocator,
    u64 used_bytes;         // and of that, handed out
    u64 used_max;           // the most that one of them ever had in use
    u64 resets;             // how often one was emptied or cut back
    u16 kind_len, name_len; // text: kind, name, place; no terminators
    u16 place_len, pad;
    char text[];
};

// How often a collected heap had all threads of a process stand still, and how long. Written with
// its owners, unless it never happened.
struct record_pauses {
    struct record head;
    u64 count, max_ns, total_ns;
};

#define FRAME_MODULE_SHIFT 48
#define FRAME_OFFSET_MASK  (((u64)1 << FRAME_MODULE_SHIFT) - 1)

// A block's tag in the target's own memory (struct record_process.tags). Blocks of slabs are not
// larger than 32 KiB; large blocks and blocks outside the arena have a second word, which holds the
// size's upper bits: size = word << 16 | tag.size.
struct tag {
    u64 site : 20;   // record_site.id; 0: allocated before recording began
    u64 kind : 2;    // enum alloc_kind
    u64 watched : 1; // the block describes a module: see record/module.h
    u64 grown : 1;   // it came by realloc
    u64 birth : 24;  // when it was allocated, see format/life.h
    u64 size : 16;   // bytes asked for (lower 16 bits)
};
static_assert(sizeof(struct tag) == 8, "eight bytes a live block");
#define TAG_SIZE_SHIFT 48 // of size in the tag as a word
