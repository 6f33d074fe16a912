#define NCURSES_WIDECHAR 1
#include "cli/top_screen.h"

#include "os/os.h"
#include "report/words.h"

#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_LINES 6 // above the rows

struct screen {
    struct top_view *t;
    u32 at, first; // the chosen row; the first one shown
    bool open;     // its stack is shown
    bool paused, help, typing;
    char told[256]; // what went wrong in the last look
};

static u32 rows_shown(void)
{
    return LINES > HEAD_LINES + 2 ? (u32)(LINES - HEAD_LINES - 1) : 1;
}

// One line, cut at the screen's width; characters are not counted as bytes.
static void put(int y, int x, attr_t style, const char *text)
{
    if (y < 0 || y >= LINES || x >= COLS)
        return;
    move(y, x);
    attrset(style);
    wchar_t wide[512];
    size_t n = mbstowcs(wide, text, countof(wide) - 1);
    if (n == (size_t)-1)
        addnstr(text, COLS - x);
    else
        addnwstr(wide, COLS - x);
    attrset(A_NORMAL);
}

// The last looks' live bytes, each one a character from low to high.
static void put_history(int y, const struct top_view *t)
{
    static const char *const step[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = "_.-=+*#@";
    char line[TOP_HISTORY * 4 + 64] = "";
    bool utf8 = MB_CUR_MAX > 1;
    u64 low = UINT64_MAX, high = 0;
    for (u32 i = 0; i < t->history_count; i++) {
        low = t->history[i] < low ? t->history[i] : low;
        high = t->history[i] > high ? t->history[i] : high;
    }
    for (u32 i = 0; i < t->history_count; i++) {
        u32 k = high == low ? 0 : (u32)((t->history[i] - low) * 7 / (high - low));
        strcat(line, utf8 ? step[k] : (char[]){plain[k], 0});
    }
    put(y, 0, A_NORMAL, line);
}

static void put_header(const struct screen *s)
{
    static const char *const sorts[] = {"live bytes", "growth", "allocations a second", "peak"};
    char line[512];
    top_title(s->t, line, sizeof line);
    put(0, 0, A_BOLD, line);
    top_sums(s->t, line, sizeof line);
    put(1, 0, A_NORMAL, line);
    top_rss(s->t, line, sizeof line, (u32)COLS);
    put(2, 0, A_DIM, line);
    put_history(3, s->t);
    top_owners(s->t, line, sizeof line);
    put(4, 0, A_DIM, line);
    snprintf(line, sizeof line, "%sPLACE, by %s%s%s%s", TOP_COLUMNS, sorts[s->t->sort],
             s->t->filter[0] != 0 ? ", with " : "", s->t->filter, s->paused ? "  (paused)" : "");
    put(5, 0, A_REVERSE, line);
    for (int x = (int)strlen(line); x < COLS; x++)
        mvaddch(5, x, ' ' | A_REVERSE);
}

static int put_stack(struct screen *s, const struct top_row *r, int y)
{
    struct stack k = top_stack(s->t, r);
    char line[512];
    for (u32 i = 0; i < k.lines_count && y < LINES - 1; i++, y++) {
        snprintf(line, sizeof line, "%s  %s", k.lines[i].symbol->function,
                 stack_where(&s->t->model.store, &k.lines[i]));
        put(y, 34, A_DIM, line);
    }
    return y;
}

static void put_rows(struct screen *s)
{
    char line[600], columns[48];
    int y = HEAD_LINES;
    for (u32 i = s->first; i < s->t->matching && y < LINES - 1; i++) {
        struct top_row *r = &s->t->row[i];
        top_columns(r, columns);
        snprintf(line, sizeof line, "%s%s  %s", columns, r->function != NULL ? r->function : "…",
                 r->where != NULL ? r->where : "");
        put(y++, 0, i == s->at ? A_BOLD | A_UNDERLINE : A_NORMAL, line);
        if (i == s->at && s->open)
            y = put_stack(s, r, y);
    }
    if (s->t->matching == 0)
        put(y, 0, A_DIM,
            s->t->filter[0] != 0 ? "no place has that in its name" : "nothing was allocated yet");
}

static void put_help(void)
{
    static const char *const lines[] = {
        "l  sort by live bytes            Enter  open or close a place's stack",
        "g  sort by growth since start    /      filter by name; empty: all",
        "c  sort by allocations a second  space  pause and go on",
        "p  sort by bytes at the peak     q      leave; the program goes on",
        "",
        "GROWTH: live bytes since this view began. ALLOCS/s: since the last look.",
        "loam report shows the whole story, with leaks and timeline.",
    };
    for (u32 i = 0; i < countof(lines); i++)
        put(HEAD_LINES + (int)i, 2, A_NORMAL, lines[i]);
}

static void draw(struct screen *s)
{
    char line[512];
    erase();
    put_header(s);
    if (s->help)
        put_help();
    else
        put_rows(s);
    if (s->typing)
        snprintf(line, sizeof line, "filter: %s_", s->t->filter);
    else if (s->told[0] != 0)
        snprintf(line, sizeof line, "%s  q leaves", s->told);
    else
        snprintf(line, sizeof line,
                 "l g c p sort  Enter stack  / filter  space pause  h help  q quit");
    put(LINES - 1, 0, A_DIM, line);
    refresh();
}

// ---------------------------------------------------------------- keys

static void go_to(struct screen *s, int64_t row)
{
    int64_t last = (int64_t)s->t->matching - 1;
    s->at = (u32)(row < 0 || last < 0 ? 0 : row > last ? last : row);
    if (s->at < s->first)
        s->first = s->at;
    if (s->at >= s->first + rows_shown())
        s->first = s->at - rows_shown() + 1;
}

static void sort_by(struct screen *s, enum top_sort sort)
{
    s->t->sort = sort;
    top_order(s->t);
    s->first = s->at = 0;
    s->open = false;
}

static void type(struct screen *s, int key)
{
    size_t n = strlen(s->t->filter);
    if (key == '\n' || key == KEY_ENTER || key == 27)
        s->typing = false;
    else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && n > 0)
        s->t->filter[n - 1] = 0;
    else if (key >= ' ' && key < 127 && n + 1 < sizeof s->t->filter)
        s->t->filter[n] = (char)key, s->t->filter[n + 1] = 0;
    top_order(s->t);
    s->first = s->at = 0;
}

// False: leave.
static bool press(struct screen *s, int key)
{
    if (s->typing)
        return type(s, key), true;
    switch (key) {
    case 'q':
        return false;
    case 'l':
        return sort_by(s, TOP_LIVE), true;
    case 'g':
        return sort_by(s, TOP_GROWTH), true;
    case 'c':
        return sort_by(s, TOP_CHURN), true;
    case 'p':
        return sort_by(s, TOP_PEAK), true;
    case '/':
        s->t->filter[0] = 0;
        return s->typing = true;
    case ' ':
        s->paused = !s->paused;
        return true;
    case 'h':
    case '?':
        s->help = !s->help;
        return true;
    case '\n':
    case KEY_ENTER:
        s->open = !s->open;
        return true;
    case KEY_UP:
    case 'k':
        return go_to(s, (int64_t)s->at - 1), true;
    case KEY_DOWN:
    case 'j':
        return go_to(s, (int64_t)s->at + 1), true;
    case KEY_PPAGE:
        return go_to(s, (int64_t)s->at - rows_shown()), true;
    case KEY_NPAGE:
        return go_to(s, (int64_t)s->at + rows_shown()), true;
    case KEY_HOME:
        return go_to(s, 0), true;
    case KEY_END:
        return go_to(s, (int64_t)s->t->matching), true;
    default:
        return true;
    }
}

static u64 now_ms(void)
{
    return os_monotonic_ns() / 1000000;
}

static void look(struct screen *s)
{
    s->told[0] = 0;
    if (top_look(s->t, s->told, sizeof s->told) < 0)
        s->paused = true; // the last picture stays
    go_to(s, s->at);
}

static void watch(struct screen *s, u32 interval)
{
    u64 next = now_ms() + interval * 1000;
    for (;;) {
        draw(s);
        u64 now = now_ms();
        timeout(now >= next ? 0 : (int)(next - now));
        int key = getch();
        if (key != ERR && key != KEY_RESIZE && !press(s, key))
            return;
        if (now_ms() < next)
            continue;
        next = now_ms() + interval * 1000;
        if (!s->paused && !s->t->ended)
            look(s);
    }
}

int top_screen(const struct command *c, struct top_view *t, u32 interval)
{
    struct screen s = {.t = t};
    char why[256];
    if (top_look(t, why, sizeof why) < 0) {
        say(c, "%s", why);
        return EXIT_BAD_FILE;
    }
    setlocale(LC_CTYPE, "");
    if (newterm(NULL, stdout, stdin) == NULL) {
        say(c, "the terminal '%s' is not known: set TERM, or use --once.", getenv("TERM"));
        return EXIT_LOAM;
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    set_escdelay(25);
    watch(&s, interval);
    endwin();
    return 0;
}
