#!/bin/sh
# What compilers' analyzers say of the toolkit's users. Programs are in tests/analyze/: a line
# "// gcc: TEXT" or "// clang: TEXT" says what that one tells; without such a line it has nothing to
# say. Nothing more may be told than that.
. "$(dirname "$0")/../lib/tap.sh"
here=$top/tests/analyze

# $1 is the program; prints what is told, a line each.
gcc_tells()
{
    "${CC:-gcc}" -O0 -fanalyzer -Wall -Wextra -D_GNU_SOURCE -I"$top/include" -c -o "$tmp/out.o" "$1" \
        2>&1 | grep -E '(warning|error):'
}

clang_tells()
{
    case $1 in *.cc) set -- "$1" -std=c++17 ;; *) set -- "$1" -std=gnu17 -fblocks ;; esac
    clang --analyze --analyzer-output text -Xclang -analyzer-config \
        -Xclang unix.DynamicMemoryModeling:Optimistic=true -D_GNU_SOURCE -I"$top/include" "$@" 2>&1 |
        grep -E '(warning|error):'
    clang -fsyntax-only -Wthread-safety -Wall -Wextra -D_GNU_SOURCE -I"$top/include" "$@" 2>&1 |
        grep -E '(warning|error):'
}

# One verdict: $1 the program, $2 who tells, $3 what it told.
judge()
{
    name=${1##*/}
    text=$(sed -n "1,4s|^// $2: ||p" "$1")
    if [ -z "$text" ]; then
        is "$name: $2 has nothing to say" "$3" ""
    else
        like "$name: $2 tells" "$3" "$text"
    fi
}

if echo 'int x;' | ${CC:-gcc} -fanalyzer -x c -c -o "$tmp/probe.o" - 2>/dev/null; then
    for source in "$here"/*.c; do # its analyzer knows C alone
        judge "$source" gcc "$(gcc_tells "$source")"
    done
else
    skip "gcc -fanalyzer" "this compiler has none"
fi
if command -v clang >/dev/null; then
    for source in "$here"/*.c "$here"/*.cc; do
        judge "$source" clang "$(clang_tells "$source")"
    done
else
    skip "clang --analyze" "clang is not installed"
fi
done_testing
