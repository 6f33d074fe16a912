// verdict.c: a claim, a metric, a word.
//
// HOLDS     the metric's interval meets the claim's range
// PARTLY    the experiment says under which condition it holds
// DIFFERS   it does not, by a factor: the metric against the nearer end of the range
// CANNOT    the experiment says why it cannot be measured here
// INCONCLUSIVE  it would differ, but the machine is too noisy (grade C), or no sample was left
//
// Exact metrics (counts, sizes, yes and no) are not touched by noise.

#include "lab/result.h"

#include <stdio.h>
#include <string.h>

const char *const verdict_name[VERDICTS] = {"holds", "partly", "differs", "cannot", "inconclusive"};

static const json_t *metric_named(const struct result *r, const char *key)
{
    size_t i;
    json_t *m;
    json_array_foreach(r->metrics, i, m)
    {
        if (strcmp(json_string_value(json_object_get(m, "key")), key) == 0)
            return m;
    }
    return NULL;
}

static double number(const json_t *of, const char *key)
{
    return json_number_value(json_object_get(of, key));
}

struct judged {
    u32 verdict;
    double factor;   // 0: none
    const char *why; // NULL: none
};

static struct judged differs(double value, const struct claim *c, bool noisy)
{
    double end = value > c->high ? c->high : c->low;
    double factor = c->unit == NULL || end == 0 || value == 0 ? 0
                    : value > end                             ? value / end
                                                              : end / value;
    if (noisy)
        return (struct judged){VERDICT_INCONCLUSIVE, factor, "the machine is too noisy now"};
    return (struct judged){VERDICT_DIFFERS, factor, NULL};
}

static struct judged judge(const struct claim *c, const json_t *m, char grade)
{
    double low = c->unit == NULL ? 1 : c->low, high = c->unit == NULL ? 1 : c->high;
    bool exact = json_is_true(json_object_get(m, "exact"));
    if (number(m, "n") == 0)
        return (struct judged){VERDICT_INCONCLUSIVE, 0, "every sample was disturbed"};
    const json_t *interval = json_object_get(m, "ci95");
    double from = json_number_value(json_array_get(interval, 0));
    double to = json_number_value(json_array_get(interval, 1));
    if (from <= high && to >= low)
        return (struct judged){VERDICT_HOLDS, 0, NULL};
    struct claim bounds = *c;
    bounds.low = low;
    bounds.high = high;
    return differs(number(m, "value"), &bounds, grade == 'C' && !exact);
}

static const char *said(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct judged verdict_of(const struct result *r, const struct claim *c, const json_t *m,
                                char grade)
{
    const char *cannot = said(r->cannot, c->metric);
    if (cannot == NULL && m == NULL)
        cannot = said(r->cannot, "");
    if (cannot != NULL)
        return (struct judged){VERDICT_CANNOT, 0, cannot};
    if (m == NULL)
        return (struct judged){VERDICT_CANNOT, 0, "the experiment did not come so far"};
    struct judged j = judge(c, m, grade);
    const char *partly = said(r->partly, c->metric);
    if (partly != NULL && j.verdict != VERDICT_INCONCLUSIVE)
        return (struct judged){VERDICT_PARTLY, j.factor, partly};
    if (j.why == NULL && j.verdict != VERDICT_HOLDS)
        j.why = said(r->why, c->metric);
    if (j.why == NULL)
        j.why = said(m, "seen");
    return j;
}

static json_t *bound(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *claim_json(const struct result *r, const struct claim *c, char grade)
{
    const json_t *m = metric_named(r, c->metric);
    struct judged j = verdict_of(r, c, m, grade);
    char source[4];
    snprintf(source, sizeof source, "S%d", (int)c->source);
    json_t *o =
        json_pack("{ss ss* ss ss ss ss}", "source", source, "topic", c->topic, "what", c->what,
                  "quote", c->quote, "metric", c->metric, "verdict", verdict_name[j.verdict]);
    if (c->unit != NULL) {
        json_object_set_new(o, "unit", json_string(c->unit));
        json_object_set_new(o, "range", json_pack("[oo]", bound(c->low), bound(c->high)));
    }
    if (j.factor != 0)
        json_object_set_new(o, "factor", json_real(j.factor));
    if (j.why != NULL)
        json_object_set_new(o, "why", json_string(j.why));
    return o;
}

json_t *result_json(const struct result *r, const struct experiment *e, char grade)
{
    json_t *claims = json_array();
    for (size_t i = 0; i < e->claims_count; i++)
        json_array_append_new(claims, claim_json(r, &e->claims[i], grade));
    return json_pack("{so sO sO sO sO sO sO sO si si si}", "claims", claims, "metrics", r->metrics,
                     "series", r->series, "tables", r->tables, "pictures", r->pictures, "heats",
                     r->heats, "histograms", r->histograms, "notes", r->notes, "samples", r->kept,
                     "rejected", r->rejected, "clock_moved", r->clock_moved);
}
