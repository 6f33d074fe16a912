// The lab's arithmetic: what may be said of samples, and which word a claim gets.

#include "tests/check.h"

#include "lab/noise.h"
#include "lab/registry.h"
#include "lab/result.h"

#include <math.h>

static struct samples of(const double *values, u32 count)
{
    struct samples s = {0};
    for (u32 i = 0; i < count; i++)
        samples_add(&s, values[i]);
    return s;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

TEST(median_and_its_interval)
{
    double values[101];
    for (u32 i = 0; i < 101; i++)
        values[i] = (double)((i * 37) % 101); // 0 .. 100 in another order
    struct samples s = of(values, 101);
    struct summary all = stat_summary(&s, false);
    CHECK(near(all.value, 50) && near(all.median, 50));
    CHECK(near(all.min, 0) && near(all.max, 100) && near(all.p90, 90) && near(all.p99, 99));
    CHECK(near(all.mad, 25));
    CHECK(near(all.low, 40) && near(all.high, 61)); // ranks n/2 -+ 0.98 sqrt(n)
    samples_done(&s);
}

TEST(the_floor_is_the_minimum)
{
    double values[] = {5, 4, 9, 4.5, 100};
    struct samples s = of(values, 5);
    struct summary all = stat_summary(&s, true);
    CHECK(near(all.value, 4) && near(all.low, 4) && all.high <= 5);
    samples_done(&s);
}

// The interval of the median holds the true median in about 95 of 100 cases.
TEST(intervals_hold_what_they_say)
{
    struct rng rng = {1};
    u32 held = 0, tries = 2000;
    for (u32 t = 0; t < tries; t++) {
        struct samples s = {0};
        for (u32 i = 0; i < 60; i++) {
            double u = (double)(rng_next(&rng) >> 11) / (double)(1ull << 53);
            samples_add(&s, -log(1 - u)); // exponential: the median is ln 2
        }
        struct summary all = stat_summary(&s, false);
        held += all.low <= log(2) && log(2) <= all.high;
        samples_done(&s);
    }
    CHECK(held > tries * 93 / 100);
    CHECK(held < tries);
}

TEST(ratio_of_medians)
{
    struct rng rng = {7};
    struct samples a = {0}, b = {0};
    for (u32 i = 0; i < 200; i++) {
        samples_add(&a, 30 + (double)rng_below(&rng, 100) / 100);
        samples_add(&b, 10 + (double)rng_below(&rng, 100) / 100);
    }
    struct summary r = stat_ratio(&a, &b, false, &rng);
    CHECK(r.value > 2.8 && r.value < 3.0);
    CHECK(r.low <= r.value && r.value <= r.high && r.high - r.low < 0.1);
    struct samples none = {0};
    CHECK(stat_ratio(&a, &none, false, &rng).count == 0);
    samples_done(&a);
    samples_done(&b);
}

TEST(a_cycle_visits_everything)
{
    enum { N = 1000 };
    static u32 next[N];
    struct rng rng = {3};
    rng_cycle(&rng, next, N);
    u32 at = 0, steps = 0;
    do {
        at = next[at];
        steps++;
    } while (at != 0 && steps <= N);
    CHECK(steps == N);
}

// ---------------------------------------------------------------- verdicts

static const struct claim claims[] = {
    {S3, NULL, "in the range", "3-4", "four", 3, 4, "cycles"},
    {S4, NULL, "above it", "1-2", "four", 1, 2, "cycles"},
    {S3, NULL, "at least", "2+", "four", 2, INFINITY, "cycles"},
    {S3, NULL, "yes", "yes", "truth", 0, 0, NULL},
    {S3, NULL, "no", "yes", "lie", 0, 0, NULL},
    {S3, NULL, "impossible", "1", "absent", 1, 1, "x"},
    {S3, NULL, "partly", "1", "half", 1, 1, "x"},
    {S3, NULL, "noisy", "100", "noise", 100, 100, "ns"},
    {S3, NULL, "exact", "100", "count", 100, 100, "faults"},
};
static const struct experiment experiment = {.claims = claims, .claims_count = countof(claims)};

static json_t *judged(char grade)
{
    static struct result r;
    struct lab l = {.to = &r};
    result_init(&r);
    lab_measured(&l, "four", (struct summary){.value = 4.02, .low = 3.99, .high = 4.1, .count = 9},
                 "cycles");
    lab_check(&l, "truth", true, "seen");
    lab_check(&l, "lie", false, "not seen");
    lab_cannot(&l, NULL, "there is none");
    lab_exact(&l, "half", 2, "x");
    lab_partly(&l, "half", "on Sundays");
    lab_measured(&l, "noise", (struct summary){.value = 10, .low = 9, .high = 11, .count = 9},
                 "ns");
    lab_exact(&l, "count", 10, "faults");
    return json_object_get(result_json(&r, &experiment, grade), "claims");
}

static bool says(const json_t *list, size_t i, const char *verdict)
{
    const json_t *c = json_array_get(list, i);
    return strcmp(json_string_value(json_object_get(c, "verdict")), verdict) == 0;
}

TEST(words_for_claims)
{
    json_t *list = judged('A');
    static const char *const want[] = {"holds",  "differs", "holds",   "holds",  "differs",
                                       "cannot", "partly",  "differs", "differs"};
    for (size_t i = 0; i < countof(want); i++)
        CHECK(says(list, i, want[i]));
    double factor = json_number_value(json_object_get(json_array_get(list, 1), "factor"));
    CHECK(near(factor, 4.02 / 2));
}

// A noisy machine never makes a measured claim differ; what is exact stays exact.
TEST(noise_is_inconclusive)
{
    json_t *list = judged('C');
    CHECK(says(list, 0, "holds"));
    CHECK(says(list, 7, "inconclusive"));
    CHECK(says(list, 8, "differs"));
    CHECK(says(list, 4, "differs"));
}

TEST(grades)
{
    CHECK(noise_grade(0.01, 0) == 'A' && noise_grade(0.05, 0) == 'B' && noise_grade(0.2, 0) == 'C');
    CHECK(noise_grade(0.01, 0.2) == 'B' && noise_grade(0.01, 0.9) == 'C');
}

// Every claim names a text, a quantity, a quote and a metric; ranges are the right way round.
TEST(every_experiment_is_whole)
{
    for (size_t i = 0; i < registry_count; i++) {
        const struct experiment *e = registry[i].experiment;
        CHECK(e->question != NULL && e->prediction != NULL && e->method != NULL && e->look != NULL);
        CHECK(e->run != NULL);
        for (size_t n = 0; n < e->claims_count; n++) {
            const struct claim *c = &e->claims[n];
            CHECK(c->source < SOURCES && c->what != NULL && c->quote != NULL && c->metric != NULL);
            CHECK(c->unit == NULL || c->low <= c->high);
        }
        CHECK(registry_find(registry[i].id) == &registry[i]);
        CHECK(registry_find(registry[i].name) == &registry[i]);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
