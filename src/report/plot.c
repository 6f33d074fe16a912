// plot.c: SVG by hand: a scatter of means on top, rows of bars below.
//
// Both show ratios to the reference on a logarithmic scale, so that half and double are equally far
// from 1. Colours are of one lightness and differ for people who see red and green alike.

#include "report/plot.h"

#include <math.h>

enum {
    WIDTH = 960,
    SCATTER_HEIGHT = 420,
    MARGIN = 60,
    NAMES = 150, // left of the bars
    BAR = 6,
    GAP = 8, // between two programs
};

static const char *const colors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                     "#56b4e9", "#7a5195", "#5c5c5c", "#8c6d31", "#b2182b"};

static const char *color_of(u32 allocator)
{
    return colors[allocator % countof(colors)];
}

// Names come from the user: the five signs that XML keeps for itself are written out.
static void put_text(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void put_label(FILE *out, double x, double y, const char *anchor, const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    put_text(out, text);
    fputs("</text>\n", out);
}

static void put_line(FILE *out, double x1, double y1, double x2, double y2, const char *color)
{
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1,
            x2, y2, color);
}

// ---------------------------------------------------------------- scales

// From ratios to pixels, by their logarithm.
struct scale {
    double low, high;   // ratios
    double first, last; // pixels; first may be the larger one
};

static double pixel(const struct scale *s, double ratio)
{
    double share = (log(ratio) - log(s->low)) / (log(s->high) - log(s->low));
    return s->first + fmin(fmax(share, 0), 1) * (s->last - s->first);
}

static void widen(struct scale *s, double ratio)
{
    if (!isfinite(ratio) || ratio <= 0)
        return;
    s->low = fmin(s->low, ratio);
    s->high = fmax(s->high, ratio);
}

static const double ticks[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
                               1.1, 1.2, 1.5, 2,   3,   4,   5,   7,   10,  20};

// ---------------------------------------------------------------- the scatter

static void scatter_axes(FILE *out, const struct contest *c, const struct scale *x,
                         const struct scale *y)
{
    char text[128];
    for (size_t i = 0; i < countof(ticks); i++) {
        const char *color = ticks[i] == 1 ? "#888888" : "#e4e4e4";
        snprintf(text, sizeof text, "%g", ticks[i]);
        if (ticks[i] > x->low && ticks[i] < x->high) {
            double at = pixel(x, ticks[i]);
            put_line(out, at, y->first, at, y->last, color);
            put_label(out, at, y->first + 16, "middle", text);
        }
        if (ticks[i] > y->low && ticks[i] < y->high) {
            double at = pixel(y, ticks[i]);
            put_line(out, x->first, at, x->last, at, color);
            put_label(out, x->first - 6, at + 4, "end", text);
        }
    }
    const char *reference = c->t->allocator[c->reference];
    snprintf(text, sizeof text, "CPU time over %s's: left is faster", reference);
    put_label(out, (x->first + x->last) / 2, y->first + 36, "middle", text);
    snprintf(text, sizeof text, "peak memory over %s's: down is smaller", reference);
    put_label(out, x->first, y->last - 10, "start", text);
}

struct dot {
    double x, y; // pixels; NAN: no mean
};

// The label goes to the right, or to the left where another one is in the way already.
static void put_dot(FILE *out, const struct contest *c, const struct dot *dots, u32 a)
{
    bool crowded = false;
    for (u32 b = 0; b < a; b++)
        crowded |= fabs(dots[a].x - dots[b].x) < 80 && fabs(dots[a].y - dots[b].y) < 12;
    fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\" fill=\"%s\"/>\n", dots[a].x, dots[a].y,
            color_of(a));
    put_label(out, dots[a].x + (crowded ? -10 : 10), dots[a].y + 4, crowded ? "end" : "start",
              c->t->allocator[a]);
}

static void scatter(FILE *out, const struct contest *c)
{
    struct scale x = {0.9, 1.1, MARGIN, WIDTH - MARGIN};
    struct scale y = {0.9, 1.1, SCATTER_HEIGHT - MARGIN, MARGIN};
    struct dot mean[TRIALS_NAMES_MAX], dots[TRIALS_NAMES_MAX];
    u32 used;
    for (u32 a = 0; a < c->t->allocators; a++) {
        mean[a].x = contest_mean(c, QUANTITY_CPU, a, &used);
        mean[a].y = contest_mean(c, QUANTITY_PEAK, a, &used);
        widen(&x, 0.97 * mean[a].x);
        widen(&x, 1.1 * mean[a].x); // room for the label
        widen(&y, 0.95 * mean[a].y);
        widen(&y, 1.05 * mean[a].y);
    }
    scatter_axes(out, c, &x, &y);
    for (u32 a = 0; a < c->t->allocators; a++) {
        dots[a] = (struct dot){pixel(&x, mean[a].x), pixel(&y, mean[a].y)};
        if (isfinite(mean[a].x) && isfinite(mean[a].y))
            put_dot(out, c, dots, a);
    }
}

// ---------------------------------------------------------------- the bars

static void legend(FILE *out, const struct contest *c, double top)
{
    double x = NAMES, step = (WIDTH - NAMES) / fmax(c->t->allocators, 7);
    for (u32 a = 0; a < c->t->allocators; a++, x += step) {
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", x,
                top - 9, color_of(a));
        put_label(out, x + 14, top, "start", c->t->allocator[a]);
    }
}

// A bar from 1 to the ratio: to the left is better.
static void bar(FILE *out, const struct scale *s, double ratio, double top, u32 allocator)
{
    double from = pixel(s, 1), to = pixel(s, ratio);
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\">"
            "<title>%.3f</title></rect>\n",
            fmin(from, to), top, fmax(fabs(to - from), 0.5), BAR - 1, color_of(allocator), ratio);
}

// One panel: all programs, one quantity. Allocators but the reference, which is the line at 1.
static void panel(FILE *out, const struct contest *c, enum quantity q, const struct scale *s,
                  double top, const char *title)
{
    double height = BAR * (c->t->allocators - 1) + GAP;
    put_label(out, (s->first + s->last) / 2, top - 22, "middle", title);
    for (size_t i = 0; i < countof(ticks); i++) {
        if (ticks[i] < s->low || ticks[i] > s->high)
            continue;
        char text[16];
        snprintf(text, sizeof text, "%g", ticks[i]);
        double at = pixel(s, ticks[i]);
        put_line(out, at, top, at, top + height * c->t->programs,
                 ticks[i] == 1 ? "#888888" : "#e4e4e4");
        if (ticks[i] == 0.5 || ticks[i] == 1 || ticks[i] == 2 || ticks[i] == 4)
            put_label(out, at, top - 6, "middle", text);
    }
    for (u32 p = 0; p < c->t->programs; p++) {
        double y = top + p * height;
        for (u32 a = 0; a < c->t->allocators; a++) {
            double ratio = contest_ratio(c, q, a, p);
            if (a == c->reference)
                continue;
            if (isfinite(ratio))
                bar(out, s, ratio, y, a);
            y += BAR;
        }
    }
}

void plot_svg(const struct contest *c, FILE *out)
{
    double top = SCATTER_HEIGHT + 80, row = BAR * (c->t->allocators - 1) + GAP;
    double height = top + row * c->t->programs + 40;
    double middle = NAMES + (WIDTH - NAMES) / 2.0;
    struct scale cpu = {0.25, 4, NAMES, middle - 10}, peak = {0.25, 4, middle + 10, WIDTH - 10};
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
            "viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n<title>",
            WIDTH, height, WIDTH, height);
    put_text(out, c->t->about);
    fputs("</title>\n", out);
    scatter(out, c);
    legend(out, c, SCATTER_HEIGHT + 30);
    panel(out, c, QUANTITY_CPU, &cpu, top,
          "CPU time: left of the line is faster; bars end at 1/4 and 4");
    panel(out, c, QUANTITY_PEAK, &peak, top, "peak memory: left of the line is smaller");
    for (u32 p = 0; p < c->t->programs; p++)
        put_label(out, NAMES - 8, top + p * row + row / 2, "end", c->t->program[p]);
    fputs("</svg>\n", out);
}
