// Pointers that are no live block, by the thousand: each must end the program with SIGABRT and one
// line of loam's, and never be taken, be missed, or crash the heap.
#include "heap/arena.h"
#include "tests/stress/shadow.h"

#include <pthread.h>

#define TRIES 400

static struct actor here, there;
static u64 dice = 42;

static void *elsewhere(void *arg)
{
    act(arg, 3000);
    return NULL;
}

// Blocks of this thread, of one that is gone, and of classes and spans of all kinds.
static void furnish(void)
{
    pthread_t t;
    here.random = 1;
    there.random = 2;
    act(&here, 5000);
    CHECK(pthread_create(&t, NULL, elsewhere, &there) == 0);
    pthread_join(t, NULL);
    act(&here, 1000);
}

static char *live_block(void)
{
    for (;;) {
        u64 x = next_random(&dice);
        char *p = (x & 1 ? here : there).slot[(x >> 8) % SLOTS];
        if (p != NULL)
            return p;
    }
}

static void use(int how, void *p)
{
    if (how == 0)
        loam_free(p);
    else if (how == 1)
        (void)!loam_realloc(p, 100);
    else
        loam_usable_size(p);
}

// In a child, `how` with p must end in abort and words of ours.
static void must_die(int how, char *p, const char *what)
{
    int fd[2];
    char words[256] = {0};
    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 2);
        use(how, p);
        _exit(0);
    }
    close(fd[1]);
    int status;
    bool told = read(fd[0], words, sizeof words - 1) > 6 && memcmp(words, "loam: ", 6) == 0;
    close(fd[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    if (!told || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
        dprintf(2, "%s, call %d, %p: status %#x, words: %s\n", what, how, p, (unsigned)status,
                words);
    CHECK(told && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

TEST(inside_of_blocks)
{
    furnish();
    for (int i = 0; i < TRIES; i++) {
        char *p = live_block();
        size_t size = loam_usable_size(p);
        must_die(i % 3, p + 1 + next_random(&dice) % (size - 1), "inside of a block");
    }
    free_all(&here);
    free_all(&there);
    free_shared();
    sound();
}

// realloc and usable_size cannot ask a stranger's slab; free finds out when it is collected.
TEST(freed_blocks)
{
    furnish();
    for (int i = 0; i < TRIES; i++) {
        u64 k = next_random(&dice) % SLOTS;
        char *p = here.slot[k];
        if (p == NULL)
            continue;
        struct heap_block b;
        CHECK(heap_find(p, &b));
        bool mine =
            b.desc == NULL || b.desc->kind != PAGE_SLAB || atomic_load(&b.desc->owner) == heap_mine;
        here.slot[k] = NULL;
        char *volatile again = p; // the crime is meant: the compiler is not to see it
        loam_free(p);
        if (mine)
            must_die(i % 3, again, "a freed block");
    }
}

// Any address in the arena that no live block begins at.
TEST(anywhere_in_the_arena)
{
    furnish();
    for (int i = 0; i < TRIES; i++) {
        char *p = arena.base + next_random(&dice) % arena_bytes();
        p = (char *)((uintptr_t)p & ~(uintptr_t)(i % 2 ? 15 : 4095));
        struct heap_block b;
        if (heap_find(p, &b) && b.start == (void *)p)
            continue; // may be live
        must_die(i % 3, p, "an address in the arena");
    }
}

TEST(anywhere_else)
{
    furnish();
    static char global[64];
    char local[64];
    char *odd[] = {global,
                   local,
                   (char *)16,
                   (char *)-16,
                   arena.base,
                   arena.base - 16,
                   arena.base + arena_bytes(),
                   (char *)&arena.desc[1],
                   (char *)(uintptr_t)must_die};
    for (size_t i = 0; i < 3 * countof(odd); i++)
        must_die((int)(i % 3), odd[i / 3], "an address elsewhere");
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
