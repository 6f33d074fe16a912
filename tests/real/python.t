#!/bin/sh
# python3: a script of ours with threads, processes and C modules; parts of its own test suite.
. "$(dirname "$0")/guest.sh"
python=/usr/bin/python3 # not a version manager's wrapper script
need $python
PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
export PYTHONHASHSEED PYTHONDONTWRITEBYTECODE

cat >"$tmp/guest.py" <<'PY'
import collections, concurrent.futures, decimal, gc, hashlib, json, os, pickle, re, sqlite3
import subprocess, sys, threading, weakref, zlib
rows = [{"id": i, "name": f"n{i * 7919 % 1000}", "x": [i] * (i % 5)} for i in range(30000)]
text = json.dumps(rows)
print(len(text), hashlib.sha256(text.encode()).hexdigest()[:16])
assert json.loads(text) == rows and pickle.loads(pickle.dumps(rows)) == rows
print(collections.Counter(re.findall(r"n(\d)\d", text)).most_common(3))
print(zlib.crc32(zlib.decompress(zlib.compress(text.encode(), 6))))
decimal.getcontext().prec = 500
print(str(decimal.Decimal(2).sqrt())[-20:], len(str(3 ** 8000)))
db = sqlite3.connect(":memory:")
db.execute("create table t(a, b)")
db.executemany("insert into t values (?, ?)", ((r["id"], r["name"]) for r in rows))
print(db.execute("select count(distinct b), sum(a) from t").fetchone())
class Node:
    def __init__(self): self.me = self; self.data = bytearray(2000)
nodes = [weakref.ref(Node()) for _ in range(3000)]
gc.collect()
print(sum(r() is not None for r in nodes))
def work(n): return sum(len(str(i) * 3) for i in range(n))
with concurrent.futures.ThreadPoolExecutor(8) as pool: print(sum(pool.map(work, [3000] * 40)))
with concurrent.futures.ProcessPoolExecutor(2) as pool: print(sum(pool.map(work, [3000] * 10)))
print(subprocess.run([sys.executable, "-c", "print(sum(range(10**5)))"], capture_output=True).stdout)
local = threading.local()
def thread(i): local.x = [i] * 1000
ts = [threading.Thread(target=thread, args=(i,)) for i in range(200)]
[t.start() for t in ts]; [t.join() for t in ts]
pid = os.fork()
if pid == 0:
    x = [bytes(i) for i in range(2000)]
    os._exit(len(x) % 251)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
big = [0] * 5_000_000; big.extend(range(1000)); big.sort(reverse=True); print(big[0], len(big))
print(sorted((str(i) for i in range(50000)), key=lambda s: s[::-1])[12345])
sys.exit(3 if rows[-1]["id"] != 29999 else 0)
PY
same "a script" $python "$tmp/guest.py"

if $python -c 'import test.test_json, test.test_re' 2>/dev/null; then
    for how in preload leaks; do
        # A folder that the suite may write to; the result counts, times do not.
        (cd "$tmp" && under $how $python -m test -q --timeout 150 test_json test_re test_dict test_list \
            test_bytes test_zlib) >"$tmp/log" 2>&1 </dev/null
        status=$?
        is "its own tests of json, re, dict, list, bytes, zlib: $how" \
            "$status $(grep -o 'Result: .*\|Tests result: .*' "$tmp/log" | tail -1 | sed 's/.*: //')" \
            "0 SUCCESS"
        [ $status = 0 ] || tail -30 "$tmp/log" | sed 's/^/# /'
    done
else
    skip "its own tests" "libpython3.11-testsuite is not installed"
fi
done_testing
