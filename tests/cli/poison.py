# poison.py: ELF files that somebody broke, given to every command that reads them.
#
#     python3 poison.py LOAM FILE...      the files to break; run in a folder of its own
#
# The same files on every machine that has the same compiler. A command may say that a file is
# damaged (status 1) or show what is left of it (0); it may not crash, hang, or print JSON that is
# none. One line a misdeed.
import json
import random
import subprocess
import sys

loam, sources = sys.argv[1], [open(f, "rb").read() for f in sys.argv[2:]]
rng = random.Random(20)
COMMANDS = [
    ["elf", "--json", "x"],
    ["elf", "--sections", "x"],
    ["layout", "--json", "x"],
    ["layout", "x", "node"],
    ["asm", "--json", "x", "main"],
    ["hex", "--json", "x:first", "--as", "node"],
    ["hex", "x:0x1000", "-n", "4096"],
]


def broken(data):
    data = bytearray(data)
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    for _ in range(rng.choice([1, 3, 20, 200])):
        # Headers at both ends decide more than what lies between.
        where = rng.random()
        at = rng.randrange(len(data))
        if where < 0.3:
            at = rng.randrange(min(len(data), 0x400))
        elif where < 0.6:
            at = rng.randrange(max(0, len(data) - 2600), len(data))
        data[at] = rng.choice([rng.randrange(256), 0xFF, 0, data[at] ^ (1 << rng.randrange(8))])
    return data


def judge(command):
    try:
        done = subprocess.run([loam, *command], capture_output=True, timeout=150)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode not in (0, 1):
        return f"status {done.returncode}"
    if done.returncode == 1 and not done.stderr.startswith(b"loam "):
        return f"status 1 without a sentence: {done.stderr[:100]!r}"
    if "--json" in command and done.returncode == 0:
        try:
            json.loads(done.stdout)
        except ValueError as e:
            return f"JSON: {e}"
    return None


for number in range(60):
    with open("x", "wb") as out:
        out.write(broken(rng.choice(sources)))
    for command in COMMANDS:
        misdeed = judge(command)
        if misdeed:
            print(f"file {number}: loam {' '.join(command)}: {misdeed}")
