#!/bin/sh
# What loam promises on its first page: the leak of `make run`, where 80 MB of Python come from,
# and what is still known of a program after kill -9.
. "$(dirname "$0")/guest.sh"
python=/usr/bin/python3 # not a version manager's wrapper script

# field FILE EXPRESSION: of the report as JSON; r is the report, most(f)
# the highest f of its places.
field()
{
    $python -c 'import json, sys
r = json.load(open(sys.argv[1]))
def most(f): return max(map(f, r["places"]))
v = eval(sys.argv[2])
print("nothing" if v is None else v)' "$@"
}

# ---- tree --gitignore

mkdir "$tmp/first"
[ -d "$build/first-look" ] && cp -a "$build/first-look" "$tmp/first/"
ln -s "$loam" "$tmp/first/loam"
ln -s "$so" "$tmp/first/libloam.so"
HOME=$tmp CC=${CC:-gcc} "$top/tools/first-look" "$tmp/first" >"$tmp/out" 2>"$tmp/report"
is "make run shows a report" $? 0
if [ -x "$tmp/first/first-look/tree" ]; then
    like "of 24,240 bytes, as memcheck counts them" "$(cat "$tmp/report")" 'LEAKED +24,240 bytes in 1,001 blocks, from 2 places'
    like "with the line that allocates" "$(cat "$tmp/report")" 'filter\.c:44'
else
    skip "of tree(1)" "Debian's archive cannot be reached for its source"
fi

# ---- the peak of a Python program

if [ -x $python ]; then
    "$loam" run --leaks --report "$tmp/report" --json "$tmp/json" -- $python -c \
        'x = [0] * 10000000' >"$tmp/out" 2>&1 </dev/null
    is "python3 -c 'x = [0] * 10000000' runs" $? 0
    is "its peak is 80 MB and a little" \
        "$(field "$tmp/json" '80e6 <= r["peak"]["bytes"] < 90e6')" True
    is "of which 80,000,000 bytes are in one place" \
        "$(field "$tmp/json" 'most(lambda p: p["peak_bytes"])')" 80000000
    like "the report tells the peak" "$(cat "$tmp/report")" '^PEAK.*8[0-9]\.[0-9] MB'

    # ---- kill -9

    cat >"$tmp/grow.py" <<'PY'
import time
kept = []
while True:
    kept.append("x" * 1000000)
    time.sleep(0.01)
PY
    "$loam" run --leaks -o "$tmp/rec.loam" --report "$tmp/report" -- $python "$tmp/grow.py" \
        >"$tmp/out" 2>&1 </dev/null &
    tool=$!
    sleep 3
    child=$(pgrep -P $tool | head -1)
    kill -9 "$child"
    wait $tool
    is "kill -9 of the program is its exit status" $? 137
    "$loam" report "$tmp/rec.loam" --json >"$tmp/json"
    is "the recording can be read" $? 0
    bytes=$(field "$tmp/json" 'r["live"]["bytes"]')
    ok "its live bytes are known: more than 50 MB ($bytes)" test "$bytes" -gt 50000000
    is "and by place: nearly all of them in one" "$(field "$tmp/json" \
        'most(lambda p: p["live"]["bytes"]) > 0.9 * r["live"]["bytes"]')" True
    is "no leak scan is claimed" "$(field "$tmp/json" 'r["leaked"]')" nothing
    like "the report says that it did not run" "$(cat "$tmp/report")" 'did not run|signal'
else
    skip "python's peak, kill -9" "$python is not installed"
fi
done_testing
