#!/bin/sh
# The house rules that a machine can check cheaply. See CONTRIBUTING.md for the others.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

ours=$(git ls-files -co --exclude-standard '*.[chS]' '*.cc' '*.hpp' 2>/dev/null ||
    find src include tests examples -name '*.[chS]' -o -name '*.cc' -o -name '*.hpp')

long=$(awk 'length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns" }' $ours)
is "no line is longer than 100 columns" "$long" ""

is "no tabs in C" "$(grep -n "$(printf '\t')" $ours | head)" ""

is "no white space at the end of a line" "$(grep -n '[[:blank:]]$' $ours | head)" ""

is "no file is longer than 600 lines" "$(wc -l $ours | awk '$2 != "total" && $1 > 600')" ""

bare=
for d in src/*/; do
    [ -f "$d/README.md" ] || bare="$bare $d"
done
is "each src/ folder has a README.md" "$bare" ""

if command -v clang-format >/dev/null; then
    is "clang-format has nothing to say" \
        "$(clang-format --dry-run $ours 2>&1 | grep -E '(warning|error):' | head)" ""
else
    skip "clang-format has nothing to say" "clang-format is not installed"
fi

# What runs inside the user's program takes no memory from libc and prints nothing through stdio.
inside=$(ls -d src/base src/os src/heap src/scan src/own src/format src/record src/guard \
    src/preload 2>/dev/null)
is "code in the target includes no stdio.h and no locale.h" \
    "$(grep -rnE '#include <(stdio|locale|wchar|iostream)' $inside)" ""

for f in tools/install-deps tools/first-look tests/lib/tap.sh .ci/run $(find tests -name '*.t') bench/*/*.sh; do
    head -1 "$f" | grep -q perl && continue
    sh -n "$f" 2>/dev/null || bad="${bad-} $f"
done
is "shell scripts parse" "${bad-}" ""

is "every test can be executed" "$(find tests -name '*.t' ! -perm -100)" ""

done_testing
