#!/usr/bin/env python3
"""sight: what it costs to watch a program: loam beside heaptrack and Valgrind.

    make all bench-build
    bench/sight.py [-n ROUNDS] [PROGRAM ...]        a table; a few minutes

Each round runs every program under every tool, in random order. CPU time (user and system) is that of
the program and of all that it and the tool started; peak memory is the largest process's. Ratios are
of medians, to the program on its own heap (glibc's). Reports are not printed, recordings are thrown
away. Tools that are not installed are left out.
"""
import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build/release"))
LOAM = os.path.join(BUILD, "loam")

SQL = """create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 120000)
insert into t select i, 'row ' || i, i * 0.5 from n;
create index u on t(b);
select count(*), sum(c) from t where b like 'row 1%';
select b, c from t order by c desc limit 5;
"""
PYTHON = """words = {}
for i in range(150000):
    words.setdefault('w%d' % (i % 5000), []).append(str(i))
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


def programs(folder):
    """name: argv, environment; only those that are installed"""
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path
    sql, script, source = write("a.sql", SQL), write("a.py", PYTHON), write("a.cc", CXX)
    every = {
        "sqlite3": ["sqlite3", ":memory:", ".read " + sql],
        "python3": ["env", "PYTHONMALLOC=malloc", "/usr/bin/python3", script],
        "g++ -O1 -c": ["g++", "-O1", "-c", "-o", os.path.join(folder, "a.o"), source],
        "164k stacks": [os.path.join(BUILD, "bench/macro/paths"), "-s", "0.1"],
    }
    return {n: a for n, a in every.items()
            if shutil.which(a[2] if a[0] == "env" else a[0])}


def tools(folder):
    """name: the words before the program"""
    recording = os.path.join(folder, "r.loam")
    every = {
        "glibc": [],
        "loam, heap alone": ["env", "LD_PRELOAD=" + os.path.join(BUILD, "libloam.so")],
        "loam run --sample": [LOAM, "run", "--sample", "-o", recording, "--"],
        "loam run": [LOAM, "run", "-o", recording, "--"],
        "loam run --leaks": [LOAM, "run", "--leaks", "-o", recording, "--"],
        "heaptrack": ["heaptrack", "-o", os.path.join(folder, "heap")],
        "massif": ["valgrind", "-q", "--tool=massif", "--trace-children=yes",
                   "--massif-out-file=" + os.path.join(folder, "massif.%p")],
        "memcheck": ["valgrind", "-q", "--leak-check=full", "--trace-children=yes",
                     "--log-file=" + os.path.join(folder, "memcheck.%p")],
    }
    return {n: a for n, a in every.items() if not a or a[0] == "env" or shutil.which(a[0])}


def run_once(argv):
    """CPU seconds of everything started, and the largest process's peak in bytes"""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # a child of its own, so that its children's usage is this run's alone
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        status = subprocess.call(argv)
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write, b"%f %d %d" % (u.ru_utime + u.ru_stime, u.ru_maxrss * 1024, status))
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    cpu, peak, status = os.read(read, 200).split()
    os.close(read)
    if int(status) != 0:
        sys.exit("sight: status %d: %s" % (int(status), " ".join(argv)))
    return float(cpu), int(peak)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=5, help="rounds")
    parser.add_argument("program", nargs="*", help="only these")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = {n: a for n, a in programs(folder).items()
                  if not options.program or any(n.startswith(p) for p in options.program)}
        watch = tools(folder)
        got = {}
        for r in range(options.n):
            for name, argv in chosen.items():
                for tool in random.sample(list(watch), len(watch)):
                    slow = tool in ("massif", "memcheck")
                    if slow and (r >= 2 or name == "164k stacks"):
                        continue  # 20 to 100 times slower: two rounds tell enough
                    got.setdefault((name, tool), []).append(run_once(watch[tool] + argv))
            print("round %d of %d" % (r + 1, options.n), file=sys.stderr)
    print("CPU time, and peak memory, over glibc's; load %.1f, %s"
          % (os.getloadavg()[0], time.strftime("%Y-%m-%d")))
    print("%-18s" % "" + "".join("%20s" % n for n in chosen))
    for tool in watch:
        row = "%-18s" % tool
        for name in chosen:
            if (name, tool) not in got:
                row += "%20s" % "-"
                continue
            base = got[name, "glibc"]
            cpu = statistics.median(x[0] for x in got[name, tool])
            peak = statistics.median(x[1] for x in got[name, tool])
            cpu0 = statistics.median(x[0] for x in base)
            peak0 = statistics.median(x[1] for x in base)
            row += "%20s" % ("%.2f s, %.0f MB" % (cpu0, peak0 / 1e6) if tool == "glibc"
                             else "%.2f  %.2f" % (cpu / cpu0, peak / peak0))
        print(row)


main()
