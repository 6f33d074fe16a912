#!/bin/sh
# `loam lab`: experiments are found, explained and judged; what is exact is exact, what is measured
# has its order; nothing is left behind. No absolute time is asserted anywhere.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/lab.sh"

# ---------------------------------------------------------------- list, explain, source

"$loam" lab list >"$tmp/list"
is "each line of the list begins with an ID" "$(grep -vE '^[A-G][0-9]+[a-z]? +[a-z0-9-]+ +.*[?.]$' "$tmp/list")" ""
is "IDs are sorted, as people sort them" "$(cut -d' ' -f1 "$tmp/list" | sort -c -V 2>&1)" ""
is "no name is given twice" "$(awk '{ print $2 }' "$tmp/list" | sort | uniq -d)" ""
ok "a chapter can be listed" test "$("$loam" lab list D | wc -l)" -gt 10
is "IDs and names find the same" "$("$loam" lab explain D7)" "$("$loam" lab explain False_Sharing)"

bad=
files=
for id in $(cut -d' ' -f1 "$tmp/list"); do
    parts=$("$loam" lab explain "$id" | grep -cE '^(Question|Prediction|Method|Look for|Claims) +[^ ]')
    [ "$parts" = 5 ] || bad="$bad $id"
    lower=$(echo "$id" | tr A-Z a-z)
    file=$(ls "$top"/src/lab/exp/"${lower}"_*.c)
    "$loam" lab source --details "$id" | tail -c "$(wc -c <"$file")" | cmp -s - "$file" || files="$files $id"
done
is "every experiment has all parts of its essay" "$bad" ""
is "every experiment prints its own file" "$files" ""

# ---------------------------------------------------------------- what is exact

"$loam" lab run A1 A3 A10 A11 A12 A14 A15 A16 A18 A19 A20 D2 --json "$tmp/exact.json" >"$tmp/exact.txt"
is "a run of them ends well" $? 0
is "none failed" "$(ask "$tmp/exact.json" '[e["id"] for e in d["experiments"] if e["status"] != "ok"]')" "[]"
is "the stack cannot be executed" "$(ask "$tmp/exact.json" 'v("A1", "data_not_executable")')" holds
# only NAME ID METRIC VERDICT: that, or the compiler or tool that it takes is not here
only()
{
    case $(ask "$tmp/exact.json" "v('$2', '$3')") in
    cannot) skip "$1" "$(ask "$tmp/exact.json" "next(c['why'] for c in of['$2']['claims'] if c['metric'] == '$3')")" ;;
    *) is "$1" "$(ask "$tmp/exact.json" "v('$2', '$3')")" "$4" ;;
    esac
}
only "an overflow reaches the return address" A3 return_address_overwritten holds
only "a canary stops it" A3 canary_stops holds
only "a pointer is 4 bytes on 32 bits" A10 usize_on_32_bits holds
only "aarch64 code has the pair" A18 pair_in_arm_code holds
is "what takes two machines cannot be told" "$(ask "$tmp/exact.json" '[c["verdict"] for c in of["A19"]["claims"]]')" "['cannot']"
only "readelf tells the entry that the file has" A20 entry_agrees holds
is ".bss takes no disk" "$(ask "$tmp/exact.json" 'v("A11", "bss_on_disk")')" "holds holds"
is "the entry is not main" "$(ask "$tmp/exact.json" 'v("A11", "entry_is_main")')" differs
is "padding is counted" "$(ask "$tmp/exact.json" 'm("A12", "padding_bytes") == 17')" True
is "the busy beavers halt where they must" \
    "$(ask "$tmp/exact.json" '(m("A14", "steps_4"), m("A14", "steps_5"), m("A14", "ones_5"))
        == (107, 47176870, 4098)')" True
is "pointer arithmetic counts in objects" "$(ask "$tmp/exact.json" 'v("A15", "scaled")')" holds
is "literals stand in .rodata" "$(ask "$tmp/exact.json" 'v("A16", "literal_in_data")')" differs
like "verdicts are on the screen" "$(cat "$tmp/exact.txt")" 'HOLDS'
ok "of metric and claim the units agree" test "$(ask "$tmp/exact.json" '[
    (e["id"], c["what"]) for e in d["experiments"] for c in e["claims"] for x in e["metrics"]
    if x["key"] == c["metric"] and x["unit"] != c.get("unit", "yes")]')" = "[]"

# ---------------------------------------------------------------- what is measured

# order NAME FILE ID EXPRESSION: unless the machine is too noisy for that experiment
order()
{
    case $(ask "$2" "g('$3') == 'C'") in
    True) skip "$1" "the machine is too noisy now" ;;
    *) is "$1" "$(ask "$2" "$4")" True ;;
    esac
}
"$loam" lab run ladder list aos-soa branch ilp false-sharing padding --json "$tmp/timed.json" >/dev/null
order "L1 < L2 < L3 < memory" "$tmp/timed.json" D1 \
    'm("D1", "l1_cycles") < m("D1", "l2_cycles") < m("D1", "l3_cycles") < m("D1", "dram_cycles")'
order "array < list in order < shuffled list" "$tmp/timed.json" D3 \
    'm("D3", "array") < m("D3", "list_in_order") < m("D3", "list_shuffled")'
order "one field: its own array is faster" "$tmp/timed.json" D5 'm("D5", "structs_over_arrays") > 1'
order "a branch that cannot be guessed costs" "$tmp/timed.json" A8 'm("A8", "random_over_sorted") > 1'
order "independent additions overlap" "$tmp/timed.json" A7 'm("A7", "speedup") > 1'
if [ "$(nproc)" -gt 1 ]; then
    order "padded <= shared" "$tmp/timed.json" D8 'm("D8", "apart_64") <= m("D8", "apart_8") * 1.05'
else
    is "one processor: it cannot, and says so" "$(ask "$tmp/timed.json" 'v("D8", "gain")')" cannot
fi
is "the result agrees with itself" \
    "$("$loam" lab compare "$tmp/timed.json" "$tmp/timed.json" | grep -o '(.*%)')" "(100 %)"
like "the card has the ladder" "$("$loam" lab card "$tmp/timed.json")" 'load from L2 .*cycles .*10-20'

# ---------------------------------------------------------------- JSON, HTML, doctor

"$loam" lab run A7 --seed 7 --json - >"$tmp/alone.json"
is "--json - prints JSON and nothing else" \
    "$(ask "$tmp/alone.json" 'd["schema"], d["seed"], d["depth"], sorted(d["sources"])')" \
    "('lab/1', 7, 'quick', ['S0', 'S1', 'S2', 'S3', 'S4'])"
is "intervals hold their value" "$(ask "$tmp/alone.json" '[x["key"] for e in d["experiments"]
    for x in e["metrics"] if not x["ci95"][0] <= x["value"] <= x["ci95"][1]]')" "[]"
"$loam" lab run A7 --html "$tmp/lab.html" >/dev/null
like "the page holds the results" "$(grep -c '"speedup"' "$tmp/lab.html")" '[1-9]'
if command -v chromium >/dev/null; then
    timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/chromium" \
        --virtual-time-budget=2000 --dump-dom "file://$tmp/lab.html" >"$tmp/dom" 2>/dev/null
    is "a browser shows claim, verdict and bars" \
        "$(grep -o 'lab-experiment\|run in parallel\|bars-fill' "$tmp/dom" | sort -u | tr '\n' ' ')" \
        "bars-fill lab-experiment run in parallel "
else
    skip "a browser shows claim, verdict and bars" "chromium is not installed"
fi
is "doctor says yes or no to each" \
    "$("$loam" lab doctor --json - | python3 -c 'import json, sys
print(all(isinstance(f["here"], bool) and (f["here"] or f["without"]) for f in json.load(sys.stdin)["findings"]))')" True

# ---------------------------------------------------------------- poor machines, wrong words

if command -v taskset >/dev/null; then
    cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
    taskset -c "$cpu" "$loam" lab run D9 --json "$tmp/one.json" >/dev/null
    is "one processor: it cannot" "$(ask "$tmp/one.json" 'v("D9", "other_core_over_own")')" cannot
    like "and says why" "$(ask "$tmp/one.json" 'd["experiments"][0]["claims"][0]["why"]')" '2 processors'
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 711 "$tmp"
    setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR -u TMPDIR \
        "$loam" lab run A1 >"$tmp/nobody" 2>&1
    is "without privilege it runs" $? 0
    like "and judges" "$(cat "$tmp/nobody")" 'HOLDS'
fi
"$loam" lab run lader 2>"$tmp/err"
is "a wrong name is wrong usage" $? 2
like "and the right one is proposed" "$(cat "$tmp/err")" "Did you mean 'ladder'"
"$loam" lab compare "$tmp/list" "$tmp/list" 2>"$tmp/err"
is "compare wants files of ours" $? 1
"$loam" lab frobnicate 2>/dev/null
is "an unknown word is wrong usage" $? 2

# ---------------------------------------------------------------- nothing is left behind

is "no folder is left" "$(ls -d "$tmp"/loam-lab.* 2>/dev/null)" ""
is "no state is left" "$(ls "$XDG_RUNTIME_DIR/loam-lab")" ""

# Killed while it holds a folder: poll for that moment, kill, and look.
"$loam" lab run disk --full >/dev/null 2>&1 &
lab=$!
tries=0
while ! ls -d "$tmp"/loam-lab.* >/dev/null 2>&1 && kill -0 $lab 2>/dev/null && [ $tries -lt 2000 ]; do
    sleep 0.01
    tries=$((tries + 1))
done
children=$(cat /proc/$lab/task/$lab/children 2>/dev/null)
kill -9 $lab
wait $lab 2>/dev/null
alive=1
tries=0
while [ -n "$alive" ] && [ $tries -lt 500 ]; do
    alive=
    for c in $children; do
        [ -e "/proc/$c" ] && ! grep -q '^State:.*Z' "/proc/$c/status" 2>/dev/null && alive=$c
    done
    tries=$((tries + 1))
    [ -z "$alive" ] || sleep 0.01
done
is "kill -9 takes its processes with it" "$alive" ""
if ls -d "$tmp"/loam-lab.* >/dev/null 2>&1; then
    like "cleanup removes what was left" "$("$loam" lab cleanup)" 'Removed [1-9]'
else
    skip "cleanup removes what was left" "it was killed too late to leave anything"
fi
is "and then there is nothing" "$(ls -d "$tmp"/loam-lab.* 2>/dev/null)" ""
is "cleanup of nothing" "$("$loam" lab cleanup)" "Nothing was left behind."

# What a watched program is: a grandchild of the experiment, and in its process group.
group()
{
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) /\1 /' | awk -v g="$1" '$4 == g && $2 != "Z" { print $1 }'
}
# Those that loam watches: experiments start other processes too, which come and go.
watched()
{
    for p in $(group "$1"); do
        grep -qs '/libloam\.so' "/proc/$p/maps" && echo "$p"
    done
}
if command -v python3 >/dev/null; then
    "$loam" lab run growleak --full >/dev/null 2>&1 &
    lab=$!
    leader=
    seen=
    tries=0
    while [ -z "$seen" ] && kill -0 $lab 2>/dev/null && [ $tries -lt 1000 ]; do
        for c in $(cat /proc/$lab/task/$lab/children 2>/dev/null); do
            [ -n "$(group "$c")" ] && leader=$c
        done
        seen=$(watched "${leader:-none}")
        sleep 0.01
        tries=$((tries + 1))
    done
    ok "a watched program runs in the experiment's group" test -n "$seen"
    kill -9 $lab
    wait $lab 2>/dev/null
    tries=0
    while [ -n "$(group "${leader:-none}")" ] && [ $tries -lt 500 ]; do
        sleep 0.01
        tries=$((tries + 1))
    done
    is "kill -9 takes what was watched with it" "$(group "${leader:-none}")" ""
    "$loam" lab cleanup >/dev/null
else
    skip "kill -9 takes what was watched with it" "python3 is not installed"
fi

# A planted list must not make us remove what is not ours.
mkdir "$tmp/precious"
echo "folder $tmp/precious" >"$XDG_RUNTIME_DIR/loam-lab/state.1"
"$loam" lab cleanup >/dev/null
ok "only folders of our name are removed" test -d "$tmp/precious"
chmod 755 "$XDG_RUNTIME_DIR/loam-lab"
"$loam" lab cleanup >/dev/null 2>&1
is "a folder of lists that others can read is refused" $? 125
done_testing
