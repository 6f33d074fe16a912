# lab.sh: what the tests of `loam lab` share, after tap.sh. The lab's own files go below $tmp.
#
#     . "$(dirname "$0")/../lib/lab.sh"
#     ask FILE EXPRESSION   # what Python makes of a result
#
# In an expression m(ID, key) is a metric's value, least(ID, key) its minimum, v(ID, key) the
# verdicts on it, g(ID) the grade of the noise, noisy(ID, ...) whether any of them was too noisy or
# left no sample; `d` is the whole result and `of` its experiments by ID.
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
XDG_RUNTIME_DIR=$tmp/run
TMPDIR=$tmp
export XDG_RUNTIME_DIR TMPDIR
mkdir -m 700 "$XDG_RUNTIME_DIR"

ask()
{
    python3 - "$1" "$2" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
of = {e["id"]: e for e in d["experiments"]}
def metric(id, key, part): return [x[part] for x in of[id]["metrics"] if x["key"] == key][0]
def m(id, key): return metric(id, key, "value")
def least(id, key): return metric(id, key, "min")
def v(id, key): return " ".join(c["verdict"] for c in of[id]["claims"] if c["metric"] == key)
def g(id): return of[id]["noise"]["grade"]
def noisy(*ids): return any(g(id) == "C" or x["n"] == 0 for id in ids for x in of[id]["metrics"])
print(eval("(" + sys.argv[2] + ")"))
END
}
