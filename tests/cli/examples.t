#!/bin/sh
# The examples are the first lessons: each runs, checks itself, and shows what its comment promises;
# and each runs the same when its malloc is loam's.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

for source in examples/*.c; do
    name=$(basename "$source" .c)
    "$build/examples/$name" >"$tmp/$name" 2>&1 </dev/null
    is "$name succeeds" $? 0
    LD_PRELOAD=$so "$build/examples/$name" >"$tmp/$name.loam" 2>&1 </dev/null
    is "$name succeeds on loam's heap" $? 0
done

# Addresses are printed in order; code comes before data, data before bss, and the stack is last.
order()
{
    sed -n 's/^ *0x[0-9a-f]*  \(.*[a-z]\)  *[r-][w-][x-][ps].*/\1/p' "$1" | sed 's/ *$//'
}
is "01: the segments stand in their order" "$(order "$tmp/01_segments")" "code: main
constant
global
zeroed global
small heap block
large heap block
code: libc's exit
local variable"
is "01: loam's heap is elsewhere" "$(order "$tmp/01_segments.loam" | head -2 | sort)" \
    "large heap block
small heap block"
like "02: what was stored between calls persists" "$(cat "$tmp/02_sbrk")" \
    '^all 6 words are still there$'
like "03: the address is dead after munmap" "$(cat "$tmp/03_mmap")" 'dies of: Segmentation fault$'
is "04: the listing shows both sources and the record itself" \
    "$(sed -n '2,5p' "$tmp/04_mem_chunk" | sed 's/^ *0x[0-9a-f]* *//' | sort)" \
    "102400 bytes  mmap
4096 bytes  mmap, loam's own
4096 bytes  sbrk
8192 bytes  sbrk"
is "05: every claim holds" "$(grep -c '^yes:' "$tmp/05_loam_malloc")" 5
is "06: the answer does not depend on the allocator" "$(cat "$tmp/06_leak")" \
    "$(cat "$tmp/06_leak.loam")"

# What README.md shows is what the tool prints, as far as the compiler has no say in it.
leaked()
{
    sed -n '/^LEAKED/,/^REACHABLE/p' "$1" | sed -e '/^REACHABLE/d' -e 's/ (inlined)$//'
}
LC_ALL=C.UTF-8 "$loam" run --leaks --report "$tmp/report" -- "$build/examples/06_leak" >"$tmp/out" 2>&1 </dev/null
is "06: loam run --leaks leaves the program's output alone" "$(cat "$tmp/out")" \
    "$(cat "$tmp/06_leak")"
is "06: README.md shows the leak as loam tells it" "$(leaked README.md)" "$(leaked "$tmp/report")"

done_testing
