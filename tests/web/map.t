#!/bin/sh
# The page of an address space in a real browser: pointed at, zoomed, shown whole again.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
for need in /usr/bin/chromium /usr/bin/chromedriver; do
    [ -x $need ] || skip_all "no $need"
done
/usr/bin/python3 -c 'import selenium' 2>/dev/null || skip_all "no selenium for python3"

"$loam" map self --html "$tmp/map.html" || fail "a page"
mkdir "$tmp/home" "$tmp/browser"
HOME=$tmp/home timeout 120 /usr/bin/python3 "$top/tests/web/map.py" "$tmp/map.html" "$tmp/browser" \
    >"$tmp/said" 2>"$tmp/err" || show "$tmp/err"
is "the end was reached" "$(tail -1 "$tmp/said")" "ok the end was reached"
while read -r word rest; do
    case $word in
    ok) pass "$rest" ;;
    *) fail "$word $rest" ;;
    esac
done <"$tmp/said"
done_testing
