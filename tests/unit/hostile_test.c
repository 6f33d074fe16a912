// hostile_test.c: of a damaged recording, whatever can be told is told in every way, and nothing
// else happens. Cuts and flips are seeded: every run has the same.
#include "fuzz/hostile.h"

#include "tests/check.h"
#include "tests/web/rich.h"

#define ROUNDS 120

static struct fab rich;

static void make_rich(void)
{
    struct self self = {.path = "/nowhere/server"};
    rich_make(&rich, &self, 0);
}

static u64 next_random(u64 *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

// From an exact-sized copy, so that a sanitizer sees every byte read past its end.
static bool try_copy(const char *bytes, size_t size, FILE *out)
{
    char *copy = malloc(size + (size == 0));
    memcpy(copy, bytes, size);
    bool r = hostile_try(copy, size, out);
    free(copy);
    return r;
}

TEST(whole)
{
    make_rich();
    FILE *out = fopen("/dev/null", "w");
    CHECK(try_copy(rich.bytes, rich.size, out));
    fclose(out);
}

TEST(cut_anywhere)
{
    make_rich();
    FILE *out = fopen("/dev/null", "w");
    u64 seed = 1;
    for (int i = 0; i < ROUNDS / 4; i++)
        try_copy(rich.bytes, next_random(&seed) % rich.size, out);
    fclose(out);
}

TEST(bits_flipped)
{
    make_rich();
    FILE *out = fopen("/dev/null", "w");
    u64 seed = 2;
    char *copy = malloc(rich.size);
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(copy, rich.bytes, rich.size);
        // Few flips reach deep; many make most records nonsense.
        for (u64 n = 1 + next_random(&seed) % (i % 2 == 0 ? 4 : 400); n > 0; n--) {
            u64 at = next_random(&seed) % rich.size;
            copy[at] ^= (char)(1 << next_random(&seed) % 8);
        }
        try_copy(copy, rich.size, out);
    }
    free(copy);
    fclose(out);
}

// Words of records replaced by the numbers that break arithmetic.
TEST(extreme_numbers)
{
    static const u64 words[] = {0,          1,          UINT64_MAX, UINT64_MAX - 1, INT64_MAX,
                                UINT32_MAX, 1ull << 53, 1ull << 63, 1ull << 48};
    make_rich();
    FILE *out = fopen("/dev/null", "w");
    u64 seed = 3;
    char *copy = malloc(rich.size);
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(copy, rich.bytes, rich.size);
        for (u64 n = 1 + next_random(&seed) % 200; n > 0; n--) {
            u64 at =
                RECORDING_HEADER + 8 * (next_random(&seed) % ((rich.size - RECORDING_HEADER) / 8));
            memcpy(copy + at, &words[next_random(&seed) % countof(words)], 8);
        }
        try_copy(copy, rich.size, out);
    }
    free(copy);
    fclose(out);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
