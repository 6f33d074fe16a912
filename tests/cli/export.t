#!/bin/sh
# A recording in the languages of other tools, read back by readers that are not loam's.
. "$(dirname "$0")/../lib/tap.sh"
rich=$build/tests/web/rich
[ -x "$loam" ] && [ -x "$rich" ] || skip_all "$loam or $rich is not built"
"$rich" "$tmp/rich.loam" || fail "a recording"

mkdir "$tmp/out"
for format in pprof folded speedscope chrome json openmetrics; do
    "$loam" report "$tmp/rich.loam" --export $format -o "$tmp/out/$format" 2>"$tmp/err" || show "$tmp/err"
    ok "$format is written" test -s "$tmp/out/$format"
done

python3 "$top/tests/cli/export_check.py" "$tmp/out" "$top/docs/report-json.schema.json" >"$tmp/said" 2>&1
is "the checker came to its end" "$?" 0
while read -r word rest; do
    case $word in
    ok) pass "$rest" ;;
    *) fail "$word $rest" ;;
    esac
done <"$tmp/said"

# The reader that everybody has. HOME: it writes its settings there.
if command -v go >/dev/null; then
    HOME=$tmp go tool pprof -top -nodefraction=0 -unit=B -sample_index=peak_space "$tmp/out/pprof" >"$tmp/top" 2>"$tmp/err" ||
        show "$tmp/err"
    like "go tool pprof: the largest place" "$(tr -s ' ' <"$tmp/top")" '^ 40000000B 77.2[0-9]% 77.2[0-9]% 46000000B 88.8[0-9]% cache_put$'
    HOME=$tmp go tool pprof -top -nodefraction=0 "$tmp/out/pprof" >"$tmp/top" 2>/dev/null
    like "go tool pprof: shows the peak when nobody chooses" "$(cat "$tmp/top")" '^Type: peak_space$'
    HOME=$tmp go tool pprof -list '^cache_grow$' "$tmp/out/pprof" >"$tmp/list" 2>&1
    like "go tool pprof: knows the file" "$(cat "$tmp/list")" 'cache_grow in .*/src/cache\.c'
else
    skip "go tool pprof reads it" "no go"
fi

"$loam" report "$tmp/rich.loam" --export folded --by leaked >"$tmp/leaked"
is "folded --by leaked sums to what leaked" "$(awk '{ n += $NF } END { print n }' "$tmp/leaked")" 275700

"$loam" report "$tmp/rich.loam" --export prof >"$tmp/o" 2>"$tmp/e"
is "an unknown format is wrong usage" "$?" 2
like "and the message lists those there are" "$(cat "$tmp/e")" 'no format "prof"; there are pprof, folded'
"$loam" report "$tmp/rich.loam" --export folded --by size 2>"$tmp/e"
is "an unknown gauge is wrong usage" "$?" 2
like "and the message lists those there are" "$(cat "$tmp/e")" 'leaked, peak, live'
"$loam" report "$tmp/rich.loam" -o "$tmp/x" 2>/dev/null
is "-o without --export is wrong usage" "$?" 2
for format in pprof speedscope json; do
    "$loam" report "$tmp/rich.loam" --export $format -o /dev/full 2>"$tmp/e"
    is "$format on a full disk: 125" "$?" 125
    like "and a sentence" "$(cat "$tmp/e")" '/dev/full could not be written: No space left'
done
"$loam" report "$tmp/rich.loam" --html "$tmp/no/where.html" 2>"$tmp/e"
is "a page into a folder that is not there: 125" "$?" 125
done_testing
