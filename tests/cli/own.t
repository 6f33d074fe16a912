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

# Every header alone, in every dialect. The user's warnings are on, and loam's are not his business.
for cc in $compilers; do
    for std in c11 c17 gnu2x; do
        for header in "$top"/include/loam/*.h; do
            printf "#include \"%s\"\nextern int user;\n" "$header" | $cc -std=$std -D_GNU_SOURCE -Wall -Wextra -Wpedantic \
                -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
                -Wundef -I"$top/include" -fsyntax-only -x c - 2>&1
        done >"$tmp/log"
        is "$cc -std=$std has nothing to say about any header" "$(cat "$tmp/log")" ""
    done
done

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
for compiler in $cxx $(command -v clang++ >/dev/null && echo clang++); do
    for header in "$top"/include/loam/*.h*; do
        echo "#include \"$header\"" | $compiler -std=c++17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic \
            -Wshadow -Wconversion -Wundef -I"$top/include" -fsyntax-only -x c++ - 2>&1
    done >"$tmp/log"
    is "$compiler -std=c++17 has nothing to say about any header" "$(cat "$tmp/log")" ""
done
done_testing
