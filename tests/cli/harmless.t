#!/bin/sh
# Programs that are easily disturbed do and print the same under `loam run --leaks`, and end soon.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
program=$tmp/harmless
${CC:-cc} -std=gnu17 -D_GNU_SOURCE -g -O1 -o "$program" "$(dirname "$0")/harmless.c" -pthread ||
    fail "compile"

for name in threads blocked closed children sandbox naps; do
    timeout 60 "$program" $name >"$tmp/plain" 2>&1
    plain=$?
    if [ $plain = 77 ]; then
        skip "$name" "this machine does not let it"
        continue
    fi
    start=$(date +%s)
    # Through a pipe: its end must come when the program ends.
    { timeout 60 "$loam" run --leaks --report "$tmp/report" --json "$tmp/json" -- "$program" $name \
        2>&1; echo $? >"$tmp/status"; } | cat >"$tmp/out"
    is "$name: status" "$(cat "$tmp/status")" $plain
    is "$name: output" "$(cat "$tmp/out")" "$(cat "$tmp/plain")"
    ok "$name: soon" test $(($(date +%s) - start)) -lt 20
    like "$name: its leak is found" "$(cat "$tmp/report")" '^LEAKED +1,000 bytes in 1 block, from 1'
    [ -s "$tmp/report" ] && grep -q "^LEAKED.*1,000" "$tmp/report" || show "$tmp/report"
done
done_testing
