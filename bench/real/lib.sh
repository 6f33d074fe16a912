# lib.sh: what the scripts of real programs share. Source it first, then define prepare and run:
#
#     . "$(dirname "$0")/lib.sh"
#     need sqlite3
#     prepare() { ...; }    # makes the inputs, once, in the working folder
#     run() { on sqlite3 ...; }
#     main "$@"
#
# `loam bench` calls `sh SCRIPT prepare ...` once, then `sh SCRIPT run ...` for each run, in the
# folder $BENCH_WORK. The allocator to use stands in $BENCH_PRELOAD. What run prints must be the same
# at every run. Status 77: the program is not installed.
set -eu
PATH=/usr/bin:/bin:$PATH
LC_ALL=C
export LC_ALL
cd "${BENCH_WORK:?is set by loam bench}"

need()
{
    for program in "$@"; do
        command -v "$program" >/dev/null || exit 77
    done
}

# Run a command under the allocator; everything else in a script runs without it.
on()
{
    LD_PRELOAD=${BENCH_PRELOAD-} "$@"
}

# `often N`: N times the scale, at least 1.
often()
{
    awk -v n="$1" -v s="${BENCH_SCALE:-1}" 'BEGIN { n = int(n * s + 0.5); print n < 1 ? 1 : n }'
}

# Wait until a command succeeds, ten seconds at most.
wait_for()
{
    for _ in $(seq 1000); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.01
    done
    echo "this did not come true: $*" >&2
    exit 1
}

# Run a command and put its output in a file, unless that file is there already.
once()
{
    [ -e "$1" ] && return
    file=$1
    shift
    "$@" >"$file.part"
    mv "$file.part" "$file"
}

main()
{
    what=$1
    shift
    "$what" "$@"
}

# ---------------------------------------------------------------- inputs that several scripts use

# A C file of $1 functions with loops, structures and calls.
c_source()
{
    awk -v n="$1" 'BEGIN {
        print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>"
        for (i = 0; i < n; i++) {
            printf "struct s%d { int a; double b; char c[%d]; struct s%d *next; };\n", i, i % 90 + 1, i
            printf "static int f%d(struct s%d *s, int n)\n{\n    int sum = %d;\n", i, i, i
            printf "    for (int i = 0; i < n; i++) {\n        if (s->a + i > %d)\n", i * 7 % 100
            printf "            sum += s->a * i + (int)sqrt(s->b + %d);\n        else\n", i
            printf "            sum ^= s->c[i %% sizeof s->c];\n        switch (sum %% 5) {\n"
            for (k = 0; k < 5; k++)
                printf "        case %d: sum += %d; s->b *= %d.5; break;\n", k, i * k + 1, k + 1
            printf "        }\n    }\n"
            if (i > 0)
                printf "    struct s%d other = {sum, n, \"x\", 0};\n    sum += f%d(&other, n / 2);\n", i - 1, i - 1
            printf "    return s->next ? f%d(s->next, n - 1) : sum;\n}\n", i
        }
        printf "int main(int argc, char **argv)\n{\n    struct s%d s = {argc, 1, \"main\", 0};\n", n - 1
        printf "    return printf(\"%%d %%s\\n\", f%d(&s, argc), argv[0]) < 0;\n}\n", n - 1
    }'
}

# A history of $1 commits over 40 files, as `git fast-import` reads it.
history()
{
    awk -v n="$1" 'BEGIN {
        srand(1)
        for (c = 1; c <= n; c++) {
            text = "change " c "\n"
            printf "commit refs/heads/main\nmark :%d\n", c
            printf "committer A <a@example.org> %d +0000\ndata %d\n%s", 1600000000 + c * 60, length(text), text
            if (c > 1)
                printf "from :%d\n", c - 1
            f = int(rand() * 40)
            lines[f] = lines[f] "line " c " of file " f ", " rand() "\n"
            printf "M 644 inline dir%d/file%d.txt\ndata %d\n%s\n", f % 5, f, length(lines[f]), lines[f]
        }
    }'
}

repository()
{
    [ -e repo ] && return
    rm -rf repo.part
    git init -q -b main repo.part
    history 4000 | git -C repo.part fast-import --quiet
    mv repo.part repo
}

# Tables of people and orders, and questions about them.
sql()
{
    awk -v n="$1" 'BEGIN {
        srand(2)
        print "pragma journal_mode=memory; pragma cache_size=-20000;"
        print "create table person(id integer primary key, name text, town text, born int);"
        print "create table orders(id integer primary key, person int, what text, cents int);"
        print "begin;"
        for (i = 1; i <= n; i++)
            printf "insert into person values(%d, \047name %d\047, \047town %d\047, %d);\n", i, rand() * 1e6, rand() * 300, 1920 + rand() * 90
        for (i = 1; i <= 4 * n; i++)
            printf "insert into orders values(%d, %d, \047thing %d\047, %d);\n", i, 1 + rand() * n, rand() * 5000, rand() * 1e5
        print "commit;\ncreate index by_person on orders(person);\ncreate index by_what on orders(what);"
        print "select town, count(*), sum(cents) from person p join orders o on o.person = p.id group by town order by 3 desc limit 5;"
        print "select what, avg(cents) from orders group by what order by 2 limit 5;"
        print "with recursive t(i) as (select 1 union all select i + 1 from t where i < " n ") select count(distinct substr(name, 1, 8) || i % 97) from person join t on t.i = person.id;"
        print "select count(*) from (select json_object(\047n\047, name, \047t\047, town) j from person) where json_extract(j, \047$.t\047) like \047%1%\047;"
        print "delete from orders where cents < 50000; select count(*) from orders;"
    }'
}

python_program()
{
    cat <<'END'
import ast, collections, glob, json, os, re, sys
repeats = int(sys.argv[1])
files = sorted(glob.glob(os.path.dirname(os.__file__) + "/[a-h]*.py"))[:60]
words = collections.Counter()
nodes = 0
for _ in range(repeats):
    for name in files:
        text = open(name, encoding="utf-8").read()
        tree = ast.parse(text)
        kinds = [type(n).__name__ for n in ast.walk(tree)]
        nodes += len(kinds)
        words.update(re.findall(r"[a-z_]{3,}", text))
        records = [{"kind": k, "place": [i, i % 7], "text": str(i)} for i, k in enumerate(kinds)]
        back = json.loads(json.dumps(records))
        assert back == records
print(nodes > 0, len(words) > 100, sum(words.values()) % repeats)
END
}
