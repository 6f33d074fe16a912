#!/bin/sh
# Functions that were compiled while the program ran, named by its perf map: node, and CPython
# where it has one.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1

# Runs a program, prints its report, and takes away the map that it left in /tmp.
reported()
{
    "$loam" run -o r.loam --report /dev/null -- sh -c 'echo $$ >pid; exec "$@"' sh "$@" >out 2>&1 || show out
    "$loam" report r.loam -a
    rm -f "/tmp/perf-$(cat pid).map"
}

cat >j.js <<'EOF'
function hot(n) { const a = []; for (let i = 0; i < n; i++) a.push(Buffer.allocUnsafeSlow(3000)); return a; }
function outer() { let k = []; for (let i = 0; i < 20; i++) k = hot(100); return k; }
console.log(outer().length);
EOF
if command -v node >/dev/null; then
    reported node --perf-basic-prof --interpreted-frames-native-stack j.js >told
    like "node: a function of the script, with its line" "$(tr -s ' ' <told)" '^ hot .*j\.js:1$'
else
    skip "node" "no node"
fi

cat >p.py <<'EOF'
def hot(n):
    return [bytearray(30000) for _ in range(n)]
print(len(hot(100)))
EOF
if python3 -X perf -c 'import sys; sys.exit(not sys.is_stack_trampoline_active())' 2>/dev/null; then
    PYTHONMALLOC=malloc
    export PYTHONMALLOC
    reported python3 -X perf p.py >told
    like "python: a function of the script" "$(tr -s ' ' <told)" '^ hot .*p\.py$'
else
    skip "python" "this python3 writes no perf map"
fi
done_testing
