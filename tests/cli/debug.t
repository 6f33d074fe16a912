#!/bin/sh
# Debug information that stands elsewhere: a file named by .gnu_debuglink, one found by build-id,
# compressed sections, split units (.dwo, .dwp), parts shared by dwz. And Rust, where rustc is.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1
cat >p.c <<'EOF'
#include <stdlib.h>
char *volatile kept;
static inline __attribute__((always_inline)) void fill(size_t n)
{
    kept = malloc(n);
}
__attribute__((noinline)) void load(size_t n)
{
    fill(n);
    kept[0] = 1;
}
int main(void)
{
    load(5000);
    return kept[0] == 0;
}
EOF
told()
{
    "$loam" run -o p.loam --report err -- "$@" || show err
    "$loam" report -a p.loam | sed -n 's/^           \([^ 0-9].*\)/\1/p' | tr -s ' '
}

# Inlined function, the function around it, its caller: all lines are known.
whole()
{
    like "$1: the inlined function" "$2" '^fill p\.c:5 \(inlined\)$'
    like "$1: the function around it" "$2" '^load p\.c:9$'
    like "$1: its caller" "$2" '^main p\.c:14$'
}

build()
{
    rm -rf bin && mkdir bin
    gcc -O2 "$@" -Wl,--build-id -o bin/p p.c || fail "compile"
}

build -g
objcopy --only-keep-debug bin/p bin/p.debug && strip bin/p &&
    objcopy --add-gnu-debuglink=bin/p.debug bin/p
whole ".gnu_debuglink, beside it" "$(told bin/p)"
mkdir bin/.debug && mv bin/p.debug bin/.debug/
whole ".gnu_debuglink, in .debug" "$(told bin/p)"
# The same name, but made from other sources: neither build-id nor checksum fit.
sed 's/n);$/n + 16);/' p.c >q.c
gcc -g -O2 -Wl,--build-id -o other q.c && objcopy --only-keep-debug other other.debug || fail "compile"
build -g
objcopy --only-keep-debug bin/p bin/p.debug && strip bin/p && objcopy --add-gnu-debuglink=bin/p.debug bin/p &&
    cp other.debug bin/p.debug
like ".gnu_debuglink to another file: not believed" "$(told bin/p)" '^p\+0x[0-9a-f]+ in function'

build -g -gz
whole "compressed sections" "$(told bin/p)"
build -g -gsplit-dwarf
whole "split units (.dwo)" "$(told bin/p)"
build -g -gdwarf-4
whole "DWARF 4" "$(told bin/p)"

if command -v dwz >/dev/null; then
    build -g
    cp bin/p bin/q
    if dwz -m bin/shared.debug -M "$tmp/bin/shared.debug" bin/p bin/q 2>/dev/null && [ -f bin/shared.debug ]; then
        whole "parts shared by dwz" "$(told bin/p)"
    else
        dwz bin/p 2>/dev/null
        whole "made smaller by dwz" "$(told bin/p)"
    fi
else
    skip "dwz" "no dwz"
fi

if command -v rustc >/dev/null && rustc --version >/dev/null 2>&1; then
    cat >r.rs <<'EOF'
#[inline(never)]
fn fill<T: Clone>(x: T, n: usize) -> Vec<Vec<T>> { (0..n).map(|_| vec![x.clone(); 1000]).collect() }
fn main() {
    let v = fill(7u64, 50);
    println!("{}", v.len());
    std::mem::forget(v);
}
EOF
    rustc -g -o r r.rs 2>err || show err
    out=$(told ./r)
    like "Rust: the program's own function" "$out" '^r::fill.* r\.rs:2$'
    is "Rust: no mangled name is left" "$(echo "$out" | grep -c '^_R\|_ZN')" 0
else
    skip "Rust" "no rustc"
fi
done_testing
