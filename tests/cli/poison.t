#!/bin/sh
# elf, layout, asm and hex on files that are cut, or have wrong bytes in places that matter.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-cc}
cd "$tmp" || exit 1
cat >seed.c <<'X'
struct node { struct node *next; char tag[3]; enum { A, B } kind; unsigned flag : 3; double ratio;
    union { long whole; struct { int low, high; }; }; int (*call)(struct node *, int); };
struct node first = {&first, "ab", B, 5, 2.5, {7}, 0};
__attribute__((noinline)) int get(const int *a, unsigned n, unsigned i)
{
    if (i >= n)
        __builtin_trap();
    return a[i];
}
int main(int argc, char **argv) { return get((int[4]){argc}, 4, (unsigned)argc) + **argv; }
X
$cc -g -O2 -o whole seed.c && $cc -g -c -o object seed.c && $cc -g -gz -shared -fPIC -o library seed.c &&
    $cc -gdwarf-4 -fdebug-types-section -o types seed.c && strip -o bare whole
for f in whole object library types; do
    ok "$f is read when it is whole" sh -c "'$loam' layout $f node >out"
done
is "broken files" "$(python3 "$top/tests/cli/poison.py" "$loam" whole object library types bare)" ""
done_testing
