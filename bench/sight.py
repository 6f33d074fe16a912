#!/usr/bin/env python3
"""sight: what it costs to watch a program: loam beside heaptrack, massif and memcheck.

    make bench-sight                                five rounds, about ten minutes
    bench/sight.py [options] [PROGRAM ...]          the same of what is built; -h tells the options

Each round runs every program under every tool, in random order; Valgrind's tools only in the first
two. Figures are medians, and ratios to the program alone on glibc's heap:

    cpu         user and system time of the program itself, the tool's code in it included
    all cpu     the same of everything that was started, the tool's report included
    memory      peak of the largest of the program's processes
    all memory  peak of the largest process of all, the tool's own included
    recording   what the tool left on disk
"""
import argparse
import csv
import os
import random
import resource
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build/release"))
LOAM = os.path.join(BUILD, "loam")
COST = os.path.join(BUILD, "bench/cost")
ALONE = "alone, on glibc"
VALGRIND = ("massif", "memcheck")
MEMORY_MAX = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
FIGURES = ("cpu", "all cpu", "memory", "all memory", "recording")

SQL = """create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
insert into t select i, 'row ' || i, i * 0.5 from n;
create index u on t(b);
select count(*), sum(c) from t where b like 'row 1%%';
select b, c from t order by c desc limit 5;
"""
PYTHON = """words = {}
for i in range(%d):
    words.setdefault('w%%d' %% (i %% 5000), []).append(str(i))
print(sum(len(v) for v in words.values()))
"""
CXX = """#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
int main()
{
    std::map<std::string, std::vector<int>> m;
    std::unordered_map<int, std::string> u;
    std::regex r("a+b*(c|d)");
    for (int i = 0; i < 100; i++)
        m[std::to_string(i)].push_back(i), u[i] = std::to_string(i);
    std::cout << m.size() << u.size() << std::regex_match("aabbc", r) << std::endl;
}
"""
CXX_SMALL = """#include <map>
#include <string>
int main() { return (int)std::map<std::string, int>().size(); }
"""


def compilation(source):
    """What g++ starts to compile this: heaptrack looks into the first process only."""
    try:
        told = subprocess.run(["g++", "-###", "-O1", "-S", source, "-o", "/dev/null"],
                              capture_output=True, text=True).stderr
    except OSError:
        return ["cc1plus"]
    return next((shlex.split(w) for w in told.split("\n") if "cc1plus" in w), ["cc1plus"])


def programs(folder, scale):
    """name: what it is, its command; only those that are installed"""
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def macro(name, *words):
        return [os.path.join(BUILD, "bench/macro", name), *words]

    sql = write("a.sql", SQL % (300000 * scale))
    script = write("a.py", PYTHON % (400000 * scale))
    large = scale >= 0.5
    source = write("a.cc", CXX if large else CXX_SMALL)
    every = {
        "sqlite3": ("a table filled, indexed and searched", ["sqlite3", ":memory:", ".read " + sql]),
        "python3": ("lists in a dictionary; PYTHONMALLOC=malloc", ["/usr/bin/python3", script]),
        "cc1plus": ("g++'s compiler on a file that includes %s" % ("<regex>" if large else "<map>"),
                    compilation(source)),
        "paths": ("%s163,820 distinct stacks" % ("" if scale >= 1 else "up to "),
                  macro("paths", "-s", str(scale))),
        "larson": ("four threads that hand blocks on",
                   macro("larson", "-t", "4", "-s", str(0.3 * scale))),
    }
    return {n: p for n, p in every.items() if shutil.which(p[1][0])}


def tools(folder):
    """name: the words before the program. The program's own cost is asked for inside of the tool;
    heaptrack looks into one process only, so there the asking one is statically linked, which
    heaptrack cannot look into."""
    recording = os.path.join(folder, "loam")
    run = [LOAM, "run", "--report", "/dev/null", "-o", recording]
    inner, static = [COST, os.path.join(folder, "own")], [COST + "-static", os.path.join(folder, "own")]
    every = {
        ALONE: inner,
        "loam's heap alone": ["env", "LD_PRELOAD=" + os.path.join(BUILD, "libloam.so")] + inner,
        "loam run --sample": run + ["--sample", "--"] + inner,
        "loam run": run + ["--"] + inner,
        "loam run --leaks": run + ["--leaks", "--"] + inner,
        "heaptrack": ["heaptrack", "-o", os.path.join(folder, "heap")] + static,
        "massif": ["valgrind", "-q", "--tool=massif", "--trace-children=yes",
                   "--massif-out-file=" + os.path.join(folder, "massif.%p")] + inner,
        "memcheck": ["valgrind", "-q", "--leak-check=full", "--trace-children=yes",
                     "--log-file=" + os.path.join(folder, "memcheck.%p")] + inner,
    }
    return {n: a for n, a in every.items() if shutil.which(a[0])}


def start(argv, folder, limit):
    """The command's exit status, or "N seconds were not enough"; its last words."""
    def bounded():  # heaptrack has been seen to take 19 GB for a program of 2 MB
        if argv[0] == "heaptrack":
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    with open(os.path.join(folder, "words"), "w+b") as words:
        p = subprocess.Popen([COST, os.path.join(folder, "all")] + argv, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=words, start_new_session=True,
                             preexec_fn=bounded)
        try:
            status = p.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            status = "%d seconds were not enough" % limit
        words.seek(0)
        return status, words.read().decode(errors="replace").strip().split("\n")[-1]


def on_disk(folder, names):
    """Bytes of these files as the file system stores them: recordings may have holes."""
    return sum(os.stat(os.path.join(folder, n)).st_blocks * 512 for n in names)


def run_once(argv, limit):
    """The five figures, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        status, words = start([w.replace("@", folder) for w in argv], folder, limit)
        if status != 0:
            return None, "%s: %s" % (status if isinstance(status, str) else "status %d" % status, words)
        got = {}
        for name in "own", "all":
            with open(os.path.join(folder, name)) as f:
                got[name] = [float(x) for x in f.read().split()]
        kept = [n for n in os.listdir(folder) if n not in ("own", "all", "words")]
        return (got["own"][0], got["all"][0], got["own"][1], got["all"][1],
                on_disk(folder, kept)), None


def measure(options, chosen, watch, rows, broken):
    """Every program under every tool, `options.n` times: rows of (round, program, tool, figures),
    and in `broken` why a tool has none for a program."""
    began = time.monotonic()
    for r in range(options.n):
        for name, (_, argv) in chosen.items():
            print("sight: %4.0f s, round %d of %d: %s"
                  % (time.monotonic() - began, r + 1, options.n, name), file=sys.stderr)
            for tool in random.sample(list(watch), len(watch)):
                if (name, tool) in broken or tool in VALGRIND and r >= 2:
                    continue  # 20 to 100 times slower: two rounds tell enough
                figures, why = run_once(watch[tool] + argv, options.limit)
                if why is None:
                    rows.append((r, name, tool) + figures)
                else:
                    broken[name, tool] = why
                    print("sight: %s under %s: %s" % (name, tool, why), file=sys.stderr)


def size(n):
    if n < 1000:
        return "-" if n == 0 else "%d B" % n
    unit = next(u for u in ("kB", "MB", "GB") if (n := n / 1000) < 999.5 or u == "GB")
    return "%.3g %s" % (n, unit)


def cells(rows, name, tool):
    """The five figures of a program under a tool as texts, or dashes"""
    def median(t, i):
        return statistics.median(r[3 + i] for r in rows if r[1] == name and r[2] == t)
    if not any(r[1] == name and r[2] == tool for r in rows):
        return ["-"] * 5
    got = [median(tool, i) for i in range(5)]
    if tool == ALONE:
        return ["%.2f s" % got[0], "", size(got[2]), "", ""]
    base = [median(ALONE, i) for i in range(5)]
    return ["%.2f" % (got[i] / base[i - i % 2]) for i in range(4)] + [size(got[4])]


def tables(rows, broken, chosen, watch, markdown):
    """One table a program: a tool a line, ratios to the program alone."""
    line = "| %-17s | %8s | %8s | %8s | %10s | %9s |" if markdown else "  %-17s %9s %9s %9s %11s %11s"
    for name, (what, _) in chosen.items():
        if not any(r[1] == name and r[2] == ALONE for r in rows):
            continue
        print("**%s**: %s\n" % (name, what) if markdown else "%s: %s" % (name, what))
        print(line % (("",) + FIGURES))
        if markdown:
            print("|---|--:|--:|--:|--:|--:|")
        for tool in watch:
            print((line % (tool, *cells(rows, name, tool))).rstrip())
        for tool in watch:
            if (name, tool) in broken:
                print("%s%s failed: %s" % ("\n" if markdown else "  ", tool, broken[name, tool]))
        print()


def cpu_name():
    with open("/proc/cpuinfo") as f:
        return next((w.split(":")[1].strip() for w in f if w.startswith("model name")), "unknown")


def version(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True).stdout.strip().split("\n")[0]
    except OSError:
        return None


def circumstances(options, load):
    """What a reader must know about the figures, in lines"""
    known = (version(a) for a in ([LOAM, "version"], ["heaptrack", "--version"],
                                  ["valgrind", "--version"]))
    return ["%s; %d rounds, scale %g, load %.1f at the start" % (
                time.strftime("%Y-%m-%d"), options.n, options.scale, load),
            "%s, %d processors, Linux %s" % (cpu_name(), os.cpu_count(), os.uname().release),
            ", ".join(k for k in known if k)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-n", type=int, default=5, help="rounds (5)")
    parser.add_argument("--scale", type=float, default=1, help="more or less work than usual (1)")
    parser.add_argument("--limit", type=float, default=300, help="seconds that a run may take (300)")
    parser.add_argument("--tools", help="only these, with commas: loam run,heaptrack")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    parser.add_argument("--csv", help="every run, into this file")
    parser.add_argument("program", nargs="*", help="only these: sqlite3 python3 cc1plus paths larson")
    options = parser.parse_args()
    if not os.access(COST, os.X_OK):
        sys.exit("sight: %s is not built. Try 'make bench-sight'." % COST)
    os.environ["PYTHONMALLOC"] = "malloc"  # of the program python3
    load, rows, broken = os.getloadavg()[0], [], {}
    with tempfile.TemporaryDirectory() as folder:
        every = programs(folder, options.scale)
        unknown = [p for p in options.program if p not in every]
        if unknown:
            sys.exit("sight: no program '%s'; there are: %s" % (unknown[0], " ".join(every)))
        chosen = {n: p for n, p in every.items() if not options.program or n in options.program}
        watch = {t: a for t, a in tools("@").items()
                 if t == ALONE or not options.tools or t in options.tools.split(",")}
        measure(options, chosen, watch, rows, broken)
    told = circumstances(options, load)
    if options.csv:
        with open(options.csv, "w", newline="") as f:
            f.write("# %s\n" % "; ".join(told))
            csv.writer(f).writerows([("round", "program", "tool") + FIGURES] + rows)
    print(("; " if options.markdown else "\n").join(told) + "\n")
    tables(rows, broken, chosen, watch, options.markdown)


main()
