# layout_oracle.py: is what `loam layout --json` says true? One line a difference, nothing else.
#
#     python3 layout_oracle.py pahole LOAM FILE...     sizes, members and holes against pahole's
#     python3 layout_oracle.py compile LOAM CC FOLDER   suggested orders, compiled by CC
import json
import random
import re
import subprocess
import sys


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return done.stdout if done.returncode == 0 else sys.exit(f"{command}: {done.stderr}")


def layout(loam, path):
    return json.loads(run(loam, "layout", "--json", path))["structs"]


# ---------------------------------------------------------------- pahole


def number(text, pattern):
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def pahole_structs(path):
    """By name: the size, members and wasted bits that pahole prints."""
    found = {}
    for block in re.finditer(r"^struct (\w+) \{\n(.*?)^\};", run("pahole", path), re.M | re.S):
        text = block[2]
        if "BRAIN FART" in text or "ERROR" in text:
            continue  # pahole 1.24 knows no _Atomic
        holes = number(text, r"[^t] holes: \d+, sum holes: (\d+)") * 8
        wasted = holes + number(text, r"sum bit holes: (\d+) bits")
        wasted += number(text, r"/\* padding: (\d+)") * 8 + number(text, r"bit_padding: (\d+) bits")
        found[block[1]] = (
            number(text, r"/\* size: (\d+)"),
            number(text, r", members: (\d+)"),
            wasted,
        )
    return found


def against_pahole(loam, *paths):
    for path in paths:
        theirs = pahole_structs(path)
        ours = {}
        for s in layout(loam, path):
            members = [m for m in s["members"] if m["depth"] == 0]
            ours.setdefault(s["name"], set()).add((s["size"], len(members), s["wasted_bits"]))
        checked = 0
        for name, facts in theirs.items():
            if name in ours:
                checked += 1
                if facts not in ours[name]:
                    print(f"{path}: {name}: loam says {ours[name]}, pahole {facts}")
        if checked < len(theirs) * 9 // 10:
            print(f"{path}: of pahole's {len(theirs)} structs loam has {checked}")


# ---------------------------------------------------------------- the compiler

TYPES = ["char", "short", "int", "long", "double", "void *", "_Bool", "struct pair", "long double"]
HEAD = "#include <stddef.h>\nstruct pair { int a; char b; };\n"


def random_members(rng):
    members = []
    for i in range(rng.randint(1, 14)):
        kind = rng.random()
        if kind < 0.2:
            members.append(f"char m{i}[{rng.randint(1, 21)}]")
        elif kind < 0.35:
            members.append(f"unsigned m{i} : {rng.randint(1, 31)}")
        else:
            members.append(f"{rng.choice(TYPES)} m{i}")
    if rng.random() < 0.1:
        members.append("int tail[]")
    return members


def alignment_first(members):
    """What sorting by size of the type alone would give: never better than the suggestion."""
    rank = {"long double": 0, "void *": 1, "long": 1, "double": 1, "int": 2, "struct pair": 2,
            "unsigned": 2, "short": 3}
    return sorted(members, key=lambda m: rank.get(m.rsplit(" m", 1)[0].strip(), 4))


def against_compiler(loam, cc, folder):
    rng = random.Random(6)
    structs = {f"s{i}": random_members(rng) for i in range(150)}
    with open(f"{folder}/orders.c", "w") as out:
        out.write(HEAD)
        for name, members in structs.items():
            out.write(f"struct {name} {{ {'; '.join(members)}; }} v_{name};\n")
    run(*cc.split(), "-g", "-c", "-o", f"{folder}/orders.o", f"{folder}/orders.c")
    with open(f"{folder}/check.c", "w") as out:
        out.write(HEAD)
        better = 0
        for s in layout(loam, f"{folder}/orders.o"):
            if s["name"] not in structs:
                continue
            name, members = s["name"], structs[s["name"]]
            order = s["order"] or []
            better += bool(order)
            if order:
                text = [m["declaration"] for m in order]
                out.write(f"struct b_{name} {{ {'; '.join(text)}; }};\n")
                out.write(f"_Static_assert(sizeof(struct b_{name}) == {s['best_size']}, \"{name}\");\n")
                for m in order:
                    if " : " not in m["declaration"]:
                        out.write(f"_Static_assert(offsetof(struct b_{name}, {m['name']}) * 8 == "
                                  f"{m['bit']}, \"{name}.{m['name']}\");\n")
            if not any(" : " in m or "[]" in m for m in members):
                text = "; ".join(alignment_first(members))
                out.write(f"struct a_{name} {{ {text}; }};\n")
                out.write(f"_Static_assert(sizeof(struct a_{name}) >= {s['best_size']}, "
                          f"\"{name} sorted\");\n")
    if better < 30:
        print(f"only {better} of 150 random structs got a better order")
    done = subprocess.run([*cc.split(), "-c", "-o", "/dev/null", f"{folder}/check.c"],
                          capture_output=True, text=True)
    print(done.stderr, end="")


if sys.argv[1] == "pahole":
    against_pahole(*sys.argv[2:])
else:
    against_compiler(*sys.argv[2:])
