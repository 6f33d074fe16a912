// box.c: one object with one owner.
//
// A header of 16 bytes stands before the object: its destructor, its size, and a word that says
// whether it is alive. The word outlives the box as long as the memory is not used again (the heap
// does not write into free blocks), which is how a second drop is told from a first.
#include <loam/box.h>

#include "base/base.h"
#include "heap/fast.h"
#include "own/debug.h"

#include <errno.h>
#include <loam/heap.h>
#include <stdatomic.h>

enum box_word { BOX_ALIVE = 0xb0a1, BOX_DROPPED = 0xb0de, BOX_FORGOTTEN = 0xb0f0 };

// U1  word is BOX_ALIVE from when the box was made until its drop begins or it is forgotten, and
//     never again.
struct box {
    void (*drop)(void *object);
    u32 size;
    u16 align_log;
    volatile u16 word; // enum box_word; volatile: the last store before a free must not go
};
static_assert(sizeof(struct box) == 16, "keeps an object aligned as malloc would");
#define ALIGN_LOG_MAX 30
#define HEAP_ALIGN    16 // what the heap gives without being asked

static struct {
    _Atomic size_t forgotten, forgotten_bytes; // relaxed: they order nothing
} the_boxes;

// The header stands right before the object; a large alignment leaves room before the header.
static size_t object_offset(size_t align)
{
    return size_max(align, sizeof(struct box));
}

static struct box *box_of(const void *object)
{
    return (struct box *)object - 1;
}

static noreturn_ cold_ void tell_dead(const void *object, unsigned word)
{
    struct note n;
    struct telling t = {"box: this is no box", object, "dropped here",
                        "used as a box here",  NULL,   NULL};
    if (word == BOX_DROPPED) {
        t.what = "box: dropped twice";
        t.now = "dropped again here";
        t.first = note_find(NOTE_BOX_DROPPED, object, 0, &n) ? &n : NULL;
    } else if (word == BOX_FORGOTTEN) {
        t.what = "box: used as a box after it was forgotten";
        t.was = "forgotten here";
        t.first = note_find(NOTE_BOX_FORGOTTEN, object, 0, &n) ? &n : NULL;
    }
    debug_die(&t);
}

// U1
static struct box *check_alive(const void *object)
{
    struct box *b = box_of(object);
    if (likely(b->word == BOX_ALIVE))
        return b;
    tell_dead(object, b->word);
}

void *loam_box_new_(loam_layout l, void (*drop)(void *), const char *made)
{
    if (!loam_layout_valid(l) || l.size > UINT32_MAX || l.align > (size_t)1 << ALIGN_LOG_MAX) {
        errno = EINVAL;
        return NULL;
    }
    char *block = likely(l.align <= HEAP_ALIGN)
                      ? heap_malloc(sizeof(struct box) + l.size, KIND_MALLOC)
                      : loam_aligned_alloc(l.align, object_offset(l.align) + l.size);
    if (block == NULL)
        return NULL;
    void *object = block + object_offset(l.align);
    *box_of(object) = (struct box){drop, (u32)l.size, (u16)__builtin_ctzl(l.align), BOX_ALIVE};
    if (debugging())
        note_put(NOTE_BOX_MADE, object, 0, made);
    return object;
}

// A destructor may do anything to errno; without one nobody does.
static void run_drop(struct box *b, void *object)
{
    int saved = errno;
    b->drop(object);
    errno = saved;
}

void *loam_box_drop(void *object)
{
    if (object == NULL)
        return NULL;
    struct box *b = check_alive(object);
    if (debugging())
        note_end(NOTE_BOX_MADE, NOTE_BOX_DROPPED, object);
    b->word = BOX_DROPPED; // before the destructor runs: it must not drop its own box
    if (b->drop != NULL)
        run_drop(b, object);
    char *block = (char *)object - object_offset((size_t)1 << b->align_log);
    if (debugging())
        debug_keep(block, loam_usable_size(block));
    else
        heap_free_fast(block, KIND_MALLOC);
    return NULL;
}

void *loam_box_forget_(void *object)
{
    if (object == NULL)
        return NULL;
    struct box *b = check_alive(object);
    if (debugging())
        note_end(NOTE_BOX_MADE, NOTE_BOX_FORGOTTEN, object);
    heap_forget((char *)object - object_offset((size_t)1 << b->align_log));
    b->word = BOX_FORGOTTEN;
    atomic_fetch_add_explicit(&the_boxes.forgotten, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&the_boxes.forgotten_bytes, b->size, memory_order_relaxed);
    return object;
}

size_t loam_box_size(const void *object)
{
    return object == NULL ? 0 : check_alive(object)->size;
}

loam_forgotten loam_box_forgotten(void)
{
    return (loam_forgotten){
        atomic_load_explicit(&the_boxes.forgotten, memory_order_relaxed),
        atomic_load_explicit(&the_boxes.forgotten_bytes, memory_order_relaxed),
    };
}
