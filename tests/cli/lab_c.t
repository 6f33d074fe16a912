#!/bin/sh
# `loam lab`, chapter C: what is exact is exact, what is measured has its order.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/lab.sh"

"$loam" lab run C --quick --json "$tmp/c.json" >"$tmp/out" 2>&1
ok "the chapter runs" test -s "$tmp/c.json"

is "no experiment failed" "$(ask "$tmp/c.json" '[i for i in of if of[i]["status"] != "ok"]')" "[]"
is "a heap is dearer than the stack" "$(ask "$tmp/c.json" 'm("C1", "libc") > m("C1", "stack")')" True
is "a frame is one subtraction" "$(ask "$tmp/c.json" '"CANNOT" in v("C1", "instructions").upper() or m("C1", "instructions") == 1')" True
is "a thousand mallocs ask the kernel less than once" "$(ask "$tmp/c.json" 'm("C2", "per_thousand") < 1 and m("C2", "loam_per_thousand") < 1')" True
is "libc keeps what was freed below a live block" "$(ask "$tmp/c.json" 'm("C3", "kept") > 50')" True
is "loam keeps less, without a call" "$(ask "$tmp/c.json" 'm("C3", "loam_kept") < m("C3", "kept")')" True
is "10 + 10 free bytes are not 20" "$(ask "$tmp/c.json" 'v("C4", "twenty_fail")')" holds
is "256 - 100 leaves 156, and all is joined again" "$(ask "$tmp/c.json" 'm("C5", "rest") == 156 and v("C5", "coalesces")')" holds
is "the tracking allocator counts exactly" "$(ask "$tmp/c.json" 'v("C7", "counts_agree") + v("C7", "ends_empty")')" holdsholds
is "an int behind a char begins at 4" "$(ask "$tmp/c.json" 'm("C8", "offset_of_int") == 4')" True
is "doubling copies about once a push, a fixed step 500 times" "$(ask "$tmp/c.json" '1 <= m("C9", "copies_a_push") < 2 and 499 < m("C9", "copies_a_push_fixed") < 501')" True
is "a box is 8 bytes" "$(ask "$tmp/c.json" 'm("C10", "box") == 8')" True
is "zeroed variables are not in the file" "$(ask "$tmp/c.json" 'm("C11", "not_in_the_file") >= 4194304 and v("C11", "zero")')" holds
for peer in jemalloc.so.2 mimalloc.so.2 tcmalloc_minimal.so.4; do
    name=${peer%%[._]*}
    if ls /usr/lib/*/"lib$peer" >/dev/null 2>&1; then
        is "$name is installed, and takes part" "$(ask "$tmp/c.json" "'$name' in [x['key'] for x in of['C13']['metrics']]")" True
    else
        skip "$name takes part" "it is not installed"
    fi
done
is "16 bytes by value touch no memory" "$(ask "$tmp/c.json" 'v("C12", "memory_16_bytes") in ("holds", "cannot")')" True
is "reuse allocates once" "$(ask "$tmp/c.json" 'm("C14", "allocations") == 1000')" True
is "five careful functions copy five times" "$(ask "$tmp/c.json" 'm("C15", "defensive_copies") == 5')" True
is "a view is the same memory" "$(ask "$tmp/c.json" 'v("C16", "same_memory")')" holds
done_testing
