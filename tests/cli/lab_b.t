#!/bin/sh
# `loam lab`, chapter B: virtual memory. What is exact is compared exactly, what is timed by its
# order; no absolute time is asserted.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/lab.sh"

# exact NAME ID KEY VERDICT: of $tmp/verdicts, which one Python wrote for all of them.
exact()
{
    is "$1" "$(sed -n "s/^$2 $3 //p" "$tmp/verdicts")" "$4"
}

# ---------------------------------------------------------------- what is exact

"$loam" lab run B1 B2 B3 B4 B5 B7 B8 B12 B13 B20 B21 B22 --json "$tmp/b.json" >/dev/null
is "the exact ones run" $? 0
ask "$tmp/b.json" '"\n".join(f"{id} {key} {v(id, key)}" for id in of
    for key in dict.fromkeys(c["metric"] for c in of[id]["claims"]))' >"$tmp/verdicts"
is "none failed" "$(ask "$tmp/b.json" '[e["id"] for e in d["experiments"] if e["status"] != "ok"]')" "[]"
is "of metric and claim the units agree" "$(ask "$tmp/b.json" '[
    (e["id"], c["what"]) for e in d["experiments"] for c in e["claims"] for x in e["metrics"]
    if x["key"] == c["metric"] and x["unit"] != c.get("unit", "yes")]')" "[]"
if [ "$(uname -m)" = x86_64 ]; then
    ok "a process has half of the addresses" test \
        "$(ask "$tmp/b.json" 'm("B1", "bits") == m("B1", "user_bits") + 1')" = True
    exact "between the halves there is no address" B1 upper_bits holds
fi
is "less can be reserved than both halves" \
    "$(ask "$tmp/b.json" '0 < m("B1", "reserved") <= m("B1", "both_halves") / 2')" True
exact "text, data, bss, heap, stack" B2 order "holds holds"
exact "the stack grows down" B2 stack_down holds
exact "mmap's area is between heap and stack" B2 nothing_between differs
exact "the break moves" B3 moves holds
exact "and back" B3 goes_back holds
exact "a mapping comes lazily" B4 lazy holds
exact "and goes" B4 gone holds
exact "chunks are tracked" B5 tracked holds
exact "and released once" B5 refused holds
is "a page is what the system says" "$(ask "$tmp/b.json" 'int(m("B7", "page_bytes"))')" "$(getconf PAGESIZE)"
is "one byte takes a page" "$(ask "$tmp/b.json" 'm("B7", "byte_takes") == m("B7", "page_bytes")')" True
is "what is reserved takes nothing" "$(ask "$tmp/b.json" 'm("B8", "untouched")')" 0.0
is "one fault for each page written" "$(ask "$tmp/b.json" 'm("B8", "faults_a_page")')" 1.0
exact "reading takes nothing" B8 read_is_free holds
exact "0x10000000 faults" B12 example holds
exact "so do null and the end of a mapping" B12 unmapped holds
exact "processes are isolated" B13 isolated "holds holds"
ok "virtual memory exceeds RAM" test "$(ask "$tmp/b.json" 'm("B20", "virtual_over_ram") > 1')" = True
is "a pointer has 8 bytes" "$(ask "$tmp/b.json" 'm("B22", "pointer_bytes")')" 8.0
if command -v cc >/dev/null; then
    exact "the exercises run as written" B2 as_written holds
    exact "sbrk's too" B3 as_written holds
    exact "and mmap's" B4 as_written holds
fi
for e in B2:01_segments B3:02_sbrk B4:03_mmap B5:04_mem_chunk; do
    is "${e%:*} prints its exercise" "$("$loam" lab source "${e%:*}" | grep -c "^// ${e#*:}.c")" 1
done

# ---------------------------------------------------------------- what is measured

# order NAME ID EXPRESSION: unless the machine is too noisy for that experiment.
order()
{
    case $(ask "$tmp/b2.json" "g('$2') == 'C'") in
    True) skip "$1" "the machine is too noisy now" ;;
    *) is "$1" "$(ask "$tmp/b2.json" "$3")" True ;;
    esac
}
# An experiment that cannot run here says why: then there is nothing to compare.
measured()
{
    case $(ask "$tmp/b2.json" "'$3' in [x['key'] for x in of['$2']['metrics']]") in
    True) order "$1" "$2" "$4" ;;
    *) skip "$1" "not possible here" ;;
    esac
}
"$loam" lab run B6 B9 B10 B11 B14 B15 B16 B17 B18 B19 B23 B24 --json "$tmp/b2.json" >/dev/null
is "the timed ones run" $? 0
is "none of them failed" "$(ask "$tmp/b2.json" '[e["id"] for e in d["experiments"] if e["status"] != "ok"]')" "[]"
is "after fork each has its own copy" "$(ask "$tmp/b2.json" 'v("B6", "own_copy")')" holds
measured "a huge page is cheaper, byte for byte" B9 huge_is_cheaper 'm("B9", "huge_is_cheaper") > 1'
measured "a major fault costs more than a minor one" B10 file_over_minor 'm("B10", "file_over_minor") > 1'
measured "beyond its memory a program is slower" B11 drop 'm("B11", "drop") > 1'
measured "pages that are used again stay" B24 hot_stay 'v("B24", "hot_stay") == "holds"'
is "who cannot limit memory says why" "$(ask "$tmp/b2.json" '[e["id"] for e in d["experiments"]
    for c in e["claims"] if c["verdict"] == "cannot" and not c.get("why")]')" "[]"
order "a page of zeroes is cheaper than one of its own" B9 'm("B9", "read_zero_page") < m("B9", "copy_on_write")'
measured "walks that miss the cache cost more" B14 cold_walk '0 < m("B14", "warm_walk") < m("B14", "cold_walk")'
measured "huge pages gain at random" B15 random_gain 'm("B15", "random_gain") > 0'
is "a thread's stack has a guard page" "$(ask "$tmp/b2.json" 'v("B17", "guard_thread")')" holds
is "4 MB of ints" "$(ask "$tmp/b2.json" 'm("B17", "million_mb")')" 4.0
if [ "$(cat /proc/sys/kernel/randomize_va_space)" = 2 ]; then
    is "addresses differ from run to run" "$(ask "$tmp/b2.json" 'v("B18", "random")')" holds
fi
order "a load beats a system call" B19 'm("B19", "random_mapped") < m("B19", "random_pread")'
ok "not all of a program is in RAM" test "$(ask "$tmp/b2.json" '0 < m("B23", "in_ram") < 100')" = True
is "pages of a file come on demand" "$(ask "$tmp/b2.json" 'v("B23", "none_before_touch")')" holds

# ---------------------------------------------------------------- nothing is left behind

# killed NAME ID TEST: kill -9 the lab as soon as TEST finds what it made ($lab is its process), and
# clean up behind it.
killed()
{
    "$loam" lab run "$2" >/dev/null 2>&1 &
    lab=$!
    tries=0
    while ! "$3" && kill -0 $lab 2>/dev/null && [ $tries -lt 2000 ]; do
        sleep 0.005
        tries=$((tries + 1))
    done
    kill -9 $lab
    wait $lab 2>/dev/null
    # Its children die with it, but not in the same moment; until then the list is theirs.
    tries=0
    while [ -n "$(ls "$XDG_RUNTIME_DIR/loam-lab")" ] && [ $tries -lt 500 ]; do
        "$loam" lab cleanup >/dev/null
        sleep 0.01
        tries=$((tries + 1))
    done
    ok "$1" test -z "$("$3" && echo there)"
}
swap_is_on()
{
    grep -q "^$tmp/" /proc/swaps
}
group=
group_is_there()
{
    for c in $(cat /proc/$lab/task/$lab/children 2>/dev/null); do
        for g in /sys/fs/cgroup/loam-lab.$c /sys/fs/cgroup/memory/loam-lab.$c; do
            [ ! -d "$g" ] || group=$g
        done
    done
    [ -n "$group" ] && [ -d "$group" ]
}
if [ "$(ask "$tmp/b2.json" '"swap" in [x["key"] for x in of["B10"]["metrics"]]')" = True ]; then
    killed "no swap file is left after kill -9" B10 swap_is_on
fi
if [ "$(ask "$tmp/b2.json" '"drop" in [x["key"] for x in of["B11"]["metrics"]]')" = True ]; then
    killed "no cgroup is left after kill -9" B11 group_is_there
fi

is "no folder is left" "$(ls -d "$tmp"/loam-lab.* 2>/dev/null)" ""
is "no state is left" "$(ls "$XDG_RUNTIME_DIR/loam-lab")" ""
done_testing
