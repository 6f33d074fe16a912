#!/bin/sh
# bench/sight.py: the table of what it costs to watch a program, in small.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$build/bench/cost" ] || skip_all "$build/bench/cost is not built"

"$build/bench/cost" "$tmp/own" sh -c 'exit 7'
is "cost ends as its command did" $? 7
like "cost tells CPU seconds and bytes" "$(cat "$tmp/own")" '^[0-9]*\.[0-9]* [0-9][0-9]*$'
"$build/bench/cost" "$tmp/none" "$tmp/nothing" 2>/dev/null
is "a command that is not there" $? 127

BUILD=$build python3 "$top/bench/sight.py" -n 1 --scale 0.01 --tools "loam run,loam run --sample" \
    --csv "$tmp/rows" larson >"$tmp/out" 2>"$tmp/err"
is "a table: status" $? 0
is "its lines" "$(sed -n 's/^  \(alone, on glibc\|loam[a-z -]*[a-z]\)  .*/\1/p' "$tmp/out" | tr '\n' ',')" \
    "alone, on glibc,loam run --sample,loam run,"
is "no line is longer than 80" "$(awk 'length > 80' "$tmp/out")" ""
is "every run has a row" "$(sed -n 's/^0,larson,\([^,]*\),.*/\1/p' "$tmp/rows" | tr -d '"' | sort | tr '\n' ',')" \
    "alone,loam run,loam run --sample,"
BUILD=$build python3 "$top/bench/sight.py" nosuch >"$tmp/out" 2>"$tmp/err"
is "a program that is not there: status" $? 1
like "a program that is not there" "$(cat "$tmp/err")" "^sight: no program 'nosuch'; there are: .*larson"
done_testing
