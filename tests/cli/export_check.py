"""What the exports of one recording say, read by readers that are not loam's, against its JSON.

    export_check.py FOLDER SCHEMA

FOLDER has pprof, folded, speedscope, chrome, openmetrics and json, each written by
`loam report --export`. Prints a line for each fact that holds or not: "ok NAME" or "not ok NAME".
"""
import gzip
import json
import re
import sys

folder, schema_file = sys.argv[1:3]
report = json.load(open(folder + "/json"))
places = report["places"]


def check(name, got, expected):
    if got == expected:
        print("ok", name)
    else:
        print("not ok", name, "got", repr(got)[:200], "expected", repr(expected)[:200])


# ---------------------------------------------------------------- protocol buffers, by hand

def varint(b, i):
    n = shift = 0
    while True:
        n |= (b[i] & 0x7F) << shift
        shift += 7
        i += 1
        if b[i - 1] < 0x80:
            return n, i


def fields(b):
    """(field, value) of a message; bytes for length-delimited fields."""
    i = 0
    while i < len(b):
        tag, i = varint(b, i)
        if tag & 7 == 0:
            value, i = varint(b, i)
        else:
            assert tag & 7 == 2, "wire type %d" % (tag & 7)
            size, i = varint(b, i)
            value, i = b[i:i + size], i + size
        yield tag >> 3, value


def packed(b):
    i, out = 0, []
    while i < len(b):
        n, i = varint(b, i)
        out.append(n)
    return out


profile = list(fields(gzip.open(folder + "/pprof").read()))
of = lambda field: [v for f, v in profile if f == field]
strings = [s.decode() for s in of(6)]
check("pprof: text 0 is empty", strings[0], "")
types = [strings[dict(fields(t))[1]] for t in of(1)]
samples = [dict(fields(s)) for s in of(2)]
values = [packed(s[2]) for s in samples]
column = lambda name: sum(v[types.index(name)] for v in values)
check("pprof: every sample has a value of each type", {len(v) for v in values}, {len(types)})
check("pprof: calls", column("alloc_objects"), report["allocations"])
check("pprof: bytes allocated", column("alloc_space"), report["allocated_bytes"])
check("pprof: blocks live", column("inuse_objects"), report["live"]["blocks"])
check("pprof: bytes live", column("inuse_space"), report["live"]["bytes"])
check("pprof: bytes at the peak", column("peak_space"), sum(p["peak_bytes"] for p in places))
check("pprof: bytes leaked", column("leaked_space"), report["leaked"]["bytes"])
functions = {}
for f in of(5):
    f = dict(fields(f))
    functions[f[1]] = (strings[f[2]], strings[f.get(4, 0)])
mappings = {dict(fields(m))[1] for m in of(3)}
locations = {}
for l in of(4):
    l = list(fields(l))
    lines = [dict(fields(v)) for f, v in l if f == 4]
    locations[dict(l)[1]] = [(functions[x[1]], x.get(2, 0)) for x in lines]
    assert dict(l).get(2, 0) in mappings | {0}
stacks = sorted([locations[i][0][0][0] for i in packed(s[1])] for s in samples)
frames = report["frames"]
name = lambda f: f["function"] or "%s+0x%x" % (f["module"].split("/")[-1], f["offset"])
check("pprof: the same stacks", stacks, sorted([name(frames[i]) for i in p["stack"]] for p in places))
lines = {(f[0], l) for ls in locations.values() for f, l in ls}
check("pprof: functions with their lines",
      {(f["function"], f["line"]) for f in frames if f["function"]} - lines, set())

# ---------------------------------------------------------------- folded, speedscope, chrome

folded = [l.rsplit(" ", 1) for l in open(folder + "/folded").read().splitlines()]
check("folded: bytes at the peak", sum(int(n) for _, n in folded), sum(p["peak_bytes"] for p in places))
check("folded: outermost first", {s.split(";")[0] for s, _ in folded} <= {"run_main", "worker+0x99"}, True)

scope = json.load(open(folder + "/speedscope"))
n = len(scope["shared"]["frames"])
for p in scope["profiles"]:
    good = (p["type"] == "sampled" and len(p["samples"]) == len(p["weights"])
            and sum(p["weights"]) == p["endValue"]
            and all(0 <= i < n for s in p["samples"] for i in s))
    check("speedscope: profile " + p["name"], good, True)

trace = json.load(open(folder + "/chrome"))["traceEvents"]
live = [e["args"]["value"] for e in trace if e["ph"] == "C" and e["name"] == "live bytes"]
check("chrome: a counter for each moment", live, [m["live"]["bytes"] for m in report["moments"]])
check("chrome: every event has a time and a process", {("ts" in e, "pid" in e) for e in trace}, {(True, True)})

# ---------------------------------------------------------------- OpenMetrics

text = open(folder + "/openmetrics").read()
check("openmetrics: ends with its mark", text.endswith("\n# EOF\n"), True)
sample = re.compile(r'^([a-z_]+)\{([a-z_]+="(?:[^"\\\n]|\\.)*",?)+\} (\d+)$')
bad = [l for l in text.splitlines() if l[0] != "#" and not sample.match(l)]
check("openmetrics: every sample has its grammar", bad, [])
kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
wrong = [m for m in re.findall(r"^([a-z_]+)\{", text, re.M)
         if not (m in kinds and kinds[m] == "gauge"
                 or m.endswith("_total") and kinds.get(m[:-6]) == "counter")]
check("openmetrics: counters end with _total, gauges do not", wrong, [])
calls = sum(int(n) for n in re.findall(r"^loam_allocations_total\{.*\} (\d+)$", text, re.M))
check("openmetrics: calls", calls, report["allocations"])

# ---------------------------------------------------------------- JSON against its schema

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_a(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def errors(value, schema, root, path="$"):
    """The part of JSON Schema that ours uses."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].split("/")[-1]]
    if "enum" in schema and value not in schema["enum"]:
        yield path + ": not one of " + str(schema["enum"])
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, k) for k in kinds):
        yield "%s: not %s" % (path, " or ".join(kinds))
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                yield "%s: no %s" % (path, key)
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                yield from errors(value[key], inner, root, path + "." + key)
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            yield from errors(v, schema["items"], root, "%s[%d]" % (path, i))


schema = json.load(open(schema_file))
check("json: as its schema says", list(errors(report, schema, schema))[:5], [])
broken = dict(report, places=[{"stack": ["x"]}])
check("json: the schema tells wrong from right", len(list(errors(broken, schema, schema))) > 5, True)
