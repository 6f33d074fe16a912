#!/bin/sh
# loam asm: the instructions that objdump sees, on x86-64 and aarch64; what jumps, calls and checks
# are; two versions of a function; compilers and functions that are not there.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-cc}
oracle=$top/tests/cli/asm_oracle.py
cd "$tmp" || exit 1

# field EXPRESSION ARGUMENTS...: a python expression over the functions `f`, `g`; `i`: instructions.
field()
{
    expression=$1
    shift
    "$loam" asm --json "$@" | python3 -c '
import json, sys
f, *rest = json.load(sys.stdin)["functions"]
g = rest[0] if rest else None
i = f["instructions"]
print(eval(sys.argv[1]))' "$expression"
}

cat >a.c <<'X'
typedef unsigned long size_t;
int puts(const char *);
void abort(void) __attribute__((noreturn));
__attribute__((noinline)) int get(const int *a, unsigned n, unsigned i)
{
    if (i >= n)
        abort();
    return a[i];
}
int sum(const int *a, int n)
{
    int s = 0;
    for (int i = 0; i < n; i++)
        s += a[i];
    return s;
}
int main(int argc, char **argv)
{
    int a[64] = {argc};
    puts("a text");
    return get(a, 64, (unsigned)argc) + sum(a, 64);
}
X
$cc -g -O2 -fno-stack-protector -o a a.c
is "objdump sees the same" "$(python3 "$oracle" "$loam" objdump a get sum main _start)" ""
is "in an object file" "$($cc -g -O2 -c a.c && python3 "$oracle" "$loam" objdump a.o get sum)" ""
is "in the tool itself" \
    "$(python3 "$oracle" "$loam" objdump "$loam" code_load facts_load opt_parse structs_collect)" ""
if command -v clang >/dev/null && command -v llvm-objdump >/dev/null; then
    clang -target aarch64-linux-gnu -g -O3 -c -o arm.o a.c
    is "aarch64" "$(python3 "$oracle" "$loam" llvm-objdump arm.o get sum)" ""
    is "aarch64: source lines" "$(field "10 < max(x['line'] or 0 for x in i) < 17" arm.o sum)" True
    is "aarch64: vectors" "$(field "f['counts']['vector'] > 2" arm.o sum)" True
    is "aarch64: a check" "$(field "f['counts']['check']" arm.o get)" 1
else
    skip "aarch64" "clang is not installed"
fi

is "a bounds check is a check" "$(field "f['counts']['check'], f['counts']['branch']" a get)" "(1, 0)"
is "a loop" "$(field "f['loops'] >= 1" a sum)" True
is "calls through the PLT have a name" "$(field "'puts' in [x['remark'] for x in i]" a main)" True
is "so have calls of an object file" "$(field "'puts' in [x['remark'] for x in i]" a.o main)" True
is "a string is shown" "$(field "'\"a text\"' in [x['remark'] for x in i]" a main)" True
is "stack" "$(field "f['stack'] >= 256" a main)" True
is "source lines" "$(field "{x['line'] for x in i} >= {6, 8}" a get)" True
at=$(field "hex(f['address'])" a sum)
is "an address" "$(field "f['symbol']" a "$at")" sum
strip -o stripped a
is "of a stripped file" "$(field "f['address'] == $at and f['size'] >= 20" stripped "$at")" True
is "AT&T" "$(field "any('%' in x['operands'] for x in i)" a main --att)" True

cat >b.cc <<'X'
namespace net { template <typename T> struct Box { T v; T get(int n) const; };
template <typename T> T Box<T>::get(int n) const { return v * n; } }
template struct net::Box<int>;
int free_one(int a) { return a + 1; }
__attribute__((noinline)) int checked(int *a, unsigned n, unsigned i)
{
    if (i >= n)
        throw 1;
    return a[i];
}
int main(int c, char **) { return free_one(2) + checked(&c, 1, c); }
X
g++ -g -O2 -o b b.cc
is "C++: the last part of a name" "$(field "f['symbol']" b get)" "net::Box<int>::get(int) const"
is "C++: a whole name" "$(field "f['symbol']" b 'net::Box<int>::get(int) const')" \
    "net::Box<int>::get(int) const"
is "C++: a name with template arguments" "$(field "f['symbol']" b 'net::Box<int>::get')" \
    "net::Box<int>::get(int) const"
is "C++: a name without parameters" "$(field "f['symbol']" b free_one)" "free_one(int)"
is "C++: a function, not what was cut off it" "$(field "f['symbol']" b checked)" \
    "checked(int*, unsigned int, unsigned int)"
is "C++: a throw behind a branch is a check" "$(field "f['counts']['check']" b checked)" 1
is "C++: the linker's name" "$(field "f['symbol']" b _Z8free_onei)" "free_one(int)"

is "compiled both ways" "$(CC=$cc field "f['version'], g['version'], f['size'] < g['size']" \
    a.c sum --compare -Os '-O3 -mavx2')" "('-Os', '-O3 -mavx2', True)"
is "with another file" "$(field "f['symbol'] == g['symbol'] and f['size'] == g['size']" \
    a sum --compare a.o)" True
is "a source alone" "$(CC=$cc field "f['counts']['check']" a.c get)" 1
is "more flags" "$(CC=$cc field "f['symbol']" a.c renamed --flags -Dsum=renamed)" renamed
mkdir left
CC=$cc TMPDIR=$tmp/left "$loam" asm a.c sum --compare -O2 -O3 >out
is "nothing is left behind" "$(ls left)" ""
like "the table" "$(cat out)" '^  instructions +[0-9]+ +[0-9]+'
like "line by line" "$(cat out)" '^ +14  s \+= a\[i\];'
"$loam" asm a get >out
like "the page: source" "$(cat out)" '^ +6  if \(i >= n\)'
like "the page: a check" "$(cat out)" 'j[a-z]+ .* check'
is "not wider than 100" "$(awk 'length($0) > 100' out)" ""

refuses()
{
    what=$1 status=$2 sentence=$3
    shift 3
    "$loam" asm "$@" >out 2>err
    is "$what: status" $? "$status"
    is "$what: sentence" "$(tail -1 err)" "loam asm: $sentence"
    is "$what: nothing on stdout" "$(cat out)" ""
}
echo hello >text
echo 'int f( {' >wrong.c
refuses "no function" 1 "there is no function 'xyzzy' in a: was it inlined, or the file stripped? \
An address does, too: 0x1234." a xyzzy
refuses "almost" 1 "there is no function 'free_on' in b; the nearest is 'free_one(int)'." b free_on
refuses "no such address" 1 "0xffffffff is no address that a loads anything at." a 0xffffffff
refuses "text" 1 "text is no ELF file." text main
refuses "no FUNCTION" 2 "which function? Try 'loam asm ./prog main', or 'loam asm -h'." a
refuses "flags for no source" 2 "a is no source file: only those can be compiled both ways." \
    a sum --compare -O2 -O3
refuses "does not compile" 1 "wrong.c does not compile; --flags takes what it needs." wrong.c f
CC=$tmp/none refuses "no compiler" 1 "there is no compiler '$tmp/none': install it, or set CC." a.c sum
done_testing
