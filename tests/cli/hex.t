#!/bin/sh
# loam hex: bytes as od tells them, values as the program itself tells them, pointers followed in a
# process, in a core file and in a file; cores that are cut, processes that die, types that are not.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-cc}
cd "$tmp" || exit 1

# field EXPRESSION ARGUMENTS...: a python expression over the JSON `o`; `v`: values by declaration.
field()
{
    expression=$1
    shift
    "$loam" hex --json "$@" | python3 -c '
import json, sys
o = json.load(sys.stdin)
v = {x["declaration"]: x["value"] for x in o["values"] or []}
to = {x["declaration"]: x["to"] for x in o["values"] or []}
print(eval(sys.argv[1]))' "$expression"
}

cat >h.c <<'X'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
enum state { IDLE, BUSY = 5, GONE = -1 };
struct node {
    struct node *next;
    const char *name;
    char tag[12];
    enum state state, other;
    struct { short x, y; } at[2];
    unsigned flag : 3, mode : 4;
    int minus : 5;
    double ratio;
    int numbers[4];
    void (*call)(int);
    union { long whole; int half; };
    _Bool ok;
    void *wild;
};
static void act(int n) { (void)n; }
struct node first;
char filled[64];
const char *names[] = {"alpha", "beta"};
char sparse[1 << 20];
int main(int argc, char **argv)
{
    char *on_heap = strdup("on the heap");
    first = (struct node){&first, on_heap, "tag", BUSY, GONE, {{1, 2}, {-3, 4}}, 5, 9, -3, 2.5,
                          {1, -2, 3, 4}, act, {7}, 1, (void *)0x123456789000};
    memset(filled, 0xab, sizeof filled);
    if (argc > 1)
        abort();
    printf("%p\n", (void *)on_heap);
    fflush(stdout);
    for (;;)
        pause();
    (void)argv;
}
X
$cc -g -o h h.c

# ---------------------------------------------------------------- a file's bytes
is "bytes are od's" "$(field "o['bytes']" h -n 333)" "$(od -An -v -tx1 -N333 h | tr -d ' \n')"
is "at an offset" "$(tail -c +7 h | head -c 999 >plain && field "o['bytes']" plain:0x123 -n 40)" \
    "$(od -An -v -tx1 -j 291 -N 40 plain | tr -d ' \n')"
is "up to the end" "$(field "o['size']" plain:990 -n 100)" 9
like "and told" "$("$loam" hex plain:990 -n 100)" '91 bytes could not be read'
is "a symbol of a file, its pointers named" \
    "$(field "[p['text'] for p in o['pointers']]" h:names -n 16)" "['\"alpha\"', '\"beta\"']"
head -c 4096 /dev/zero >zero
like "zeroes are folded" "$("$loam" hex zero -n 4096)" '4,080 more bytes of zeroes'
is "on few lines" "$("$loam" hex zero -n 4096 | wc -l)" 6

# ---------------------------------------------------------------- a process
mkfifo ready
LD_PRELOAD=$so ./h >ready &
pid=$!
read -r heap <ready
is "values" "$(field "[v[k] for k in ('char tag[12]', 'enum state state', 'enum state other', \
    'unsigned int flag : 3', 'unsigned int mode : 4', 'int minus : 5', 'double ratio', \
    'int numbers[4]', 'int half', '_Bool ok')]" $pid:first --as node)" \
    "['\"tag\"', 'BUSY (5)', 'GONE (-1)', '5', '9', '-3', '2.5', '{1, -2, 3, 4}', '7', 'true']"
is "pointers followed" "$(field "[to['struct node *next'], to['void (*call)(int)'], to['void *wild']]" \
    $pid:first --as 'struct node')" "['first', 'act', None]"
is "to a block of the heap" "$(field "to['const char *name']" $pid:first --as node)" \
    "heap block of 16 bytes"
like "and its text" "$("$loam" hex $pid:first --as node)" 'heap block of 16 bytes "on the heap"'
is "in 80 columns" "$("$loam" hex $pid:first --as node | awk 'length > 80')" ""
like "beside its value where there is room" "$("$loam" hex $pid:first --as node)" \
    'struct node \*next += 0x[0-9a-f]+  > first'
like "a wild pointer" "$("$loam" hex $pid:first --as node)" '0x123456789000  points to nothing'
is "an address" "$(field "bytes.fromhex(o['bytes']), o['at']" "$pid:$heap" -n 11)" \
    "(b'on the heap', 'heap block of 16 bytes')"
is "inside" "$(field "o['at']" "$pid:$heap+3" -n 4)" "heap block of 16 bytes, +3"
is "repeated words" "$(field "hex(o['repeated']['word'] & (1 << 64) - 1), o['repeated']['times']" $pid:filled -n 64)" \
    "('0xabababababababab', 8)"
is "plain types" "$(field "[x['value'] for x in o['values']]" $pid:first+24 --as i32 -n 12)" \
    "['0', '5', '-1']"
before=$(awk '/^Rss:/ { sum += $2 } END { print sum }' /proc/$pid/smaps)
"$loam" hex $pid:sparse+0x1000 -n 1000000 >/dev/null
is "what was never touched stays untouched" \
    "$(awk '/^Rss:/ { sum += $2 } END { print sum }' /proc/$pid/smaps)" "$before"
like "colour and columns: not wider than 80" "$("$loam" hex $pid:first | awk 'length($0) > 100')" '^$'
ended=$pid
kill $pid
wait $pid 2>/dev/null

# ---------------------------------------------------------------- a core
ulimit -c unlimited 2>/dev/null
if command -v gdb >/dev/null; then
    gdb -q -batch -ex run -ex "generate-core-file core" --args ./h crash >/dev/null 2>&1
fi
if [ -s core ]; then
    is "a core: values" "$(field "v['enum state state'], to['void (*call)(int)']" \
        core:first --as node --types h)" "('BUSY (5)', 'act')"
    is "a core: texts that it leaves out are read from the program" \
        "$(field "[p['text'] for p in o['pointers']]" core:names -n 16)" "['\"alpha\"', '\"beta\"']"
    size=$(stat -c %s core) bad=
    for part in 1 2 5 9; do
        head -c $((size * part / 10)) core >cut
        "$loam" hex cut:first --as node --types h >/dev/null 2>&1
        [ $? -le 1 ] || bad="$bad $part"
    done
    is "a core that is cut does no harm" "$bad" ""
else
    skip "a core" "gdb is not installed"
fi

# ---------------------------------------------------------------- what cannot be shown
refuses()
{
    what=$1 sentence=$2
    shift 2
    "$loam" hex "$@" >out 2>err
    is "$what: status" $? 1
    is "$what: sentence" "$(cat err)" "loam hex: $sentence"
    is "$what: nothing on stdout" "$(cat out)" ""
}
refuses "a process that has ended" "there is no process $ended." "$ended:0x1000"
refuses "no symbol" "'xyzzy' is neither an address nor a symbol of h." h:xyzzy
refuses "no type" "there is no type 'xyzzy' in h; --types FILE names another one." h:first --as xyzzy
refuses "behind the end" "plain: the file ends before 0x3e8." plain:1000
refuses "nothing there" "h: nothing can be read at 0x7000000." h:0x7000000
refuses "no file" "none cannot be read: No such file or directory." none
"$loam" hex 2>/dev/null
is "nothing to show: status" $? 2
"$loam" hex h -n 99999999 2>/dev/null
is "too much: status" $? 2
done_testing
