#!/bin/sh
# `loam bench`: what is measured is what ran, failures do not count, and the rows tell it all again.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"

# A bench folder of our own, so that nothing here takes long.
mkdir "$tmp/bench"
cat >"$tmp/bench/programs" <<'END'
# a comment
good   quick,full both   ./good.sh
figure quick      memory figure
twin   full       none   good.sh again
END
cat >"$tmp/bench/good.sh" <<'END'
case $1 in
run) LD_PRELOAD=$BENCH_PRELOAD expr 6 '*' 7 ;;
esac
END
cat >"$tmp/figure.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    size_t size = 40 << 20;
    char *p = malloc(size);
    memset(p, 1, size);
    printf("sum %d\nmetric kept 12.5 %%\n", p[size - 1]);
    free(p);
    return 0;
}
END
${CC:-cc} -O0 -o "$tmp/bench/figure" "$tmp/figure.c"

# column N FILE: a column of all rows, each value once
column()
{
    sed 1,2d "$2" | cut -d, -f"$1" | sort -u | tr '\n' ' '
}

csv=$tmp/rows.csv
"$loam" bench --dir "$tmp/bench" --only glibc,loam -n 3 -o "$csv" --svg "$tmp/plot.svg" \
    >"$tmp/out" 2>"$tmp/err"
is "a suite: status" $? 0
is "every allocator in every round" "$(sed 1,2d "$csv" | wc -l)" 12
is "all runs are good" "$(column 10 "$csv")" "ok "
is "programs of the suite" "$(column 1 "$csv")" "figure good "
like "line 1 tells command and machine" "$(head -1 "$csv")" \
    '^# command: loam bench --dir .* -n 3 .*machine: .*processors.*seed [0-9]+.*loam=.*libloam.so'
like "the table has a mean" "$(cat "$tmp/out")" '^geometric mean +[0-9.]+'
like "and the program's own figure" "$(cat "$tmp/out")" '^figure +kept, % +12\.5 +12\.5'
like "the plot is SVG" "$(head -1 "$tmp/plot.svg")" '^<svg '
peak=$(sed 1,2d "$csv" | grep '^figure,.*,glibc,' | head -1 | cut -d, -f8)
ok "the peak is the program's: 40 MiB and little more" test "$peak" -ge 41943040 -a "$peak" -lt 50000000
peak=$(sed 1,2d "$csv" | grep '^good,.*,glibc,' | head -1 | cut -d, -f8)
ok "a small program's peak is not the tool's" test "$peak" -lt 3500000

"$loam" bench --from "$csv" >"$tmp/again" 2>&1
is "the same tables again from the rows" "$(sed 1d "$tmp/again")" "$(sed '/^All rows:/,$d' "$tmp/out" |
    sed '$d')"

"$loam" bench --from "$csv" --json >"$tmp/json"
is "JSON: the mean and what was counted" "$(python3 -c '
import json, sys
a = json.load(open(sys.argv[1]))
m = a["means"]["loam"]["peak_rss_bytes"]
one = [p for p in a["programs"] if p["name"] == "figure"][0]["allocators"]["glibc"]["cpu_s"]
print(m["programs"], m["low"] <= m["ratio"] <= m["high"], one["ratio"], a["failures"])' "$tmp/json")" \
    "2 True 1.0 []"

cat >"$tmp/fails.sh" <<'END'
#!/bin/sh
case $LD_PRELOAD in *libloam*) echo oh >&2; exit 3 ;; esac
END
chmod +x "$tmp/fails.sh"
"$loam" bench --only glibc,loam -n 1 -- "$tmp/fails.sh" >"$tmp/out" 2>"$tmp/err"
is "a failed run: status" $? 1
like "a failed run is told" "$(cat "$tmp/err")" 'fails.sh with loam: exit status 3. It said: oh'
like "and listed" "$(cat "$tmp/out")" '^fails.sh with loam: exit status 3$'

"$loam" bench --only glibc,loam -n 1 -- sh -c 'exit 5' >"$tmp/out" 2>"$tmp/err"
is "a status that the program always has is no failure" $? 0
like "and is told" "$(cat "$tmp/err")" "'sh' ends with exit status 5; runs that end so count as good"

printf '#include <stdlib.h>\nint main(void) { free(malloc(1)); return 0; }\n' >"$tmp/static.c"
if ${CC:-cc} -static -o "$tmp/static" "$tmp/static.c" 2>/dev/null; then
    "$loam" bench --only glibc,loam -n 1 -- "$tmp/static" >"$tmp/out" 2>&1
    like "a library that was not loaded is told" "$(cat "$tmp/out")" 'static with loam: not preloaded'
else
    skip "a library that was not loaded is told" "no static libc"
fi

"$loam" bench --only glibc --limit 1 -n 1 -- sleep 20 >"$tmp/out" 2>&1
like "a run over its limit is killed" "$(cat "$tmp/out")" 'sleep with glibc: time limit'

"$loam" bench --only glibc -n 1 -- sh -c "sleep 1000 & echo \$! >'$tmp/pid'" >"$tmp/out" 2>&1
is "what a program leaves behind is ended" "$(kill -0 "$(cat "$tmp/pid")" 2>&1 | grep -c .)" 1

"$loam" bench -n 1 -- "$tmp/none" >"$tmp/out" 2>&1
is "no such program: status" $? 127
"$loam" bench --only glibc,nobody -- true >"$tmp/out" 2>&1
is "no such allocator: status" $? 2
"$loam" bench --peers "x=$tmp/none.so" -- true >"$tmp/out" 2>&1
is "no such library: status" $? 2
like "no such library" "$(cat "$tmp/out")" "none.so cannot be read: No such file"
"$loam" bench --dir "$tmp/bench" --suite tiny >"$tmp/out" 2>&1
is "no such suite: status" $? 2
"$loam" bench --from "$tmp/fails.sh" >"$tmp/out" 2>&1
is "not a file of rows: status" $? 1
done_testing
