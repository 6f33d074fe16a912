# elf_oracle.py: does `loam elf --json` say what readelf says?
#
#     python3 elf_oracle.py LOAM FILE...
#
# One TAP-less line a difference; nothing when they agree.
import json
import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


def rights(flags):
    return "".join(letter.lower() if letter in flags else "-" for letter in "RWE").replace("e", "x")


def readelf_segments(path):
    row = re.compile(r"^  \w+ +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+) ([RWE ]{3}) ", re.M)
    return [
        (int(m[1], 16), int(m[2], 16), int(m[3], 16), int(m[4], 16), rights(m[5]))
        for m in row.finditer(run("readelf", "-lW", path))
    ]


def readelf_sections(path):
    row = re.compile(r"^  \[ *(\d+)\] (\S+) +(\S+) +(\w+) (\w+) (\w+) ", re.M)
    found = []
    for m in row.finditer(run("readelf", "-SW", path)):
        if m[3] == "NULL":
            continue
        size = int(m[6], 16)
        found.append((m[2], int(m[4], 16), int(m[5], 16), 0 if m[3] == "NOBITS" else size))
    return found


def compare(loam, path):
    ours = json.loads(run(loam, "elf", "--json", path))
    head, dynamic = run("readelf", "-hW", path), run("readelf", "-dW", path)
    yield "entry", ours["entry"], int(re.search(r"Entry point address: +0x(\w+)", head)[1], 16)
    yield "segments", [
        (s["offset"], s["address"], s["file_size"], s["memory_size"], s["rights"])
        for s in ours["segments"]
    ], readelf_segments(path)
    yield "sections", [
        (s["name"], s["address"], s["offset"], s["file_size"]) for s in ours["sections"]
    ], readelf_sections(path)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    yield "needed", [n["name"] for n in ours["needs"] if n["needed_by"] is None], needed
    id_found = re.search(r"Build ID: (\w+)", run("readelf", "-nW", path))
    yield "build-id", ours["build_id"], id_found[1] if id_found else None
    relocs = run("readelf", "-rW", path)
    count = sum(int(n) for n in re.findall(r"contains (\d+) entr\w+:\n +Off", relocs))
    count += sum(int(n) for n in re.findall(r"^ +(\d+) offsets", relocs, re.M))  # .relr.dyn
    yield "relocations", sum(ours["relocations"].values()), count


for path in sys.argv[2:]:
    for what, ours, theirs in compare(sys.argv[1], path):
        if ours != theirs:
            print(f"{path}: {what}: loam says {ours}, readelf {theirs}")
