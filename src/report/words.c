// words.c: see words.h.

#include "report/words.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

const char *words_size(char out[WORDS_SIZE], u64 bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(out, WORDS_SIZE, "%llu B", (unsigned long long)bytes);
        return out;
    }
    double v = (double)bytes / 1000;
    size_t unit = 0;
    // 999.5 would be printed as 1000.
    for (; v >= 999.5 && unit + 1 < countof(units); unit++)
        v /= 1000;
    int digits = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
    snprintf(out, WORDS_SIZE, "%.*f %s", digits, v, units[unit]);
    return out;
}

const char *words_count(char out[WORDS_SIZE], u64 n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

const char *words_of(char out[WORDS_SIZE], u64 n, const char *noun)
{
    char number[WORDS_SIZE];
    snprintf(out, WORDS_SIZE, "%.30s %.24s%s", words_count(number, n), noun, n == 1 ? "" : "s");
    return out;
}

const char *words_share(char out[WORDS_SIZE], u64 part, u64 whole)
{
    double percent = whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
    if (part > 0 && percent < 1)
        return strcpy(out, "<1 %");
    if (part < whole && percent > 99) // never 100 % of what is not all
        percent = 99;
    snprintf(out, WORDS_SIZE, "%.0f %%", percent);
    return out;
}

const char *words_time(char out[WORDS_SIZE], u64 ns)
{
    double s = (double)ns / 1e9;
    if (s < 0.0995)
        snprintf(out, WORDS_SIZE, "%.0f ms", s * 1000);
    else if (s < 59.95)
        snprintf(out, WORDS_SIZE, "%.1f s", s);
    else if (s < 3600)
        snprintf(out, WORDS_SIZE, "%u min %u s", (u32)s / 60, (u32)s % 60);
    else
        snprintf(out, WORDS_SIZE, "%llu h %u min", (unsigned long long)(s / 3600),
                 (u32)((u64)s % 3600 / 60));
    return out;
}

const char *words_signal(int signal)
{
    static _Thread_local char text[32];
    const char *name = sigabbrev_np(signal);
    if (name != NULL)
        snprintf(text, sizeof text, "SIG%s", name);
    else
        snprintf(text, sizeof text, "signal %d", signal);
    return text;
}

const char *words_status(char out[WORDS_SIZE], u32 status)
{
    int s = (int)status;
    if (WIFSIGNALED(s))
        snprintf(out, WORDS_SIZE, "killed by %s", words_signal(WTERMSIG(s)));
    else
        snprintf(out, WORDS_SIZE, "exit status %d", WEXITSTATUS(s));
    return out;
}

bool words_read_size(const char *text, u64 *ret_bytes)
{
    static const char letters[] = "kMGT";
    char *end;
    if (*text < '0' || *text > '9')
        return false; // strtod would take -1, inf and 0x
    double n = strtod(text, &end);
    const char *letter = *end == 0 ? NULL : strchr(letters, *end == 'K' ? 'k' : *end);
    if (letter != NULL) {
        bool binary = end[1] == 'i';
        for (const char *l = letters; l <= letter; l++)
            n *= binary ? 1024 : 1000;
        end += binary ? 2 : 1;
    }
    end += *end == 'B';
    if (*end != 0 || n >= 1e18)
        return false;
    *ret_bytes = (u64)n;
    return true;
}
