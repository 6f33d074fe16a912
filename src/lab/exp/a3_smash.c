// A3 smash: a string too long for its buffer, and who notices.

#include "lab/lab.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 12, ROOM = 10 };

static u32 *reached; // shared with the child

// Where a hijacked return goes.
static void elsewhere(void)
{
    *reached = 1;
    _exit(0);
}

// The attacker's string: the same address over and over.
static const char *hostile(void)
{
    static void (*words[WORDS])(void);
    for (u32 i = 0; i < WORDS; i++)
        words[i] = elsewhere;
    return (const char *)words;
}

// Copy what is there, like strcpy, into ten bytes: a size that the compiler does not know.
#define SMASH                                              \
    char buffer[ROOM] __attribute__((aligned(8)));         \
    size_t length = sizeof(void *) * WORDS;                \
    const char *from = hostile();                          \
    UNKNOWN(length);                                       \
    for (volatile char *to = buffer; length > 0; length--) \
        *to++ = *from++;                                   \
    KEEP(buffer);

__attribute__((noinline, optimize("no-stack-protector"))) static void naked(void)
{
    SMASH
}

__attribute__((noinline, stack_protect)) static void with_canary(void)
{
    SMASH
}

__attribute__((noinline, optimize("no-stack-protector"))) static void fortified(void)
{
    char buffer[ROOM];
    char from[64];
    memset(from, 'A', sizeof from - 1);
    from[63] = 0;
    const char *text = from;
    UNKNOWN(text);
    __builtin___strcpy_chk(buffer, text, sizeof buffer);
    KEEP(buffer);
}

static void in_child(void *of)
{
    void (*body)(void);
    memcpy(&body, of, sizeof body);
    body();
}

struct outcome {
    bool hijacked, stopped;
};

static struct outcome attempt(struct lab *l, const char *name, void (*body)(void))
{
    struct lab_end end;
    *reached = 0;
    if (lab_child(l, in_child, &body, 0, &end) != 0)
        return (struct outcome){false, false};
    int signal = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
    end.said[strcspn(end.said, "\n")] = 0;
    lab_row(l, "%s|%s|%s|%.40s", name, *reached != 0 ? "taken over" : "not reached",
            signal == 0 ? "went on" : strsignal(signal), end.said);
    return (struct outcome){*reached != 0, *reached == 0 && signal != 0};
}

static void run(struct lab *l)
{
    reached = lab_shared(l, sizeof *reached);
    if (reached == NULL)
        return;
    lab_table(l, "96 bytes into a buffer of 10", "built with|return address|ended with|it said");
    struct outcome none = attempt(l, "no protection", naked);
    struct outcome canary = attempt(l, "a canary", with_canary);
    struct outcome checked = attempt(l, "_FORTIFY_SOURCE", fortified);
    lab_check(l, "return_address_overwritten", none.hijacked,
              none.hijacked ? "the function returned to an address from the string"
                            : "the return did not go where the string said: a shadow stack?");
    lab_check(l, "adjacent_corrupted", none.hijacked || none.stopped,
              "86 bytes beyond the buffer were overwritten");
    lab_check(l, "canary_stops", canary.stopped,
              "the canary was changed, and the function aborted");
    lab_check(l, "fortify_stops", checked.stopped, "strcpy knew the buffer's size, and aborted");
    lab_picture(l, "the stack, high addresses on top");
    lab_line(l, "+------------------------------+");
    lab_line(l, "| return address               |  <- what the overflow is after");
    lab_line(l, "| saved registers              |");
    lab_line(l, "| canary, if there is one      |  <- checked before the return");
    lab_line(l, "| char buffer[10]              |  ^  the copy grows upwards");
    lab_line(l, "+------------------------------+");
}

static const struct claim claims[] = {
    {S3, "topic 2", "overflow overwrites the return", "overwrites the return address",
     "return_address_overwritten", 0, 0, NULL},
    {S4, NULL, "strcpy into char buffer[10]", "corrupts adjacent memory", "adjacent_corrupted", 0,
     0, NULL},
    {S3, "topic 2", "a canary stops it", "stack canary", "canary_stops", 0, 0, NULL},
};

LAB_EXPERIMENT(A3) = {
    .question = "What happens when a string is longer than the buffer on the stack?",
    .prediction = "It runs over what lies above the buffer, the return address among it, and the "
                  "function returns to wherever the string says.",
    .method =
        "A child copies twelve times the address of one of our functions into a buffer of ten "
        "bytes. If that function runs, the return address was taken over: it says so in "
        "shared memory. The same with a stack canary, and with a strcpy that knows the "
        "buffer's size (_FORTIFY_SOURCE). The compiler must not see the length, or it would "
        "warn, or use what is undefined.",
    .look =
        "Without protection the attacker's function runs and nothing is reported. The canary is "
        "found broken before the return; the checked strcpy does not even begin.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
