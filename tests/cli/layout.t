#!/bin/sh
# loam layout: holes and orders against pahole and two compilers, every kind of debug information
# against the plain one, C++, and files without any.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-cc}
oracle=$top/tests/cli/layout_oracle.py
cd "$tmp" || exit 1

# field EXPRESSION FILE [STRUCT]: a python expression over the JSON `o`, and `s`, structs by name.
field()
{
    expression=$1
    shift
    "$loam" layout --json "$@" | python3 -c '
import json, sys
o = json.load(sys.stdin)
s = {x["name"]: x for x in o["structs"]}
print(eval(sys.argv[1]))' "$expression"
}

is "150 random structs in their suggested order, by $cc" \
    "$(python3 "$oracle" compile "$loam" "$cc" "$tmp" 2>&1)" ""
if command -v pahole >/dev/null; then
    is "the same structs as they are, by pahole" \
        "$(python3 "$oracle" pahole "$loam" "$tmp/orders.o" 2>&1)" ""
else
    skip "the same structs as they are, by pahole" "pahole is not installed"
fi
if command -v clang >/dev/null; then
    is "and by clang" "$(python3 "$oracle" compile "$loam" clang "$tmp" 2>&1)" ""
else
    skip "and by clang" "clang is not installed"
fi

cat >a.c <<'X'
#include <stdatomic.h>
struct packed { char a; long b; } __attribute__((packed));
struct connection {
    char open;
    const char *const *names;
    union { int v4; struct { long high, low; }; };
    atomic_int hits;
    char tag[3][4];
    _Atomic long refs;
    unsigned flag : 3, mode : 4;
    int (*call)(struct connection *, int);
    char data[];
};
typedef struct { char a; int b; char c; } nameless;
struct far { char pad[100]; char big[4000]; };
union both { int i; double d; };
struct connection *c; struct packed p; nameless n; struct far f; union both u;
int main(void) { struct local { char a; long b; } l = {0}; return (int)l.b; }
X
$cc -g -gdwarf-5 -o a a.c
is "a packed struct has no holes and no better order" \
    "$(field "s['packed']['size'], s['packed']['wasted_bits'], s['packed']['order']" a)" "(9, 0, None)"
is "declarations" "$(field "[m['declaration'] for m in s['connection']['members']]" a connection)" \
    "['char open', 'const char *const *names', 'union {', 'int v4', 'struct {', 'long int high', 'long int low', 'atomic_int hits', 'char tag[3][4]', '_Atomic long int refs', 'unsigned int flag : 3', 'unsigned int mode : 4', 'int (*call)(struct connection *, int)', 'char data[]']"
is "atomics that share a line" \
    "$(field "[m['name'] for m in s['connection']['members'] if m['shares_line']]" a)" "['hits', 'refs']"
is "a flexible array stays last" "$(field "s['connection']['order'][-1]['name']" a)" data
is "a typedef names what has no name" "$(field "s['nameless']['best_size']" a)" 8
is "a struct inside a function" "$(field "s['main::local']['size']" a)" 16
is "cache lines" "$(field "s['far']['cache_lines'], s['far']['on_two_lines']" a)" "(65, 0)"
is "a union has no holes" "$(field "s['both']['kind'], s['both']['holes']" a)" "('union', [])"

# The page.
"$loam" layout a connection >out
like "the page tells the waste" "$(cat out)" '^WASTE +[0-9]+ b'
like "members" "$(cat out)" '^  b +8 +8  const char \*const \*names'
like "holes" "$(cat out)" '^  \. +1 +7  hole'
like "the map" "$(cat out)" '^     0  a\.\.\.\.\.\.\. bbbbbbbb'
like "the list has the worst first" "$("$loam" layout a)" '^ +8 .* connection'
is "not wider than 100 columns" "$("$loam" layout a | awk 'length($0) > 100')" ""

# Every kind of debug information says the same. Files of system headers are told relatively or
# absolutely, as the compiler likes.
cat >b.cc <<'X'
#include <atomic>
#include <string>
namespace net {
struct Empty {};
class Base { public: virtual ~Base(); long id; char c; };
Base::~Base() {}
class Derived : public Base, private Empty { char d; double e; static int count; std::string s; };
struct Virtual : virtual Base { char x; long y; char z; };
template <typename T> struct Slot { char used; T value; std::atomic<int> refs; bool dirty; };
struct Ring { alignas(64) std::atomic<long> head; alignas(64) std::atomic<long> tail; };
}
net::Derived d; net::Virtual v; net::Slot<long> a; net::Slot<std::string> b; net::Ring r;
int main() { return sizeof d; }
X
same="sorted((x['name'], x['size'], x['align'], x['wasted_bits'], x['best_size'], x['line'],
    [(m['declaration'], m['bit']) for m in x['members']])
    for x in o['structs'] if x['name'].startswith('net'))"
g++ -g -gdwarf-5 -c b.cc && g++ -o b b.o
plain=$(field "$same" b)
is "C++: bases, virtual functions, templates" \
    "$(field "[(n, s[n]['size'], s[n]['best_size']) for n in sorted(s) if n.startswith('net')][:4]" b)" \
    "[('net::Base', 24, 24), ('net::Derived', 64, 64), ('net::Ring', 128, 128), ('net::Slot<long int>', 24, 16)]"
is "a base lends its padding" "$(field "s['net::Derived']['members'][2]['bit'] // 8" b)" 17
is "a template without its arguments" "$(field "len(o['structs'])" b Slot)" 2
is "no static members" "$(field "'count' in [m['name'] for m in s['net::Derived']['members']]" b)" False
n=0
for flags in "-gdwarf-4" "-gdwarf-4 -fdebug-types-section" "-gdwarf-5 -fdebug-types-section" \
    "-gdwarf-4 -gsplit-dwarf" "-gdwarf-5 -gsplit-dwarf" "-gdwarf-5 -gz"; do
    n=$((n + 1))
    mkdir -p kind$n && cd kind$n || exit 1
    g++ -g $flags -c ../b.cc && g++ -o b b.o
    is "$flags" "$(field "$same" b)" "$plain"
    cd ..
done
cd kind4 || exit 1
if dwp -e b -o b.dwp 2>/dev/null; then
    mv b.dwo away
    is "a .dwp of DWARF 4" "$(field "$same" b)" "$plain"
    rm b.dwp
else
    mv b.dwo away
    skip "a .dwp of DWARF 4" "there is no dwp that works"
fi
is "no .dwo: what is missing is counted" "$(field "o['units_missing'], len(o['structs'])" b)" "(1, 0)"
like "and told" "$("$loam" layout b | tr -s '\n ' ' ')" 'MISSING .*b\.dwo'
cd ../kind5 || exit 1
packer=$(command -v llvm-dwp llvm-dwp-14 llvm-dwp-15 llvm-dwp-16 | head -1)
if [ -n "$packer" ]; then
    "$packer" -e b -o b.dwp && mv b.dwo away
    is "a .dwp of DWARF 5" "$(field "$same" b)" "$plain"
else
    skip "a .dwp of DWARF 5" "llvm-dwp is not installed"
fi
cd ..
if command -v dwz >/dev/null; then
    cp a a1 && cp a a2 && dwz -m common a1 a2
    is "dwz" "$(field "sorted(s), s['connection']['best_size']" a1)" \
        "$(field "sorted(s), s['connection']['best_size']" a)"
else
    skip "dwz" "dwz is not installed"
fi
cp a apart && objcopy --only-keep-debug a apart.debug && strip apart &&
    objcopy --add-gnu-debuglink=apart.debug apart
is "a debug file of its own" "$(field "s['connection']['size']" apart)" \
    "$(field "s['connection']['size']" a)"
is "an object file" "$($cc -g -c a.c && field "s['connection']['size']" a.o)" \
    "$(field "s['connection']['size']" a)"

# What cannot be shown.
refuses()
{
    what=$1 sentence=$2
    shift 2
    "$loam" layout "$@" >out 2>err
    is "$what: status" $? 1
    is "$what: sentence" "$(cat err)" "loam layout: $sentence"
    is "$what: nothing on stdout" "$(cat out)" ""
}
strip -o stripped a
echo hello >text
refuses "stripped" "stripped has no debug information: build it with -g, or install its debug \
symbols (-dbgsym, -dbg)." stripped
refuses "no struct" "there is no struct 'xyzzy' in a." a xyzzy
refuses "almost" "there is no struct 'connect' in a; did you mean 'connection'?" a connect
refuses "text" "text is no ELF file." text
"$loam" layout 2>/dev/null
is "no file: status" $? 2
done_testing
