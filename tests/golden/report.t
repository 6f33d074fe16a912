#!/bin/sh
# Whole reports, byte for byte. The recordings are fabricated (fabricate.c), so that everything in
# the reports is known. After a wanted change: tests/golden/report.t --bless, then read the diff.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1
fabricate=$build/tests/golden/fabricate
[ -x "$fabricate" ] || skip_all "$fabricate is not built"
bless=${1-}

# golden NAME RECORDING OPTION...: the report's text is what NAME.txt holds, in UTF-8.
golden()
{
    name=$1 file=tests/golden/$1.txt recording=$tmp/$2.loam
    "$fabricate" "$2" "$recording" || fail "fabricate $2"
    shift 2
    LC_ALL=C.UTF-8 "$loam" report "$recording" "$@" >"$tmp/out" 2>&1
    status=$?
    sed -e "s|$tmp/||g" -e 's/"loam": "[0-9.]*"/"loam": "VERSION"/' "$tmp/out" >"$tmp/got"
    if [ "$bless" = --bless ]; then cp "$tmp/got" "$file"; fi
    is "$name: exit status" $status 0
    is "$name" "$(cat "$tmp/got")" "$(cat "$file")"
}

golden leaks leaks
golden leaks-full leaks --full-stacks --reachable
golden leaks-one leaks -n1
golden killed killed
golden tree tree
golden clean clean
golden killed-json killed --json
golden tree-json tree --json

like "without UTF-8, in ASCII" "$(LC_ALL=C "$loam" report "$tmp/leaks.loam")" '1.00 MB =+-+  81 %'
is "and only in ASCII" "$(LC_ALL=C "$loam" report "$tmp/leaks.loam" | LC_ALL=C grep -n '[^ -~]')" ""

if command -v python3 >/dev/null; then
    ok "JSON is JSON" sh -c "'$loam' report '$tmp/leaks.loam' --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert r[\"schema\"] == \"loam-report/1\"
assert r[\"leaked\"][\"bytes\"] == sum(p[\"leaked\"][\"bytes\"] for p in r[\"places\"]) == 1234567
f = r[\"frames\"][r[\"places\"][0][\"stack\"][1]]
assert f[\"function\"] == \"parse_header\" and f[\"line\"] == 88
'"
else
    skip "JSON is JSON" "python3 is not installed"
fi
done_testing
