// Boxes: one owner, moves leave NULL, destructors run once and in reverse order.
#include "tests/check.h"

#include <errno.h>
#include <loam/box.h>
#include <loam/heap.h>
#include <setjmp.h>

struct thing {
    const char *name;
    int extra;
};
static char order[64];

static void thing_drop(struct thing *t)
{
    strcat(order, t->name);
}

TEST(dropped_in_reverse_order_of_declaration)
{
    {
        loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "a");
        loam_auto struct thing *b = loam_box_new(struct thing, thing_drop, .name = "b");
        CHECK(a != NULL);
        CHECK(a->extra == 0);
        CHECK(b != NULL);
        loam_auto struct thing *none = NULL;
        CHECK(none == NULL);
    }
    CHECK(strcmp(order, "ba") == 0);
}

static int leaves_early(int i)
{
    loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "x");
    while (i-- > 0) {
        loam_auto struct thing *b = loam_box_new(struct thing, thing_drop, .name = "y");
        if (i == 1)
            continue;
        if (i == 0)
            return b->extra;
    }
    return a->extra;
}

TEST(dropped_whatever_way_the_scope_is_left)
{
    CHECK(leaves_early(2) == 0);
    CHECK(strcmp(order, "yyx") == 0);
}

static struct thing *passes(struct thing *owned)
{
    loam_auto struct thing *t = owned;
    t->extra++;
    return loam_move(t);
}

TEST(moves_leave_null_behind)
{
    loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "a");
    struct thing *was = a;
    loam_auto struct thing *b = passes(loam_move(a));
    CHECK(a == NULL);
    CHECK(b == was);
    CHECK(b->extra == 1);
    CHECK(order[0] == 0);
}

TEST(replace_gives_the_old_one_to_a_new_owner)
{
    loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "1");
    {
        loam_auto struct thing *old =
            loam_replace(a, loam_box_new(struct thing, thing_drop, .name = "2"));
        CHECK(strcmp(old->name, "1") == 0);
    }
    CHECK(strcmp(order, "1") == 0);
    CHECK(strcmp(a->name, "2") == 0);
}

TEST(a_drop_by_hand_happens_once)
{
    errno = 77;
    {
        loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "a");
        loam_drop(a);
        CHECK(a == NULL);
        CHECK(strcmp(order, "a") == 0);
        loam_drop(a);
    }
    CHECK(strcmp(order, "a") == 0);
    CHECK(errno == 77);
    CHECK(loam_box_drop(NULL) == NULL);
}

TEST(forgetting_is_counted)
{
    loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "a");
    struct thing *forever = loam_forget(a);
    CHECK(a == NULL);
    CHECK(strcmp(forever->name, "a") == 0);
    CHECK(loam_box_forgotten().boxes == 1);
    CHECK(loam_box_forgotten().bytes == sizeof(struct thing));
    CHECK(loam_forget(a) == NULL);
    CHECK(loam_box_forgotten().boxes == 1);
}

TEST(macros_evaluate_their_arguments_once)
{
    struct thing *list[2] = {loam_box_new(struct thing, thing_drop, .name = "0"),
                             loam_box_new(struct thing, thing_drop, .name = "1")};
    int i = 0;
    struct thing *first = loam_move(list[i++]);
    CHECK(i == 1);
    loam_drop(list[i++]);
    CHECK(i == 2);
    loam_drop(first);
    CHECK(strcmp(order, "10") == 0);
}

struct wide {
    _Alignas(256) char at;
};

TEST(any_type)
{
    loam_auto int *i = loam_box_new(int, NULL, 42);
    CHECK(*i == 42);
    CHECK(loam_box_size(i) == sizeof(int));
    loam_auto struct wide *w = loam_box_new(struct wide, NULL, .at = 'w');
    CHECK((uintptr_t)w % 256 == 0);
    CHECK(w->at == 'w');
}

TEST(memory_comes_back)
{
    size_t before = loam_heap_usage().live_bytes;
    for (int i = 0; i < 100000; i++) {
        loam_auto struct wide *w = loam_box_new(struct wide, NULL, .at = 1);
        loam_auto struct thing *t = loam_box_new(struct thing, NULL, .name = "t");
        CHECK(w != NULL);
        CHECK(t != NULL);
    }
    CHECK(loam_heap_usage().live_bytes < before + 1000000);
}

static jmp_buf out;
static struct thing *jumped_over;

static void jumps(void)
{
    loam_auto struct thing *a = loam_box_new(struct thing, thing_drop, .name = "a");
    jumped_over = a;
    longjmp(out, 1);
}

TEST(longjmp_drops_nothing)
{
    if (setjmp(out) == 0)
        jumps();
    CHECK(order[0] == 0);
    loam_box_drop(jumped_over); // it is alive: who jumps must keep track
    CHECK(strcmp(order, "a") == 0);
}

DIES(dropped_twice, "box: dropped twice")
{
    struct thing *a = loam_box_new(struct thing, NULL, .name = "a");
    struct thing *volatile same = a; // volatile: else the compiler warns
    loam_drop(a);
    loam_box_drop(same);
}

static void drops_itself(struct thing *t)
{
    loam_box_drop(t);
}

DIES(dropped_by_its_own_destructor, "box: dropped twice")
{
    struct thing *a = loam_box_new(struct thing, drops_itself, .name = "a");
    loam_drop(a);
}

DIES(dropped_after_it_was_forgotten, "box: used as a box after it was forgotten")
{
    struct thing *a = loam_box_new(struct thing, NULL, .name = "a");
    struct thing *forever = loam_forget(a);
    loam_box_drop(forever);
}

DIES(no_box, "box: this is no box")
{
    char *block = loam_calloc(1, 100);
    char *volatile inside = block + 32; // volatile: else the compiler warns
    loam_box_drop(inside);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
