// text.c: claims, metrics, tables and notes as lines of text; plot_text.c draws the curves.

#include "lab/text.h"

#include "lab/draw.h"
#include "report/words.h"

#include <math.h>
#include <string.h>

static const char *string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

const char *text_number(char out[TEXT_NUMBER], double v, const char *unit)
{
    char commas[WORDS_SIZE];
    if (strcmp(unit, "yes") == 0)
        return strcpy(out, v != 0 ? "yes" : "no");
    if (strcmp(unit, "ns") == 0 && fabs(v) >= 10000) {
        unit = fabs(v) < 1e7 ? "us" : fabs(v) < 1e10 ? "ms" : "s";
        v /= fabs(v) < 1e7 ? 1e3 : fabs(v) < 1e10 ? 1e6 : 1e9;
    }
    if (v == floor(v) && fabs(v) < 1e15) {
        words_count(commas, (u64)fabs(v));
        snprintf(out, TEXT_NUMBER, "%s%s %s", v < 0 ? "-" : "", commas, unit);
    } else {
        double a = fabs(v);
        int digits = a >= 100 ? 0 : a >= 10 ? 1 : a >= 1 ? 2 : 3;
        if (a >= 10000)
            snprintf(out, TEXT_NUMBER, "%s %s", words_count(commas, (u64)(v + 0.5)), unit);
        else
            snprintf(out, TEXT_NUMBER, "%.*f %s", digits, v, unit);
    }
    return out;
}

// ---------------------------------------------------------------- claims

static const struct {
    const char *name, *word;
    enum style style;
} words[] = {
    {"holds", "HOLDS", INK_GOOD},
    {"partly", "PARTLY", INK_BOLD},
    {"differs", "DIFFERS", INK_BAD},
    {"cannot", "CANNOT", INK_DIM},
    {"inconclusive", "INCONCLUSIVE", INK_DIM},
};

static u32 verdict_index(const char *name)
{
    for (u32 i = 0; i < countof(words); i++) {
        if (strcmp(words[i].name, name) == 0)
            return i;
    }
    return countof(words) - 1;
}

static const json_t *metric_of(const json_t *experiment, const char *key)
{
    size_t i;
    json_t *m;
    json_array_foreach(json_object_get(experiment, "metrics"), i, m)
    {
        if (strcmp(string(m, "key"), key) == 0)
            return m;
    }
    return NULL;
}

static void one_claim(struct ink *k, const json_t *e, const json_t *c)
{
    char value[TEXT_NUMBER] = "-";
    u32 v = verdict_index(string(c, "verdict"));
    const json_t *m = metric_of(e, string(c, "metric"));
    if (m != NULL && number(m, "n") != 0)
        text_number(value, number(m, "value"), string(m, "unit"));
    u32 more = k->width - 80, quote_at = 28 + more * 2 / 3, value_at = 46 + more;
    ink(k, INK_DIM, "  %s ", string(c, "source"));
    ink_cut(k, INK_PLAIN, string(c, "what"), quote_at - 6);
    ink_to(k, quote_at);
    ink_cut(k, INK_DIM, string(c, "quote"), value_at - quote_at - 1);
    ink_to(k, value_at);
    ink(k, INK_BOLD, "%15s ", value);
    ink(k, words[v].style, "%s", words[v].word);
    if (number(c, "factor") != 0 && v <= 2)
        ink(k, words[v].style, " %.3gx", number(c, "factor"));
    ink_line(k);
}

// Why, below the claims: each reason once.
static void reasons(struct ink *k, const json_t *e)
{
    size_t i, n;
    json_t *c, *other;
    json_array_foreach(json_object_get(e, "claims"), i, c)
    {
        const char *why = string(c, "why");
        bool told = *why == 0 || strcmp(string(c, "verdict"), "holds") == 0;
        json_array_foreach(json_object_get(e, "claims"), n, other)
        {
            told |= n < i && strcmp(string(other, "why"), why) == 0;
        }
        if (told)
            continue;
        char text[1400];
        snprintf(text, sizeof text, "%s: %s", string(c, "what"), why);
        ink_to(k, 5);
        ink_wrap(k, INK_DIM, text);
    }
}

// ---------------------------------------------------------------- details

// The greatest value of the group that `m` was timed in; 0 if it stands alone.
static double greatest_of_group(const json_t *e, const json_t *m)
{
    size_t i;
    json_t *other;
    double most = 0, group = number(m, "group");
    json_array_foreach(json_object_get(e, "metrics"), i, other)
    {
        if (group != 0 && number(other, "group") == group)
            most = fmax(most, number(other, "value"));
    }
    return most;
}

static void metrics(struct ink *k, const json_t *e)
{
    u32 more = k->width - 80;
    size_t i;
    json_t *m;
    char value[TEXT_NUMBER], low[TEXT_NUMBER], high[TEXT_NUMBER];
    json_array_foreach(json_object_get(e, "metrics"), i, m)
    {
        const char *unit = string(m, "unit");
        const json_t *ci = json_object_get(m, "ci95");
        ink(k, INK_PLAIN, "  ");
        ink_cut(k, INK_PLAIN, string(m, "key"), 23 + more / 3);
        ink_to(k, 26 + more / 3);
        bool measured = number(m, "n") != 0;
        ink(k, INK_BOLD, "%14s", measured ? text_number(value, number(m, "value"), unit) : "-");
        double most = greatest_of_group(e, m);
        if (most > 0) {
            ink(k, INK_PLAIN, " ");
            draw_bar(k, number(m, "value"), most, 14);
        }
        ink_to(k, 56 + more / 3);
        if (!json_is_true(json_object_get(m, "exact")) && number(m, "n") > 1)
            ink(k, INK_DIM, " %s- %s(n %d)",
                text_number(low, json_number_value(json_array_get(ci, 0)), ""),
                text_number(high, json_number_value(json_array_get(ci, 1)), ""),
                (int)number(m, "n"));
        ink_line(k);
    }
}

static void table(struct ink *k, const json_t *t)
{
    const json_t *columns = json_object_get(t, "columns"), *rows = json_object_get(t, "rows");
    size_t width[16] = {0}, count = json_array_size(columns), r, i;
    json_t *row;
    count = count < 16 ? count : 16;
    for (i = 0; i < count; i++)
        width[i] = draw_width(json_string_value(json_array_get(columns, i)));
    json_array_foreach(rows, r, row)
    {
        for (i = 0; i < count; i++)
            width[i] = size_max(width[i], draw_width(json_string_value(json_array_get(row, i))));
    }
    ink(k, INK_HEAD, "  %s", string(t, "title"));
    ink_line(k);
    for (r = 0; r <= json_array_size(rows); r++) {
        const json_t *cells = r == 0 ? columns : json_array_get(rows, r - 1);
        u32 at = 4;
        for (i = 0; i < count; i++) {
            const char *cell = json_string_value(json_array_get(cells, i));
            ink_to(k, at);
            ink(k, r == 0 ? INK_DIM : INK_PLAIN, "%s", cell == NULL ? "" : cell);
            at += (u32)width[i] + 2;
        }
        ink_line(k);
    }
}

static void picture(struct ink *k, const json_t *p)
{
    size_t i;
    json_t *line;
    ink(k, INK_HEAD, "  %s", string(p, "title"));
    ink_line(k);
    json_array_foreach(json_object_get(p, "lines"), i, line)
    {
        ink(k, INK_PLAIN, "    %s", json_string_value(line));
        ink_line(k);
    }
}

static void details(struct ink *k, const json_t *e)
{
    size_t i;
    json_t *o;
    metrics(k, e);
    json_array_foreach(json_object_get(e, "tables"), i, o) table(k, o);
    json_array_foreach(json_object_get(e, "pictures"), i, o) picture(k, o);
    draw_experiment(k, e);
    json_array_foreach(json_object_get(e, "notes"), i, o)
    {
        ink(k, INK_PLAIN, "  ");
        ink_wrap(k, INK_PLAIN, json_string_value(o));
    }
}

void text_experiment(struct ink *k, const json_t *e, bool whole)
{
    size_t i;
    json_t *c;
    ink(k, INK_HEAD, "%s %s", string(e, "id"), string(e, "name"));
    ink(k, INK_PLAIN, "  ");
    ink_cut(k, INK_PLAIN, string(e, "question"), k->width - k->column - 18);
    ink(k, INK_DIM, "  %.1f s", number(e, "seconds"));
    const char *grade = string(json_object_get(e, "noise"), "grade");
    if (*grade != 0)
        ink(k, INK_DIM, ", noise %s", grade);
    ink_line(k);
    json_array_foreach(json_object_get(e, "claims"), i, c) one_claim(k, e, c);
    if (json_object_get(e, "failure") != NULL) {
        ink(k, INK_BAD, "  failed: %s", string(e, "failure"));
        ink_line(k);
        return;
    }
    reasons(k, e);
    if (whole)
        details(k, e);
    else
        draw_sparklines(k, e);
}

// ---------------------------------------------------------------- the sum

void text_summary(struct ink *k, const json_t *d)
{
    u32 of[countof(words)] = {0}, claims = 0, failed = 0, worst = 'A';
    size_t i, n;
    json_t *e, *c;
    json_array_foreach(json_object_get(d, "experiments"), i, e)
    {
        failed += json_object_get(e, "failure") != NULL;
        const char *grade = string(json_object_get(e, "noise"), "grade");
        worst = *grade > (char)worst ? (u32)*grade : worst;
        json_array_foreach(json_object_get(e, "claims"), n, c)
        {
            of[verdict_index(string(c, "verdict"))]++;
            claims++;
        }
    }
    const json_t *env = json_object_get(d, "env");
    ink_line(k);
    ink(k, INK_BOLD,
        "%zu experiment%s, %u claim%s:", json_array_size(json_object_get(d, "experiments")),
        json_array_size(json_object_get(d, "experiments")) == 1 ? "" : "s", claims,
        claims == 1 ? "" : "s");
    for (u32 v = 0; v < countof(words); v++) {
        if (of[v] != 0)
            ink(k, words[v].style, " %u %s", of[v], words[v].name);
    }
    if (failed != 0)
        ink(k, INK_BAD, " %u failed", failed);
    ink_line(k);
    char where[512];
    snprintf(where, sizeof where, "%s, %.2f GHz, %d processors, %s; worst noise %c; %.1f s",
             string(env, "cpu"), number(env, "core_ghz"), (int)number(env, "cpus"),
             string(env, "kernel"), (int)worst, number(d, "seconds"));
    ink_wrap(k, INK_DIM, where);
}

// ---------------------------------------------------------------- list, explain

void text_list(struct ink *k, const char *chosen)
{
    for (size_t i = 0; i < registry_count; i++) {
        const struct entry *e = &registry[i];
        if (!registry_chosen(e, chosen))
            continue;
        ink(k, INK_BOLD, "%s", e->id);
        ink_to(k, 5);
        ink(k, INK_PLAIN, "%s", e->name);
        ink_to(k, 21);
        ink_cut(k, INK_DIM, e->experiment->question, k->width - 22);
        ink_line(k);
    }
}

static void part(struct ink *k, const char *name, const char *text)
{
    ink_line(k);
    ink(k, INK_BOLD, "%s", name);
    ink_to(k, 14);
    ink_wrap(k, INK_PLAIN, text);
}

void text_explain(struct ink *k, const struct entry *e)
{
    const struct experiment *x = e->experiment;
    ink(k, INK_HEAD, "%s %s", e->id, e->name);
    ink_line(k);
    part(k, "Question", x->question);
    part(k, "Prediction", x->prediction);
    part(k, "Method", x->method);
    part(k, "Look for", x->look);
    ink_line(k);
    ink(k, INK_BOLD, "%s", "Claims");
    bool told[SOURCES] = {false};
    for (size_t i = 0; i < x->claims_count; i++) {
        const struct claim *c = &x->claims[i];
        ink_to(k, 14);
        ink(k, INK_DIM, "S%d ", (int)c->source);
        ink(k, INK_PLAIN, "%s: \"%s\"", c->what, c->quote);
        if (c->topic != NULL)
            ink(k, INK_DIM, " (%s)", c->topic);
        ink_line(k);
        told[c->source] = true;
    }
    for (u32 s = 0; s < SOURCES; s++) {
        if (!told[s])
            continue;
        ink_to(k, 14);
        ink(k, INK_DIM, "S%u is \"%s\"", s, source_title[s]);
        ink_line(k);
    }
}
