#!/bin/sh
# Every backtrace of real programs, and of one that is as crooked as can be, compared with the full
# walk, and every seventh with libgcc's: no frame differs, and none is missing. (libgcc gives up in
# code without tables: there ours may be longer.)
. "$(dirname "$0")/guest.sh"
proof=$build/tests/proof
sources=$(dirname "$0")/../proof

# proven LEAST command...: at least so many traces were looked at.
proven()
{
    name=$1 least=$2
    shift 2
    "$proof/show" -n "$tmp/proof"
    (cd "$tmp" && LOAM_PROOF="$tmp/proof" timeout -k 5 $seconds "$proof/loam" run \
        --report "$tmp/report" -- "$@") >"$tmp/log" 2>&1 </dev/null
    status=$?
    traces=0 differ=1 wrong=1 shorter=1 asked=0
    eval "$("$proof/show" "$tmp/proof")"
    is "$name: runs" $status 0
    [ $status = 0 ] || show "$tmp/log"
    ok "$name: $traces traces" [ "$traces" -ge "$least" ]
    is "$name: as the full walk" "$differ differ" "0 differ"
    is "$name: as libgcc's, of $asked" "$wrong wrong, $shorter shorter" "0 wrong, 0 shorter"
}

${CXX:-c++} -O2 -g -pthread -o "$tmp/crooked" "$sources/crooked.cc" -ldl
for room in 16 200; do
    echo "volatile int x; void call(void (*f)(void)) {
        volatile char room[$room]; room[x] = 1; f(); x = room[x]; }" |
        ${CC:-cc} -O2 -shared -fPIC -x c - -o "$tmp/$room.so"
done
proven crooked 250000 ./crooked ./16.so ./200.so ./16.so ./200.so

if [ -x /usr/bin/python3 ]; then
    proven python3 400000 /usr/bin/python3 -c '
import json, re
rows = [{"id": i, "name": "n%d" % (i % 97), "v": [float(j) for j in range(i % 7)]} for i in range(4000)]
for _ in range(3):
    assert json.loads(json.dumps(rows)) == rows
    re.findall(r"n(\d)\d*", json.dumps(rows))
class Node:
    def __init__(self, depth): self.next = Node(depth - 1) if depth else None
    def __repr__(self): return "N" + repr(self.next)
for i in range(60): repr(Node(i))
'
fi
if command -v sqlite3 >/dev/null; then
    proven sqlite3 40000 sqlite3 :memory: '
        create table t(a, b, c);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000)
        insert into t select i, printf("row %d", i * 31 % 1000), zeroblob(i % 99) from n;
        create index i on t(b, a);
        select count(distinct b || c), sum(length(hex(c))) from t;
        select group_concat(b) from (select b from t order by c desc, a limit 9);
        delete from t where a % 3 = 0; update t set b = b || b;'
fi
if command -v perl >/dev/null; then
    proven perl 100000 perl -e 'my %h; for my $i (1 .. 9000) { $h{"k$i"} = [split /,/, "$i,b,c"] }
        my $s = join ",", map { "$_=@{$h{$_}}" } sort keys %h; $s =~ s/(\d+)/<$1>/g;
        sub deep { my $n = shift; $n ? deep($n - 1) . "x" x $n : "" } deep($_) for 1 .. 80;
        eval { die { text => $s } } for 1 .. 9;'
fi
if command -v g++ >/dev/null; then
    printf '#include <map>\n#include <string>\nstd::map<std::string, int> m; int f() { return m["x"]; }\n' \
        >"$tmp/x.cc"
    proven g++ 100000 g++ -O1 -c x.cc -o x.o
fi
if command -v node >/dev/null; then
    proven node 50000 node -e 'let all = []; for (let i = 0; i < 2000; i++) all.push(Buffer.alloc(i * 9));
        JSON.parse(JSON.stringify(all)); new RegExp("a+b").exec("a".repeat(999))'
fi
done_testing
