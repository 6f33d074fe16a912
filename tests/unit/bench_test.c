// bench_test.c: the arithmetic behind `loam bench`, and the file that keeps its rows.
#include "report/contest.h"
#include "report/plot.h"

#include "tests/check.h"

#include <math.h>
#include <stdlib.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

TEST(median_of_odd_and_even_counts)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};
    CHECK(near(sample_median(odd, 3), 3));
    CHECK(near(sample_median(even, 4), 2.5));
    CHECK(near(sample_median(odd, 1), 5));
}

TEST(failed_runs_are_left_out)
{
    double v[] = {NAN, 2, NAN, 4, 6};
    CHECK(near(sample_median(v, 5), 4));
    CHECK(isnan(sample_median(v, 1)));
    CHECK(isnan(sample_spread(v, 0)));
}

TEST(one_wild_run_moves_neither_median_nor_spread_much)
{
    double v[] = {10, 10.1, 9.9, 10, 500};
    CHECK(near(sample_median(v, 5), 10));
    CHECK(sample_spread(v, 5) < 0.011);
}

TEST(spread_is_half_the_distance_of_the_quartiles)
{
    double v[] = {8, 9, 10, 11, 12};
    CHECK(near(sample_spread(v, 5), 0.1));
}

// Two programs, one twice as slow, one twice as fast: the geometric mean is 1, where an arithmetic
// one would say 1.25.
TEST(the_mean_is_geometric)
{
    double a[] = {2, 2, 2, 1, 1, 1}, b[] = {1, 1, 1, 2, 2, 2};
    u32 used;
    CHECK(near(sample_mean(a, b, 2, 3, 3, &used), 1));
    CHECK(used == 2);
}

TEST(a_program_without_good_runs_does_not_count_in_the_mean)
{
    double a[] = {NAN, NAN, 3, 3}, b[] = {1, 1, 1, 1};
    u32 used;
    CHECK(near(sample_mean(a, b, 2, 2, 2, &used), 3));
    CHECK(used == 1);
}

TEST(the_interval_holds_the_ratio_and_tells_noise)
{
    double a[20], b[20], noisy[20];
    for (u32 i = 0; i < 20; i++) {
        a[i] = 90 + i % 3;
        b[i] = 100 + i % 3;
        noisy[i] = 60 + 17 * (i % 6);
    }
    struct interval quiet = sample_ratio_interval(a, b, 20);
    struct interval loud = sample_ratio_interval(noisy, b, 20);
    CHECK(quiet.low <= sample_ratio(a, b, 20) && sample_ratio(a, b, 20) <= quiet.high);
    CHECK(quiet.high < 1);                // 10 % are certain here
    CHECK(loud.low < 1 && loud.high > 1); // and nothing is there
}

TEST(one_round_has_no_interval)
{
    double a[] = {1}, b[] = {2};
    CHECK(near(sample_ratio(a, b, 1), 0.5));
    CHECK(isnan(sample_ratio_interval(a, b, 1).low));
}

// What slows down a whole round slows both sides: rounds are drawn together.
TEST(the_interval_does_not_mind_a_drifting_machine)
{
    double a[10], b[10];
    for (u32 i = 0; i < 10; i++) {
        b[i] = i < 5 ? 100 : 200;
        a[i] = 0.9 * b[i];
    }
    struct interval i = sample_ratio_interval(a, b, 10);
    CHECK(near(i.low, 0.9) && near(i.high, 0.9));
}

// ---------------------------------------------------------------- rows

static struct trials t, again;

static void add(const char *program, const char *allocator, u32 round, double user, u64 peak)
{
    struct trial row = {.program = (u32)trials_program(&t, program, MEAN_BOTH),
                        .allocator = (u32)trials_allocator(&t, allocator),
                        .round = round,
                        .user = user,
                        .wall = 2 * user,
                        .peak = peak,
                        .outcome = "ok",
                        .figures = "kept=12.5 %"};
    trials_add(&t, &row);
}

static FILE *written(void)
{
    FILE *f = tmpfile();
    trials_write_head(&t, f);
    for (size_t i = 0; i < t.count; i++)
        trials_write_row(&t, &t.rows[i], f);
    rewind(f);
    return f;
}

static void two_by_two(void)
{
    snprintf(t.about, sizeof t.about, "command: loam bench <&> | machine: none");
    for (u32 round = 0; round < 3; round++) {
        add("one", "glibc", round, 2, 1000);
        add("one", "loam", round, 1, 500);
        add("two, \"odd\"\n", "glibc", round, 4, 1000);
        add("two, \"odd\"\n", "loam", round, 1, 2000);
    }
}

TEST(rows_come_back_from_the_file)
{
    char why[128] = "";
    two_by_two();
    FILE *f = written();
    CHECK(trials_read(&again, f, why, sizeof why) == 0);
    CHECK(strcmp(again.about, t.about) == 0);
    CHECK(again.count == t.count && again.programs == 2 && again.allocators == 2);
    CHECK(again.rounds == 3);
    CHECK(strcmp(again.program[1], "two   odd  ") == 0);
    CHECK(again.rows[3].user == 1 && again.rows[3].peak == 2000);
    CHECK(strcmp(again.rows[3].figures, "kept=12.5 %") == 0);
}

TEST(means_and_ratios_of_a_contest)
{
    struct contest c;
    u32 used;
    two_by_two();
    CHECK(contest_init(&c, &t, "nobody") == -1);
    CHECK(contest_init(&c, &t, "glibc") == 0);
    CHECK(near(contest_ratio(&c, QUANTITY_CPU, 1, 1), 0.25));
    CHECK(near(contest_mean(&c, QUANTITY_CPU, 1, &used), sqrt(0.5 * 0.25)));
    CHECK(near(contest_mean(&c, QUANTITY_PEAK, 1, &used), 1) && used == 2);
    contest_done(&c);
}

TEST(the_plot_escapes_what_xml_keeps_for_itself)
{
    struct contest c;
    char line[512];
    bool escaped = false;
    two_by_two();
    FILE *f = tmpfile();
    contest_init(&c, &t, "glibc");
    plot_svg(&c, f);
    rewind(f);
    while (fgets(line, sizeof line, f) != NULL)
        escaped |= strstr(line, "bench &lt;&amp;&gt; |") != NULL;
    CHECK(escaped);
    fclose(f);
}

static bool reads(const char *text)
{
    static struct trials x;
    char why[128];
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    trials_done(&x);
    int r = trials_read(&x, f, why, sizeof why);
    fclose(f);
    return r == 0;
}

#define HEAD                                                                             \
    "# x\nprogram,mean,allocator,round,user_s,sys_s,wall_s,peak_rss_bytes,minor_faults," \
    "outcome,figures\n"

TEST(files_that_are_none_are_refused)
{
    CHECK(reads(HEAD "a,both,b,0,1,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD));
    CHECK(!reads("a,both,b,0,1,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,0,1,1,1,1,1,ok\n"));
    CHECK(!reads(HEAD "a,both,b,0,1,1,1,1,1,ok,,\n"));
    CHECK(!reads(HEAD "a,often,b,0,1,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,-1,1,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,99999999,1,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,0,nan,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,0,1e300,1,1,1,1,ok,\n"));
    CHECK(!reads(HEAD "a,both,b,0,1x,1,1,1,1,ok,\n"));
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
