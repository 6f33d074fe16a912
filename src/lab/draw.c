// draw.c: pictures in characters, readable without colour and, where there is no UTF-8, in ASCII.

#include "lab/draw.h"

#include "lab/text.h"
#include "report/utf8.h"

#include <math.h>
#include <string.h>

enum { PLOT_WIDTH = 60, PLOT_HEIGHT = 14, SERIES_MAX = 6, MARGIN = 14 };

static const char *const marks[SERIES_MAX] = {"●", "○", "◆", "◇", "■", "□"};
static const char *const marks_ascii[SERIES_MAX] = {"*", "o", "+", "x", "#", "@"};
static const char *const shades[] = {" ", "░", "▒", "▓", "█"};
static const char *const shades_ascii[] = {" ", ".", ":", "*", "#"};
static const char *const ticks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ticks_ascii[] = {".", ".", "-", "-", "=", "=", "#", "#"};

size_t draw_width(const char *text)
{
    return text == NULL ? 0 : utf8_width(text);
}

static const char *string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

// A sign as it is: ink() would make a question mark of one it does not know.
static void sign(struct ink *k, enum style style, const char *utf8, const char *ascii)
{
    ink(k, style, "%s", k->ascii ? ascii : utf8);
}

// ---------------------------------------------------------------- axes

struct axis {
    double from, to; // logarithms
};

static void axis_take(struct axis *a, double v)
{
    if (v <= 0)
        return;
    a->from = log(v) < a->from ? log(v) : a->from;
    a->to = log(v) > a->to ? log(v) : a->to;
}

// 0 .. 1
static double axis_at(const struct axis *a, double v)
{
    return a->to > a->from ? (log(v) - a->from) / (a->to - a->from) : 0.5;
}

static const char *size_label(char out[TEXT_NUMBER], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    u32 u = 0;
    while (bytes >= 1024 && u + 1 < countof(units)) {
        bytes /= 1024;
        u++;
    }
    snprintf(out, TEXT_NUMBER, "%.4g %s", bytes, units[u]);
    return out;
}

static const char *label(char out[TEXT_NUMBER], double v, const char *unit)
{
    bool bytes = strcmp(unit, "bytes") == 0;
    return bytes ? size_label(out, v) : text_number(out, v, strlen(unit) > 8 ? "" : unit);
}

// ---------------------------------------------------------------- curves

struct plot {
    struct axis x, y;
    u8 cell[PLOT_HEIGHT][PLOT_WIDTH]; // 0: nothing, 1 + series, 255: a claim's band
    const char *band[PLOT_HEIGHT];    // what a band in this row claims
};

static u32 row_of(const struct plot *p, double y)
{
    double at = axis_at(&p->y, y);
    int row = (int)lround((1 - at) * (PLOT_HEIGHT - 1));
    return row < 0 ? 0 : row >= PLOT_HEIGHT ? PLOT_HEIGHT - 1 : (u32)row;
}

// One row for each column, between points by interpolation of the logarithms.
static void trace(struct plot *p, const json_t *points, u8 mark)
{
    for (size_t i = 0; i + 1 <= json_array_size(points); i++) {
        const json_t *a = json_array_get(points, i), *b = json_array_get(points, i + 1);
        double ya = number(a, "value"), xa = number(a, "x");
        if (b == NULL)
            b = a;
        double xb = number(b, "x"), yb = number(b, "value");
        if (xa <= 0 || xb <= 0 || ya <= 0 || yb <= 0)
            continue;
        u32 from = (u32)lround(axis_at(&p->x, xa) * (PLOT_WIDTH - 1));
        u32 to = (u32)lround(axis_at(&p->x, xb) * (PLOT_WIDTH - 1));
        for (u32 c = from; c <= to && c < PLOT_WIDTH; c++) {
            double part = to > from ? (double)(c - from) / (to - from) : 0;
            p->cell[row_of(p, exp(log(ya) + part * (log(yb) - log(ya))))][c] = mark;
        }
    }
}

static void band(struct plot *p, const json_t *claim)
{
    const json_t *range = json_object_get(claim, "range"), *top = json_array_get(range, 1);
    double low = json_number_value(json_array_get(range, 0));
    double high = json_is_null(top) ? exp(p->y.to) : json_number_value(top);
    if (low <= 0 || log(low) > p->y.to || log(high) < p->y.from)
        return;
    u32 first = row_of(p, high), last = row_of(p, low);
    for (u32 r = first; r <= last; r++) {
        if (p->band[r] == NULL)
            p->band[r] = string(claim, "what");
        memset(p->cell[r], 255, PLOT_WIDTH);
    }
}

static void print_plot(struct ink *k, const struct plot *p, const char *x_unit, const char *y_unit)
{
    char text[TEXT_NUMBER];
    for (u32 r = 0; r < PLOT_HEIGHT; r++) {
        double y = exp(p->y.to - (p->y.to - p->y.from) * r / (PLOT_HEIGHT - 1));
        if (r % 4 == 0 || r == PLOT_HEIGHT - 1)
            ink(k, INK_DIM, "%12s ", label(text, y, y_unit));
        ink_to(k, MARGIN - 1);
        ink(k, INK_DIM, "|");
        for (u32 c = 0; c < PLOT_WIDTH; c++) {
            u8 cell = p->cell[r][c];
            if (cell == 255)
                sign(k, INK_DIM, "·", ".");
            else if (cell == 0)
                ink(k, INK_PLAIN, " ");
            else
                sign(k, cell % 2 != 0 ? INK_BAR : INK_GOOD, marks[cell - 1], marks_ascii[cell - 1]);
        }
        if (p->band[r] != NULL && (r == 0 || p->band[r - 1] != p->band[r]))
            ink_cut(k, INK_DIM, p->band[r], k->width - k->column);
        ink_line(k);
    }
    ink_to(k, MARGIN);
    ink(k, INK_DIM, "%s", label(text, exp(p->x.from), x_unit));
    char last[TEXT_NUMBER], middle[TEXT_NUMBER];
    label(middle, exp((p->x.from + p->x.to) / 2), x_unit);
    label(last, exp(p->x.to), x_unit);
    ink_to(k, MARGIN + PLOT_WIDTH / 2 - (u32)strlen(middle) / 2);
    ink(k, INK_DIM, "%s", middle);
    ink_to(k, MARGIN + PLOT_WIDTH - (u32)strlen(last));
    ink(k, INK_DIM, "%s", last);
    ink_line(k);
}

// Curves that share units, in one plot.
static void curves(struct ink *k, const json_t *e, const char *x_unit, const char *y_unit)
{
    struct plot p = {{INFINITY, -INFINITY}, {INFINITY, -INFINITY}, {{0}}, {NULL}};
    size_t i, n;
    json_t *s, *point, *c;
    u8 mark = 0;
    ink(k, INK_HEAD, "  %s by %s", y_unit, x_unit);
    json_array_foreach(json_object_get(e, "series"), i, s)
    {
        if (strcmp(string(s, "x"), x_unit) != 0 || strcmp(string(s, "y"), y_unit) != 0)
            continue;
        json_array_foreach(json_object_get(s, "points"), n, point)
        {
            axis_take(&p.x, number(point, "x"));
            axis_take(&p.y, number(point, "value"));
        }
        if (k->column + 5 + draw_width(string(s, "name")) > k->width) {
            ink_line(k);
            ink_to(k, 2);
        }
        ink(k, INK_PLAIN, "   ");
        sign(k, mark % 2 == 0 ? INK_BAR : INK_GOOD, marks[mark % SERIES_MAX],
             marks_ascii[mark % SERIES_MAX]);
        ink(k, INK_DIM, " %s", string(s, "name"));
        mark++;
    }
    ink_line(k);
    if (p.x.from > p.x.to || p.y.from > p.y.to)
        return;
    json_array_foreach(json_object_get(e, "claims"), i, c)
    {
        if (strcmp(string(c, "unit"), y_unit) == 0)
            band(&p, c);
    }
    mark = 0;
    json_array_foreach(json_object_get(e, "series"), i, s)
    {
        if (strcmp(string(s, "x"), x_unit) == 0 && strcmp(string(s, "y"), y_unit) == 0)
            trace(&p, json_object_get(s, "points"), (u8)(1 + mark++ % SERIES_MAX));
    }
    print_plot(k, &p, x_unit, y_unit);
}

static void all_curves(struct ink *k, const json_t *e)
{
    const json_t *all = json_object_get(e, "series");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *s = json_array_get(all, i);
        bool drawn = false;
        for (size_t n = 0; n < i; n++) {
            const json_t *earlier = json_array_get(all, n);
            drawn |= strcmp(string(earlier, "x"), string(s, "x")) == 0 &&
                     strcmp(string(earlier, "y"), string(s, "y")) == 0;
        }
        if (!drawn)
            curves(k, e, string(s, "x"), string(s, "y"));
    }
}

// One line for each curve: its shape.
void draw_sparklines(struct ink *k, const json_t *e)
{
    size_t i, n;
    json_t *s, *point;
    json_array_foreach(json_object_get(e, "series"), i, s)
    {
        struct axis y = {INFINITY, -INFINITY};
        const json_t *points = json_object_get(s, "points");
        json_array_foreach(points, n, point)
        {
            axis_take(&y, number(point, "value"));
        }
        ink(k, INK_DIM, "     ");
        json_array_foreach(points, n, point)
        {
            double v = number(point, "value");
            u32 t = v > 0 ? (u32)lround(axis_at(&y, v) * (countof(ticks) - 1)) : 0;
            if (n < 60)
                sign(k, INK_BAR, ticks[t], ticks_ascii[t]);
        }
        ink(k, INK_DIM, " %s, %s by %s", string(s, "name"), string(s, "y"), string(s, "x"));
        ink_line(k);
    }
}

// ---------------------------------------------------------------- histograms, heat maps

static void bar(struct ink *k, double part, u32 width)
{
    u32 cells = (u32)lround(part * width);
    for (u32 i = 0; i < cells; i++)
        sign(k, INK_BAR, "█", "#");
    if (cells == 0 && part > 0)
        sign(k, INK_BAR, "▏", "|");
}

static void histogram(struct ink *k, const json_t *h)
{
    const json_t *bins = json_object_get(h, "bins");
    double most = 1;
    char from[TEXT_NUMBER];
    size_t i;
    json_t *b;
    json_array_foreach(bins, i, b)
    {
        most = fmax(most, json_number_value(json_array_get(b, 2)));
    }
    ink(k, INK_HEAD, "  %s", string(h, "name"));
    ink_line(k);
    json_array_foreach(bins, i, b)
    {
        double n = json_number_value(json_array_get(b, 2));
        ink(k, INK_DIM, "%16s ",
            text_number(from, json_number_value(json_array_get(b, 0)), string(h, "unit")));
        ink_to(k, 19);
        bar(k, n / most, 50);
        ink(k, INK_DIM, " %.0f", n);
        ink_line(k);
    }
}

static void heat(struct ink *k, const json_t *h)
{
    const json_t *columns = json_object_get(h, "columns"), *rows = json_object_get(h, "rows");
    const json_t *values = json_object_get(h, "values");
    struct axis a = {INFINITY, -INFINITY};
    bool numbers = json_array_size(columns) <= 8; // there is room for them
    size_t y, x;
    json_t *row, *v;
    char low[TEXT_NUMBER], high[TEXT_NUMBER];
    json_array_foreach(values, y, row)
    {
        json_array_foreach(row, x, v)
        {
            axis_take(&a, json_number_value(v));
        }
    }
    ink(k, INK_HEAD, "  %s", string(h, "title"));
    ink(k, INK_DIM, "  %s to %s", text_number(low, exp(a.from), string(h, "unit")),
        text_number(high, exp(a.to), string(h, "unit")));
    ink_line(k);
    json_array_foreach(values, y, row)
    {
        ink(k, INK_DIM, "%12s ", json_string_value(json_array_get(rows, y)));
        ink_to(k, MARGIN);
        json_array_foreach(row, x, v)
        {
            double value = json_number_value(v);
            u32 s = value > 0 ? (u32)lround(axis_at(&a, value) * (countof(shades) - 1)) : 0;
            for (u32 i = 0; i < (numbers ? 2 : 4); i++)
                sign(k, INK_BAR, shades[s], shades_ascii[s]);
            if (numbers && value > 0)
                ink(k, INK_PLAIN, "%-5.3g", value);
            else if (numbers)
                ink(k, INK_PLAIN, "     ");
        }
        ink_line(k);
    }
    for (x = 0; x < json_array_size(columns); x++) {
        ink_to(k, MARGIN + (numbers ? 7 : 4) * (u32)x);
        ink_cut(k, INK_DIM, json_string_value(json_array_get(columns, x)), numbers ? 6 : 4);
    }
    ink_line(k);
}

void draw_bar(struct ink *k, double value, double most, u32 width)
{
    bar(k, most > 0 ? value / most : 0, width);
}

void draw_experiment(struct ink *k, const json_t *e)
{
    size_t i;
    json_t *o;
    all_curves(k, e);
    json_array_foreach(json_object_get(e, "histograms"), i, o) histogram(k, o);
    json_array_foreach(json_object_get(e, "heats"), i, o) heat(k, o);
}
