#!/bin/sh
# The pages in a real browser: clicked through in headless Chromium.
. "$(dirname "$0")/../lib/tap.sh"
rich=$build/tests/web/rich
[ -x "$loam" ] && [ -x "$rich" ] || skip_all "$loam or $rich is not built"
for need in /usr/bin/chromium /usr/bin/chromedriver; do
    [ -x $need ] || skip_all "no $need"
done
/usr/bin/python3 -c 'import selenium' 2>/dev/null || skip_all "no selenium for python3"

"$rich" "$tmp/a.loam" && "$rich" "$tmp/b.loam" 5000000 || fail "two recordings"
"$loam" report "$tmp/a.loam" --html "$tmp/report.html" || fail "a page"
"$loam" diff "$tmp/a.loam" "$tmp/b.loam" --by live --fail-over 1M --html "$tmp/diff.html"
is "a diff that failed" "$?" 1
ok "a page is small" test "$(wc -c <"$tmp/report.html")" -lt 300000

mkdir "$tmp/home" "$tmp/browser"
HOME=$tmp/home timeout 120 /usr/bin/python3 "$top/tests/web/browse.py" "$tmp/report.html" "$tmp/diff.html" \
    "$tmp/browser" ${SHOTS:+"$SHOTS"} >"$tmp/said" 2>"$tmp/err" || show "$tmp/err"
is "the end was reached" "$(tail -1 "$tmp/said")" "ok the end was reached"
while read -r word rest; do
    case $word in
    ok) pass "$rest" ;;
    *) fail "$word $rest" ;;
    esac
done <"$tmp/said"
done_testing
