#!/bin/sh
# The built pages in web/dist are what web/src gives. The hash needs no node; the rebuild needs
# node_modules, which `make web` makes.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top/web" || exit 1

sources()
{
    { echo build.mjs; echo package-lock.json; echo tsconfig.json; find src -type f; } | sort
}
hash=$(sources | xargs sha256sum | sha256sum | cut -d' ' -f1)

for page in src/pages/*.tsx; do
    name=$(basename "$page" .tsx)
    is "$name.html was built from these sources (else: make web)" \
        "$(sed -n '1s/.*<!-- sources \([0-9a-f]*\) -->.*/\1/p' "dist/$name.html")" "$hash"
    is "$name.html has one place for data" "$(grep -o '/\*data\*/' "dist/$name.html" | wc -l)" 1
    is "$name.html asks the network for nothing" \
        "$(sed '/^<!-- In this page stand/,$d' "dist/$name.html" | grep -oE '(src|href)="?https?:[^ ]*')" ""
    ok "$name.html is small" test "$(wc -c <"dist/$name.html")" -lt 400000
done

if [ -d node_modules/esbuild ] && command -v node >/dev/null; then
    node build.mjs "$tmp/dist" >/dev/null 2>"$tmp/err" || show "$tmp/err"
    is "a rebuild gives the same bytes" "$(diff -rq dist "$tmp/dist" 2>&1)" ""
else
    skip "a rebuild gives the same bytes" "no node_modules here: make web makes them"
fi
done_testing
