#!/bin/sh
# The benchmark's programs, made small: under libloam.so each does its work, checks itself, and
# prints what it prints on glibc's malloc.
. "$(dirname "$0")/../lib/tap.sh"
[ -e "$build/bench/programs" ] || skip_all "the benchmark is not built: make bench-build"
BENCH_SCALE=0.02
export BENCH_SCALE
cd "$build/bench" || exit 1

grep -E '^[a-zA-Z]' programs | while read -r name suites mean command; do
    case $command in
    macro/* | micro/*) echo "$name $command" ;;
    esac
done | grep -v 'graph-1G' >"$tmp/list"

while read -r name command; do
    timeout 60 $command 2>&1 </dev/null | grep -v '^metric' >"$tmp/glibc"
    LD_PRELOAD=$so timeout 60 $command >"$tmp/raw" 2>&1 </dev/null
    status=$?
    grep -v '^metric' "$tmp/raw" >"$tmp/loam"
    is "$name" "$status $(cat "$tmp/loam")" "0 $(cat "$tmp/glibc")"
done <"$tmp/list"
done_testing
