#!/bin/sh
# One program per crime. Each must end by SIGABRT, having said one exact line on stderr:
#
#     loam: TEXT: ADDRESS
#
# TEXT is what stands behind "// dies: " at the top of the program, ADDRESS the last line that
# the program printed itself. Once on the plain heap, once while allocations are tracked.
. "$(dirname "$0")/../lib/tap.sh"
here=$top/tests/misuse
ulimit -c 0

compile()
{
    case $1 in
    *.cc) set -- ${CXX:-g++} -std=c++17 "$@" ;;
    *) set -- ${CC:-gcc} -std=gnu17 -D_GNU_SOURCE "$@" ;;
    esac
    "$@" -O1 -g -w -fno-builtin -pthread >"$tmp/cc.log" 2>&1
}

# Run a command that may die. A shell would add "Aborted" to what it says.
quietly()
{
    perl -e '$s = system "timeout", 30, @ARGV; exit($s & 127 ? 128 + ($s & 127) : $s >> 8)' "$@"
}

# One verdict about what stands in $tmp/out and $tmp/err.
judge()
{
    expected="loam: $text: $(tail -1 "$tmp/out")"
    is "$1" "exit status $2, $(cat "$tmp/err")" "exit status 134, $expected"
}

for source in "$here"/*.c "$here"/*.cc; do
    name=${source##*/}
    name=${name%.*}
    text=$(sed -n '1,4s|^// dies: ||p' "$source")
    if [ -z "$text" ] || ! compile "$source" -o "$tmp/$name"; then
        fail "$name: compiles and says how it dies"
        show "$tmp/cc.log"
        continue
    fi
    quietly env LD_PRELOAD="$so" "$tmp/$name" >"$tmp/out" 2>"$tmp/err"
    judge "$name" $?
    quietly "$loam" run --leaks -o "$tmp/recording.loam" -- "$tmp/$name" >"$tmp/out" 2>"$tmp/all"
    status=$?
    # The report may stand behind it; the crime's line is the program's.
    grep '^loam: .*: 0x' "$tmp/all" >"$tmp/err"
    judge "$name, tracked" $status
done
done_testing
