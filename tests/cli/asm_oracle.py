# asm_oracle.py: does `loam asm --json` see the instructions that objdump sees?
#
#     python3 asm_oracle.py LOAM OBJDUMP FILE FUNCTION...
#
# Addresses, sizes and mnemonics; one line a difference, nothing when they agree.
import json
import re
import subprocess
import sys

loam, objdump, path = sys.argv[1:4]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


# Names that differ between two disassemblers for the same bytes.
SAME = {"movabs": "mov", "retq": "ret", "cs": "nop", "data16": "nop", "movsl": "movsd", "xchg": "nop"}


def plain(name):
    return SAME.get(name, name)


def theirs(function):
    text = run(objdump, "-d", "-M", "intel", "--no-show-raw-insn", path)
    if "intel" in text and "aarch64" in text:
        text = run(objdump, "-d", "--no-show-raw-insn", path)
    block = re.search(rf"^[0-9a-f]+ <{re.escape(function)}>:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
    rows = re.findall(r"^ *([0-9a-f]+):\s+([a-z][\w.]*)", block[1] if block else "", re.M)
    return [(int(at, 16), name) for at, name in rows]


for function in sys.argv[4:]:
    got = json.loads(run(loam, "asm", "--json", path, function))["functions"][0]
    ours = [(i["address"], i["mnemonic"].split()[0]) for i in got["instructions"]]
    other = theirs(function)
    if len(ours) < 3 or len(other) < 3:
        print(f"{path} {function}: too little to compare: {len(ours)}, {len(other)}")
    # objdump goes on to the next symbol, through the padding between them.
    for (at, name), (their_at, their_name) in zip(ours, other):
        if at != their_at or (plain(name) != plain(their_name) and "nop" not in name):
            print(f"{path} {function}: {at:#x} {name}, objdump: {their_at:#x} {their_name}")
            break
    if sum(i["size"] for i in got["instructions"]) != got["size"]:
        print(f"{path} {function}: the sizes do not sum up to {got['size']}")
