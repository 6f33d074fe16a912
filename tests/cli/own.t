#!/bin/sh
# What compilers say of the toolkit: headers without warnings in every dialect, the same behaviour
# in gcc and clang, and errors where a program is wrong. Programs are in tests/own/: NAME.c runs and
# prints what its "// prints:" lines say; a line with "// error: TEXT" must not compile when the
# macro of its number is defined: #ifdef WRONG_1. "// gcc warns: TEXT" is what only gcc knows.
. "$(dirname "$0")/../lib/tap.sh"
here=$top/tests/own

compilers="${CC:-gcc}"
command -v clang >/dev/null && compilers="$compilers clang"

# $1 is the compiler, $2 the dialect; the rest are arguments.
build()
{
    cc=$1 std=$2
    shift 2
    blocks=
    case $cc in *clang*) blocks=-fblocks ;; esac
    $cc -std="$std" -D_GNU_SOURCE -Wall -Wextra -Wpedantic $blocks -fexceptions -g -O1 \
        -I"$top/include" "$@" "$build/libloam.a" -pthread
}

for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    sed -n 's|^// prints: ||p' "$source" >"$tmp/expected"
    for cc in $compilers; do
        for std in c11 gnu17; do
            build $cc $std -o "$tmp/$name" "$source" >"$tmp/log" 2>&1
            is "$name: $cc -std=$std has nothing to say" "$(cat "$tmp/log")" ""
        done
        is "$name: $cc: does as it says" "$("$tmp/$name" 2>&1)" "$(cat "$tmp/expected")"
        for wrong in $(sed -n 's/^#ifdef \(WRONG_[0-9]*\)$/\1/p' "$source"); do
            case $cc in *clang*) warns='// none' ;; *) warns='// gcc warns: ' ;; esac
            text=$(sed -n -e "/^#ifdef $wrong\$/,/^#endif/s|.*// error: ||p" \
                -e "/^#ifdef $wrong\$/,/^#endif/s|.*$warns||p" "$source")
            [ -n "$text" ] || continue
            if build $cc gnu17 -Werror -O2 -D$wrong -o "$tmp/wrong" "$source" >"$tmp/log" 2>&1; then
                fail "$name: $cc: $wrong is an error"
            else
                like "$name: $cc: $wrong is an error" "$(cat "$tmp/log")" "error:.*($text)"
            fi
        done
    done
done

# gcc's analyzer follows a box through a function, as it does for malloc.
cat >"$tmp/analyzed.c" <<'EOF'
#include <loam/box.h>
struct a {
    int x;
};
int forgets(void)
{
    struct a *p = loam_box_new(struct a, NULL, .x = 1);
    return p == NULL ? 1 : p->x;
}
void drops_twice(void)
{
    struct a *p = loam_box_new(struct a, NULL, .x = 1);
    loam_box_drop(p);
    loam_box_drop(p);
}
int right(void)
{
    loam_auto struct a *p = loam_box_new(struct a, NULL, .x = 1);
    struct a *q = loam_move(p);
    loam_drop(q);
    return q == NULL;
}
EOF
if ${CC:-gcc} -O0 -fanalyzer -I"$top/include" -c -o "$tmp/analyzed.o" "$tmp/analyzed.c" 2>"$tmp/log"; then
    is "box: gcc -fanalyzer tells the leak and the second drop, and nothing else" \
        "$(sed -n 's/.*\[-Wanalyzer-\(.*\)\]$/\1/p' "$tmp/log" | sort)" "double-free
malloc-leak"
else
    skip "box: gcc -fanalyzer" "this compiler has none"
fi

cxx=${CXX:-g++}
for source in "$here"/*.cc; do
    name=$(basename "$source" .cc)
    for compiler in $cxx $(command -v clang++ >/dev/null && echo clang++); do
        $compiler -std=c++17 -Wall -Wextra -Wpedantic -I"$top/include" -o "$tmp/$name" "$source" \
            "$build/libloam.a" -pthread >"$tmp/log" 2>&1
        is "$name: $compiler has nothing to say" "$(cat "$tmp/log")" ""
        is "$name: $compiler: does as it says" "$("$tmp/$name" 2>&1)" \
            "$(sed -n 's|^// prints: ||p' "$source")"
    done
done
done_testing
